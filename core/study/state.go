package study

import (
	"math"

	"github.com/cardferry/cardferry/core/legacy"
)

// The buttons.
const (
	again = 1
	hard  = 2
	good  = 3
	easy  = 4
)

// Kind is a card's state. The first four have the numbers of the column type in cards.
type Kind uint8

// The kinds.
const (
	New Kind = iota
	Learning
	Review
	Relearning
	Preview // in a filtered deck that does not reschedule
)

// State is what a card is in, or would be in after an answer.
type State struct {
	Kind    Kind
	Seconds int64   // of a learning step, or until a preview comes again; a preview without them goes home
	Days    int64   // the interval: of a review, or to which relearning returns
	Left    int64   // learning steps that remain
	Ease    float32 // 2.5 is 250 %
	Lapses  int64
	Leech   bool // the answer made the card one
	memory  memory
}

// Memory returns what FSRS knows of the state: stability in days and difficulty, both 0 without FSRS.
func (s *State) Memory() (stability, difficulty float64) {
	return float64(s.memory.stability), float64(s.memory.difficulty)
}

// scheduler computes the states after the four answers to one card.
type scheduler struct {
	options     *legacy.StudyOptions
	factor      float32 // of the fuzz
	late, early int64   // days since, or until, a review is due; early in filtered decks only
	fsrs        *fsrs   // nil for SM-2
	elapsed     int64   // whole days since the last answer, for FSRS
	short       bool    // FSRS may add learning steps of its own where no other remains

	now       State
	memories  [4]memory  // after each button
	intervals [4]float64 // days, as FSRS has them
}

// next returns the states after the four buttons (study.md §4.2, §4.3, §4.5).
func (s *scheduler) next(now State) (out [4]State) {
	s.now = now
	if s.fsrs != nil {
		for i := range out {
			s.memories[i] = s.fsrs.next(now.memory, s.elapsed, i+1)
			s.intervals[i] = s.fsrs.interval(s.memories[i])
		}
	}
	if now.Kind == Review {
		out = s.review()
	} else {
		out = s.steps()
	}
	if s.fsrs != nil {
		for i := range out {
			out[i].memory = s.memories[i]
		}
	}
	return out
}

// steps returns what follows a learning step, or a new card.
func (s *scheduler) steps() (out [4]State) {
	steps := s.stepList()
	n, left := int64(len(steps)), s.now.Left%1000
	if s.now.Kind == New {
		left = n
	}
	index := stepIndex(n, left)
	if n == 0 {
		out[0], out[1], out[2] = s.noStep(again, n), s.noStep(hard, left), s.noStep(good, s.leftAfterGood(left))
	} else {
		out[0] = s.step(again, stepSeconds(steps, 0), n)
		out[1] = s.step(hard, hardSeconds(steps, min(index, n-1)), left)
		if index+1 < n {
			out[2] = s.step(good, stepSeconds(steps, index+1), n-index-1)
		} else {
			out[2] = s.noStep(good, s.leftAfterGood(left))
		}
	}
	switch {
	case s.fsrs != nil:
		low := s.fuzzed(s.intervals[good-1], 1) + 1 // also where Good is a further step
		out[3] = s.graduated(s.fuzzed(wholeDays(s.intervals[easy-1]), low))
	case s.now.Kind == Relearning:
		out[3] = s.graduated(s.now.Days + 1)
	default:
		out[3] = s.graduated(s.fuzzed(float64(s.options.GraduatingEasy), 1))
	}
	return out
}

// stepIndex returns which of n steps a card is at when some are left.
func stepIndex(n, left int64) int64 {
	if left == 0 {
		return max(n-1, 0)
	}
	return max(n-left, 0)
}

// stepList returns the steps that count for a card in the state.
func (s *scheduler) stepList() []float32 {
	if s.now.Kind == New || s.now.Kind == Learning {
		return s.options.LearnSteps
	}
	return s.options.RelearnSteps
}

func (s *scheduler) leftAfterGood(left int64) int64 {
	if s.now.Kind == Relearning {
		return 0
	}
	return left
}

// wholeDays returns an interval of FSRS as a number of days, at least one.
func wholeDays(x float64) float64 { return float64(max(round(x), 1)) }

// step returns a learning step.
func (s *scheduler) step(button int, seconds, left int64) State {
	if s.now.Kind != Relearning {
		return State{Kind: Learning, Seconds: seconds, Left: left}
	}
	next := s.now
	next.Seconds, next.Left, next.memory = seconds, left, memory{}
	if button == again {
		next.Days = s.lapsed()
	}
	return next
}

// lapsed returns the interval to which a forgotten card returns.
func (s *scheduler) lapsed() int64 {
	if s.fsrs != nil {
		return int64(wholeDays(s.intervals[again-1]))
	}
	return s.fuzzed(float64(s.now.Days)*float64(s.options.LapseMultiplier), max(s.options.MinimumLapseInterval, 1))
}

// noStep returns what follows where no step remains.
func (s *scheduler) noStep(button int, left int64) State {
	if s.fsrs == nil {
		if s.now.Kind == Relearning {
			next := s.graduated(s.now.Days)
			next.memory = s.now.memory // the one answer of SM-2 after which the real program keeps it
			return next
		}
		return s.graduated(s.fuzzed(float64(s.options.GraduatingGood), 1))
	}
	x := s.intervals[button-1]
	if s.fsrs.shortTerm(x) && (s.short || len(s.stepList()) == 0) {
		next := s.step(button, shortSeconds(x), left)
		if s.now.Kind == Relearning {
			next.Days = int64(wholeDays(x))
		}
		return next
	}
	return s.graduated(s.fuzzed(wholeDays(x), 1))
}

// shortSeconds returns an interval of FSRS below a day in seconds.
func shortSeconds(x float64) int64 { return int64(float32(float32(x) * daySeconds)) }

// graduated returns the review that ends learning or relearning.
func (s *scheduler) graduated(days int64) State {
	if s.now.Kind == Relearning {
		return State{Kind: Review, Days: days, Ease: s.now.Ease, Lapses: s.now.Lapses}
	}
	return State{Kind: Review, Days: days, Ease: s.options.InitialEase}
}

// lowestEase is below which an answer does not take the ease.
const lowestEase = 1.3

func (s *scheduler) review() (out [4]State) {
	s.now.Left = 0 // not so before, if its due date was set while it was learned
	for i := range out {
		out[i] = s.now
		out[i].memory = memory{}
	}
	ease := s.now.Ease
	out[0].Ease, out[1].Ease, out[3].Ease = max(lowestEase, ease-0.2), max(lowestEase, ease-0.15), ease+0.15
	out[0].Lapses++
	out[0].Leech = isLeech(out[0].Lapses, s.options.LeechThreshold)
	out[0].Days = s.lapsed()
	if n := int64(len(s.options.RelearnSteps)); n > 0 {
		out[0].Kind, out[0].Seconds, out[0].Left = Relearning, stepSeconds(s.options.RelearnSteps, 0), n
	} else if x := s.intervals[again-1]; s.fsrs != nil && s.fsrs.shortTerm(x) {
		out[0].Kind, out[0].Seconds, out[0].Left = Relearning, shortSeconds(x), 0
	}
	switch {
	case s.fsrs != nil:
		out[1].Days = s.fuzzed(s.intervals[1], s.fsrsLow(s.intervals[1], s.now.Days))
		out[2].Days = s.fuzzed(s.intervals[2], max(s.fsrsLow(s.intervals[2], s.now.Days), out[1].Days+1))
		out[3].Days = s.fuzzed(s.intervals[3], max(s.fsrsLow(s.intervals[3], s.now.Days), out[2].Days+1))
	case s.early > 0:
		out[1].Days, out[2].Days, out[3].Days = s.earlyDays()
	default:
		out[1].Days, out[2].Days, out[3].Days = s.reviewDays()
	}
	return out
}

// reviewDays returns the intervals of SM-2 after Hard, Good and Easy. Products are converted so that no processor
// computes them in more than single precision.
func (s *scheduler) reviewDays() (afterHard, afterGood, afterEasy int64) {
	o, ease := s.options, s.now.Ease
	interval, late := max(s.now.Days, 1), float32(s.late)
	hardLow := s.now.Days + 1
	if o.HardMultiplier <= 1 {
		hardLow = 1
	}
	i := float32(interval)
	afterHard = s.fuzzed(float64(float32(float32(i*o.HardMultiplier)*o.IntervalMultiplier)), hardLow)
	goodLow := afterHard + 1
	if o.HardMultiplier <= 1 {
		goodLow = s.now.Days + 1
	}
	afterGood = s.fuzzed(float64(float32(float32((i+late/2)*ease)*o.IntervalMultiplier)), goodLow)
	afterEasy = s.fuzzed(float64(float32(float32(float32((i+late)*ease)*o.EasyMultiplier)*o.IntervalMultiplier)), afterGood+1)
	return afterHard, afterGood, afterEasy
}

// earlyDays is reviewDays for a card that a filtered deck shows before it is due. The interval multiplier counts here too, and no
// interval is below a day.
func (s *scheduler) earlyDays() (afterHard, afterGood, afterEasy int64) {
	o, ease := s.options, s.now.Ease
	interval := float32(s.now.Days)
	passed := max(interval-float32(s.early), 0)
	days := func(x float32) int64 {
		return min(max(round(float64(float32(x*o.IntervalMultiplier))), 1), o.MaximumInterval)
	}
	shortest := max(float32(passed*o.HardMultiplier), float32(interval*o.HardMultiplier)/2)
	usual := max(float32(passed*ease), interval)
	return days(shortest), days(usual), days(float32(usual * (o.EasyMultiplier - float32(o.EasyMultiplier-1)/2)))
}

// isLeech reports whether that many lapses make a card a leech, the first time or again.
func isLeech(lapses, threshold int64) bool {
	return lapses >= threshold && (lapses-threshold)%max((threshold+1)/2, 1) == 0
}

const daySeconds = 86400

// stepSeconds returns the length of a step.
func stepSeconds(steps []float32, i int64) int64 {
	x := float32(steps[i] * 60)
	if !(x > 0) {
		return 0
	}
	return int64(min(float64(x), math.MaxUint32))
}

// hardSeconds returns the delay after Hard.
func hardSeconds(steps []float32, i int64) int64 {
	seconds := stepSeconds(steps, i)
	switch {
	case i > 0:
		return seconds
	case len(steps) > 1:
		seconds = (seconds + stepSeconds(steps, 1)) / 2
	default:
		seconds = min(seconds*3/2, seconds+daySeconds)
	}
	if seconds > daySeconds {
		seconds = round(float64(seconds)/daySeconds) * daySeconds
	}
	return seconds
}
