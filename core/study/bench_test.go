package study_test

import (
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/study"
)

// benchCollection has 50,000 cards in 200 decks: a third new, a third of the rest due. Each deck shows bury options the
// slower way if burying is set.
func benchCollection(b *testing.B, burying bool) (host.DB, host.Clock) {
	b.Helper()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	db := newCollection(b, now.AddDate(-1, 0, 0))
	setOptions(b, db, object{"new": object{"bury": burying, "perDay": 9999}, "rev": object{"bury": burying, "perDay": 9999}})
	run(b, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO decks "+
		"SELECT 1000 + i, 'Top' || CASE WHEN i > 1 THEN char(31) || 'Deck ' || i ELSE '' END, 0, 0, d.common, d.kind FROM n, decks d WHERE d.id = 1")
	run(b, db, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999) INSERT INTO cards "+
		"SELECT 1700000000000 + i, 1700000000000 + i - i % 2, 1001 + i * 7919 % 200, i % 2, 0, 0, iif(i % 3 = 0, 0, 2), iif(i % 3 = 0, 0, 2), "+
		"iif(i % 3 = 0, i, 300 + i % 200), i % 90, 2500, 3, 0, 0, 0, 0, 0, '{\"s\":20.5,\"d\":5.1,\"lrt\":1763000000}' FROM n")
	return db, coretest.NewClock(now, 0)
}

func session(b *testing.B, db host.DB, clock host.Clock) *study.Session {
	c, err := study.Begin(db, clock)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkDeckTree(b *testing.B) {
	db, clock := benchCollection(b, false)
	for b.Loop() {
		tree, err := session(b, db, clock).DeckTree()
		if err != nil || len(tree.Decks) != 2 || tree.Decks[1].TotalAll != 50000 {
			b.Fatalf("%+v, %v", tree, err)
		}
	}
}

func BenchmarkNextCards(b *testing.B) {
	for name, burying := range map[string]bool{"plain": false, "burying": true} {
		for deck, id := range map[string]int64{"top of 200": 1001, "one": 1002} {
			b.Run(name+"/"+deck, func(b *testing.B) {
				db, clock := benchCollection(b, burying)
				for b.Loop() {
					next, err := session(b, db, clock).NextCards(id, 1)
					if err != nil || len(next.Cards) != 1 {
						b.Fatalf("%+v, %v", next, err)
					}
				}
			})
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	db, clock := benchCollection(b, false)
	id := int64(1700000000000)
	for b.Loop() {
		if _, err := study.Answer(db, clock, id, 3, 1000); err != nil {
			b.Fatal(err)
		}
		id++
	}
}
