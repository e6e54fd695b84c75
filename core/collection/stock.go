package collection

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// The default deck and its config as JSON objects of the protocol: package legacy makes blobs of them, so that only
// one place knows the encoding (§4.1, §4.2).
const (
	defaultDeck = `{"id":1,"mod":0,"name":"Default","usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],` +
		`"timeToday":[0,0],"collapsed":true,"browserCollapsed":true,"desc":"","dyn":0,"conf":1}`
	defaultDeckConfig = `{"id":1,"mod":0,"name":"Default","usn":0,"maxTaken":60,"autoplay":true,"timer":0,"replayq":true,` +
		`"new":{"bury":false,"delays":[1,10],"initialFactor":2500,"ints":[1,4,0],"order":1,"perDay":20},` +
		`"rev":{"bury":false,"ease4":1.3,"ivlFct":1,"maxIvl":36500,"perDay":200,"hardFactor":1.2},` +
		`"lapse":{"delays":[10],"leechAction":1,"leechFails":8,"minInt":1,"mult":0},` +
		`"dyn":false,"desiredRetention":0.9,"sm2Retention":0.9,"easyDaysPercentages":[1,1,1,1,1,1,1],"waitForAudio":true}`
)

// stockField is a field of a stock notetype.
type stockField struct {
	name           string
	tag            string // role of the field as JSON, where programs rely on it
	preventsDelete bool
}

// stockTemplate is a template of a stock notetype.
type stockTemplate struct{ name, question, answer string }

// stockNotetype is a notetype of every new collection.
type stockNotetype struct {
	name      string
	kind      int // the number of the stock notetype
	cloze     bool
	fields    []stockField
	templates []stockTemplate
	css       string
	needs     string // JSON: which fields each card needs, [ord, "any" or "all", fields]
}

// stockNotetypes lists the notetypes of §4.3 in their order, without ids and without image occlusion, whose texts are
// a program of their own; programs that offer it add it when it is first used. Names are English; they are data that a
// user may rename, not texts of an interface.
func stockNotetypes() []stockNotetype {
	card1 := stockTemplate{name: "Card 1", question: "{{Front}}", answer: answer("Back")}
	return []stockNotetype{
		{name: "Basic", kind: 1, fields: plainFields("Front", "Back"), css: cardCSS,
			templates: []stockTemplate{card1}, needs: `[[0,"any",[0]]]`},
		{name: "Basic (and reversed card)", kind: 2, fields: plainFields("Front", "Back"), css: cardCSS,
			templates: []stockTemplate{card1, {name: "Card 2", question: "{{Back}}", answer: answer("Front")}},
			needs:     `[[0,"any",[0]],[1,"any",[1]]]`},
		{name: "Basic (optional reversed card)", kind: 3, fields: plainFields("Front", "Back", "Add Reverse"), css: cardCSS,
			templates: []stockTemplate{card1,
				{name: "Card 2", question: "{{#Add Reverse}}{{Back}}{{/Add Reverse}}", answer: answer("Front")}},
			needs: `[[0,"any",[0]],[1,"all",[1,2]]]`},
		{name: "Basic (type in the answer)", kind: 4, fields: plainFields("Front", "Back"), css: cardCSS,
			templates: []stockTemplate{{name: "Card 1", question: "{{Front}}\n\n{{type:Back}}", answer: "{{Front}}" + ruler + "{{type:Back}}"}},
			needs:     `[[0,"any",[0,1]]]`},
		{name: "Cloze", kind: 5, cloze: true, css: cardCSS + clozeCSS,
			fields:    []stockField{{"Text", "0", true}, {"Back Extra", "1", false}},
			templates: []stockTemplate{{name: "Cloze", question: "{{cloze:Text}}", answer: "{{cloze:Text}}<br>\n{{Back Extra}}"}},
			needs:     `[[0,"any",[0]]]`},
	}
}

// answer is the usual back of a card: the front again, a line, the answer.
func answer(field string) string { return "{{FrontSide}}" + ruler + "{{" + field + "}}" }

func plainFields(names ...string) []stockField {
	list := make([]stockField, len(names))
	for i, n := range names {
		list[i] = stockField{name: n, tag: "null"}
	}
	return list
}

// object is the notetype as a JSON object of the protocol.
func (nt *stockNotetype) object(id int64, random host.Random) []byte {
	kind := 0
	if nt.cloze {
		kind = 1
	}
	b := fmt.Appendf(nil, `{"id":%d,"type":%d,"mod":0,"usn":0,"sortf":0,"did":null,"req":%s,"originalStockKind":%d`, id, kind, nt.needs, nt.kind)
	b = appendTexts(b, "name", nt.name, "css", nt.css, "latexPre", latexPre, "latexPost", latexPost)
	b = append(b, `,"flds":[`...)
	for i, f := range nt.fields {
		b = fmt.Appendf(separated(b, i), `{"id":%d,"tag":%s,"preventDeletion":%t,"font":"Arial","size":20,"sticky":false,"rtl":false`,
			randomID(random), f.tag, f.preventsDelete)
		b = append(appendTexts(b, "name", f.name), '}')
	}
	b = append(b, `],"tmpls":[`...)
	for i, t := range nt.templates {
		b = fmt.Appendf(separated(b, i), `{"id":%d`, randomID(random))
		b = append(appendTexts(b, "name", t.name, "qfmt", t.question, "afmt", t.answer), '}')
	}
	return append(b, "]}"...)
}

// appendTexts appends members whose values are strings; keys and values alternate.
func appendTexts(b []byte, list ...string) []byte {
	for i := 0; i+1 < len(list); i += 2 {
		b = jsontext.AppendString(jsontext.AppendKey(b, list[i]), list[i+1])
	}
	return b
}

// separated appends the comma before all elements but the first.
func separated(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// addStockDeck stores the default deck and deck config.
func addStockDeck(db host.DB) error {
	c, err := legacy.ParseDeckConfig([]byte(defaultDeckConfig))
	if err != nil {
		return err
	}
	if err := insertDeckConfig(db, c); err != nil {
		return err
	}
	d, err := legacy.ParseDeck(nil, []byte(defaultDeck)) // its name is ASCII: there is nothing to normalise
	if err != nil {
		return err
	}
	return insertDeck(db, d)
}

// addStockNotetypes stores the stock notetypes, with ids from the time on, and returns the id of the first.
func addStockNotetypes(db host.DB, now time.Time, random host.Random) (first int64, err error) {
	first = now.UnixMilli()
	for i, nt := range stockNotetypes() {
		parsed, err := legacy.ParseNotetype(nt.object(first+int64(i), random))
		if err != nil {
			return 0, fmt.Errorf("stock notetype %q: %w", nt.name, err)
		}
		if err := insertNotetype(db, parsed); err != nil {
			return 0, err
		}
	}
	return first, nil
}

// randomID is the id of a field or template: any number of 64 bits.
func randomID(random host.Random) int64 {
	var b [8]byte
	random.Random(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]))
}

// insertNotetype adds a notetype with its fields and templates.
func insertNotetype(db host.DB, nt *legacy.Notetype) error {
	_, err := rows.Exec(db, "INSERT INTO notetypes (id, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?)",
		nt.ID, nt.Name, nt.Mod, nt.USN, nt.Config)
	for ord, f := range nt.Fields {
		if err == nil {
			_, err = rows.Exec(db, "INSERT INTO fields (ntid, ord, name, config) VALUES (?, ?, ?, ?)", nt.ID, ord, f.Name, f.Config)
		}
	}
	for ord, t := range nt.Templates {
		if err == nil {
			_, err = rows.Exec(db, "INSERT INTO templates (ntid, ord, name, mtime_secs, usn, config) VALUES (?, ?, ?, 0, 0, ?)",
				nt.ID, ord, t.Name, t.Config)
		}
	}
	return err
}

// insertDeck adds a deck.
func insertDeck(db host.DB, d *legacy.Deck) error {
	_, err := rows.Exec(db, "INSERT INTO decks (id, name, mtime_secs, usn, common, kind) VALUES (?, ?, ?, ?, ?, ?)",
		d.ID, d.Name, d.Mod, d.USN, d.Common, d.Kind)
	return err
}

// insertDeckConfig adds a deck config.
func insertDeckConfig(db host.DB, c *legacy.DeckConfig) error {
	_, err := rows.Exec(db, "INSERT INTO deck_config (id, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?)",
		c.ID, c.Name, c.Mod, c.USN, c.Config)
	return err
}
