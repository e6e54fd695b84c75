package interop_test

import (
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// A collection whose index is damaged while it is open can be uploaded, as by the real client: the server takes sound files only, and a copy
// row by row is one. (Natively it is checked, and refused, when another program has changed it.)
func TestUploadOfDamagedIndex(t *testing.T) {
	t.Parallel()
	remotes(t, map[engine]uint32{inPage: 1, nodeReactor: 1}, func(t *testing.T, e engine) {
		s := newOurs(t, e)
		note, _ := s.ours.addNote(t, s.base, "not sent yet")
		s.ours.oneWay(t)
		s.ours.edit(t, func(e tx) {
			e.exec("PRAGMA writable_schema = ON")
			e.exec("UPDATE sqlite_schema SET sql = 'CREATE INDEX ix_notes_csum ON notes (mid)' WHERE name = 'ix_notes_csum'")
		})
		if _, err := s.ours.profile.Upload(t.Context(), service.TransferParams{Account: &s.ours.account}); err != nil {
			t.Fatal(err, s.proxy.Log())
		}
		if log := s.proxy.Log(); !slices.Equal(log[len(log)-3:], []string{"meta", "upload", "upload"}) {
			t.Error(log)
		}
		if !anki.Read(t, s.acc.Download(t)).Has("notes", note) {
			t.Error("the server has not got the collection")
		}
	})
}
