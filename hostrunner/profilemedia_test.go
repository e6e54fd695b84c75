package hostrunner_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// TestOwnMedia adds, looks for and removes media files through both engines.
func TestOwnMedia(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		dir := o.Dir
		p := open(t, o)
		content := strings.Repeat("0123456789", 50_000)
		r, err := p.AddMedia(t.Context(), "Cafe\u0301.PNG", "image/png", strings.NewReader(content))
		if err != nil || r.Name != "café.png" || r.Size != int64(len(content)) {
			t.Fatalf("%+v, %v", r, err)
		}
		path := filepath.Join(dir, "collection.media", r.Name)
		if got, err := os.ReadFile(path); string(got) != content {
			t.Errorf("the folder has %d bytes, %v", len(got), err)
		}
		other, err := p.AddMedia(t.Context(), "café.png", "", strings.NewReader("other"))
		if err != nil || !strings.HasPrefix(other.Name, "café-") {
			t.Errorf("%+v, %v", other, err)
		}
		if s, err := p.MediaState(t.Context(), r.Name); err != nil || s != (service.MediaStateResult{State: "here", Done: 2, Total: 2}) {
			t.Errorf("%+v, %v", s, err)
		}
		if err := p.RemoveMedia(t.Context(), r.Name); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("after removing it: %v", err)
		}
		if s, err := p.MediaState(t.Context(), r.Name); err != nil || s != (service.MediaStateResult{State: "missing", Done: 1, Total: 1}) {
			t.Errorf("%+v, %v", s, err)
		}
		if err := p.RemoveMedia(t.Context(), "../x"); fault.KindOf(err) != fault.InvalidInput && fault.KindOf(err) != fault.NotFound {
			t.Error(err)
		}
		if _, err := p.AddMedia(t.Context(), "broken.png", "", io.MultiReader(strings.NewReader("x"), failing{})); err == nil {
			t.Error("a content that cannot be read was added")
		}
		if left, err := os.ReadDir(filepath.Join(dir, "cardferry.tmp", "added")); len(left) > 0 || err != nil {
			t.Errorf("left over: %v, %v", left, err)
		}
	})
}

// TestOwnMediaAtOnce: a file that is on its way into the profile stays there while another one comes, though what a killed run has left goes.
func TestOwnMediaAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		add := func(p *hostrunner.Profile, name string, content io.Reader) {
			t.Helper()
			if r, err := p.AddMedia(t.Context(), name, "", content); err != nil || r.Name != name {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
		p := open(t, o)
		add(p, "slow.png", io.MultiReader(strings.NewReader("first"), meanwhile(func() { add(p, "other.png", strings.NewReader("other")) })))

		var path string // of what a killed run leaves
		_, err := p.AddMedia(t.Context(), "broken.png", "", meanwhile(func() {
			staged, err := filepath.Glob(filepath.Join(o.Dir, "cardferry.tmp", "*", "*"))
			if err != nil || len(staged) != 1 {
				t.Fatalf("%v, %v", staged, err)
			}
			path = staged[0]
		}))
		if fault.KindOf(err) != fault.InvalidInput {
			t.Errorf("an empty file: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
		add(open(t, o), "next.png", strings.NewReader("next"))
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("what a killed run has left: %v", err)
		}
	})
}

// meanwhile is an empty content; it does something when it is read.
type meanwhile func()

func (m meanwhile) Read([]byte) (int, error) {
	m()
	return 0, io.EOF
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no more") }
