package legacy_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
)

// The golden forms of collection-format.md, Appendix C.
const (
	defaultDeck = `{"id":1,"mod":0,"name":"Default","usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],` +
		`"timeToday":[0,0],"collapsed":true,"browserCollapsed":true,"desc":"","dyn":0,"conf":1,"extendNew":0,` +
		`"extendRev":0,"reviewLimit":null,"newLimit":null,"reviewLimitToday":null,"newLimitToday":null,"desiredRetention":null}`
	defaultConfig = `{"id":1,"mod":0,"name":"Default","usn":0,"maxTaken":60,"autoplay":true,"timer":0,"replayq":true,` +
		`"new":{"bury":false,"delays":[1.0,10.0],"initialFactor":2500,"ints":[1,4,0],"order":1,"perDay":20},` +
		`"rev":{"bury":false,"ease4":1.3,"ivlFct":1.0,"maxIvl":36500,"perDay":200,"hardFactor":1.2},` +
		`"lapse":{"delays":[10.0],"leechAction":1,"leechFails":8,"minInt":1,"mult":0.0},` +
		`"dyn":false,"newMix":0,"newPerDayMinimum":0,"interdayLearningMix":0,"reviewOrder":0,` +
		`"newSortOrder":0,"newGatherPriority":0,"buryInterdayLearning":false,"fsrsWeights":[],` +
		`"fsrsParams5":[],"fsrsParams6":[],"desiredRetention":0.9,"ignoreRevlogsBeforeDate":"",` +
		`"easyDaysPercentages":[1.0,1.0,1.0,1.0,1.0,1.0,1.0],"stopTimerOnAnswer":false,` +
		`"secondsToShowQuestion":0.0,"secondsToShowAnswer":0.0,"questionAction":0,"answerAction":0,` +
		`"waitForAudio":true,"sm2Retention":0.9,"weightSearch":""}`
	defaultConfigBlob = "0a080000803f00002041120400002041221c0000803f0000803f0000803f0000803f0000803f0000803f0000803f" +
		"481450c8015d00002040656666a63f6d9a99993f7d0000803f8001949d02880101900101980104a80101b00108c0013cad02" +
		"6666663fc5026666663fe00201"
	notetype = `{"id":"-7","name":"N","type":1,"mod":3,"usn":-1,"sortf":1,"did":null,"tmpls":[{"name":"T","ord":9,` +
		`"qfmt":"{{cloze:A}}"}],"flds":[{"name":"A","sticky":"True","rtl":0,"font":"Arial","size":20,"id":-2,"media":[ ]},` +
		`{"name":"B","sticky":false,"rtl":false,"font":"","size":0}],"css":"\u003cb\u003e","req":[[0,"any",[0]]],"Name":"x","z":1,"z":{"a": 1.50}}`
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	d, err := legacy.ParseDeck(coretest.Text{}, []byte(defaultDeck))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(d.Common) + " " + hex.EncodeToString(d.Kind); got != "08011001 0a020801" {
		t.Errorf("deck: %s", got)
	}
	if out, err := d.AppendJSON(nil); string(out) != defaultDeck || err != nil {
		t.Errorf("deck: %s, %v", out, err)
	}
	c, err := legacy.ParseDeckConfig([]byte(defaultConfig))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(c.Config); got != defaultConfigBlob {
		t.Errorf("config: %s", got)
	}
	if out, err := c.AppendJSON(nil); string(out) != defaultConfig || err != nil {
		t.Errorf("config: %s, %v", out, err)
	}
}

func TestNotetype(t *testing.T) {
	t.Parallel()
	n, err := legacy.ParseNotetype([]byte(notetype))
	if err != nil {
		t.Fatal(err)
	}
	if n.ID != -7 || n.Name != "N" || n.Mod != 3 || n.USN != -1 || len(n.Fields) != 2 || len(n.Templates) != 1 {
		t.Errorf("got %+v", n)
	}
	if got := legacy.SortField(n.Config); got != 1 {
		t.Errorf("sort field %d, want 1", got)
	}
	const want = `{"id":-7,"name":"N","type":1,"mod":3,"usn":-1,"sortf":1,"did":null,"tmpls":[{"name":"T","ord":0,` +
		`"qfmt":"{{cloze:A}}","afmt":"","bqfmt":"","bafmt":"","did":null,"bfont":"","bsize":0,"id":null}],` +
		`"flds":[{"name":"A","ord":0,"sticky":true,"rtl":false,"font":"Arial","size":20,"description":"","plainText":false,` +
		`"collapsed":false,"excludeFromSearch":false,"id":-2,"tag":null,"preventDeletion":false,"media":[]},` +
		`{"name":"B","ord":1,"sticky":false,"rtl":false,"font":"","size":0,"description":"","plainText":false,` +
		`"collapsed":false,"excludeFromSearch":false,"id":null,"tag":null,"preventDeletion":false}],` +
		`"css":"<b>","latexPre":"","latexPost":"","latexsvg":false,"req":[[0,"any",[0]]],"Name":"x","z":{"a":1.50}}`
	if out, err := n.AppendJSON(nil); string(out) != want || err != nil {
		t.Errorf("got  %s\nwant %s, %v", out, want, err)
	}
}

// TestInputIsNotKept overwrites what was parsed, as a caller does that reads into one buffer.
func TestInputIsNotKept(t *testing.T) {
	t.Parallel()
	in := []byte(notetype)
	n, err := legacy.ParseNotetype(in)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := n.AppendJSON(nil)
	for i := range in {
		in[i] = 'x'
	}
	if after, _ := n.AppendJSON(nil); !bytes.Equal(before, after) {
		t.Errorf("changed to %s", after)
	}
}

func TestBadJSON(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "null", "[]", "[1]", "x", "{", "{}", `{"id":1`, defaultDeck + " x", defaultDeck + defaultDeck,
		strings.Replace(defaultDeck, "Default", "\xff", 1),
		strings.Replace(defaultDeck, "Default", `\ud800`, 1),
		strings.Replace(defaultDeck, "Default", `\ud800\u0041`, 1),
		strings.Replace(defaultDeck, "Default", "\n", 1),
		strings.Replace(defaultDeck, "Default", `\x`, 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":01`, 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":1,"x":1e400`, 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":1,"x":`+strings.Repeat("9", 310), 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":1,"x":`+strings.Repeat("[", 300)+strings.Repeat("]", 300), 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":1,"x":[1,]`, 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":1,"x":1.`, 1),
		strings.Replace(defaultDeck, `"id":1`, `"id":1,"x":tru`, 1),
		strings.Replace(defaultDeck, `"usn"`, `"USN"`, 1),
	} {
		if _, err := legacy.ParseDeck(coretest.Text{}, []byte(in)); !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%.80q: error %v", in, err)
		}
	}
}

func TestDuplicateKeys(t *testing.T) {
	t.Parallel()
	twice := strings.Replace(defaultDeck, `"conf":1`, `"conf":1,"conf":5,"x":1,"x":2`, 1)
	d, err := legacy.ParseDeck(coretest.Text{}, []byte(twice))
	if err != nil || hex.EncodeToString(d.Kind) != "0a020805" || !bytes.HasSuffix(d.Common, []byte(`{"x":2}`)) {
		t.Errorf("deck: %+v, %v", d, err)
	}
	twice = strings.Replace(defaultConfig, `"timer":0`, `"timer":0,"timer":0`, 1)
	if _, err := legacy.ParseDeckConfig([]byte(twice)); !errors.Is(err, fault.DamagedDownload) {
		t.Errorf("config: %v", err)
	}
	twice = strings.Replace(notetype, `"size":20`, `"size":20,"size":20`, 1)
	if _, err := legacy.ParseNotetype([]byte(twice)); !errors.Is(err, fault.DamagedDownload) {
		t.Errorf("field: %v", err)
	}
}

func TestDamagedBlobs(t *testing.T) {
	t.Parallel()
	deck := func(common, kind string) parsed {
		return &legacy.Deck{Name: "d", Common: []byte(common), Kind: []byte(kind)}
	}
	for name, p := range map[string]parsed{
		"no kind":              deck("", ""),
		"cut varint":           deck("\x08", "\x0a\x00"),
		"long varint":          deck("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x0a\x00"),
		"cut bytes":            deck("\xfa\x0f\x05{", "\x0a\x00"),
		"field number 0":       deck("\x00\x00", "\x0a\x00"),
		"wire type 7":          deck("\x0f", "\x0a\x00"),
		"open group":           deck("\x93\x06\x08\x01", "\x0a\x00"),
		"end without group":    deck("\x94\x06", "\x0a\x00"),
		"wrong wire type":      deck("\x0a\x00", "\x0a\x00"),
		"floats of three":      deck("", "\x12\x05\x1a\x03abc"),
		"text that is no text": deck("", "\x0a\x03\x22\x01\xff"),
		"cut float":            &legacy.DeckConfig{Config: []byte("\x5d\x00")},
		"field":                &legacy.Notetype{Fields: []legacy.Field{{Name: "F", Config: []byte("\x08")}}},
		"template":             &legacy.Notetype{Templates: []legacy.Template{{Name: "F", Config: []byte("\x08")}}},
		"name":                 &legacy.Notetype{Name: "\xff"},
		"requirement":          &legacy.Notetype{Config: []byte("\x42\x01\x08")},
	} {
		if out, err := p.AppendJSON(nil); !errors.Is(err, fault.DamagedFile) || out != nil {
			t.Errorf("%s: %s, error %v", name, out, err)
		}
	}
	if got := legacy.SortField([]byte("\x10\x03\x08")); got != 0 {
		t.Errorf("sort field of a damaged blob: %d", got)
	}
}

// TestUnknownFieldsAreSkipped has fields of every wire type that no version knows yet.
func TestUnknownFieldsAreSkipped(t *testing.T) {
	t.Parallel()
	unknown := "\x98\x06\x05" + "\x99\x06\x01\x02\x03\x04\x05\x06\x07\x08" + "\x9a\x06\x01x" + "\x9b\x06\x08\x01\x9b\x06\x9c\x06\x9c\x06" + "\x9d\x06\x01\x02\x03\x04"
	d := legacy.Deck{ID: 1, Name: "Default", Common: []byte("\x08\x01" + unknown + "\x10\x01"), Kind: []byte(unknown + "\x0a\x02\x08\x01")}
	if out, err := d.AppendJSON(nil); string(out) != defaultDeck || err != nil {
		t.Errorf("%s, %v", out, err)
	}
}

func BenchmarkParseNotetype(b *testing.B) {
	in, err := os.ReadFile("testdata/notetype.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := legacy.ParseNotetype(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNotetypeAppendJSON(b *testing.B) {
	in, err := os.ReadFile("testdata/notetype.json")
	if err != nil {
		b.Fatal(err)
	}
	n, err := legacy.ParseNotetype(in)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		if dst, err = n.AppendJSON(dst[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
