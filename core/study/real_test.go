package study_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/study"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// seeds returns how many random collections are compared with the real program's: with four, all that world.rollover has. All of
// them take minutes.
func seeds() uint64 {
	switch {
	case os.Getenv("CARDFERRY_FULL") != "":
		return 24
	case testing.Short():
		return 2
	}
	return 4
}

// eachWorld runs a test in some worlds, which their seeds make: from is the first.
func eachWorld(t *testing.T, from uint64, test func(t *testing.T, w *world, agent *anki.Agent)) {
	t.Parallel()
	agent := anki.StartAgent(t)
	for seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { test(t, newWorld(t, from+seed), agent) })
	}
}

// TestRealTree compares the list of decks with the real program's, on random collections.
func TestRealTree(t *testing.T) {
	eachWorld(t, 0, func(t *testing.T, w *world, agent *anki.Agent) {
		w.fill(250)
		w.open(agent)
		w.compareTree()
	})
}

// TestRealSpelling: a deck's name was spelled anew on one device while another one added decks below it under the old spelling.
func TestRealSpelling(t *testing.T) {
	eachWorld(t, 200, func(t *testing.T, w *world, agent *anki.Agent) {
		for id, name := range map[int64]string{1000: "a", 1006: "ZETA\x1fe 2", 1005: "zeta\x1fÉ", 1002: "A\x1fb\x1fC"} {
			run(t, w.db, "UPDATE decks SET name = ? WHERE id = ?", name, id)
		}
		w.fill(250)
		w.open(agent)
		w.compareTree()
		w.compareQueues()
	})
}

// TestRealEndOfDay: learning cards that fall due around the end of the day.
func TestRealEndOfDay(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	for _, after := range []int64{-1, 0, 1, 3600, 200_000} { // seconds
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			w := newWorld(t, 2)
			w.fill(10)
			run(t, w.db, "UPDATE cards SET did = 1000, odid = 0, type = 1, queue = 1, due = ?, left = 1 WHERE id % 2", w.end+after)
			run(t, w.db, "UPDATE cards SET did = 1000, odid = 0, type = 0, queue = -1 WHERE id % 2 = 0")
			w.open(agent)
			w.compareQueue(1000)
		})
	}
}

func (w *world) compareTree() {
	w.t.Helper()
	var want []realDeck
	w.real.Do(w.t, "study_tree", nil, &want)
	tree, err := w.session().DeckTree()
	if err != nil {
		w.t.Fatal(err)
	}
	got := flatten(nil, tree.Decks)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !reflect.DeepEqual(got[i], want[i]) {
			w.t.Errorf("deck %d\ngot  %+v\nwant %+v", i, at(got, i), at(want, i))
		}
	}
}

func at(list []realDeck, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// realDeck is a deck as study.py has it.
type realDeck struct {
	ID        int64
	Name      string
	Level     int
	Collapsed bool
	Filtered  bool
	Counts    []int64
}

func flatten(out []realDeck, list []*study.DeckNode) []realDeck {
	for _, d := range list {
		out = append(out, realDeck{d.ID, d.Name, int(d.Level), d.Collapsed, d.Filtered,
			[]int64{d.New, d.Learn, d.Review, d.Intraday, d.Interday, d.NewAll, d.ReviewAll, d.Total, d.TotalAll}})
		out = flatten(out, d.Children)
	}
	return out
}

func (w *world) session() *study.Session {
	w.t.Helper()
	c, err := study.Begin(w.db, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestRealQueue compares the queues of all decks, their counts and order.
func TestRealQueue(t *testing.T) {
	eachWorld(t, 100, func(t *testing.T, w *world, agent *anki.Agent) {
		w.fill(250)
		w.open(agent)
		w.compareQueues()
	})
}

func (w *world) compareQueues() {
	w.t.Helper()
	for _, id := range w.decks {
		w.compareQueue(id)
	}
}

func (w *world) compareQueue(deck int64) {
	w.t.Helper()
	var want struct {
		Counts []int64
		Cards  []int64
		Info   []any
	}
	w.real.Do(w.t, "study_queue", anki.Args{"deck": deck}, &want)
	next, err := w.session().NextCards(deck, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := []int64{next.Counts.New, next.Counts.Learn, next.Counts.Review}; !slices.Equal(got, want.Counts) {
		w.t.Errorf("deck %d: counts %v, want %v", deck, got, want.Counts)
	}
	var cards []int64
	for _, c := range next.Cards {
		cards = append(cards, c.CardID)
	}
	got, wanted := w.describe(cards), w.describe(want.Cards)
	if done, err := studied(w, deck); err != nil || done { // the real program begins to mix anew whenever it builds a queue
		slices.Sort(got)
		slices.Sort(wanted)
	}
	if !slices.Equal(got, wanted) {
		w.t.Errorf("deck %d:\ngot  %s\nwant %s", deck, strings.Join(got, " "), strings.Join(wanted, " "))
	}
	if f := next.Finished; f != nil {
		got := []any{float64(f.Learning), f.Review > 0, f.New > 0, f.Buried > 0, f.UserBuried > 0}
		if !reflect.DeepEqual(got, want.Info) {
			w.t.Errorf("deck %d: finished %v, want %v", deck, got, want.Info)
		}
	}
}

// TestRealReviewOrder compares the orders of reviews that are computed from several things.
func TestRealReviewOrder(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	for _, fsrs := range []bool{false, true} {
		for _, order := range []int{7, 11, 12} {
			t.Run(fmt.Sprint(fsrs, order), func(t *testing.T) {
				w := newWorld(t, 3)
				setConfig(t, w.db, "fsrs", fsrs)
				setOptions(t, w.db, object{"reviewOrder": order, "rev": object{"perDay": 9999, "bury": false}})
				addDeck(t, w.db, 2003, "Default::Filtered", filteredDeck(true, 60, 600, 0))
				missing := []string{"lrt", "dr", "decay"}
				if order == 12 { // cards without a retrievability come in any order
					missing = append(missing, "s")
				}
				seen := map[float64]bool{}
				for i := range int64(60) {
					interval, late := 2+w.r.Int64N(400), w.r.Int64N(40)
					for seen[float64(late)/float64(interval)] { // no two alike
						interval, late = 2+w.r.Int64N(400), w.r.Int64N(40)
					}
					seen[float64(late)/float64(interval)] = true
					data := object{
						"s": float64(w.r.IntN(3_000_000)+5000) / 1e4, "d": 5, "dr": pick(w.r, 0.8, 0.85, 0.9, 0.95), "decay": pick(w.r, 0.1, 0.154, 0.5, 0.8),
						"lrt": w.now.Unix() - (interval+late)*86400,
					}
					for _, key := range missing {
						if w.r.IntN(4) == 0 {
							delete(data, key)
						}
					}
					text, err := json.Marshal(data)
					if err != nil {
						t.Fatal(err)
					}
					card := object{"type": int64(2), "queue": int64(2), "ivl": interval, "due": w.today - late, "factor": int64(2500), "reps": int64(5), "data": string(text)}
					switch w.r.IntN(4) {
					case 0:
						card["queue"], card["type"] = int64(3), int64(pick(w.r, 1, 3))
					case 1:
						card["did"], card["odid"], card["due"], card["odue"] = int64(2003), int64(1), i-100_000, card["due"]
					}
					addCard(t, w.db, i+1, card)
				}
				w.open(agent)
				w.compareOrder(60)
			})
		}
	}
}

// TestRealOrders compares the orders of reviews, and of what is learned over days, that have one thing after the other.
func TestRealOrders(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	for _, fsrs := range []bool{false, true} {
		for _, order := range []int{0, 1, 2, 3, 4, 5, 6, 9, 10} {
			t.Run(fmt.Sprint(fsrs, order), func(t *testing.T) {
				w := newWorld(t, 3)
				setConfig(t, w.db, "fsrs", fsrs)
				setOptions(t, w.db, object{"reviewOrder": order, "rev": object{"perDay": 9999, "bury": false}})
				for i, name := range []string{"Default::z", "Default::a", "Default::a::b"} {
					addDeck(t, w.db, 3001+int64(i), name, object{"conf": 1})
				}
				for i := range int64(60) { // no two alike
					card := object{
						"type": int64(2), "queue": int64(2), "ivl": 5 + i*7%60, "due": w.today - i*11%60, "factor": 1300 + i*13%60, "reps": int64(5),
						"data": fmt.Sprintf(`{"s":9,"d":%d.%d}`, 1+i*17%60/10, i*17%60%10), "did": pick(w.r, int64(1), 3001, 3002, 3003),
					}
					if w.r.IntN(3) == 0 {
						card["queue"], card["type"] = int64(3), int64(pick(w.r, 1, 3))
					}
					addCard(t, w.db, 1+i*19%60, card)
				}
				w.open(agent)
				w.compareOrder(60)
			})
		}
	}
}

// TestRealNewOrders compares the orders of new cards of which many share a place, as the clozes of a note do: the real program makes
// their cards in any order.
func TestRealNewOrders(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	for _, gather := range []int{0, 1, 2} {
		for _, sort := range []int{0, 1} {
			t.Run(fmt.Sprint(gather, sort), func(t *testing.T) {
				w := newWorld(t, 3)
				setOptions(t, w.db, object{"newGatherPriority": gather, "newSortOrder": sort, "new": object{"perDay": 9999, "bury": false}})
				for i, name := range []string{"Default::z", "Default::a", "Default::a::b"} {
					addDeck(t, w.db, 3001+int64(i), name, object{"conf": 1})
				}
				for i := range int64(60) {
					addCard(t, w.db, i+1, object{"due": w.r.Int64N(3), "ord": w.r.Int64N(3), "did": pick(w.r, int64(1), 3001, 3002, 3003)})
				}
				w.open(agent)
				w.compareOrder(60)
			})
		}
	}
}

// TestRealSiblings compares which siblings are in the queue where they lie in decks of which some hide siblings, and some do not.
func TestRealSiblings(t *testing.T) {
	eachWorld(t, 400, func(t *testing.T, w *world, agent *anki.Agent) {
		setOptions(t, w.db, object{"newGatherPriority": 1, "reviewOrder": 9, "new": object{"perDay": 9999, "bury": false}, "rev": object{"perDay": 9999, "bury": false}})
		for id := range int64(8) {
			run(t, w.db, "INSERT INTO deck_config SELECT ?, 'p' || ?, mtime_secs, usn, config FROM deck_config WHERE id = 1", 100+id, id)
			run(t, w.db, "INSERT INTO decks SELECT ?, 'Default' || char(31) || ?, mtime_secs, usn, common, kind FROM decks WHERE id = 1", 3000+id, id)
			setPreset(t, w.db, 100+id, object{"new": object{"bury": id&1 > 0}, "rev": object{"bury": id&2 > 0}, "buryInterdayLearning": id&4 > 0})
			setDeck(t, w.db, 3000+id, object{"conf": 100 + id})
		}
		addDeck(t, w.db, 3008, "Default::lent", filteredDeck(true, 60, 600, 0))
		for i := range int64(90) {
			home := 3000 + w.r.Int64N(8)
			queue := w.r.Int64N(4)
			card := object{"nid": i / 3, "ord": i % 3, "did": home, "queue": queue, "type": []int64{0, 1, 2, 1}[queue], "ivl": int64(5), "due": []int64{i, w.now.Unix() - 100, w.today, w.today}[queue]}
			if w.r.IntN(6) == 0 {
				card["did"], card["odid"], card["odue"] = int64(3008), home, card["due"]
			}
			addCard(t, w.db, i+1, card)
		}
		w.open(agent)
		got, want := w.queue()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

// compareOrder compares the cards of the default deck, of which there are so many.
func (w *world) compareOrder(cards int) {
	w.t.Helper()
	if got, want := w.queue(); len(got) != cards || !slices.Equal(got, want) {
		w.t.Errorf("got  %v\nwant %v", got, want)
	}
}

// queue returns the cards of the default deck in their order, ours and those of the real program.
func (w *world) queue() (got, want []int64) {
	w.t.Helper()
	var real struct{ Cards []int64 }
	w.real.Do(w.t, "study_queue", anki.Args{"deck": 1}, &real)
	next, err := w.session().NextCards(1, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range next.Cards {
		got = append(got, c.CardID)
	}
	return got, real.Cards
}

// studied reports whether something of a deck was studied today.
func studied(w *world, deck int64) (bool, error) {
	row := one(w.t, w.db, "SELECT common, kind FROM decks WHERE id = ?", deck)
	d, err := legacy.ReadStudyDeck(row[0].Bytes, row[1].Bytes, w.today)
	return d.New != 0 || d.Review != 0, err
}

// describe returns the cards by what orders them: reviews of one day come in any order.
func (w *world) describe(cards []int64) (out []string) {
	for _, id := range cards {
		row := one(w.t, w.db, "SELECT queue, due, id FROM cards WHERE id = ?", id)
		text := fmt.Sprintf("%d:%d", row[0].Int(), row[1].Int())
		if row[0].Int() == 0 {
			text += fmt.Sprintf(":%d", row[2].Int())
		}
		out = append(out, text)
	}
	return out
}

// TestRealAnswers answers random cards on both sides, over some days, and compares all rows.
func TestRealAnswers(t *testing.T) {
	eachWorld(t, 200, func(t *testing.T, w *world, agent *anki.Agent) {
		w.fill(120)
		w.open(agent)
		ids := w.column("SELECT id FROM cards ORDER BY id")
		for day := range 3 {
			for _, i := range w.r.Perm(len(ids))[:60] { // each once: twice in a second makes mod later than the time
				w.answer(ids[i], 1+w.r.IntN(4))
			}
			w.compareRows(day)
			w.nextDay()
		}
	})
}

func (w *world) column(sql string) (out []int64) {
	for row, err := range rows.Query(w.db, sql) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, row[0].Int())
	}
	return out
}

// answer answers a card on both sides.
func (w *world) answer(id int64, button int) {
	w.t.Helper()
	w.now = time.Now()
	before := rowObject(w.t, w.db, "cards", cardColumns, "id = ?", id)
	log := w.ours(fmt.Sprintf("SELECT printf('%%d:%%d ease %%d ivl %%d factor %%d type %%d; ', id / 86400000, id / 3600000 %% 24, ease, ivl, factor, type) FROM revlog WHERE cid = %d ORDER BY id", id))
	var labels []string
	realErr := w.real.Try("study_answer", anki.Args{"card": id, "button": button, "ms": 5000}, &labels)
	choices, err := w.session().Choices(id)
	if err == nil {
		_, err = study.Answer(w.db, w.clock(), id, button, 5000)
	}
	if (err != nil) != (realErr != nil) {
		w.t.Fatalf("card %v: %v, but the real program: %v", before, err, realErr)
	}
	if err != nil {
		return
	}
	if !slices.Equal(choices.Labels[:], labels) {
		w.t.Errorf("button %d on %v\nlabels %q, want %q", button, before, choices.Labels, labels)
	}
	got, want := w.comparable(id)
	if !sameBut(got, want) {
		w.t.Fatalf("button %d on %v %v\n%+v %+v\ngot  %s\nwant %s", button, before, log, choices.Now, w.fsrs, got, want)
	}
	if got != want { // so that noise does not grow over the days
		data := w.theirs(fmt.Sprintf("SELECT data FROM cards WHERE id = %d", id))
		run(w.t, w.db, "UPDATE cards SET data = json_set(data, '$.s', json_extract(?1, '$.s'), '$.d', json_extract(?1, '$.d')) WHERE id = ?2 AND json_extract(?1, '$.s') > 0", data[0], id)
	}
}

// The columns of a card that do not depend on the moment: the two sides answer one after the other.
const (
	comparableCard = `SELECT id || '|' || did || ' type ' || type || ' queue ' || queue || ' due ' || CASE WHEN due > 1000000000 AND mod > 0 THEN due - mod ELSE due END
		|| ' ivl ' || ivl || ' factor ' || factor || ' reps ' || reps || ' lapses ' || lapses || ' left ' || left || ' odue '
		|| CASE WHEN odue > 1000000000 AND mod > 0 THEN odue - mod ELSE odue END || ' odid ' || odid || ' flags ' || flags || ' data '
		|| CASE WHEN json_valid(data) THEN json_remove(data, '$.lrt') ELSE data END || ' lrt ' || coalesce(CASE WHEN json_valid(data) THEN json_extract(data, '$.lrt') / 100 END, '') || ' usn ' || usn FROM cards`
	comparableLog = `SELECT cid || '|' || usn || ' ease ' || ease || ' ivl ' || ivl || ' last ' || lastIvl || ' factor ' || factor || ' time ' || (time / 1000)
		|| ' type ' || type FROM revlog`
	comparableNote = `SELECT id || '|' || tags || usn FROM notes`
	comparableTag  = `SELECT tag || '|' || usn FROM tags`
	comparableDeck = `SELECT id || '|' || name || '|' || usn || '|' || hex(kind) FROM decks`
)

// comparable returns a card and its last entry in the log, ours and the real program's.
func (w *world) comparable(id int64) (got, want string) {
	sql := fmt.Sprintf("%s WHERE nid = (SELECT nid FROM cards WHERE id = %d) UNION ALL SELECT * FROM (%s WHERE cid = %d ORDER BY id DESC LIMIT 1)", comparableCard, id, comparableLog, id)
	return strings.Join(w.ours(sql), "\n"), strings.Join(w.theirs(sql), "\n")
}

// sameBut reports whether two texts of comparable are equal but for a second or two in times: the two sides have clocks of their own.
func sameBut(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		n, err := strconv.Atoi(x[i])
		m, err2 := strconv.Atoi(y[i])
		timed := i > 0 && (strings.HasSuffix(x[i-1], "due") && strings.Contains(" 1 4 -1 -2 ", " "+x[i-2]+" ") || x[i-1] == "lrt" || x[i-1] == "odue")
		if i > 0 && x[i-1] == "data" && sameData(x[i], y[i]) {
			continue
		}
		if err != nil || err2 != nil || !timed || n-m > 2 || m-n > 2 {
			return false
		}
	}
	return true
}

// memoryNoise is by how much stabilities may differ, in proportion: what single precision leaves open (study.md §4.6).
const memoryNoise = 3e-5

// sameData reports whether the data of two cards are equal but for the noise in the memory, and one unit in the last decimal that is
// stored of it.
func sameData(a, b string) bool {
	var x, y map[string]any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	for key, unit := range map[string]float64{"s": 1e-4, "d": 1e-3} {
		n, ok := x[key].(float64)
		m, ok2 := y[key].(float64)
		if ok && ok2 && near(n, m, unit*1.001+memoryNoise*max(n, m)) {
			x[key] = m
		}
	}
	return reflect.DeepEqual(x, y)
}

func (w *world) ours(sql string) (out []string) {
	w.t.Helper()
	for row, err := range rows.Query(w.db, sql) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, row[0].String())
	}
	return out
}

func (w *world) theirs(sql string) (out []string) {
	w.t.Helper()
	for _, row := range w.real.SQL(w.t, sql) {
		out = append(out, fmt.Sprint(row[0]))
	}
	return out
}

func (w *world) compareRows(day int) {
	w.t.Helper()
	for _, sql := range []string{
		comparableCard + " ORDER BY id", comparableLog + " ORDER BY id", comparableNote + " ORDER BY id", comparableTag + " ORDER BY tag", comparableDeck + " ORDER BY id",
	} {
		got, want := w.ours(sql), w.theirs(sql)
		if len(got) != len(want) {
			w.t.Fatalf("day %d: got  %q\nwant %q", day, got, want)
		}
		for i := range got {
			if !sameBut(got[i], want[i]) {
				w.t.Fatalf("day %d\ngot  %v\nwant %v", day, got[i], want[i])
			}
		}
	}
	w.compareCounters()
}

// compareCounters compares what the decks have of today.
func (w *world) compareCounters() {
	w.t.Helper()
	const sql = "SELECT id || '|' || hex(common) FROM decks ORDER BY id"
	got, want := w.ours(sql), w.theirs(sql)
	if len(got) != len(want) {
		w.t.Fatal(len(got), len(want))
	}
	for i := range got {
		if g, x := counters(w.t, got[i]), counters(w.t, want[i]); g != x {
			w.t.Errorf("deck %s: %v, want %v", got[i], g, x)
		}
	}
}

// nextDay makes everything a day older, on both sides.
func (w *world) nextDay() {
	w.t.Helper()
	for _, sql := range []string{
		"UPDATE col SET crt = crt - 86400",
		"UPDATE cards SET due = due - 86400 WHERE due > 1000000000",
		"UPDATE cards SET odue = odue - 86400 WHERE odue > 1000000000",
		"UPDATE cards SET mod = mod - 86400 WHERE mod > 0",
		"UPDATE cards SET data = json_set(data, '$.lrt', json_extract(data, '$.lrt') - 86400) WHERE json_valid(data) AND json_extract(data, '$.lrt') > 0",
		"UPDATE revlog SET id = id - 86400000",
	} {
		run(w.t, w.db, sql)
		w.real.SQL(w.t, sql)
	}
	w.real.Close(w.t)
	w.real.Open(w.t)
	w.beginDay()
}

// beginDay lets both sides unbury cards.
func (w *world) beginDay() {
	w.t.Helper()
	w.real.Do(w.t, "study_tree", nil, nil)
	w.now = time.Now()
	if _, err := collection.Unbury(w.db, w.clock()); err != nil {
		w.t.Fatal(err)
	}
}
