package wire

import (
	"math"
	"unicode/utf16"

	"github.com/cardferry/cardferry/core/jsontext"
)

// ProtocolVersion is the version that is sent.
const ProtocolVersion = 11

// Meta is the server's answer to meta (§5.1). Mod and Scm are in milliseconds, TS in seconds.
type Meta struct {
	Mod, Scm int64
	USN      int32
	TS       int64
	Msg      string
	Cont     bool // false: stop, Msg says why
	HostNum  int32
	Empty    bool // the server has no cards
	MediaUSN int32
	// Slice, KeepsBackup and Events are extras of our own server (contract §5): the rows it takes in one slice, that it
	// keeps a replaced collection, that it has /api/events. Zero with other servers.
	Slice       int
	KeepsBackup bool
	Events      bool
}

// ParseMeta decodes the answer to meta.
func ParseMeta(b []byte) (Meta, error) {
	o := readObject(b)
	m := Meta{
		Mod:      required(o, "mod", colTime),
		Scm:      required(o, "scm", colTime),
		USN:      required(o, "usn", jsontext.Int32),
		TS:       required(o, "ts", jsontext.Int),
		Msg:      required(o, "msg", jsontext.String),
		Cont:     required(o, "cont", jsontext.Bool),
		HostNum:  required(o, "hostNum", jsontext.Int32),
		MediaUSN: required(o, "media_usn", jsontext.Int32),
		Empty:    optional(o, "empty", jsontext.Bool),
	}
	if o.err == nil && m.USN < 0 {
		o.err = errPending
	}
	if m.USN == math.MaxInt32 { // the next one, which a sync leaves in the collection, is none
		o.err = errType
	}
	if o.err != nil {
		return Meta{}, damaged("meta", o.err)
	}
	m.readExtras(o.raw("cardferry"))
	return m, nil
}

// colTime reads a time of a collection, to which 1 can be added often (core/collection, latest).
func colTime(raw []byte) (int64, bool) { return jsontext.IntIn(raw, -1<<61, 1<<61) }

// readExtras reads our own server's key; what it does not understand it leaves out.
func (m *Meta) readExtras(raw []byte) {
	if raw == nil {
		return
	}
	members, err := jsontext.ParseObject(raw)
	if err != nil {
		return
	}
	if slice, ok := jsontext.IntIn(jsontext.Get(members, "slice"), 0, 1<<20); ok {
		m.Slice = int(slice)
	}
	m.KeepsBackup, _ = jsontext.Bool(jsontext.Get(members, "keeps_backup"))
	m.Events, _ = jsontext.Bool(jsontext.Get(members, "events"))
}

// MetaRequest returns the body of meta; client names the program.
func MetaRequest(client string) []byte {
	b := jsontext.AppendInt(jsontext.AppendKey([]byte("{"), "v"), ProtocolVersion)
	b = jsontext.AppendString(jsontext.AppendKey(b, "cv"), client)
	return append(b, '}')
}

// LoginRequest returns the body of hostKey.
func LoginRequest(user, password string) []byte {
	b := jsontext.AppendString(jsontext.AppendKey([]byte("{"), "u"), user)
	b = jsontext.AppendString(jsontext.AppendKey(b, "p"), password)
	return append(b, '}')
}

// ParseLogin decodes the answer to hostKey.
func ParseLogin(b []byte) (key string, err error) {
	o := readObject(b)
	if key = required(o, "key", jsontext.String); o.err == nil && key == "" {
		o.err = errType
	}
	if o.err != nil {
		return "", damaged("hostKey", o.err)
	}
	return key, nil
}

// ParseFinish decodes the answer to finish: the server's time in milliseconds.
func ParseFinish(b []byte) (int64, error) {
	s := jsontext.Scanner{B: b}
	s.Space()
	start := s.Pos
	err := s.Value(0)
	end := s.Pos
	s.Space()
	n, ok := jsontext.IntIn(b[start:end], 1, 1<<53)
	if err != nil || s.Pos < len(b) || !ok {
		return 0, damaged("finish", errType)
	}
	return n, nil
}

// Header returns the value of the anki-sync header (§3.1): one line of printable ASCII. number, if not 0, is added as n: others ignore it,
// and our own server and gateway take a request with a number once only.
func Header(key, client, session string, number int64) string {
	b := jsontext.AppendInt(jsontext.AppendKey([]byte("{"), "v"), ProtocolVersion)
	b = jsontext.AppendString(jsontext.AppendKey(b, "k"), key)
	b = jsontext.AppendString(jsontext.AppendKey(b, "c"), client)
	b = jsontext.AppendString(jsontext.AppendKey(b, "s"), session)
	if number != 0 {
		b = jsontext.PutInt(b, "n", number)
	}
	return string(appendASCII(nil, append(b, '}')))
}

// appendASCII appends a JSON text with everything that a header cannot carry escaped; only strings have such.
func appendASCII(dst, text []byte) []byte {
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			dst = append(dst, byte(r))
		case r <= 0xffff:
			dst = appendUnit(dst, r)
		default:
			high, low := utf16.EncodeRune(r)
			dst = appendUnit(appendUnit(dst, high), low)
		}
	}
	return dst
}

// appendUnit appends the escape of a UTF-16 code unit.
func appendUnit(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
