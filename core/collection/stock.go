package collection

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cardferry/cardferry/core/host"
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
	Name            string  `json:"name"`
	ID              int64   `json:"id"`
	Tag             *uint32 `json:"tag"` // role of the field, where code relies on it
	PreventDeletion bool    `json:"preventDeletion"`
	Font            string  `json:"font"`
	Size            int     `json:"size"`
	Sticky          bool    `json:"sticky"`
	RTL             bool    `json:"rtl"`
}

// stockTemplate is a template of a stock notetype.
type stockTemplate struct {
	Name     string `json:"name"`
	ID       int64  `json:"id"`
	Question string `json:"qfmt"`
	Answer   string `json:"afmt"`
}

// stockNotetype is a notetype of every new collection, as a JSON object of the protocol.
type stockNotetype struct {
	ID           int64           `json:"id"`
	Name         string          `json:"name"`
	Type         int             `json:"type"` // 1: cloze
	Mod          int64           `json:"mod"`
	USN          int             `json:"usn"`
	SortField    int             `json:"sortf"`
	Deck         *int64          `json:"did"`
	Templates    []stockTemplate `json:"tmpls"`
	Fields       []stockField    `json:"flds"`
	CSS          string          `json:"css"`
	LatexPre     string          `json:"latexPre"`
	LatexPost    string          `json:"latexPost"`
	Requirements json.RawMessage `json:"req"` // which fields each card needs: [ord, "any" or "all", fields]
	Kind         int             `json:"originalStockKind"`
}

// stockNotetypes lists the notetypes of §4.3 in their order, without ids. Names are English; they are data that a
// user may rename, not texts of an interface.
func stockNotetypes() []stockNotetype {
	card1 := stockTemplate{Name: "Card 1", Question: "{{Front}}", Answer: answer("Back")}
	return []stockNotetype{
		{Name: "Basic", Kind: 1, Fields: plainFields("Front", "Back"), CSS: cardCSS,
			Templates: []stockTemplate{card1}, Requirements: json.RawMessage(`[[0,"any",[0]]]`)},
		{Name: "Basic (and reversed card)", Kind: 2, Fields: plainFields("Front", "Back"), CSS: cardCSS,
			Templates:    []stockTemplate{card1, {Name: "Card 2", Question: "{{Back}}", Answer: answer("Front")}},
			Requirements: json.RawMessage(`[[0,"any",[0]],[1,"any",[1]]]`)},
		{Name: "Basic (optional reversed card)", Kind: 3, Fields: plainFields("Front", "Back", "Add Reverse"), CSS: cardCSS,
			Templates: []stockTemplate{card1,
				{Name: "Card 2", Question: "{{#Add Reverse}}{{Back}}{{/Add Reverse}}", Answer: answer("Front")}},
			Requirements: json.RawMessage(`[[0,"any",[0]],[1,"all",[1,2]]]`)},
		{Name: "Basic (type in the answer)", Kind: 4, Fields: plainFields("Front", "Back"), CSS: cardCSS,
			Templates:    []stockTemplate{{Name: "Card 1", Question: "{{Front}}\n\n{{type:Back}}", Answer: "{{Front}}" + ruler + "{{type:Back}}"}},
			Requirements: json.RawMessage(`[[0,"any",[0,1]]]`)},
		{Name: "Cloze", Kind: 5, Type: 1, CSS: cardCSS + clozeCSS,
			Fields:       []stockField{taggedField("Text", 0, true), taggedField("Back Extra", 1, false)},
			Templates:    []stockTemplate{{Name: "Cloze", Question: "{{cloze:Text}}", Answer: "{{cloze:Text}}<br>\n{{Back Extra}}"}},
			Requirements: json.RawMessage(`[[0,"any",[0]]]`)},
		{Name: "Image Occlusion", Kind: 6, Type: 1, CSS: occlusionCSS,
			Fields: []stockField{taggedField("Occlusion", 0, true), taggedField("Image", 1, true), taggedField("Header", 2, true),
				taggedField("Back Extra", 3, true), taggedField("Comments", 4, false)},
			Templates:    []stockTemplate{{Name: "Image Occlusion", Question: occlusionFront, Answer: occlusionBack}},
			Requirements: json.RawMessage(`[[0,"any",[0,1,2]]]`)},
	}
}

// answer is the usual back of a card: the front again, a line, the answer.
func answer(field string) string { return "{{FrontSide}}" + ruler + "{{" + field + "}}" }

func plainFields(names ...string) []stockField {
	list := make([]stockField, len(names))
	for i, n := range names {
		list[i].Name = n
	}
	return list
}

func taggedField(name string, tag uint32, prevent bool) stockField {
	return stockField{Name: name, Tag: &tag, PreventDeletion: prevent}
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
	d, err := legacy.ParseDeck([]byte(defaultDeck))
	if err != nil {
		return err
	}
	return insertDeck(db, d)
}

// addStockNotetypes stores the stock notetypes, with ids from the time on, and returns the id of the first.
func addStockNotetypes(db host.DB, now time.Time, random host.Random) (first int64, err error) {
	first = now.UnixMilli()
	for i, nt := range stockNotetypes() {
		nt.ID = first + int64(i)
		nt.LatexPre, nt.LatexPost = latexPre, latexPost
		for j := range nt.Fields {
			f := &nt.Fields[j]
			f.ID, f.Font, f.Size = randomID(random), "Arial", 20
		}
		for j := range nt.Templates {
			nt.Templates[j].ID = randomID(random)
		}
		raw, err := json.Marshal(nt)
		if err != nil {
			return 0, err
		}
		parsed, err := legacy.ParseNotetype(raw)
		if err != nil {
			return 0, fmt.Errorf("stock notetype %q: %w", nt.Name, err)
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
