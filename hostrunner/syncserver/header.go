package syncserver

import (
	"net/http"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/wire"
)

// header is the anki-sync header (§3.1).
type header struct {
	version int64
	key     string
	client  string // short version of the program
	session string
	number  int64 // of a request that counts once, 0 if it has none (core/remote)
}

// readHeader reads the header of a request. Without one it is a form of the protocol up to version 10, if it is any: these clients
// get the status that tells them that they are too old, as do those that name such a version.
func readHeader(r *http.Request) (h header, err error) {
	list := r.Header.Values("anki-sync")
	if len(list) != 1 {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") && len(list) == 0 {
			return h, refuse(http.StatusNotImplemented, "a client of protocol version 10 or older")
		}
		return h, fault.New(fault.InvalidInput, "not one anki-sync header")
	}
	if h, err = parseHeader(list[0]); err != nil {
		return h, err
	}
	switch {
	case h.version >= 8 && h.version < wire.ProtocolVersion:
		return h, refuse(http.StatusNotImplemented, "a client of protocol version 10 or older")
	case h.version != wire.ProtocolVersion:
		return h, fault.New(fault.InvalidInput, "protocol version %d", h.version)
	}
	return h, nil
}

func parseHeader(text string) (h header, err error) {
	if len(text) > 4096 || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		return h, fault.New(fault.InvalidInput, "anki-sync header: too long, or not plain ASCII")
	}
	members, err := jsontext.ParseObject([]byte(text))
	if err != nil {
		return h, fault.Wrap(fault.InvalidInput, err, "anki-sync header")
	}
	var ok [4]bool
	h.version, ok[0] = jsontext.IntIn(jsontext.Get(members, "v"), 0, 255)
	h.key, ok[1] = jsontext.String(jsontext.Get(members, "k"))
	h.client, ok[2] = jsontext.String(jsontext.Get(members, "c"))
	h.session, ok[3] = jsontext.String(jsontext.Get(members, "s"))
	if n, ok := jsontext.IntIn(jsontext.Get(members, "n"), 1, 1<<53); ok { // others' clients have none
		h.number = n
	}
	if ok != [4]bool{true, true, true, true} {
		return h, fault.New(fault.InvalidInput, "anki-sync header: a key is missing or has a wrong type")
	}
	return h, nil
}
