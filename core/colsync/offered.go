package colsync

import (
	"context"
	"fmt"
	"slices"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// An upload whose answer is lost may have been installed. The copy that was sent and this record stay until the server's
// scm tells, so that the next sync goes on from there instead of asking for a direction.

// offered describes an upload that was, or is about to be, sent.
type offered struct {
	Now       int64 // scm, ls and mod of the copy
	LocalMod  int64 // of our collection when it was copied
	LocalScm  int64 // likewise
	ServerMod int64 // of what the upload replaces
	Bytes     int64
}

// fields lists the fields with the names of their stored form.
func (o *offered) fields() []offeredField {
	return []offeredField{
		{"now", &o.Now}, {"local_mod", &o.LocalMod}, {"local_scm", &o.LocalScm}, {"server_mod", &o.ServerMod}, {"bytes", &o.Bytes},
	}
}

type offeredField struct {
	key   string
	value *int64
}

// appendJSON appends the stored form.
func (o offered) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for _, f := range o.fields() {
		dst = jsontext.PutInt(dst, f.key, *f.value)
	}
	return append(dst, '}')
}

// parseOffered reads the stored form; ok is false if it is damaged.
func parseOffered(members []jsontext.Member) (o offered, ok bool) {
	for _, f := range o.fields() {
		if *f.value, ok = jsontext.Int(jsontext.Get(members, f.key)); !ok {
			return offered{}, false
		}
	}
	return o, true
}

// resolveOffered finds out what became of an earlier upload and reports whether it had landed.
func (s *Syncer) resolveOffered(ctx context.Context, m wire.Meta) (bool, error) {
	members, found, err := s.Store.Recall(profile.Offered)
	if err != nil || !found {
		return false, err
	}
	o, ok := parseOffered(members)
	if !ok {
		return false, s.Store.DropOffered()
	}
	if m.Scm == o.Now {
		err := s.settle(ctx, o)
		if k := fault.KindOf(err); k == fault.NotFound || k == fault.DamagedFile {
			return false, s.Store.DropOffered() // without the copy nobody knows what was sent
		}
		return err == nil, err
	}
	if m.Mod != o.ServerMod {
		return false, s.Store.DropOffered() // somebody else's state: ours never came, or was replaced
	}
	return false, nil // not there, as far as the server knows; it may still be working on it
}

// settle records here that the server has installed the offered copy. Rows that still equal the copy become clean;
// edits made since stay pending.
func (s *Syncer) settle(ctx context.Context, o offered) error {
	db := s.db()
	s.Store.Changed()
	err := rows.Transaction(db, func() error {
		col, err := collection.ReadCol(db)
		if err != nil {
			return err
		}
		if col.Mod == o.LocalMod && col.Scm == o.LocalScm {
			return collection.PrepareUpload(db, o.Now)
		}
		return s.settleEdited(ctx, col, o)
	})
	if err != nil {
		return fault.Step("record the upload", err)
	}
	return s.Store.ForgetSync()
}

// settleEdited is settle for a collection that was edited after the copy was made.
func (s *Syncer) settleEdited(ctx context.Context, col collection.Col, o offered) error {
	copied, err := s.Host.SQL.Open(ctx, profile.OfferedCopy, host.ReadOnly)
	if err != nil {
		return err
	}
	defer copied.Close()
	db := s.db()
	for _, t := range settledTables {
		if err := settleTable(db, copied, t); err != nil {
			return err
		}
	}
	if err := settleGraves(db, copied); err != nil {
		return err
	}
	then, err := collection.ReadCol(copied)
	if err != nil {
		return err
	}
	scm := col.Scm
	if scm == o.LocalScm {
		scm = o.Now
	}
	_, err = rows.Exec(db, "UPDATE col SET usn = ?, scm = ?, ls = ?, mod = max(mod, ?)", then.USN, scm, o.Now, o.Now+1)
	return err
}

// settledTable is a table whose rows carry a usn; detail lists the rows that belong to one of its rows.
type settledTable struct {
	name, key string
	detail    string
}

var settledTables = []settledTable{
	{name: "notes", key: "id"}, {name: "cards", key: "id"}, {name: "revlog", key: "id"},
	{name: "decks", key: "id"}, {name: "deck_config", key: "id"}, {name: "tags", key: "tag"},
	{name: "notetypes", key: "id", detail: "SELECT 0, ord, name, config FROM fields WHERE ntid = ?1" +
		" UNION ALL SELECT 1, ord, name, config FROM templates WHERE ntid = ?1 ORDER BY 1, 2"},
}

// settleTable sets the usn of pending rows to 0 where the copy has the same row, as the copy's own clean-up did.
func settleTable(db, copied host.DB, t settledTable) error {
	var same [][]byte
	cols, err := columns(db, t.name)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT %s, %s FROM %s WHERE ", t.key, cols, t.name)
	for row, err := range rows.Query(db, query+"usn = -1") {
		if err != nil {
			return err
		}
		key := row[0].Any()
		there, err := rows.One(copied, query+t.key+" = ?", key)
		if err != nil {
			return err
		}
		if !equalRows(row, there) {
			continue
		}
		if t.detail != "" {
			if equal, err := sameDetail(db, copied, t.detail, key); err != nil || !equal {
				if err != nil {
					return err
				}
				continue
			}
		}
		same = append(same, rows.Pack(nil, key))
	}
	st, err := db.Prepare(fmt.Sprintf("UPDATE %s SET usn = 0 WHERE %s = ?", t.name, t.key))
	if err != nil {
		return err
	}
	defer st.Close()
	if len(same) == 0 {
		return nil
	}
	_, err = st.Run(slices.Concat(same...))
	return err
}

// columns lists a table's columns but usn, comma-separated.
func columns(db host.DB, table string) (string, error) {
	row, err := rows.One(db, "SELECT group_concat(name) FROM pragma_table_info(?) WHERE name != 'usn'", table)
	if err != nil {
		return "", err
	}
	return row[0].String(), nil
}

func sameDetail(db, copied host.DB, query string, key any) (bool, error) {
	var lists [2][]rows.Row
	for i, d := range []host.DB{db, copied} {
		for row, err := range rows.Query(d, query, key) {
			if err != nil {
				return false, err
			}
			lists[i] = append(lists[i], row.Clone())
		}
	}
	return slices.EqualFunc(lists[0], lists[1], equalRows), nil
}

func equalRows(a, b rows.Row) bool {
	return slices.EqualFunc(a, b, func(x, y rows.Value) bool {
		return x.Tag == y.Tag && x.Bits == y.Bits && string(x.Bytes) == string(y.Bytes)
	})
}

// settleGraves drops the graves that the upload made needless; those of objects that the server now has stay.
func settleGraves(db, copied host.DB) error {
	var drop [][]byte
	for row, err := range rows.Query(db, "SELECT oid, type FROM graves") {
		if err != nil {
			return err
		}
		oid, kind := row[0].Int(), row[1].Int()
		if kind < 0 || kind > 2 {
			continue
		}
		table := []string{"cards", "notes", "decks"}[kind]
		n, err := rows.IntOf(copied, "SELECT count(*) FROM "+table+" WHERE id = ?", oid)
		if err != nil {
			return err
		}
		if n == 0 {
			drop = append(drop, rows.Pack(nil, oid, kind))
		}
	}
	if len(drop) == 0 {
		return nil
	}
	st, err := db.Prepare("DELETE FROM graves WHERE oid = ? AND type = ?")
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = st.Run(slices.Concat(drop...))
	return err
}
