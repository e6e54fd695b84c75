package sqlitehost_test

import (
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// TestSlicesCompiledOnce: however many slices are sent, by a client or a server, SQLite compiles the statements that read them once, and once
// more where another table was listed after that.
func TestSlicesCompiledOnce(t *testing.T) {
	t.Parallel()
	for name, slicer := range map[string]func(db host.DB) (*collection.Slicer, error){
		"client": func(db host.DB) (*collection.Slicer, error) {
			if _, err := collection.CopyPending(db); err != nil {
				return nil, err
			}
			return collection.NewSlicer(db, 1, 30)
		},
		"server": func(db host.DB) (*collection.Slicer, error) { return collection.ListSince(db, -1, 30) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), host.Collection)
			coretest.Must(t, anki.Generate(path, anki.Generated{Seed: 1, Size: anki.Size{Notes: 50, Cards: 50, Reviews: 200}, RowUSN: -1, USN: 1, Mod: 1, LS: 1}))
			db := &recorder{DB: openFile(t, path, host.ReadWrite)}
			s, err := slicer(db)
			coretest.Must(t, err)
			defer s.Close()
			slices, rows := 0, 0
			for c := (wire.Chunk{}); !c.Done; slices++ {
				// The last slices have other numbers of rows, as all but reviews have been sent.
				coretest.Must(t, s.Next(&c))
				rows += c.Len()
			}
			if slices < 10 || rows != 300 {
				t.Errorf("%d rows in %d slices", rows, slices)
			}
			for sql, st := range db.statements {
				if n := st.Recompiled(); n > 1 {
					t.Errorf("compiled %d times more: %s", n, sql)
				}
			}
		})
	}
}

// recorder remembers the statements that are prepared.
type recorder struct {
	*sqlitehost.DB
	statements map[string]*sqlitehost.Stmt
}

func (r *recorder) Prepare(sql string) (host.Stmt, error) {
	st, err := r.DB.Prepare(sql)
	if st, ok := st.(*sqlitehost.Stmt); ok && err == nil {
		if r.statements == nil {
			r.statements = map[string]*sqlitehost.Stmt{}
		}
		r.statements[sql] = st
	}
	return st, err
}
