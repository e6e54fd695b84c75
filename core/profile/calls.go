package profile

import (
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
)

// calls has the results of the last edits, by the caller's name for the call.
const calls Key = "calls"

// keptCalls is how many results are kept: more calls than a page has open at once.
const keptCalls = 64

// A host that can lose the answer of an edit, as a page does whose leading tab dies, names its calls and asks again. The
// result is stored before the edit is committed, with a number that the edit leaves in the collection's user_version, which
// nothing else uses: a stored result counts if its number is there. So an edit is never done twice, whenever the host dies.

// FinishedCall returns the result of a call that was committed, nil if there is none.
func (p *Profile) FinishedCall(name string) ([]byte, error) {
	list, _, err := p.committedCalls()
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Key == name {
			in, err := jsontext.ParseObject(m.Raw)
			return jsontext.Get(in, "result"), err
		}
	}
	return nil, nil
}

// FinishCall records the result of a call, a JSON object. It is called in the transaction that makes the call's changes.
func (p *Profile) FinishCall(name string, result []byte) error {
	list, number, err := p.committedCalls()
	if err != nil {
		return err
	}
	if len(list) >= keptCalls {
		list = list[len(list)-keptCalls+1:]
	}
	number++
	object := []byte{'{'}
	for _, m := range list {
		object = append(jsontext.AppendKey(object, m.Key), m.Raw...)
	}
	object = jsontext.PutInt(append(jsontext.AppendKey(object, name), '{'), "number", number)
	object = append(append(jsontext.AppendKey(object, "result"), result...), "}}"...)
	if err := p.state.put(calls, object); err != nil {
		return err
	}
	return p.db.Exec("PRAGMA user_version = " + string(jsontext.AppendInt(nil, number)))
}

// committedCalls returns the stored results whose calls were committed, the oldest first, and the last number.
func (p *Profile) committedCalls() (list []jsontext.Member, number int64, err error) {
	row, err := rows.One(p.db, "PRAGMA user_version")
	if err != nil || row == nil {
		return nil, 0, err
	}
	number = row[0].Int()
	all, _, err := p.state.get(calls)
	for _, m := range all {
		in, perr := jsontext.ParseObject(m.Raw)
		if n, ok := jsontext.Int(jsontext.Get(in, "number")); perr == nil && ok && n <= number {
			list = append(list, m)
		}
	}
	return list, number, err
}
