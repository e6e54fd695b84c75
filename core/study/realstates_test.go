package study_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/study"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// realState is a state as study.py has it.
type realState struct {
	Kind          string
	Days, Seconds int64
	Memory        [2]float64
}

var stateNames = [...]string{study.New: "new", study.Learning: "learning", study.Review: "review", study.Relearning: "relearning"}

// TestRealStates compares the states of all cards, with what FSRS knows of them, of many more histories than TestRealAnswers has.
func TestRealStates(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	for seed := range 2 * seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed+300)
			w.fsrs = seed >= seeds()
			setConfig(t, w.db, "fsrs", w.fsrs)
			w.fill(300)
			w.open(agent)
			w.compareStates(w.column("SELECT id FROM cards WHERE did != 2002 ORDER BY id"))
		})
	}
}

// TestRealIgnored compares what FSRS makes of logs of which the options want the older part ignored.
func TestRealIgnored(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	w := newWorld(t, 305)
	w.fsrs = true
	setConfig(t, w.db, "fsrs", true)
	setOptions(t, w.db, object{"ignoreRevlogsBeforeDate": w.now.AddDate(0, 0, -12).UTC().Format(time.DateOnly)})
	w.fill(300)
	run(t, w.db, "UPDATE cards SET did = 1, odid = 0, queue = 2, type = 2, due = ?, data = '{}', ivl = max(1, ivl)", w.today)
	run(t, w.db, "DELETE FROM revlog WHERE type > 2")
	w.open(agent)
	w.compareStates(w.column("SELECT id FROM cards ORDER BY id"))
}

// TestRealFuzzBits compares intervals of years of cards, found by trying, whose fuzz factor would give another day with a bit more.
func TestRealFuzzBits(t *testing.T) {
	t.Parallel()
	agent := anki.StartAgent(t)
	w := newWorld(t, 303)
	w.fsrs = false
	setConfig(t, w.db, "fsrs", false)
	w.fill(20)
	run(t, w.db, "UPDATE cards SET type = 2, queue = 2, did = 1000, ivl = 465, due = ?, factor = 1300, reps = 8, odid = 0, odue = 0", w.today-9)
	cards := w.column("SELECT id FROM cards ORDER BY id")
	ids := []int64{1761343430628, 1761343682294, 1761343955701, 1761343969563, 1761344050610, 1761344086599, 1761344452843, 1761344454168}
	for i, id := range ids {
		run(t, w.db, "UPDATE cards SET id = ? WHERE id = ?", id, cards[i])
	}
	w.open(agent)
	w.compareStates(ids)
}

func (w *world) compareStates(ids []int64) {
	w.t.Helper()
	var want [][]realState
	w.real.Do(w.t, "study_states", anki.Args{"cards": ids}, &want)
	w.now = time.Now()
	c := w.session()
	for i, id := range ids {
		x, err := c.Choices(id)
		if err != nil {
			w.t.Fatal(err)
		}
		w.compareState(id, "now", &x.Now, &want[i][0])
		for button := range x.Next {
			w.compareState(id, fmt.Sprint("button ", button+1), &x.Next[button], &want[i][button+1])
		}
	}
}

func (w *world) compareState(card int64, what string, got *study.State, want *realState) {
	w.t.Helper()
	s := realState{Kind: stateNames[got.Kind]}
	s.Memory[0], s.Memory[1] = got.Memory()
	if got.Kind == study.Review || got.Kind == study.Relearning {
		s.Days = got.Days
	}
	if what != "now" && got.Kind != study.Review { // of the present step, only the log tells the length
		s.Seconds = got.Seconds
	}
	if what == "now" || got.Kind == study.Review {
		want.Seconds = 0
	}
	if !w.fsrs { // a memory that is only kept
		s.Memory, want.Memory = [2]float64{}, [2]float64{}
	}
	for i := range s.Memory {
		if near(s.Memory[i], want.Memory[i], 1e-6+memoryNoise*want.Memory[i]) {
			s.Memory[i] = want.Memory[i]
		}
	}
	if s != *want {
		w.t.Errorf("card %v %v, end of day %d\n%s: %+v, want %+v", rowObject(w.t, w.db, "cards", cardColumns, "id = ?", card),
			w.ours(fmt.Sprintf("SELECT printf('%%d ease %%d ivl %%d factor %%d type %%d; ', id / 1000, ease, ivl, factor, type) FROM revlog WHERE cid = %d ORDER BY id", card)),
			w.end, what, s, *want)
	}
}
