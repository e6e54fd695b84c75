package legacy

// deckConfig is the message DeckConfig.Config, in the order of its field numbers.
type deckConfig struct {
	learnSteps           []float32 // minutes
	relearnSteps         []float32 // minutes
	fsrsParams4          []float32
	easyDays             []float32 // seven, from Monday
	fsrsParams5          []float32
	fsrsParams6          []float32
	newPerDay            int64
	reviewsPerDay        int64
	initialEase          float32 // 2.5 is 250 %
	easyMultiplier       float32
	hardMultiplier       float32
	lapseMultiplier      float32
	intervalMultiplier   float32
	maximumInterval      int64
	minimumLapseInterval int64
	graduatingGood       int64
	graduatingEasy       int64
	newInsertOrder       int64
	leechAction          int64
	leechThreshold       int64
	disableAutoplay      bool
	capAnswerTime        int64 // seconds
	showTimer            bool
	skipQuestion         bool // when replaying the answer
	buryNew              bool
	buryReviews          bool
	buryInterdayLearning bool
	newMix               int64
	interdayLearningMix  int64
	newSortOrder         int64
	reviewOrder          int64
	newGatherPriority    int64
	newPerDayMinimum     int64
	questionAction       int64
	desiredRetention     float32
	stopTimerOnAnswer    bool
	historicalRetention  float32
	secondsToQuestion    float32
	secondsToAnswer      float32
	answerAction         int64
	waitForAudio         bool
	paramSearch          string
	ignoreBeforeDate     string
	other                []byte
}

func decodeConfig(b []byte) (c deckConfig, err error) {
	for m := newMessage(b, &err); m.next(); {
		c.decodeField(m)
	}
	return c, err
}

func (c *deckConfig) decodeField(m *message) {
	switch m.num {
	case 1:
		m.floats(&c.learnSteps)
	case 2:
		m.floats(&c.relearnSteps)
	case 3:
		m.floats(&c.fsrsParams4)
	case 4:
		m.floats(&c.easyDays)
	case 5:
		m.floats(&c.fsrsParams5)
	case 6:
		m.floats(&c.fsrsParams6)
	case 9:
		m.uint32(&c.newPerDay)
	case 10:
		m.uint32(&c.reviewsPerDay)
	case 11:
		m.float(&c.initialEase)
	case 12:
		m.float(&c.easyMultiplier)
	case 13:
		m.float(&c.hardMultiplier)
	case 14:
		m.float(&c.lapseMultiplier)
	case 15:
		m.float(&c.intervalMultiplier)
	case 16:
		m.uint32(&c.maximumInterval)
	case 17:
		m.uint32(&c.minimumLapseInterval)
	case 18:
		m.uint32(&c.graduatingGood)
	case 19:
		m.uint32(&c.graduatingEasy)
	case 20:
		m.int32(&c.newInsertOrder)
	case 21:
		m.int32(&c.leechAction)
	case 22:
		m.uint32(&c.leechThreshold)
	case 23:
		m.bool(&c.disableAutoplay)
	case 24:
		m.uint32(&c.capAnswerTime)
	case 25:
		m.bool(&c.showTimer)
	case 26:
		m.bool(&c.skipQuestion)
	case 27:
		m.bool(&c.buryNew)
	case 28:
		m.bool(&c.buryReviews)
	case 29:
		m.bool(&c.buryInterdayLearning)
	case 30:
		m.int32(&c.newMix)
	case 31:
		m.int32(&c.interdayLearningMix)
	case 32:
		m.int32(&c.newSortOrder)
	case 33:
		m.int32(&c.reviewOrder)
	case 34:
		m.int32(&c.newGatherPriority)
	case 35:
		m.uint32(&c.newPerDayMinimum)
	case 36:
		m.int32(&c.questionAction)
	case 37:
		m.float(&c.desiredRetention)
	case 38:
		m.bool(&c.stopTimerOnAnswer)
	case 40:
		m.float(&c.historicalRetention)
	case 41:
		m.float(&c.secondsToQuestion)
	case 42:
		m.float(&c.secondsToAnswer)
	case 43:
		m.int32(&c.answerAction)
	case 44:
		m.bool(&c.waitForAudio)
	case 45:
		m.string(&c.paramSearch)
	case 46:
		m.string(&c.ignoreBeforeDate)
	case fieldOther:
		m.bytes(&c.other)
	}
}

func (c *deckConfig) encode() []byte {
	dst := putFloats([]byte{}, 1, c.learnSteps)
	dst = putFloats(dst, 2, c.relearnSteps)
	dst = putFloats(dst, 3, c.fsrsParams4)
	dst = putFloats(dst, 4, c.easyDays)
	dst = putFloats(dst, 5, c.fsrsParams5)
	dst = putFloats(dst, 6, c.fsrsParams6)
	dst = putInt(dst, 9, c.newPerDay)
	dst = putInt(dst, 10, c.reviewsPerDay)
	dst = putFloat(dst, 11, c.initialEase)
	dst = putFloat(dst, 12, c.easyMultiplier)
	dst = putFloat(dst, 13, c.hardMultiplier)
	dst = putFloat(dst, 14, c.lapseMultiplier)
	dst = putFloat(dst, 15, c.intervalMultiplier)
	dst = putInt(dst, 16, c.maximumInterval)
	dst = putInt(dst, 17, c.minimumLapseInterval)
	dst = putInt(dst, 18, c.graduatingGood)
	dst = putInt(dst, 19, c.graduatingEasy)
	dst = putInt(dst, 20, c.newInsertOrder)
	dst = putInt(dst, 21, c.leechAction)
	dst = putInt(dst, 22, c.leechThreshold)
	dst = putBool(dst, 23, c.disableAutoplay)
	dst = putInt(dst, 24, c.capAnswerTime)
	dst = putBool(dst, 25, c.showTimer)
	dst = putBool(dst, 26, c.skipQuestion)
	dst = putBool(dst, 27, c.buryNew)
	dst = putBool(dst, 28, c.buryReviews)
	dst = putBool(dst, 29, c.buryInterdayLearning)
	dst = putInt(dst, 30, c.newMix)
	dst = putInt(dst, 31, c.interdayLearningMix)
	dst = putInt(dst, 32, c.newSortOrder)
	dst = putInt(dst, 33, c.reviewOrder)
	dst = putInt(dst, 34, c.newGatherPriority)
	dst = putInt(dst, 35, c.newPerDayMinimum)
	dst = putInt(dst, 36, c.questionAction)
	dst = putFloat(dst, 37, c.desiredRetention)
	dst = putBool(dst, 38, c.stopTimerOnAnswer)
	dst = putFloat(dst, 40, c.historicalRetention)
	dst = putFloat(dst, 41, c.secondsToQuestion)
	dst = putFloat(dst, 42, c.secondsToAnswer)
	dst = putInt(dst, 43, c.answerAction)
	dst = putBool(dst, 44, c.waitForAudio)
	dst = putBytes(dst, 45, c.paramSearch)
	dst = putBytes(dst, 46, c.ignoreBeforeDate)
	return putBytes(dst, fieldOther, c.other)
}
