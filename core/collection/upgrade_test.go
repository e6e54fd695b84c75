package collection_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

func upgrade(t testing.TB, db host.DB) {
	t.Helper()
	if changed, err := collection.Upgrade(db, noonClock(), coretest.NewRandom(3), coretest.Text{}); err != nil || !changed {
		t.Fatal(changed, err)
	}
}

// oldColumn reads one of the JSON objects of schema 11.
func oldColumn(t testing.TB, db host.DB, column string) (object map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal([]byte(listRows(t, db, "SELECT "+column+" FROM col")[0]), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func putOldColumn(t testing.TB, db host.DB, column string, value any) {
	t.Helper()
	text, ok := value.(string)
	if !ok {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	mustExec(t, db, "UPDATE col SET "+column+" = ?", text)
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, fixture := range []string{"schema11.anki2", "schema11-2.1.49.anki2"} {
		t.Run(fixture, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, fixture)
			counts := listRows(t, db, "SELECT (SELECT count(*) FROM cards), (SELECT count(*) FROM notes), (SELECT count(*) FROM revlog)")
			upgrade(t, db)
			compareStructure(t, db)
			if err := checkAll(db); err != nil {
				t.Error(err)
			}
			wantRows(t, db, "SELECT (SELECT count(*) FROM cards), (SELECT count(*) FROM notes), (SELECT count(*) FROM revlog)", counts...)
			wantRows(t, db, "SELECT ver, conf, models, decks, dconf, tags FROM col", "18|||||")
			if changed, err := collection.Upgrade(db, noonClock(), coretest.NewRandom(3), coretest.Text{}); changed || err != nil {
				t.Errorf("again: %v, %v", changed, err)
			}
		})
	}
}

// oddNames makes a schema 11 file whose names clash or are not in normal form.
func oddNames(t testing.TB, db host.DB) {
	decks := oldColumn(t, db, "decks")
	for i, name := range []string{"a:: :b", "e\u0301", "A", "a", "x::y", "X::Y", " pad ", "a_", "tab\there", "", "::", "Same"} {
		id := 100 + i
		decks[fmt.Sprint(id)] = json.RawMessage(fmt.Sprintf(`{"id":%d,"mod":8,"name":%s,"usn":7,"lrnToday":[0,0],"revToday":[0,0],`+
			`"newToday":[0,0],"timeToday":[0,0],"collapsed":false,"dyn":0,"conf":1}`, id, quoted(name)))
	}
	putOldColumn(t, db, "decks", decks)
	models := oldColumn(t, db, "models")
	for i, nt := range []struct {
		name              string
		fields, templates []string
	}{
		{"e\u0301", []string{"a", "A", "a+", "x:y", " p ", "e\u0301", `"q"`}, []string{"t", "T"}},
		{"same", []string{"a"}, []string{"t"}},
		{"SAME", []string{"a"}, []string{"t"}},
		{"", []string{"", ""}, []string{"", ""}},
		{"nothing", nil, nil},
	} {
		models[fmt.Sprint(200+i)] = notetypeJSON(int64(200+i), nt.name, 8, 7, nt.fields, nt.templates)
	}
	putOldColumn(t, db, "models", models)
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestUpgradeNames(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "schema11.anki2")
	oddNames(t, db)
	upgrade(t, db)
	now := noon.Unix()
	wantRows(t, db, "SELECT id, replace(name, char(31), '/'), mtime_secs, usn FROM decks WHERE id > 1 AND id < 1000 ORDER BY id",
		fmt.Sprint("100|a/b|", now, "|-1"), fmt.Sprint("101|é|", now, "|-1"), "102|A|8|7", fmt.Sprint("103|a_|", now, "|-1"),
		"104|x/y|8|7", fmt.Sprint("105|X/Y_|", now, "|-1"), fmt.Sprint("106|pad|", now, "|-1"), fmt.Sprint("107|a__|", now, "|-1"),
		fmt.Sprint("108|tabhere|", now, "|-1"), fmt.Sprint("109|blank|", now, "|-1"), fmt.Sprint("110|blank/blank|", now, "|-1"), "111|Same|8|7")
	wantRows(t, db, "SELECT id, name, mtime_secs, usn FROM notetypes WHERE id < 1000 ORDER BY id",
		"200|é|8|7", "201|same|8|7", "202|SAME_|8|7", "203||8|7", "204|nothing|8|7")
	wantRows(t, db, "SELECT ord, name FROM fields WHERE ntid = 200 ORDER BY ord",
		"0|a", "1|A+", "2|a++", "3|x:y", "4| p ", "5|é", `6|"q"`)
	wantRows(t, db, "SELECT ord, name FROM templates WHERE ntid = 200 ORDER BY ord", "0|t", "1|T+")
	wantRows(t, db, "SELECT ord, name FROM fields WHERE ntid = 203 ORDER BY ord", "0|", "1|+")
	if err := checkAll(db); err != nil {
		t.Error(err)
	}
}

// eases are initial factors of deck configs in an old file, and the bytes of the ease that the real program stores.
// Some are one bit away from the nearest float: it multiplies by 100 and divides again.
var eases = []struct {
	factor int
	stored string
}{
	{0, "00002040"}, {1, "00002040"}, {1299, "00002040"}, {1300, "00002040"}, {1301, "2C87A63F"}, {1310, "14AEA73F"},
	{1320, "C3F5A83F"}, {1333, "BD9FAA3F"}, {2001, "62100040"}, {2499, "9EEF1F40"}, {2500, "00002040"}, {2567, "BA492440"},
	{4003, "93188040"}, {13000, "00005041"}, {65535, "EC118342"},
}

// oddEases makes a schema 11 file with these factors, and cards of all kinds in decks with a config to repair.
func oddEases(t testing.TB, db host.DB) {
	configs := oldColumn(t, db, "dconf")
	base := string(configs["1"])
	for i, ease := range eases {
		c := replaced(base, `"initialFactor":2500`, fmt.Sprintf(`"initialFactor":%d`, ease.factor))
		c = replaced(c, `"id":1,"mod":0,`, fmt.Sprintf(`"id":%d,"mod":8,`, 900+i)) // the key counts
		configs[fmt.Sprint(100+i)] = json.RawMessage(replaced(c, `"usn":0`, `"usn":7`))
	}
	putOldColumn(t, db, "dconf", configs)
	decks := oldColumn(t, db, "decks")
	decks["1"] = json.RawMessage(replaced(string(decks["1"]), `"conf":1`, `"conf":102`))
	decks["1795247231842"] = json.RawMessage(replaced(string(decks["1795247231842"]), `"conf":1`, `"conf":999`)) // no such config
	putOldColumn(t, db, "decks", decks)
	for i, c := range [][3]int{
		{1, 0, 2000}, {1, 0, 2001}, {1, 0, 0}, {1, 0, 1}, {1795247231883, 1, 1500}, {1, 1795247231842, 1500},
		{1795247231842, 0, 1500}, {1795247231883, 1795247231842, 1500}, {1795247231841, 0, 1500},
	} {
		mustExec(t, db, "UPDATE cards SET did = ?, odid = ?, factor = ?, usn = 5, mod = 6 WHERE id = ?", c[0], c[1], c[2], 1795247231845+i)
	}
}

func TestUpgradeEase(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "schema11.anki2")
	oddEases(t, db)
	upgrade(t, db)
	wantRows(t, db, "SELECT factor, usn, mod FROM cards WHERE id < 1795247231854 ORDER BY id",
		"2500|-1|6", "2001|5|6", "0|5|6", "2500|-1|6", "2500|-1|6", "2500|-1|6", "1500|5|6", "1500|5|6", "1500|5|6")
	for i, ease := range eases {
		got := listRows(t, db, "SELECT hex(config), mtime_secs, usn FROM deck_config WHERE id = ?", 100+i)
		if len(got) != 1 || !strings.Contains(got[0], "5D"+ease.stored) || !strings.HasSuffix(got[0], "|8|7") {
			t.Errorf("ease %d: %s, want %s in it", ease.factor, got, ease.stored)
		}
	}
}

// oddRest makes a schema 11 file with odd config, tags and graves, and members twice.
func oddRest(t testing.TB, db host.DB) {
	putOldColumn(t, db, "conf", ` { "a" : [ 1, 2.5, "\u00e9<>" ], "dup":1, "schedVer":2, "dup":2, "o":{"b":1,"a":2,"b":3}, "n":null, "big":9007199254740993 } `)
	putOldColumn(t, db, "tags", "{\"Foo Bar\":3,\"e\u0301::x\":0,\"a::::b\":1,\"Z\":-1}")
	mustExec(t, db, "INSERT INTO graves (usn, oid, type) VALUES (7, 77, 0), (-1, 77, 0), (5, 77, 1)")
	configs := oldColumn(t, db, "dconf")
	configs["1"] = json.RawMessage(replaced(string(configs["1"]), `"maxTaken":60`, `"maxTaken":60,"maxTaken":61`))
	putOldColumn(t, db, "dconf", rawObject(configs))
	models := oldColumn(t, db, "models")
	models["300"] = notetypeJSON(300, "twice", 8, 7, []string{"a"}, []string{"t"})
	models["300"] = json.RawMessage(replaced(string(models["300"]), `"mod":8`, `"mod":9,"mod":8`))
	putOldColumn(t, db, "models", rawObject(models))
}

// rawObject joins members without looking into them.
func rawObject(members map[string]json.RawMessage) string {
	var parts []string
	for key, value := range members {
		parts = append(parts, quoted(key)+":"+string(value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestUpgradeRest(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "schema11.anki2")
	oddRest(t, db)
	upgrade(t, db)
	wantRows(t, db, "SELECT key, usn, mtime_secs, CAST(val AS TEXT), typeof(val) FROM config ORDER BY key",
		`a|0|0|[1,2.5,"\u00e9<>"]|blob`, "big|0|0|9007199254740993|blob", "dup|0|0|2|blob", "n|0|0|null|blob", `o|0|0|{"b":3,"a":2}|blob`, "schedVer|0|0|2|blob")
	wantRows(t, db, "SELECT tag, usn, collapsed, config FROM tags ORDER BY tag",
		"a::::b|1|1|<nil>", "e\u0301::x|0|1|<nil>", "Foo Bar|3|1|<nil>", "Z|-1|1|<nil>")
	wantRows(t, db, "SELECT oid, type, usn FROM graves WHERE oid < 100 ORDER BY type", "77|0|7", "77|1|5")
	wantRows(t, db, "SELECT mtime_secs FROM notetypes WHERE id = 300", "8")
	wantRows(t, db, "SELECT hex(config) LIKE '%C0013D%' FROM deck_config WHERE id = 1", "1")
}

func TestUpgradeOfZeroID(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "schema11.anki2")
	models := oldColumn(t, db, "models")
	models["0"] = notetypeJSON(0, "zero", 8, 7, []string{"a"}, []string{"t"})
	models["333"] = notetypeJSON(400, "another key", 8, 7, []string{"a"}, []string{"t"})
	putOldColumn(t, db, "models", models)
	upgrade(t, db)
	wantRows(t, db, "SELECT n.id > 0, f.name, t.name FROM notetypes n JOIN fields f ON f.ntid = n.id JOIN templates t ON t.ntid = n.id "+
		"WHERE n.name = 'zero'", "1|a|t")
	wantRows(t, db, "SELECT n.id, f.name FROM notetypes n JOIN fields f ON f.ntid = n.id WHERE n.name = 'another key'", "400|a")
}

func TestRefusedUpgrades(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ column, value string }{
		{"tags", `{"a":1.5}`}, {"tags", `{"a":"1"}`}, {"tags", `{"a":3000000000}`}, {"tags", `{"a":null}`}, {"tags", "[]"},
		{"conf", "[]"}, {"conf", ""}, {"conf", "null"}, {"conf", `{"a":1`}, {"conf", `{} x`},
		{"models", ""}, {"models", "null"}, {"models", `{"1":{}}`}, {"models", `{"1":[]}`}, {"models", `{"a":1`},
		{"decks", ""}, {"decks", "null"}, {"decks", `{"1":{"id":1}}`}, {"decks", `{"1":5}`},
		{"dconf", ""}, {"dconf", "[]"}, {"dconf", `{"1":{}}`}, {"dconf", `{"x":` + string(deckConfigJSON(1, "a", 1, 1)) + `}`},
	} {
		t.Run(c.column+" "+c.value, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "schema11.anki2")
			putOldColumn(t, db, c.column, c.value)
			before := dump(t, db)
			changed, err := collection.Upgrade(db, noonClock(), coretest.NewRandom(3), coretest.Text{})
			if changed || fault.KindOf(err) != fault.DamagedFile {
				t.Errorf("%v, %v", changed, err)
			}
			compareDumps(t, dump(t, db), before)
		})
	}
	db := mergeDB(t, "unsupported-ver-12.anki2")
	if _, err := collection.Upgrade(db, noonClock(), coretest.NewRandom(3), coretest.Text{}); fault.KindOf(err) != fault.UnsupportedFile {
		t.Error(err)
	}
}

// replaced is s with the first old replaced, which must be there.
func replaced(s, old, new string) string {
	if !strings.Contains(s, old) {
		panic(fmt.Sprintf("%q is not in %s", old, s))
	}
	return strings.Replace(s, old, new, 1)
}
