package mediaref_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/mediaref"
)

func staticNames(list []mediaref.Static) (names []string) {
	for _, s := range list {
		names = append(names, s.Name())
	}
	return names
}

// TestExported compares with what the real program exports, which is another thing: it takes what a crude pattern finds
// and the folder has. differ has the texts for which we want to differ, and how.
func TestExported(t *testing.T) {
	t.Parallel()
	differ := map[string][]string{
		`x{content:'_c.png'}`:                        nil,       // a text, no file
		`/* _c.png) */`:                              nil,       // a comment
		`url(x.png)`:                                 {"x.png"}, // a file without "_" is used, too
		`url(_h%20i.png)`:                            {"_h i.png"},
		`{{Front}}<img src=_c.png width=3>`:          {"_c.png"},
		`{{Front}}<link href=_a.css>`:                {"_a.css"},
		`{{Front}}<img src="x.png">`:                 {"x.png"},
		`{{Front}}<script>var x="_g"</script>`:       nil, // could be anything
		`{{Front}}<style>x{src:url(_b.ttf)}</style>`: {"_b.ttf"},
	}
	used := 0
	for _, v := range coretest.ReadLines[struct {
		CSS, Q, A, Front string
		Exported         []string
	}](t, "testdata/template-references.jsonl") {
		if v.Front != "" {
			continue // a field
		}
		text := v.CSS + v.Q + v.A
		got := staticNames(mediaref.Template(v.Q + v.A))
		if v.CSS != "" {
			got = staticNames(mediaref.Style(v.CSS))
		}
		want, ok := differ[text]
		if !ok {
			want = v.Exported
		} else {
			used++
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if used != len(differ) {
		t.Errorf("%d of %d differences are left", used, len(differ))
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for html, want := range map[string]string{
		`<img src="{{Picture}}"><img src="{{Word}}.png">[sound:{{Sound}}]`:                      "",
		`[sound:ding.mp3] <audio src='_bell.ogg'>`:                                              "_bell.ogg ding.mp3",
		`<img src="a&amp;b.png"><img src="a&amp;b.png">`:                                        "a&b.png",
		`<img src="http://h/a.png"><img src="//h/b.png"><img src="data:image/png;base64,QQ==">`: "",
		`<img src="sub/a.png"><img src="/a.png"><img src="#x"><img src="?">`:                    "",
		`<a target="_blank" href="_top">`:                                                       "",
		`<script src="_jquery-3.1.min.js"></script>`:                                            "_jquery-3.1.min.js",
		`<script src=_a.js></script><link href=_a.css rel=x>`:                                   "_a.js _a.css",
		`<script>load("_data.json"); f("_x.y()", "_${a}.png", '_b c.png')</script>`:             "_data.json _b c.png",
		`<!-- <img src="old.png"> -->`:                                                          "",
		`<div style="background: url('_bg.jpg')">`:                                              "_bg.jpg",
		`<script>x = url(y)</script>`:                                                           "",
		`<img src="_a.png?v=2">`:                                                                "_a.png",
		`{{=<% %>=}}<img src="<%Front%>.png">`:                                                  "",
		`<img src="mailto:x"><img src="c#.png">`:                                                "c#.png",
		`<video src="v.mp4" poster="_p.png">`:                                                   "v.mp4 _p.png",
	} {
		if got := strings.Join(staticNames(mediaref.Template(html)), " "); !sameWords(got, want) {
			t.Errorf("%s: %q, want %q", html, got, want)
		}
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestStyle(t *testing.T) {
	t.Parallel()
	for css, want := range map[string]string{
		`@font-face { src: local("Noto"), url("_noto.woff2") format("woff2"), url(_noto.ttf) }`: "_noto.woff2 _noto.ttf",
		`src: url('_f.eot?#iefix'); src: url("_f.svg#f")`:                                       "_f.eot _f.svg",
		`@import "_a.css"; @IMPORT URL( '_b.css' ) screen;`:                                     "_a.css _b.css",
		`background: url(data:image/png;base64,QQ==)`:                                           "",
		`background: url(http://h/x.png) url(//h/y.png) url("sub/z.png")`:                       "",
		`/* url(_old.png) */ background: url(_new.png) /*`:                                      "_new.png",
		`url(` + strings.Repeat("x", 600) + `.png)`:                                             "",
		`url(#gradient)`: "",
		`url(_a%E3%81%82.png) url(_%zz.png) url(_%ff.png)`: "_aあ.png _%zz.png _%ff.png",
	} {
		if got := strings.Join(staticNames(mediaref.Style(css)), " "); !sameWords(got, want) {
			t.Errorf("%s: %q, want %q", css, got, want)
		}
	}
}

// TestReadings: a name may be meant as it is written or percent-encoded.
func TestReadings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list []mediaref.Static
		want []string
	}{
		{mediaref.Template(`<img src="a%20b.png">`), []string{"a%20b.png", "a b.png"}},
		{mediaref.Style(`url(_a%20b.png)`), []string{"_a b.png", "_a%20b.png"}},
		{mediaref.Template(`<img src="c#.png">`), []string{"c#.png", "c"}},
		{mediaref.Style(`url(_f.eot?x)`), []string{"_f.eot", "_f.eot?x"}},
		{mediaref.Style(`url(_f.eot)`), []string{"_f.eot"}},
	} {
		if len(c.list) != 1 || !slices.Equal(c.list[0].Readings, c.want) {
			t.Errorf("%q, want %q", c.list, c.want)
		}
	}
}

func FuzzStatic(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Add(`<img src="_a%20b.png?x"><style>@import url('_c.css')</style>[sound:d.mp3]`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, list := range [][]mediaref.Static{mediaref.Template(s), mediaref.Style(s)} {
			for _, name := range list {
				if name.Name() == "" || strings.Contains(name.Name(), "{{") {
					t.Errorf("%q: %q", s, name)
				}
			}
		}
	})
}
