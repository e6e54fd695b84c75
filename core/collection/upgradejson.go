package collection

import (
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
)

// objects reads one of the columns of col that hold a JSON object in schema 11, and returns its members without
// duplicates.
func (u *upgrader) objects(column string) ([]jsontext.Member, error) {
	row, err := rows.One(u.db, "SELECT "+column+" FROM col")
	if err != nil {
		return nil, err
	}
	if row == nil || row[0].Tag != rows.TagText {
		return nil, damaged("the value of col.%s is not a text", column)
	}
	list, err := jsontext.ParseObject(row[0].Bytes)
	if err != nil {
		return nil, unreadable(err, "the value of col.%s", column)
	}
	list = distinct(list)
	for i := range list {
		list[i].Raw = appendCollapsed(nil, list[i].Raw)
	}
	return list, nil
}

// distinct returns the members of an object without those whose key comes again later: of equal keys the last
// counts. Old programs and add-ons have written such files.
func distinct(members []jsontext.Member) []jsontext.Member {
	at := make(map[string]int, len(members))
	list := members[:0]
	for _, m := range members {
		if i, ok := at[m.Key]; ok {
			list[i] = m
			continue
		}
		at[m.Key] = len(list)
		list = append(list, m)
	}
	return list
}

// appendCollapsed appends a JSON value, which was checked before, in compact form, its objects without duplicate
// keys on any level.
func appendCollapsed(dst, raw []byte) []byte {
	if members, err := jsontext.ParseObject(raw); err == nil {
		dst = append(dst, '{')
		for _, m := range distinct(members) {
			dst = appendCollapsed(jsontext.AppendKey(dst, m.Key), m.Raw)
		}
		return append(dst, '}')
	}
	elements, ok := jsontext.Elements(raw)
	if !ok {
		return jsontext.AppendCompact(dst, raw)
	}
	dst = append(dst, '[')
	for i, e := range elements {
		dst = appendCollapsed(separated(dst, i), e)
	}
	return append(dst, ']')
}

// textMember returns the member of an object if it is a string, "" otherwise.
func textMember(object []byte, name string) string {
	members, err := jsontext.ParseObject(object)
	if err != nil {
		return ""
	}
	text, _ := jsontext.String(jsontext.Get(members, name))
	return text
}
