package collection

import (
	"bytes"
	"encoding/json"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
)

// jsonMember is a member of a JSON object.
type jsonMember struct {
	key   string
	value json.RawMessage
}

// objects reads one of the columns of col that hold a JSON object in schema 11, and returns its members without
// duplicates.
func (u *upgrader) objects(column string) ([]jsonMember, error) {
	row, err := rows.One(u.db, "SELECT "+column+" FROM col")
	if err != nil {
		return nil, err
	}
	if row == nil || row[0].Tag != rows.TagText {
		return nil, damaged("the value of col.%s is not a text", column)
	}
	list, err := members(row[0].Bytes)
	if err != nil {
		return nil, unreadable(err, "the value of col.%s", column)
	}
	return list, nil
}

var errNotObject = fault.New(fault.DamagedFile, "it is not a JSON object")

// members returns the members of a JSON object in their order. Of members with equal keys the last counts, at every
// level: old programs and add-ons have written such files.
func members(raw []byte) ([]jsonMember, error) {
	if err := json.Unmarshal(raw, &map[string]json.RawMessage{}); err != nil {
		return nil, err // not JSON, or not an object
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if token, _ := dec.Token(); token != json.Delim('{') {
		return nil, errNotObject // null
	}
	var list []jsonMember
	at := map[string]int{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := jsonMember{key: key.(string)} // json.Unmarshal has seen that it is one
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		if m.value, err = collapse(m.value); err != nil {
			return nil, err
		}
		if i, ok := at[m.key]; ok {
			list[i] = m
			continue
		}
		at[m.key] = len(list)
		list = append(list, m)
	}
	return list, nil
}

// collapse returns a JSON value in compact form, its objects without duplicate keys.
func collapse(raw json.RawMessage) (json.RawMessage, error) {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	switch raw[0] {
	case '{':
		return collapseObject(raw)
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		out := []byte{'['}
		for i, e := range list {
			c, err := collapse(e)
			if err != nil {
				return nil, err
			}
			out = append(separated(out, i), c...)
		}
		return append(out, ']'), nil
	}
	return raw, nil
}

func collapseObject(raw json.RawMessage) (json.RawMessage, error) {
	list, err := members(raw)
	if err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for i, m := range list {
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		out = append(separated(out, i), key...)
		out = append(append(out, ':'), m.value...)
	}
	return append(out, '}'), nil
}

// separated appends the comma before all elements but the first.
func separated(out []byte, i int) []byte {
	if i > 0 {
		out = append(out, ',')
	}
	return out
}

// textMember returns the member of that name if it is a string, "" otherwise.
func textMember(raw json.RawMessage, name string) (text string, err error) {
	list, err := members(raw)
	for _, m := range list {
		if m.key == name {
			err = json.Unmarshal(m.value, &text)
		}
	}
	return text, err
}
