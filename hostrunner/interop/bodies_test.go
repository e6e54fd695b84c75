package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// damage is a way in which an answer arrives damaged, with the kinds that may come of it.
type damage struct {
	name  string
	do    func(*anki.Exchange)
	kinds []fault.Kind
}

var damages = []damage{
	{"truncated body", func(ex *anki.Exchange) { ex.Cut = len(ex.Body) / 2 }, []fault.Kind{fault.Network, fault.DamagedDownload}},
	{"shorter body", func(ex *anki.Exchange) { ex.Body = ex.Body[:len(ex.Body)*2/3] }, []fault.Kind{fault.DamagedDownload}},
	{"empty body", func(ex *anki.Exchange) { ex.Body = nil }, []fault.Kind{fault.DamagedDownload}},
	{"flipped bits", func(ex *anki.Exchange) {
		ex.Body = bytes.Clone(ex.Body)
		for i := range ex.Body {
			ex.Body[i] ^= 0x55
		}
	}, []fault.Kind{fault.DamagedDownload}},
	{"plain body", func(ex *anki.Exchange) { ex.Body = ex.Plain() }, []fault.Kind{fault.DamagedDownload}},
	{"size too large", func(ex *anki.Exchange) { setSize(ex, len(ex.Plain())+1) }, []fault.Kind{fault.DamagedDownload}},
	{"size too small", func(ex *anki.Exchange) { setSize(ex, len(ex.Plain())-1) }, []fault.Kind{fault.DamagedDownload}},
	{"size is no number", func(ex *anki.Exchange) { ex.Header.Set("anki-original-size", "many") }, []fault.Kind{fault.DamagedDownload}},
	{"no size", func(ex *anki.Exchange) { ex.Header.Del("anki-original-size") }, []fault.Kind{fault.DamagedDownload}},
	{"login page", func(ex *anki.Exchange) {
		ex.Header.Del("anki-original-size")
		ex.Body = []byte("<html>Welcome to the hotel</html>")
	}, []fault.Kind{fault.DamagedDownload}},
	{"endless body", func(ex *anki.Exchange) {
		ex.Endless, ex.Body = true, anki.Compress(bytes.Repeat([]byte(`{"done":false},`), 1<<16))
	}, []fault.Kind{fault.DamagedDownload}},
	{"endless text", func(ex *anki.Exchange) { ex.Answer(bytes.Repeat([]byte(" "), 100<<20)) }, []fault.Kind{fault.DamagedDownload}},
}

// An answer that is damaged on the way is refused, whichever it is.
func TestDamagedAnswers(t *testing.T) {
	once(t)
	t.Parallel()
	for _, op := range operations() {
		for _, p := range op.points {
			if !p.after {
				continue
			}
			t.Run(op.name+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				hosts(t, 4, func(t *testing.T, e engine) {
					s, a := newApartSetup(t, e, p.n%2 == 0)
					for _, c := range damages {
						if !sampled(t.Name()+c.name, 3) {
							continue
						}
						s.renew(t, a, p.n%2 == 0)
						op.prepare(t, s)
						before := s.ours.dump(t)
						s.proxy.Use(p.at(func(ex *anki.Exchange) anki.Verdict { c.do(ex); return anki.Pass }))
						err := op.run(t.Context(), s.ours)
						if !slices.Contains(c.kinds, fault.KindOf(err)) {
							t.Errorf("%s: got %v, kind %v", c.name, err, fault.KindOf(err))
						}
						op.resume(t, s, a, p, before)
					}
				})
			})
		}
	}
}

// Each member of each answer of a normal sync is removed, or replaced by something of another type. We never crash: the
// answer is refused, or, where the reference is lenient too, taken; and after a good answer all is well.
func TestAlteredMembers(t *testing.T) {
	once(t)
	t.Parallel()
	for _, p := range syncPoints() {
		if !p.after {
			continue
		}
		t.Run(p.method, func(t *testing.T) {
			t.Parallel()
			cutOff(t, 1, func(t *testing.T, e engine) { alterMembers(t, e, p) })
		})
	}
}

// allowed are the kinds that an answer with wrong content may lead to.
var allowed = []fault.Kind{
	fault.DamagedDownload, fault.Sanity, fault.Resync, fault.Clock, fault.ServerMessage, fault.OneWayNeeded,
	fault.InvalidInput,  // a note that does not fit its notetype (sync spec 7.8)
	fault.DatabaseCheck, // an answer that says less than it should makes us send what the server cannot use
}

func alterMembers(t *testing.T, e engine, p point) {
	s, a := newApartSetup(t, e, p.n%2 == 0)
	var plain []byte
	s.proxy.Use(p.at(func(ex *anki.Exchange) anki.Verdict { plain = ex.Plain(); return anki.Drop }))
	if _, err := s.ours.try(t.Context()); err == nil {
		t.Fatal("no error without an answer")
	}
	limit := 40
	if full() {
		limit = 400
	}
	every := uint32(max(1, len(alterations(plain))/limit))
	if e == wazero {
		every *= 4
	}
	s.renew(t, a, p.n%2 == 0)
	ran := 0
	for name, altered := range alterations(plain) {
		if !chosen(fmt.Sprint(p, e, name), every) {
			continue
		}
		ran++
		s.proxy.Use(p.at(func(ex *anki.Exchange) anki.Verdict { ex.Answer(altered); return anki.Pass }))
		_, err := s.ours.try(t.Context())
		if err != nil && !slices.Contains(allowed, fault.KindOf(err)) {
			t.Errorf("%s: kind %v: %v", name, fault.KindOf(err), err)
		}
		s.ours.intact(t)
		if err == nil || fault.KindOf(err) == fault.Sanity || p.method == "finish" {
			// It was taken, and may have changed anything: go on with new collections.
			s.renew(t, a, p.n%2 == 0)
		}
	}
	t.Logf("%d answers", ran)
	s.proxy.Use(anki.Hooks{})
	_, err := s.ours.try(t.Context())
	if err != nil {
		t.Fatalf("after the altered answers: %v", err)
	}
	a.keeps(t, s.agree(t))
}

// alterations returns copies of a JSON text, each with one change.
func alterations(plain []byte) map[string][]byte {
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return nil
	}
	out := map[string][]byte{}
	emit := func(name string) {
		b, err := json.Marshal(root)
		if err == nil {
			out[name] = b
		}
	}
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		for _, w := range []any{nil, true, "text", json.Number("-7"), json.Number("1.5"), json.Number("99999999999999999999"), map[string]any{"a": 1}, []any{"x"}} {
			set(w)
			emit(fmt.Sprintf("%s = %v", path, w))
		}
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				old := v[k]
				delete(v, k)
				emit(path + " without " + k)
				v[k] = old
				walk(path+"."+k, old, func(w any) { v[k] = w })
			}
		case []any:
			for i, old := range v {
				walk(path+"["+strconv.Itoa(i)+"]", old, func(w any) { v[i] = w })
			}
		}
	}
	walk("answer", root, func(w any) { root = w })
	return out
}

func setSize(ex *anki.Exchange, n int) { ex.Header.Set("anki-original-size", strconv.Itoa(n)) }
