package study

import (
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// The values of the column type in revlog. The first three are the kinds of the card before the answer.
const (
	logLearning = 0
	logFiltered = 3
	logManual   = 4
)

// recall is what FSRS knows of a card: its memory, and how many whole days ago it was answered.
type recall struct {
	memory  memory
	elapsed int64
}

// recallOf finds out what FSRS knows of a card (§4.5): from its data, else from the log, else from what SM-2 left.
func (c *Session) recallOf(f *fsrs, o *legacy.StudyOptions, card *wire.Card, data *wire.CardMembers) (r recall, err error) {
	stored, known := storedMemory(data)
	if !known && card.Type == uint8(New) {
		return r, nil // whatever was before it became new
	}
	last, timed := data.Number(wire.CardLastTime)
	var log []logEntry
	at := int64(last)
	if !known || !timed {
		logged := int64(0)
		if log, logged, err = c.answersOf(card.ID, o.IgnoreBefore); err != nil {
			return r, err
		}
		if !timed {
			at = logged
		}
	}
	if at > 0 {
		r.elapsed = c.daysSince(at)
	}
	switch {
	case known:
		r.memory = stored
	case len(log) > 0:
		r.memory = c.replay(f, o, log)
	}
	if r.memory == (memory{}) && card.Interval > 0 { // no history, or none that says anything
		r.memory = f.fromSM2(float32(card.Factor)/1000, int64(card.Interval), o.HistoricalRetention)
	}
	return r, nil
}

// storedMemory returns the memory in a card's data, if there is one.
func storedMemory(data *wire.CardMembers) (m memory, ok bool) {
	stability, ok := data.Number(wire.CardStability)
	difficulty, _ := data.Number(wire.CardDifficulty)
	return memory{float32(stability), float32(difficulty)}, ok
}

// daysSince returns the number of study days that have ended since a time.
func (c *Session) daysSince(at int64) int64 { return max(0, (c.NextDay-at)/daySeconds) }

// logEntry is an answer in the log.
type logEntry struct {
	at       int64 // Unix seconds
	button   int
	interval int64
	factor   int64
	kind     int64
	onward   bool // it follows directly on another entry of learning
	ignored  bool // it is older than the options want
}

// answersOf returns the answers to a card since it was last reset, and the time of the last of all. Previews are none, and nothing
// that has no button, such as a set due date; but that ends a run of learning.
func (c *Session) answersOf(cardID int64, from string) (log []logEntry, last int64, err error) {
	before := int64(-1)
	for row, err := range rows.Query(c.db, "SELECT id, ease, ivl, factor, type, id / 1000 < unixepoch(?) FROM revlog WHERE cid = ? ORDER BY id", from, cardID) {
		if err != nil {
			return nil, 0, err
		}
		e := logEntry{row[0].Int() / 1000, int(row[1].Int()), row[2].Int(), row[3].Int(), row[4].Int(), before == logLearning, row[5].Int() > 0}
		if e.kind == logFiltered && e.factor == 0 {
			continue
		}
		if e.kind == logManual && e.factor == 0 {
			log = log[:0]
		}
		before = logManual
		if e.button >= again && e.button <= easy {
			before = e.kind
			log, last = append(log, e), e.at
		}
	}
	return log, last, nil
}

// replay computes the memory that a history leaves. It begins where the card was last learned; a history that does not
// begin with learning, or too long ago, begins with what SM-2 made of it, at the first entry with an interval; the zero memory if
// there is none.
func (c *Session) replay(f *fsrs, o *legacy.StudyOptions, log []logEntry) (m memory) {
	start := len(log) - 1
	for start >= 0 && log[start].kind != logLearning {
		start--
	}
	for start > 0 && log[start].onward {
		start--
	}
	if start < 0 || log[start].ignored && start+1 < len(log) {
		for start = 0; log[start].ignored || log[start].interval <= 0; start++ {
			if start+1 == len(log) {
				return memory{}
			}
		}
		factor := log[start].factor
		if factor == 0 {
			factor = 2500
		}
		m = f.fromSM2(float32(factor)/1000, log[start].interval, o.HistoricalRetention)
		if factor <= 1100 { // no ease is so low: FSRS has logged its difficulty
			m.difficulty = float32(factor-100)/1000*9 + 1
		}
	} else {
		m = f.next(m, 0, log[start].button)
	}
	for i, e := range log[start+1:] {
		m = f.next(m, c.daysSince(log[start+i].at)-c.daysSince(e.at), e.button)
	}
	return m
}
