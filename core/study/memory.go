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
		if log, logged, _, err = c.answersOf(card.ID, o.IgnoreBefore); err != nil {
			return r, err
		}
		if !timed {
			at = logged
		}
	}
	if at > 0 {
		r.elapsed = c.daysSince(at)
	}
	if r.memory = stored; !known {
		r.memory = c.replay(f, o, log)
	}
	if r.memory == (memory{}) && card.Interval > 0 { // no history, or none that says anything
		r.memory = f.fromSM2(float32(card.Factor)/1000, int64(card.Interval), o.HistoricalRetention)
	}
	return r, nil
}

// Remember writes into the data of a card what FSRS knows of it by the options of its deck, from the log alone: in another deck it was
// something else. Without FSRS, or a log, that is nothing.
func (c *Session) Remember(card *wire.Card) error {
	data := wire.ParseCardMembers(card.Data)
	data[wire.CardStability], data[wire.CardDifficulty], data[wire.CardRetention], data[wire.CardDecay] = nil, nil, nil, nil
	if c.FSRS {
		home, err := c.readDeck(card.DeckID)
		if err != nil {
			return err
		}
		o, err := c.deckOptions(home)
		if err != nil {
			return err
		}
		log, _, logged, err := c.answersOf(card.ID, o.IgnoreBefore)
		if err != nil {
			return err
		}
		if f, err := c.deckFSRS(home, o); err == nil && logged { // parameters that are none keep no card where it is
			data.SetFloat(wire.CardRetention, f.retention)
			data.SetFloat(wire.CardDecay, f.written)
			writeMemory(&data, c.replay(f, o, log))
		}
	}
	card.Data = data.String()
	return nil
}

// storedMemory returns the memory in a card's data, if there is one.
func storedMemory(data *wire.CardMembers) (m memory, ok bool) {
	stability, ok := data.Number(wire.CardStability)
	difficulty, _ := data.Number(wire.CardDifficulty)
	return memory{float32(stability), float32(difficulty)}, ok
}

// writeMemory is the opposite of storedMemory; the zero memory is none.
func writeMemory(data *wire.CardMembers, m memory) {
	data[wire.CardStability], data[wire.CardDifficulty] = nil, nil
	if m != (memory{}) {
		data.SetFloat(wire.CardStability, m.stability)
		data.SetFloat(wire.CardDifficulty, m.difficulty)
	}
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

// answersOf returns the answers to a card since it was last reset, the time of the last of all, and whether anything was logged since
// the reset. Previews are no answers, and nothing that has no button, such as a set due date; but that ends a run of learning.
func (c *Session) answersOf(cardID int64, from string) (log []logEntry, last int64, logged bool, err error) {
	before := int64(-1)
	for row, err := range rows.Query(c.db, "SELECT id, ease, ivl, factor, type, id / 1000 < unixepoch(?) FROM revlog WHERE cid = ? ORDER BY id", from, cardID) {
		if err != nil {
			return nil, 0, false, err
		}
		e := logEntry{row[0].Int() / 1000, int(row[1].Int()), row[2].Int(), row[3].Int(), row[4].Int(), before == logLearning, row[5].Int() > 0}
		if e.kind == logFiltered && e.factor == 0 {
			continue
		}
		logged = e.kind != logManual || e.factor != 0
		if !logged {
			log = log[:0]
		}
		before = logManual
		if e.button >= again && e.button <= easy {
			before = e.kind
			log, last = append(log, e), e.at
		}
	}
	return log, last, logged, nil
}

// replay computes the memory that a history leaves. It begins where the card was last learned; a history that does not
// begin with learning, or too long ago, begins with what SM-2 made of it, at the first entry with an interval; the zero memory if
// there is none.
func (c *Session) replay(f *fsrs, o *legacy.StudyOptions, log []logEntry) (m memory) {
	if len(log) == 0 {
		return m
	}
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
