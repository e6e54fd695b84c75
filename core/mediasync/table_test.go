package mediasync_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
)

// cell is one cell of the table of design.md §4: what is here, what the server has and what was agreed on, as contents;
// "-" is nothing (of the server: unknown), "†" deleted, "" (here) a file that cannot be synced.
type cell struct {
	here, server, agreed string
	wantHere, wantServer string // "-" for none
	wantTrash            string
}

var cells = []cell{
	{"-", "-", "-", "-", "-", ""},
	{"-", "-", "X", "-", "-", ""},
	{"-", "†", "-", "-", "-", ""},
	{"-", "†", "X", "-", "-", ""},
	{"-", "X", "-", "X", "X", ""},
	{"-", "X", "X", "-", "-", ""},
	{"-", "Y", "X", "Y", "Y", ""},
	{"X", "-", "-", "X", "X", ""},
	{"X", "-", "X", "X", "X", ""},
	{"X", "-", "Y", "X", "X", ""},
	{"X", "†", "X", "-", "-", "X"},
	{"X", "†", "-", "X", "X", ""},
	{"X", "†", "Y", "X", "X", ""},
	{"X", "X", "-", "X", "X", ""},
	{"X", "X", "X", "X", "X", ""},
	{"X", "X", "Y", "X", "X", ""},
	{"Y", "X", "X", "Y", "Y", ""},
	{"X", "Y", "X", "Y", "Y", "X"},
	{"Z", "Y", "X", "Y", "Y", "Z"},
	{"Z", "Y", "-", "Y", "Y", "Z"},
	{"", "-", "-", "", "-", ""},
	{"", "-", "X", "", "-", ""},
	{"", "†", "X", "", "-", ""},
	{"", "X", "X", "", "X", ""},
	{"", "Y", "X", "", "Y", ""},
}

// agreement is how device and server came to agree.
type agreement int

const (
	acknowledged  agreement = iota
	replyLost               // the device sent it, and never got an answer
	deletedBefore           // nothing is agreed, after a deletion whose answer was lost
)

func TestTable(t *testing.T) {
	t.Parallel()
	for _, by := range []agreement{acknowledged, replyLost, deletedBefore} {
		for _, c := range cells {
			// A list that shows something else than what was offered does not tell whether that ever arrived.
			if by == replyLost && c.server != c.agreed || by == deletedBefore && (c.agreed != "-" || c.server == "-" || c.server == "X") {
				continue
			}
			t.Run(strings.Join([]string{c.here, c.server, c.agreed, []string{"", "reply lost", "deleted before"}[by]}, " "), func(t *testing.T) {
				t.Parallel()
				testCell(t, c, by)
			})
		}
	}
}

func testCell(t *testing.T, c cell, by agreement) {
	s := newServer()
	d := newDevice(t, s)
	for name, content := range map[string]string{"o1.txt": "1", "o2.txt": "2"} { // so that not all files are missing
		d.put(name, content)
	}
	d.sync()
	agreeOn(t, d, c.agreed, by)
	switch {
	case c.server == "-":
		s.forget("f.txt")
	case c.server == "†":
		s.put("f.txt", []byte("so that there is something to delete"))
		s.put("f.txt", nil)
	default:
		s.put("f.txt", []byte(c.server))
	}
	if c.here == "-" {
		d.media.Remove("f.txt")
	} else if string(d.media.Get("f.txt")) != c.here || c.here == "" {
		d.put("f.txt", c.here)
	}
	r := d.sync()
	others := map[string]string{"o1.txt": "1", "o2.txt": "2"}
	here, server := maps.Clone(others), maps.Clone(others)
	if c.wantHere != "-" {
		here["f.txt"] = c.wantHere
	}
	if c.wantServer != "-" {
		server["f.txt"] = c.wantServer
	}
	d.want(here)
	d.wantServer(server)
	trash := ""
	for _, f := range d.media.Trashed() {
		trash += string(f.Data)
	}
	if trash != c.wantTrash {
		t.Errorf("the trash has %q, want %q", trash, c.wantTrash)
	}
	if aside := len(r.SetAside) == 1 && r.SetAside[0] == (mediasync.Aside{Name: "f.txt", Reason: "empty"}); aside != (c.here == "") {
		t.Errorf("set aside: %+v", r.SetAside)
	}
	s.requests()
	if r := d.sync(); r.RoundTrips != 1 {
		t.Errorf("the next sync: %s", s.requests())
	}
	d.want(here)
	d.wantServer(server)
}

// agreeOn makes device and server agree on a content ("-": none).
func agreeOn(t *testing.T, d *device, content string, by agreement) {
	t.Helper()
	cut := func() {
		down := false
		d.server.after = func(method string, _ []byte) (*host.Response, error) {
			if down = down || method == mediawire.UploadChanges; down {
				return nil, broken
			}
			return nil, nil
		}
		d.syncKind(mediasync.Options{}, fault.Network)
		d.server.after = nil
	}
	switch {
	case by == deletedBefore:
		d.put("f.txt", "X")
		d.sync()
		d.media.Remove("f.txt")
		cut()
	case content == "-":
	case by == replyLost:
		d.put("f.txt", content)
		cut()
	default:
		d.put("f.txt", content)
		d.sync()
	}
}

// forget removes the row of a file, as when a server has lost the file.
func (s *server) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rows[name]; r != nil {
		if r.data != nil {
			s.count--
		}
		delete(s.rows, name)
		s.last++ // something else happened, so that the device looks
		s.rows["other.txt"] = &serverRow{usn: s.last}
	}
}
