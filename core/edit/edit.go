// Package edit changes a collection as an app does for its user: notes, cards, decks, config, templates, answers
// (spec/study.md §1.3, §1.4, §5). What it writes is what the reference writes: mod, usn, graves, sort fields, checksums, cards.
//
// A list of operations is one transaction: all of it happens, or nothing. It is one step for Undo, too.
package edit

import (
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/study"
	"github.com/cardferry/cardferry/core/undo"
)

// Result is what one operation returns: the ids of what it made.
type Result struct {
	NoteID  int64   `json:"noteId,omitzero"`
	CardIDs []int64 `json:"cardIds,omitzero"`
	DeckID  int64   `json:"deckId,omitzero"`
}

// AppendJSON appends r as JSON.
func (r Result) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	if r.NoteID != 0 {
		dst = jsontext.PutInt(dst, "noteId", r.NoteID)
	}
	if r.CardIDs != nil {
		dst = append(jsontext.AppendKey(dst, "cardIds"), '[')
		for _, id := range r.CardIDs {
			dst = jsontext.AppendInt(jsontext.Separate(dst), id)
		}
		dst = append(dst, ']')
	}
	if r.DeckID != 0 {
		dst = jsontext.PutInt(dst, "deckId", r.DeckID)
	}
	return append(dst, '}')
}

// edit is one list of operations at work.
type edit struct {
	db      host.DB
	host    *host.Host
	now     time.Time
	changed bool
	begun   *study.Session   // see session
	given   map[string]int64 // by table, the last new id
}

// session returns what the options of decks are read through; it stays until the config changes.
func (e *edit) session() (s *study.Session, err error) {
	if e.begun == nil {
		e.begun, err = study.Begin(e.db, e.host.Clock)
	}
	return e.begun, err
}

// Apply runs the operations in one transaction of its own. An operation that is wrong is fault.InvalidInput, which names its
// index; nothing is changed then. last, if not nil, runs at the end of the transaction.
func Apply(h *host.Host, db host.DB, ops []Op, last func([]Result) error) (results []Result, err error) {
	if len(ops) == 0 {
		return []Result{}, nil
	}
	e := &edit{db: db, host: h, now: h.Clock.Now(), given: map[string]int64{}}
	err = rows.Transaction(db, func() error {
		err := undo.Record(db, ops[0].Op, func() error {
			for i := range ops {
				r, err := e.run(&ops[i])
				if err != nil {
					return fault.Step("operation "+string(jsontext.AppendInt(nil, int64(i)))+" ("+ops[i].Op+")", err)
				}
				results = append(results, r)
			}
			return e.touchCollection()
		})
		if err == nil && last != nil {
			err = last(results)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Undo takes back the last list of operations that is still known, and returns the name of its first one. fault.NotFound if
// there is none: a sync, a download and closing the collection end the history. last, if not nil, runs at the end of the
// transaction.
func Undo(h *host.Host, db host.DB, last func(name string) error) (name string, err error) {
	err = rows.Transaction(db, func() error {
		name, err = undo.Back(db, h.Clock.Now().UnixMilli())
		if err == nil && last != nil {
			err = last(name)
		}
		return err
	})
	return name, err
}

func (e *edit) run(op *Op) (Result, error) {
	switch op.Op {
	case AddNote:
		return e.addNote(op)
	case UpdateNote:
		return e.updateNote(op)
	case RemoveNotes:
		return Result{}, e.removeNotes(op.NoteIDs)
	case AnswerCard:
		return Result{}, e.answerCard(op)
	case SetCards:
		return Result{}, e.setCards(op)
	case AddDeck:
		return e.addDeck(op.Name)
	case RenameDeck:
		return Result{}, e.renameDeck(op.DeckID, op.Name)
	case RemoveDeck:
		return Result{}, e.removeDeck(op.DeckID)
	case SetConfig:
		return Result{}, e.setConfig(op.Key, op.Value)
	case SetTemplate:
		return Result{}, e.setTemplate(op)
	}
	return Result{}, invalid("there is no operation %q", op.Op)
}

// touchCollection makes the collection newer than it was, if anything was changed.
func (e *edit) touchCollection() error {
	if !e.changed {
		return nil
	}
	_, err := rows.Exec(e.db, "UPDATE col SET mod = max(?, mod + 1)", e.now.UnixMilli())
	return err
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidInput, format, args...)
}

// exec runs one statement that may change the collection.
func (e *edit) exec(sql string, args ...any) error {
	n, err := rows.Exec(e.db, sql, args...)
	e.changed = e.changed || n > 0
	return err
}

// each runs a statement once for each id, which is its last parameter.
func (e *edit) each(sql string, ids []int64, args ...any) error {
	if len(ids) == 0 {
		return nil
	}
	st, err := e.db.Prepare(sql)
	if err != nil {
		return err
	}
	defer st.Close()
	head := rows.Pack(nil, args...)
	var packed []byte
	for _, id := range ids {
		packed = rows.Int(rows.Extend(packed, head, len(args)+1), id)
	}
	n, err := st.Run(packed)
	e.changed = e.changed || n > 0
	return err
}

// ids returns the first column of a query.
func (e *edit) ids(sql string, args ...any) (list []int64, err error) {
	for row, err := range rows.Query(e.db, sql, args...) {
		if err != nil {
			return nil, err
		}
		list = append(list, row[0].Int())
	}
	return list, nil
}

// newID returns the id of a new row. It begins where the last one of the table was given, as there may be thousands.
func (e *edit) newID(table string) (id int64, err error) {
	id, err = collection.FreeID(e.db, table, max(e.now.UnixMilli(), e.given[table]+1))
	e.given[table] = id
	return id, err
}

// touched is the assignment that marks a note or card as changed; the time is parameter 1.
const touched = "mod = max(?1, mod + 1), usn = -1"

// touchedObject is the same for decks and notetypes.
const touchedObject = "mtime_secs = max(?1, mtime_secs + 1), usn = -1"

// The codes of graves.type.
const (
	graveCard = 0
	graveNote = 1
	graveDeck = 2
)

// remove deletes rows and records their graves, also of what was deleted and came back before: that has a grave already.
func (e *edit) remove(table string, grave int, ids []int64) error {
	if err := e.each("DELETE FROM "+table+" WHERE id = ?", ids); err != nil {
		return err
	}
	return e.each("INSERT INTO graves (type, usn, oid) VALUES (?, -1, ?) ON CONFLICT DO UPDATE SET usn = -1", ids, grave)
}
