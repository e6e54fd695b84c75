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
		if left, err := os.ReadDir(filepath.Join(dir, "cardferry.tmp", "media")); len(left) > 0 {
			t.Errorf("left over: %v, %v", left, err)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no more") }
