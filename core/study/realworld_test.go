package study_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// world is a random collection twice: ours, and one that the real program has open.
type world struct {
	t     *testing.T
	r     *rand.Rand
	db    host.DB
	real  *anki.Client
	agent *anki.Agent
	path  string
	now   time.Time
	today int64
	end   int64 // of today, in Unix seconds
	decks []int64
	fsrs  bool
}

// pick returns one of the values.
func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// newWorld makes a collection of some deck trees; fill and open follow.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 7)), now: time.Now(), path: filepath.Join(t.TempDir(), host.Collection)}
	db, err := sqlitehost.OpenFile(w.path, host.Create)
	if err != nil {
		t.Fatal(err)
	}
	w.db = db
	if err := collection.New(db, coretest.NewClock(w.now, 0), coretest.NewRandom(seed)); err != nil {
		t.Fatal(err)
	}
	run(t, db, "UPDATE col SET crt = crt - 1000 * 86400")
	setConfig(t, db, "rollover", w.rollover(seed))
	setConfig(t, db, "creationOffset", 0)
	setConfig(t, db, "loadBalancerEnabled", false)
	w.fsrs = w.r.IntN(2) == 0
	setConfig(t, db, "fsrs", w.fsrs)
	setConfig(t, db, "fsrsShortTermWithStepsEnabled", w.r.IntN(3) == 0)
	setConfig(t, db, "newCardsIgnoreReviewLimit", w.r.IntN(3) == 0)
	setConfig(t, db, "applyAllParentLimits", w.r.IntN(3) == 0)
	w.today, w.end, err = collection.Today(db, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	w.addDecks()
	return w
}

// rollover returns an hour at which days begin. Whatever hour it is: three worlds of four, by their seeds, are in the first, the
// second or the last hour of their day. The last has some minutes left, because the test must end on the day on which it began.
func (w *world) rollover(seed uint64) int {
	hour := w.now.UTC().Hour()
	switch seed % 4 {
	case 0:
		return hour
	case 1:
		return (hour + 23) % 24
	case 2:
		if w.now.Minute() < 50 {
			return (hour + 1) % 24
		}
		return (hour + 2) % 24
	}
	return (hour + 2 + w.r.IntN(22)) % 24
}

func (w *world) clock() host.Clock { return coretest.NewClock(w.now, 0) }

// options returns random deck options in their JSON form.
func (w *world) options() object {
	r := w.r
	o := object{
		"new": object{
			"delays":        pick(r, []any{1, 10}, []any{1, 10}, []any{}, []any{10}, []any{1, 10, 1440}, []any{5, 2880}, []any{0.5, 3}, []any{30, 600}, []any{0, 3}),
			"initialFactor": pick(r, 2500, 2000, 3100), "ints": pick(r, []any{1, 4, 0}, []any{3, 2, 0}, []any{10, 15, 0}),
			"perDay": pick(r, 20, 3, 0, 200), "bury": r.IntN(3) == 0,
		},
		"rev": object{
			"hardFactor": pick(r, 1.2, 1.2, 1.0, 0.8, 1.3), "ease4": pick(r, 1.3, 1.5, 1.0), "ivlFct": pick(r, 1.0, 1.0, 0.9, 1.15, 0.5),
			"maxIvl": pick(r, 36500, 36500, 365, 20, 5), "perDay": pick(r, 200, 10, 3, 0), "bury": r.IntN(3) == 0,
		},
		"lapse": object{
			"delays": pick(r, []any{10}, []any{10}, []any{}, []any{10, 60}, []any{1440}), "mult": pick(r, 0.0, 0.3, 0.55, 1),
			"minInt": pick(r, 1, 1, 2, 4), "leechFails": pick(r, 8, 3, 5, 1), "leechAction": r.IntN(2),
		},
		"buryInterdayLearning": r.IntN(3) == 0, "desiredRetention": pick(r, 0.9, 0.9, 0.8, 0.95, 0.72), "sm2Retention": pick(r, 0.9, 0.8),
		"maxTaken": pick(r, 60, 10), "newMix": r.IntN(3), "interdayLearningMix": r.IntN(3), "newSortOrder": r.IntN(2), "newGatherPriority": r.IntN(3),
	}
	if r.IntN(3) == 0 {
		o["fsrsParams6"] = []any{0.21, 1.3, 2.5, 8, 6.4, 0.83, 3, 0.002, 1.87, 0.17, 0.8, 1.48, 0.06, 0.26, 1.65, 0.6, 1.87, 0.54, 0.09, 0.07, 0.2}
	} else if r.IntN(3) == 0 {
		o["fsrsWeights"] = []any{0.4, 0.6, 2.4, 5.8, 4.93, 0.94, 0.86, 0.01, 1.49, 0.14, 0.94, 2.18, 0.05, 0.34, 1.26, 0.29, 2.61}
	}
	return o
}

// addDecks adds presets and decks, some below others, some with limits and counters of their own, and two filtered ones.
func (w *world) addDecks() {
	for id := int64(2); id <= 4; id++ {
		run(w.t, w.db, "INSERT INTO deck_config SELECT ?, 'preset ' || ?, mtime_secs, usn, config FROM deck_config WHERE id = 1", id, id)
		row := one(w.t, w.db, "SELECT name, config FROM deck_config WHERE id = ?", id)
		c := legacy.DeckConfig{ID: id, Name: row[0].String(), Config: row[1].Clone()}
		text, err := c.AppendJSON(nil)
		if err != nil {
			w.t.Fatal(err)
		}
		changed, err := legacy.ParseDeckConfig(editJSON(w.t, text, w.options()))
		if err != nil {
			w.t.Fatal(err)
		}
		run(w.t, w.db, "UPDATE deck_config SET config = ? WHERE id = ?", changed.Config, id)
	}
	w.decks = []int64{1}
	for i, name := range []string{"A", "A::B", "A::B::C", "A::D", "Zeta", "Zeta::é", "Zeta::E 2", "Zeta::E 2::x", "b"} {
		id := int64(1000 + i)
		o := object{"conf": 1 + w.r.IntN(4), "collapsed": w.r.IntN(2) == 0}
		if w.r.IntN(3) == 0 {
			o["newLimit"] = w.r.IntN(6)
		}
		if w.r.IntN(3) == 0 {
			o["reviewLimit"] = w.r.IntN(8)
		}
		if w.r.IntN(4) == 0 {
			o["newLimitToday"] = object{"limit": w.r.IntN(9), "today": w.today - int64(w.r.IntN(2))}
		}
		if w.r.IntN(4) == 0 {
			o["reviewLimitToday"] = object{"limit": w.r.IntN(9), "today": w.today - int64(w.r.IntN(2))}
		}
		if w.r.IntN(4) == 0 {
			o["desiredRetention"] = pick(w.r, 80, 93)
		}
		if w.r.IntN(2) == 0 {
			day := w.today - int64(w.r.IntN(2))
			o["newToday"], o["revToday"], o["timeToday"] = []any{day, w.r.IntN(5) - 1}, []any{day, w.r.IntN(4) - 1}, []any{day, 5000}
		}
		addDeck(w.t, w.db, id, name, o)
		w.decks = append(w.decks, id)
	}
	addDeck(w.t, w.db, 2001, "A::Filtered", filteredDeck(true, 60, 600, 0))
	addDeck(w.t, w.db, 2002, "Preview", filteredDeck(false, 60, 600, int64(pick(w.r, 0, 0, 900))))
	w.decks = append(w.decks, 2001, 2002)
}

// fill adds notes with one to three cards each.
func (w *world) fill(notes int) {
	mid := one(w.t, w.db, "SELECT id FROM notetypes WHERE name = 'Basic'")[0].Int()
	base := w.now.UnixMilli() - 400*daySeconds*1000
	if err := rows.Transaction(w.db, func() error {
		for i := range notes {
			nid := base + int64(i)*977
			run(w.t, w.db, "INSERT INTO notes VALUES (?, ?, ?, 0, 0, ?, 'a' || char(31) || 'b', 'a', 0, 0, '')", nid, fmt.Sprint("g", i), mid,
				pick(w.r, "", " b c ", " LEECH ", " zebra "))
			deck := w.decks[w.r.IntN(10)]
			for ord := range pick(w.r, 1, 1, 2, 3) {
				w.addCard(nid, ord, deck)
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// addCard adds a card in a random state.
func (w *world) addCard(nid int64, ord int, deck int64) {
	r, id, now := w.r, nid+int64(ord)*13+int64(w.r.IntN(10)), w.now.Unix()
	c := object{
		"id": id, "nid": nid, "did": deck, "ord": ord, "mod": 0, "usn": 0, "type": 0, "queue": 0, "due": r.IntN(300), "ivl": 0, "factor": 0,
		"reps": 0, "lapses": 0, "left": 0, "odue": 0, "odid": 0, "flags": r.IntN(8), "data": "{}",
	}
	elapsed := int64(pick(r, 0, 1, 3, 10, 50))
	switch kind := r.IntN(8); kind {
	case 0, 1: // new
	case 2, 3: // learning, relearning
		c["type"], c["queue"], c["left"], c["reps"] = pick(r, 1, 3), 1, pick(r, 1, 2, 3, 1001, 2002, 0), 1+r.IntN(9)
		c["due"] = now + pick(r, int64(-4000), -70, 300, 1100, 1400, 9000, 90000)
		if r.IntN(3) == 0 {
			c["queue"], c["due"] = 3, w.today+int64(r.IntN(5)-3)
		}
		elapsed = int64(pick(r, 0, 0, 1))
	default:
		c["type"], c["queue"], c["due"], c["reps"] = 2, 2, w.today+int64(r.IntN(20)-14), 1+r.IntN(30)
		c["left"] = int(id % 3) // what was learned when its due date was set keeps them
	}
	if c["type"] == 2 || c["type"] == 3 {
		c["ivl"], c["factor"], c["lapses"] = r.IntN(pick(r, 3, 30, 500)), pick(r, 2500, 2350, 1300, 1450, 2800), r.IntN(9)
	}
	last := w.moment(now - 60 - elapsed*daySeconds)
	if c["type"] != 0 {
		c["data"] = w.data(last)
		w.history(id, last)
	} else if id%3 == 0 { // made new again by a program that wrote nothing about it into the log
		c["left"], c["reps"], c["ivl"], c["factor"] = int(id%4), int(id%5), int(id%50), 2500
		c["data"] = fmt.Sprintf(`{"pos":7,"dr":0.9,"decay":0.154,"lrt":%d}`, last)
		w.history(id, last)
	}
	switch r.IntN(12) {
	case 0:
		c["queue"] = pick(r, -1, -1, -2, -3)
	case 1: // into a filtered deck
		c["odid"], c["odue"], c["did"] = deck, c["due"], 2001
		if r.IntN(2) == 0 {
			c["did"], c["queue"] = 2002, 2
		}
		if d, ok := c["due"].(int); !ok || d > 0 {
			c["due"] = -100000 + r.IntN(1000)
		}
		if q := c["queue"]; c["did"] == 2001 && (q == 1 || q == 3) {
			c["due"] = c["odue"]
		}
	}
	for k, v := range c {
		if n, ok := v.(int); ok {
			c[k] = int64(n)
		}
	}
	insert(w.t, w.db, "cards", c)
}

// moment returns a time, or one about where the day of it begins: elapsed days follow the rollover (study.md S8).
func (w *world) moment(at int64) int64 {
	if w.r.IntN(3) == 0 {
		begin := w.end - (w.end-at+daySeconds-1)/daySeconds*daySeconds
		at = begin + int64(pick(w.r, -3601, -61, -1, 0, 1, 61, 3599))
	}
	return min(at, w.now.Unix()-60)
}

func (w *world) data(last int64) string {
	r := w.r
	s := fmt.Sprintf(`{"pos":%d`, r.IntN(99))
	if r.IntN(5) > 0 {
		s += fmt.Sprintf(`,"s":%.3f1,"d":%.2f1,"dr":0.9,"decay":0.154`, pick(r, r.Float64(), r.Float64()*30, r.Float64()*500), 1+r.Float64()*8.9)
	}
	if r.IntN(4) > 0 {
		s += fmt.Sprintf(`,"lrt":%d`, last)
	}
	if r.IntN(6) == 0 {
		s += `,"cd":"{\"a\":1}"`
	}
	return pick(r, s+"}", s+"}", s+"}", "{}", "")
}

// history adds entries to the log.
func (w *world) history(card, last int64) {
	r := w.r
	at := last * 1000
	for range r.IntN(6) {
		kind := pick(r, 0, 0, 1, 1, 1, 2, 3, 4, 5)
		button, factor := 1+r.IntN(4), pick(r, 2500, 2300, 0, 677)
		if kind >= 4 {
			button = 0
		}
		insert(w.t, w.db, "revlog", object{
			"id": at + int64(r.IntN(900)), "cid": card, "usn": int64(0), "ease": int64(button), "ivl": int64(pick(r, 1+r.IntN(30), 1+r.IntN(30), 0, -600)), "lastIvl": int64(-600),
			"factor": int64(factor), "time": int64(1000), "type": int64(kind),
		})
		at = w.moment(at/1000-int64(1+r.IntN(20))*daySeconds) * 1000
	}
}

// open gives a copy to the real program. Both begin the day.
func (w *world) open(agent *anki.Agent) {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	b, err := os.ReadFile(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	other := filepath.Join(w.t.TempDir(), "real.anki2")
	if err := os.WriteFile(other, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if w.db, err = sqlitehost.OpenFile(w.path, host.ReadWrite); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.db.Close() })
	w.real = agent.Client(w.t, other)
	w.beginDay()
}

// counters returns what a deck, given as its id and its column common in hexadecimal, has of its last day.
func counters(t testing.TB, text string) [5]int64 {
	t.Helper()
	id, digits, _ := strings.Cut(text, "|")
	common, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	d := legacy.Deck{Name: id, Common: common, Kind: []byte{10, 0}}
	b, err := d.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ NewToday, RevToday, LrnToday, TimeToday [2]int64 }
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return [5]int64{o.NewToday[0], o.NewToday[1], o.RevToday[1], o.LrnToday[1], o.TimeToday[1] / 1000}
}
