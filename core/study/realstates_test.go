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
