package study_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/study"
)

var saturday = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// addCard adds a note with one card, whose columns may be given.
func addCard(t testing.TB, db host.DB, id int64, columns object) {
	t.Helper()
	o := object{
		"id": id, "nid": id, "did": int64(1), "ord": int64(0), "mod": int64(0), "usn": int64(0), "type": int64(0), "queue": int64(0), "due": int64(1),
		"ivl": int64(0), "factor": int64(0), "reps": int64(0), "lapses": int64(0), "left": int64(0), "odue": int64(0), "odid": int64(0),
		"flags": int64(0), "data": "{}",
	}
	for k, v := range columns {
		o[k] = v
	}
	insert(t, db, "cards", o)
	insert(t, db, "notes", object{
		"id": id, "guid": fmt.Sprint(id), "mid": int64(1), "mod": int64(0), "usn": int64(0), "tags": "", "flds": "a", "sfld": "a", "csum": int64(0),
		"flags": int64(0), "data": "",
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday)
	clock := coretest.NewClock(saturday, 0)
	addCard(t, db, 1, nil)
	addCard(t, db, 2, object{"did": int64(99)})
	addCard(t, db, 3, object{"type": int64(9)})
	addCard(t, db, 4, object{"queue": int64(17)})
	for _, c := range []struct {
		card   int64
		button int
		ms     int64
		want   fault.Kind
	}{
		{1, 0, 0, fault.InvalidInput}, {1, 5, 0, fault.InvalidInput}, {1, 3, -1, fault.InvalidInput}, {77, 3, 0, fault.NotFound},
		{2, 3, 0, fault.DamagedFile}, {3, 3, 0, fault.DamagedFile}, {4, 3, 0, fault.DamagedFile},
	} {
		if _, err := study.Answer(db, clock, c.card, c.button, c.ms); fault.KindOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
	setConfig(t, db, "fsrs", true)
	setOptions(t, db, object{"fsrsParams6": []any{0.1, 0.2}})
	if _, err := study.Answer(db, clock, 1, 3, 0); fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("two parameters: %v", err)
	}
	if n := one(t, db, "SELECT (SELECT count(*) FROM revlog) + (SELECT count(*) FROM cards WHERE mod <> 0)")[0].Int(); n != 0 {
		t.Errorf("%d rows were changed", n)
	}
}

// TestHostileValues answers cards whose rows, options and log hold numbers that nobody would write: whatever comes of it can be
// written and read again.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday)
	clock := coretest.NewClock(saturday, 0)
	r := rand.New(rand.NewPCG(1, 2))
	big := func() int64 {
		return pick(r, int64(0), 1, -1, 1<<31-1, 1<<31, 1<<32-1, -1<<31, 1<<53, -1<<62, int64(r.IntN(1000)))
	}
	within := func(hi int64) int64 { return max(0, min(big(), hi)) }
	number := func() any { return pick[any](r, 0.0, 1e-30, 3e38, -1.0, 1e9, 10.0, 0.5) }
	for i := range 600 {
		if err := db.Exec("BEGIN"); err != nil {
			t.Fatal(err)
		}
		setConfig(t, db, "fsrs", r.IntN(2) == 0)
		setConfig(t, db, "collapseTime", big())
		o := object{
			"new":   object{"delays": []any{number(), number()}[:r.IntN(3)], "ints": []any{r.IntN(65536), r.IntN(65536)}},
			"lapse": object{"delays": []any{number()}[:r.IntN(2)]}, "maxTaken": r.IntN(1 << 31),
		}
		if r.IntN(2) == 0 {
			var w []any
			for range 21 {
				w = append(w, number())
			}
			o["fsrsParams6"] = w
		}
		setOptions(t, db, o)
		id := int64(i + 1)
		addCard(t, db, id, object{
			"type": int64(r.IntN(4)), "queue": int64(r.IntN(8) - 3), "due": big(), "ivl": within(1<<32 - 1), "factor": within(65535),
			"reps": within(1<<32 - 1), "lapses": within(1<<32 - 1), "left": within(1<<32 - 1), "mod": big(),
			"data": pick(r, "", "{", `{"s":1e38,"d":-5,"lrt":-9e99}`, `{"s":0,"d":0,"lrt":9007199254740993}`, `{"s":-1,"d":1e300}`, `{"pos":-1,"cd":5}`),
		})
		insert(t, db, "revlog", object{
			"id": big(), "cid": id, "usn": int64(0), "ease": int64(r.IntN(5)), "ivl": big(), "lastIvl": big(), "factor": big(), "time": big(), "type": int64(r.IntN(6)),
		})
		if _, err := study.Answer(db, clock, id, 1+r.IntN(4), big()&(1<<62)); err != nil {
			t.Fatal(err)
		}
		session, err := study.Begin(db, clock)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.Choices(id); err != nil {
			t.Fatalf("%v after %v", err, rowObject(t, db, "cards", cardColumns, "id = ?", id))
		}
		if _, err := session.NextCards(1, 10); err != nil {
			t.Fatal(err)
		}
		if err := db.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMixing: new cards come evenly among the reviews although the queue is built anew after each answer.
func TestMixing(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday.AddDate(0, 0, -50))
	clock := coretest.NewClock(saturday, 0)
	for i := range int64(20) {
		if i < 5 {
			addCard(t, db, i+1, object{"due": i})
		} else {
			addCard(t, db, i+1, object{"type": int64(2), "queue": int64(2), "due": int64(30), "ivl": int64(5), "factor": int64(2500)})
		}
	}
	var got string
	for range 20 {
		c, err := study.Begin(db, clock)
		if err != nil {
			t.Fatal(err)
		}
		next, err := c.NextCards(1, 1)
		if err != nil {
			t.Fatal(err)
		}
		got += next.Cards[0].Kind[:1]
		if _, err := study.Answer(db, clock, next.Cards[0].CardID, 4, 0); err != nil {
			t.Fatal(err)
		}
	}
	if want := "rrnrrrnrrrnrrnrrrnrr"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLearningFirst: a learning card comes when it falls due, before that only if nothing else is left.
func TestLearningFirst(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday)
	clock := coretest.NewClock(saturday, 0)
	addCard(t, db, 1, object{"type": int64(1), "queue": int64(1), "due": saturday.Unix() + 300, "left": int64(1)})
	addCard(t, db, 2, nil)
	addCard(t, db, 3, object{"type": int64(1), "queue": int64(1), "due": saturday.Unix() + 5000, "left": int64(1)})
	want := func(learnAt int64, cards ...int64) {
		t.Helper()
		c, err := study.Begin(db, clock)
		if err != nil {
			t.Fatal(err)
		}
		next, err := c.NextCards(1, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, n := range next.Cards {
			got = append(got, n.CardID)
		}
		if fmt.Sprint(got) != fmt.Sprint(cards) || next.LearnAt != learnAt {
			t.Errorf("got %v and %d, want %v and %d", got, next.LearnAt, cards, learnAt)
		}
	}
	at := saturday.UnixMilli()
	want(at+300_000, 2, 1)
	clock.Advance(300 * time.Second)
	want(at+5_000_000, 1, 2)
	run(t, db, "DELETE FROM cards WHERE id < 3")
	c, err := study.Begin(db, clock)
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.NextCards(1, 1)
	if err != nil || next.Finished == nil || *next.Finished != (study.Finished{Learning: 1}) || next.LearnAt != at+5_000_000 {
		t.Errorf("%+v, %v", next, err)
	}
}

// TestOrders: every order that a deck configuration can have gives all cards, once.
func TestOrders(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday.AddDate(0, 0, -50))
	addDeck(t, db, 5, "Default::below", nil)
	for i := range int64(12) {
		o := object{"did": 1 + i%2*4, "data": pick(rand.New(rand.NewPCG(uint64(i), 1)), "{}", "x", `{"s":3.5,"d":5,"lrt":1795000000}`)}
		if i > 5 {
			o["type"], o["queue"], o["due"], o["ivl"], o["factor"] = int64(2), int64(2), 20+i, i, 2000+i
		}
		addCard(t, db, i+1, o)
	}
	for order := range 14 {
		for _, fsrs := range []bool{false, true} {
			setConfig(t, db, "fsrs", fsrs)
			setOptions(t, db, object{"reviewOrder": order, "newGatherPriority": order % 7, "newSortOrder": order % 6})
			c, err := study.Begin(db, coretest.NewClock(saturday, 0))
			if err != nil {
				t.Fatal(err)
			}
			next, err := c.NextCards(1, 100)
			if err != nil || next.Counts.New != 6 || next.Counts.Review != 6 || len(next.Cards) != 12 {
				t.Fatalf("order %d: %+v, %v", order, next, err)
			}
			seen := map[int64]bool{}
			for _, card := range next.Cards {
				seen[card.CardID] = true
			}
			if len(seen) != 12 {
				t.Errorf("order %d: %v", order, seen)
			}
		}
	}
}

// TestMissingParent: a deck whose parent is missing is shown below the nearest that is there, or at the top.
func TestMissingParent(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday)
	for i, name := range []string{"A", "A::B::C", "X::Y", "A b"} {
		addDeck(t, db, int64(10+i), name, nil)
	}
	c, err := study.Begin(db, coretest.NewClock(saturday, 0))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := c.DeckTree()
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for _, d := range flatten(nil, tree.Decks) {
		got += fmt.Sprintf("%d %s, ", d.Level, d.Name)
	}
	if want := "1 A, 2 B::C, 1 A b, 1 Default, 1 X::Y, "; got != want {
		t.Errorf("%s", got)
	}
}

// TestAnswerBelowMissing: an answer counts for the decks above up to one that is missing, as in the real program.
func TestAnswerBelowMissing(t *testing.T) {
	t.Parallel()
	db := newCollection(t, saturday)
	for i, name := range []string{"A", "A::B::C", "A::B::C::D"} {
		addDeck(t, db, int64(10+i), name, nil)
	}
	addCard(t, db, 1, object{"did": int64(12)})
	if _, err := study.Answer(db, coretest.NewClock(saturday, 0), 1, 3, 1000); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]bool{10: false, 11: true, 12: true} {
		if got := one(t, db, "SELECT usn FROM decks WHERE id = ?", id)[0].Int() == -1; got != want {
			t.Errorf("deck %d counts %v", id, got)
		}
	}
}
