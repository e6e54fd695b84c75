package render

import (
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
)

// AppendJSON appends a as JSON.
func (a AV) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "sound", a.Sound)
	if a.Speech != nil {
		dst = a.Speech.AppendJSON(jsontext.AppendKey(dst, "speech"))
	}
	return append(dst, '}')
}

// AppendJSON appends s as JSON.
func (s *Speech) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "text", s.Text)
	dst = jsontext.PutText(dst, "lang", s.Lang)
	if len(s.Voices) > 0 {
		dst = jsontext.AppendStrings(jsontext.AppendKey(dst, "voices"), s.Voices)
	}
	dst = strconv.AppendFloat(jsontext.AppendKey(dst, "speed"), s.Speed, 'f', -1, 64)
	if len(s.Other) > 0 {
		dst = jsontext.AppendStrings(jsontext.AppendKey(dst, "other"), s.Other)
	}
	return append(dst, '}')
}

// AppendJSON appends t as JSON.
func (t *Typed) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "marker", t.Marker)
	dst = jsontext.PutText(dst, "field", t.Field)
	dst = jsontext.PutText(dst, "expected", t.Expected)
	return append(jsontext.PutBool(dst, "nc", t.NoMarks), '}')
}

// AppendJSON appends e as JSON.
func (e *Error) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "side", string(e.Side))
	dst = jsontext.PutText(dst, "problem", string(e.Problem))
	dst = jsontext.PutText(dst, "tag", e.Tag)
	return append(jsontext.PutText(dst, "field", e.Field), '}')
}
