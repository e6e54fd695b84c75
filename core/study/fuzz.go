package study

import "math"

// round rounds half away from zero, for numbers that are not negative. What is no number, or none that could be meant, becomes
// a large one.
func round(x float64) int64 {
	if !(x < 1e15) {
		return 1e15
	}
	return int64(math.Floor(x + 0.5))
}

// fuzzWidth returns by how much an interval may be moved either way (§4.4). It is computed in single precision, like all of the range:
// with more, one interval of years in some thousands is a day off.
func fuzzWidth(x float32) float32 {
	if x < 2.5 {
		return 0
	}
	width := 1 + float32(0.15*(min(x, 7)-2.5))
	width += float32(0.10 * max(min(x, 20)-7, 0))
	return width + float32(0.05*max(x-20, 0))
}

// fuzzRange returns the range from which the interval is chosen, within [low, high].
func fuzzRange(x float64, low, high int64) (lo, hi int64) {
	low = min(low, high)
	near := float32(max(min(x, float64(high)), float64(low)))
	width := fuzzWidth(near)
	lo = max(min(round(float64(near-width)), high), low)
	hi = max(min(round(float64(near+width)), high), low)
	if hi == lo && 2 < hi && hi < high {
		hi = lo + 1
	}
	return lo, hi
}

// fuzzed returns an interval of about x days, within [low, maximum].
func (s *scheduler) fuzzed(x float64, low int64) int64 {
	lo, hi := fuzzRange(x, low, s.options.MaximumInterval)
	return int64(float32(s.factor*float32(1+hi-lo)) + float32(lo))
}

// fsrsLow returns the lower bound with which an interval of FSRS does not shrink by fuzz alone (§4.5).
func (s *scheduler) fsrsLow(x float64, interval int64) int64 {
	switch _, hi := fuzzRange(x, 1, s.options.MaximumInterval); {
	case round(x) > interval:
		return interval + 1
	case hi >= interval:
		return max(interval, 1) // a due date that was set has left an interval of 0
	}
	return 1
}
