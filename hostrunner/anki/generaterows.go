package anki

import (
	"fmt"
	"strings"

	"github.com/cardferry/cardferry/core/notetext"
)

// objects makes the decks and tags, and learns the stock notetypes.
func (g *generator) objects() {
	g.ntids = map[string]int64{}
	for _, name := range []string{"Basic", "Basic (and reversed card)", "Cloze"} {
		g.ntids[name] = g.int("SELECT id FROM notetypes WHERE name = '" + name + "'")
	}
	g.decks = []int64{1}
	for i := range 24 {
		id := firstID() + int64(i)
		name := fmt.Sprintf("Größe %d", i/4)
		if i%4 > 0 {
			name += fmt.Sprintf("\x1f課 %d", i%4)
		}
		g.exec(fmt.Sprintf("INSERT INTO decks SELECT %d, '%s', mtime_secs, 0, common, kind FROM decks WHERE id = 1", id, name))
		g.decks = append(g.decks, id)
	}
	for i := range 60 {
		g.exec(fmt.Sprintf("INSERT INTO tags (tag, usn, collapsed) VALUES ('%s', 0, 1)", tagName(i)))
	}
}

func tagName(i int) string { return fmt.Sprintf("тема::%d", i) }

func (g *generator) int(sql string) (n int64) {
	if g.err != nil {
		return 0
	}
	st, _, err := g.db.Prepare(sql)
	if err != nil {
		g.err = err
		return 0
	}
	defer st.Close()
	if st.Step() {
		n = st.ColumnInt64(0)
	}
	g.err = st.Err()
	return n
}

// notes makes the notes with their cards: as many notes have two cards as there are cards more than notes.
func (g *generator) notes() {
	addNote, endNotes := g.insert("notes (id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data)", 11)
	addCard, endCards := g.insert("cards (id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data)", 18)
	defer endNotes()
	defer endCards()
	card, double := 0, 0
	for i := range g.Size.Notes {
		id := firstID() + int64(i)*100
		two := (i+1)*(g.Size.Cards-g.Size.Notes) > double*g.Size.Notes
		kind, fields := g.text(i, two)
		sfld, csum := notetext.SortFieldAndChecksum(notetext.JoinFields(fields), 0)
		tags := ""
		if i%3 == 0 {
			tags = " " + tagName(i%60) + " "
		}
		mod := id/1000 + int64(g.rng.IntN(1_000_000))
		addNote(id, fmt.Sprintf("g%07d,%c", i, 'a'+rune(i%26)), g.ntids[kind], mod, g.RowUSN, tags, strings.Join(fields, "\x1f"), sfld, int64(csum), 0, "")
		n := 1
		if two {
			n, double = 2, double+1
		}
		for ord := range n {
			g.card(addCard, id, ord, card)
			card++
		}
	}
}

// card makes a card: three of four have been learned.
func (g *generator) card(add func(...any), nid int64, ord, n int) {
	id, did := cardID(n), g.decks[n/20%len(g.decks)]
	mod := id/1000 + int64(g.rng.IntN(1_000_000))
	if !learned(n) {
		add(id, nid, did, ord, mod, g.RowUSN, 0, 0, n%900_000, 0, 0, 0, 0, 0, 0, 0, 0, "{}")
		return
	}
	ivl := 1 + g.rng.IntN(300)
	data := fmt.Sprintf(`{"pos":%d,"s":%d.25,"d":%d.125,"dr":0.9`, n%900_000, ivl, 1+g.rng.IntN(8))
	if last := g.last[n]; last > 0 {
		data += fmt.Sprintf(`,"lrt":%d`, last)
	}
	add(id, nid, did, ord, mod, g.RowUSN, 2, 2, 300+g.rng.IntN(400), ivl, 1300+g.rng.IntN(1700), 1+g.rng.IntN(40), g.rng.IntN(8), 0, 0, 0, n%40/39, data+"}")
}

// firstID is the id of the first note, card and review.
func firstID() int64 { return GeneratedTime.AddDate(-1, 0, 0).UnixMilli() }

// cardID is the id of the card with that number.
func cardID(n int) int64 { return firstID() + int64(n)*50 }

// learned reports whether a card has been answered.
func learned(n int) bool { return n%4 != 0 }

// reviews spreads the reviews over the learned cards and the year, and keeps the time of each card's last one.
func (g *generator) reviews() {
	add, end := g.insert("revlog (id, cid, usn, ease, ivl, lastIvl, factor, time, type)", 9)
	defer end()
	g.last = make([]int64, g.Size.Cards)
	step := int64(360*24*3600*1000) / int64(max(1, g.Size.Reviews))
	for i := range g.Size.Reviews {
		card, days := g.rng.IntN(g.Size.Cards), g.rng.IntN(200)
		if !learned(card) {
			card = (card + 1) % g.Size.Cards
		}
		id := firstID() + int64(i)*step + int64(g.rng.IntN(int(min(step, 1000))))
		g.last[card] = id / 1000
		add(id, cardID(card), g.RowUSN, 1+g.rng.IntN(4), days+1+g.rng.IntN(100), days, 1300+g.rng.IntN(1700), 1500+g.rng.IntN(20_000), 1)
	}
}

// words are those of the texts, of several scripts and lengths.
var words = strings.Fields(`Haus größer Übung Straße the quick brown fox jumps over lazy dog 日本語 学校 先生 ありがとう привет книга ` +
	`школа naïve café résumé ελληνικά λόγος 한국어 사랑 😀 🇩🇪 mitochondria photosynthesis 1789 1848 3.14 x²+y² α→β &amp; &lt; ` +
	`Wahrscheinlichkeit Donaudampfschiff because therefore although während trotzdem`)

func (g *generator) sentence(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[g.rng.IntN(len(words))])
	}
	return b.String()
}

// text makes the fields of a note and says which notetype they are for.
func (g *generator) text(i int, two bool) (kind string, fields []string) {
	front := fmt.Sprintf("%s %d", g.sentence(3+g.rng.IntN(6)), i)
	back := "<div>" + g.sentence(25+g.rng.IntN(30)) + "</div><br><i>" + g.sentence(5+g.rng.IntN(10)) + "</i>"
	if i%10 == 0 {
		back += fmt.Sprintf(`<img src="bild-%d.jpg">[sound:ton-%d.mp3]`, i, i)
	}
	switch {
	case two:
		return "Basic (and reversed card)", []string{front, back}
	case i%10 == 3:
		return "Cloze", []string{front + " {{c1::" + g.sentence(2) + "}} " + g.sentence(10), back}
	}
	return "Basic", []string{front, back}
}
