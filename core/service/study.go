package service

import (
	"context"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/study"
)

// DeckTreeResult is the list of decks with what is to be studied today, and what was.
type DeckTreeResult = *study.Tree

// NextCardsParams name a deck, which counts with those below it. Count is how many cards are returned at most, 1 to
// study.MaxCards; 0 is 1.
type NextCardsParams struct {
	DeckID int64 `json:"deckId"`
	Count  int64 `json:"count,omitempty"`
}

// NextCardsResult is the head of a deck's queue.
type NextCardsResult = *study.Next

func (o *NextCardsParams) read(p *params) error {
	deck, count := p.integer("deckId"), p.integer("count")
	if err := p.end(); err != nil {
		return err
	}
	if deck == nil {
		return fault.New(fault.InvalidInput, "the parameter \"deckId\" is missing")
	}
	o.DeckID, o.Count = *deck, 1
	if count != nil && *count != 0 {
		o.Count = *count
	}
	return study.CheckCount(o.Count)
}

func (s *Service) deckTree(context.Context, none) (DeckTreeResult, error) {
	c, err := s.studySession()
	if err != nil {
		return nil, err
	}
	return c.DeckTree()
}

func (s *Service) nextCards(_ context.Context, p NextCardsParams) (NextCardsResult, error) {
	c, err := s.studySession()
	if err != nil {
		return nil, err
	}
	return c.NextCards(p.DeckID, int(p.Count))
}

// studySession looks at the collection. Cards that were buried come back when a day has begun, as before a sync.
func (s *Service) studySession() (*study.Session, error) {
	if s.profile == nil {
		return nil, notOpen()
	}
	db := s.profile.DB()
	c, err := study.Begin(db, s.host.Clock)
	if err != nil || !c.DayBegins() {
		return c, err
	}
	if _, err := collection.Unbury(db, s.host.Clock); err != nil {
		return nil, err
	}
	return study.Begin(db, s.host.Clock)
}
