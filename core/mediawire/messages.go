package mediawire

import (
	"encoding/hex"
	"math"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// The methods.
const (
	Begin         = "begin"
	MediaChanges  = "mediaChanges"
	DownloadFiles = "downloadFiles"
	UploadChanges = "uploadChanges"
	MediaSanity   = "mediaSanity"
)

// Change is one row of the server's list: what it has under a name since the change number USN.
type Change struct {
	Name string
	USN  int32
	// SHA1 is the sum of the content, 20 bytes; empty if the file is deleted.
	SHA1 string
	// Bad says that the sum is no SHA-1: there is a file, but no one can know its content.
	Bad bool
}

// unwrap decodes the wrapper of an answer (§3.3): data of the expected type counts whatever err says; without it a
// text in err is a message for the user.
func unwrap[T any](method string, b []byte, parse func([]byte) (T, bool)) (none T, err error) {
	members, err := jsontext.ParseObject(b)
	if err == nil {
		if raw := jsontext.Get(members, "data"); raw != nil {
			if v, ok := parse(raw); ok {
				return v, nil
			}
		}
		if msg, _ := jsontext.String(jsontext.Get(members, "err")); msg != "" {
			return none, fault.New(fault.ServerMessage, "%s", msg).With("server_message", msg)
		}
		err = errType
	}
	return none, damaged(method, err)
}

// BeginRequest returns the body of begin; client names the program.
func BeginRequest(client string) []byte {
	return append(jsontext.PutText([]byte("{"), "v", client), '}')
}

// ParseBegin decodes the answer to begin: the server's highest change number. The old session key beside it is not
// looked at.
func ParseBegin(b []byte) (usn int32, err error) {
	return unwrap(Begin, b, func(raw []byte) (int32, bool) {
		members, err := jsontext.ParseObject(raw)
		if err != nil {
			return 0, false
		}
		return jsontext.Int32(jsontext.Get(members, "usn"))
	})
}

// ChangesRequest returns the body of mediaChanges: what comes after the change number usn.
func ChangesRequest(usn int32) []byte {
	return append(jsontext.PutInt([]byte("{"), "lastUsn", int64(usn)), '}')
}

// ParseChanges decodes the answer to ChangesRequest(after). A page that does not go on from there, in order, would make
// the listing endless or leave rows out.
func ParseChanges(b []byte, after int32) ([]Change, error) {
	list, err := unwrap(MediaChanges, b, parseChanges)
	if err != nil {
		return nil, err
	}
	for i, c := range list {
		if c.USN < after || i == 0 && c.USN == after {
			return nil, damaged(MediaChanges, errOrder)
		}
		after = c.USN
	}
	return list, nil
}

func parseChanges(raw []byte) ([]Change, bool) {
	rows, ok := jsontext.Elements(raw)
	list := make([]Change, len(rows))
	for i := 0; i < len(rows) && ok; i++ {
		list[i], ok = parseChange(rows[i])
	}
	return list, ok
}

func parseChange(raw []byte) (c Change, ok bool) {
	e, _ := jsontext.Elements(raw)
	if len(e) != 3 {
		return c, false
	}
	var ok1, ok2, ok3 bool
	var sum string
	c.Name, ok1 = jsontext.String(e[0])
	c.USN, ok2 = jsontext.Int32(e[1])
	sum, ok3 = jsontext.String(e[2])
	if sum != "" {
		var raw [20]byte
		n, err := hex.Decode(raw[:], []byte(sum[:min(len(sum), 40)]))
		if c.Bad = err != nil || n != 20 || len(sum) != 40; !c.Bad {
			c.SHA1 = string(raw[:])
		}
	}
	return c, ok1 && ok2 && ok3
}

// DownloadRequest returns the body of downloadFiles, which takes up to MaxEntries names.
func DownloadRequest(names []string) []byte {
	return append(jsontext.AppendStrings(jsontext.AppendKey([]byte("{"), "files"), names), '}')
}

// ParseUpload decodes the answer to uploadChanges: how many entries, from the first on, the server has handled, and
// its highest change number afterwards.
func ParseUpload(b []byte) (processed int64, usn int32, err error) {
	pair, err := unwrap(UploadChanges, b, func(raw []byte) (p [2]int64, ok bool) {
		e, _ := jsontext.Elements(raw)
		if len(e) != 2 {
			return p, false
		}
		n, ok1 := jsontext.IntIn(e[0], 0, math.MaxUint32)
		usn, ok2 := jsontext.Int32(e[1])
		return [2]int64{n, int64(usn)}, ok1 && ok2
	})
	return pair[0], int32(pair[1]), err
}

// SanityRequest returns the body of mediaSanity: how many files there are as far as we know.
func SanityRequest(files int64) []byte {
	return append(jsontext.PutInt([]byte("{"), "local", files), '}')
}

// ParseSanity decodes the answer to mediaSanity: whether the server counts as many.
func ParseSanity(b []byte) (equal bool, err error) {
	return unwrap(MediaSanity, b, func(raw []byte) (equal, ok bool) {
		s, _ := jsontext.String(raw)
		return s == "OK", s == "OK" || s == "mediaSanity"
	})
}
