package mediasync

import (
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/order"
)

// reason says why a file was set aside; it is stored by its number.
type reason uint8

const (
	_ reason = iota
	badName
	empty
	tooLarge
	notRegular
	unreadable
	gone
	wrongHash
	damagedSum
	refused
)

// reasons are the names that reports have (contract §3).
var reasons = [...]string{
	badName: "name", empty: "empty", tooLarge: "too_large", notRegular: "not_regular", unreadable: "unreadable",
	gone: "gone", wrongHash: "hash", damagedSum: "damaged", refused: "refused",
}

// Aside is a file that was left out, and why: name, empty, too_large, not_regular, unreadable, gone, hash, damaged or
// refused.
type Aside struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Asides are the files that were left out, in the order of their names.
type Asides []Aside

// Sort puts the list into the order of the names.
func (list Asides) Sort() {
	order.By(len(list), func(i, j int) bool { return list[i].Name < list[j].Name }, func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// AppendJSON appends the list as JSON.
func (list Asides) AppendJSON(dst []byte) []byte {
	dst = append(dst, '[')
	for _, a := range list {
		dst = append(jsontext.Separate(dst), '{')
		dst = append(jsontext.PutText(jsontext.PutText(dst, "name", a.Name), "reason", a.Reason), '}')
	}
	return append(dst, ']')
}

// Report is the result of a sync (contract §3): numbers of files. Warning is a sentence about something that the sync
// could not repair, mostly "".
type Report struct {
	Held          int64  `json:"held"`
	Downloaded    int64  `json:"downloaded"`
	Uploaded      int64  `json:"uploaded"`
	DeletedLocal  int64  `json:"deleted_local"`
	DeletedRemote int64  `json:"deleted_remote"`
	SetAside      Asides `json:"set_aside"`
	RoundTrips    int64  `json:"round_trips"`
	NewEndpoint   string `json:"new_endpoint"`
	Warning       string `json:"warning"`
}

// AppendJSON appends r as JSON.
func (r Report) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	r.each(func(key string, v any) { dst = jsontext.Put(dst, key, v) })
	return append(dst, '}')
}

// Details are the fields of the report as those of an error.
func (r Report) details() map[string]any {
	m := map[string]any{}
	r.each(func(key string, v any) { m[key] = v })
	return m
}

func (r Report) each(put func(key string, v any)) {
	put("held", r.Held)
	put("downloaded", r.Downloaded)
	put("uploaded", r.Uploaded)
	put("deleted_local", r.DeletedLocal)
	put("deleted_remote", r.DeletedRemote)
	put("set_aside", r.SetAside)
	put("round_trips", r.RoundTrips)
	put("new_endpoint", r.NewEndpoint)
	put("warning", r.Warning)
}

// changed reports whether files here were changed.
func (r *Report) changed() bool { return r.Downloaded+r.DeletedLocal > 0 }

// asides are the files set aside in one run.
type asides map[string]reason

func (a asides) list() Asides {
	list := make(Asides, 0, len(a))
	for name, r := range a {
		list = append(list, Aside{name, reasons[r]})
	}
	list.Sort()
	return list
}
