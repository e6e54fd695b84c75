package legacy

// repair replaces the values that are not numbers or lie outside their range, as the reference does whenever it
// reads a configuration (collection-format.md §2.7). It compares in single precision.
func (c *deckConfig) repair() {
	inRange(&c.newPerDay, 0, 9999, 20)
	inRange(&c.reviewsPerDay, 0, 9999, 200)
	inRange(&c.newPerDayMinimum, 0, 9999, 0)
	inRange(&c.initialEase, 1.31, 5, 2.5)
	inRange(&c.easyMultiplier, 1, 5, 1.3)
	inRange(&c.hardMultiplier, 0.5, 1.3, 1.2)
	inRange(&c.lapseMultiplier, 0, 1, 0)
	inRange(&c.intervalMultiplier, 0.5, 2, 1)
	inRange(&c.maximumInterval, 1, 36500, 36500)
	inRange(&c.minimumLapseInterval, 1, 36500, 1)
	inRange(&c.graduatingGood, 1, 36500, 1)
	inRange(&c.graduatingEasy, 1, 36500, 4)
	inRange(&c.leechThreshold, 1, 9999, 8)
	inRange(&c.capAnswerTime, 1, 9999, 60)
	inRange(&c.desiredRetention, 0.7, 0.99, 0.9)
	inRange(&c.historicalRetention, 0.7, 0.97, 0.9)
}

// inRange sets *p to def unless it lies between lo and hi, which a NaN never does.
func inRange[T int64 | float32](p *T, lo, hi, def T) {
	if !(*p >= lo && *p <= hi) {
		*p = def
	}
}
