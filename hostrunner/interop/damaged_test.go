package interop_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// A collection that is damaged while it is open is not taken by the server, and the error says that it is ours, and what to do. (Natively it is
// checked when another program has changed it, and not even sent.)
func TestUploadOfDamagedCollection(t *testing.T) {
	t.Parallel()
	remotes(t, map[engine]uint32{inPage: 1, nodeReactor: 1}, func(t *testing.T, e engine) {
		s := newOurs(t, e)
		server := anki.Read(t, s.acc.Download(t))
		s.ours.oneWay(t)
		s.ours.edit(t, func(e tx) {
			e.exec("PRAGMA writable_schema = ON")
			e.exec("UPDATE sqlite_schema SET sql = 'CREATE INDEX ix_notes_csum ON notes (mid)' WHERE name = 'ix_notes_csum'")
		})
		_, err := s.ours.profile.Upload(t.Context(), service.TransferParams{Account: &s.ours.account})
		if fault.KindOf(err) != fault.DamagedFile {
			t.Errorf("%v, after %v", err, s.proxy.Log())
		}
		s.same(t, "the server before (second)", anki.Read(t, s.acc.Download(t)), server)
	})
}
