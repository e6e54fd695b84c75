package legacy

import (
	"math"

	"github.com/cardferry/cardferry/core/fault"
)

// StudyOptions is what studying reads from a deck configuration.
type StudyOptions struct {
	LearnSteps, RelearnSteps             []float32 // minutes
	Params                               []float32 // of FSRS, of the newest version that is there
	IgnoreBefore                         string    // a date; FSRS does not look at answers before it
	NewPerDay, ReviewsPerDay             int64
	NewRandom                            bool // the places of new cards are
	InitialEase                          float32
	EasyMultiplier, HardMultiplier       float32
	LapseMultiplier, IntervalMultiplier  float32
	MaximumInterval                      int64 // days, as the three that follow
	MinimumLapseInterval                 int64
	GraduatingGood, GraduatingEasy       int64
	LeechSuspends                        bool
	LeechThreshold                       int64
	CapAnswerTime                        int64 // seconds
	BuryNew, BuryReviews, BuryInterday   bool
	NewMix, InterdayMix                  int64
	NewSortOrder, NewGather, ReviewOrder int64
	DesiredRetention                     float32
	HistoricalRetention                  float32
}

// DefaultStudyOptions are those of a deck whose configuration is missing.
func DefaultStudyOptions() StudyOptions {
	c := deckConfig{
		learnSteps: []float32{1, 10}, relearnSteps: []float32{10}, leechAction: 1,
		newPerDay: -1, reviewsPerDay: -1, lapseMultiplier: -1, // the others are out of range as they are
	}
	return c.study()
}

// ReadStudyOptions reads the stored configuration, with its values repaired (collection-format.md §2.7).
func ReadStudyOptions(config []byte) (StudyOptions, error) {
	c, err := decodeConfig(config)
	if err != nil {
		return StudyOptions{}, fault.Wrap(fault.DamagedFile, err, "deck configuration")
	}
	return c.study(), nil
}

func (c *deckConfig) study() StudyOptions {
	c.repair()
	params := c.fsrsParams6
	if len(params) == 0 {
		params = c.fsrsParams5
	}
	if len(params) == 0 {
		params = c.fsrsParams4
	}
	return StudyOptions{
		LearnSteps: c.learnSteps, RelearnSteps: c.relearnSteps, Params: params, IgnoreBefore: c.ignoreBeforeDate,
		NewRandom: c.newInsertOrder == 1, NewPerDay: c.newPerDay, ReviewsPerDay: c.reviewsPerDay,
		InitialEase: c.initialEase, EasyMultiplier: c.easyMultiplier, HardMultiplier: c.hardMultiplier,
		LapseMultiplier: c.lapseMultiplier, IntervalMultiplier: c.intervalMultiplier,
		MaximumInterval: c.maximumInterval, MinimumLapseInterval: c.minimumLapseInterval,
		GraduatingGood: c.graduatingGood, GraduatingEasy: c.graduatingEasy,
		LeechSuspends: c.leechAction == 0, LeechThreshold: c.leechThreshold, CapAnswerTime: c.capAnswerTime,
		BuryNew: c.buryNew, BuryReviews: c.buryReviews, BuryInterday: c.buryInterdayLearning,
		NewMix: c.newMix, InterdayMix: c.interdayLearningMix,
		NewSortOrder: c.newSortOrder, NewGather: c.newGatherPriority, ReviewOrder: c.reviewOrder,
		DesiredRetention: c.desiredRetention, HistoricalRetention: c.historicalRetention,
	}
}

// StudyDeck is what studying reads from a deck.
type StudyDeck struct {
	Collapsed      bool
	New, Review    int64 // studied this day
	Filtered       bool
	Reschedule     bool     // of a filtered deck, as the next
	PreviewSeconds [3]int64 // after Again, Hard and Good
	ConfigID       int64    // of a normal deck, as all that follow
	NewLimit       *int64   // in the place of the configuration's
	ReviewLimit    *int64
	Retention      *float32
}

// ReadStudyDeck reads the columns of a deck; day is today's number. Limits that hold for today only win.
func ReadStudyDeck(common, kind []byte, day int64) (d StudyDeck, err error) {
	k, err := decodeKind(kind)
	if err != nil {
		return d, fault.Wrap(fault.DamagedFile, err, "kind of a deck")
	}
	c, err := decodeCommon(common)
	if err != nil {
		return d, fault.Wrap(fault.DamagedFile, err, "counters of a deck")
	}
	d.Collapsed = c.collapsed
	if c.lastDay == day {
		d.New, d.Review = c.newStudied, c.reviewStudied
	}
	if f := k.filtered; f != nil {
		d.Filtered, d.Reschedule, d.PreviewSeconds = true, f.reschedule, [3]int64{f.againSecs, f.hardSecs, f.goodSecs}
		return d, nil
	}
	n := k.normal
	d.ConfigID, d.NewLimit, d.ReviewLimit, d.Retention = n.configID, n.newLimit, n.reviewLimit, n.desiredRetention
	if t := n.newLimitToday; t != nil && t.today == day {
		d.NewLimit = &t.limit
	}
	if t := n.reviewLimitToday; t != nil && t.today == day {
		d.ReviewLimit = &t.limit
	}
	return d, nil
}

// AddStudied returns the counters of a deck after more was studied on a day; those of another day are reset first.
func AddStudied(common []byte, day, newCards, reviews, millis int64) ([]byte, error) {
	c, err := decodeCommon(common)
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "counters of a deck")
	}
	if c.lastDay != day {
		c.lastDay, c.newStudied, c.reviewStudied, c.learningStudied, c.millisStudied = day, 0, 0, 0, 0
	}
	add := func(p *int64, n int64) { *p = min(*p+n, math.MaxInt32) }
	add(&c.newStudied, newCards)
	add(&c.reviewStudied, reviews)
	add(&c.millisStudied, millis)
	return c.encode(), nil
}
