package legacy

import (
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// DeckConfig is a row of the table deck_config.
type DeckConfig struct {
	ID     int64
	Name   string
	Mod    int64 // mtime_secs
	USN    int32
	Config []byte
}

var configKeys = []string{
	"id", "mod", "name", "usn", "maxTaken", "autoplay", "timer", "replayq", "dyn", "newMix", "newPerDayMinimum",
	"interdayLearningMix", "reviewOrder", "newSortOrder", "newGatherPriority", "buryInterdayLearning", "fsrsWeights",
	"fsrsParams5", "fsrsParams6", "desiredRetention", "sm2Retention", "weightSearch", "ignoreRevlogsBeforeDate",
	"easyDaysPercentages", "stopTimerOnAnswer", "secondsToShowQuestion", "secondsToShowAnswer", "questionAction",
	"answerAction", "waitForAudio", "new", "rev", "lapse",
}

// ParseDeckConfig converts a deck configuration from JSON. It accepts and rejects what the reference does; errors
// are fault.DamagedDownload. The result does not alias b.
func ParseDeckConfig(b []byte) (*DeckConfig, error) {
	o := newObject("deck config", b, true)
	d := &DeckConfig{
		ID:   strict(o, "id", number),
		Name: strict(o, "name", text),
		Mod:  strict(o, "mod", number),
		USN:  int32(strict(o, "usn", i32)),
	}
	c := deckConfig{
		capAnswerTime:        max(0, strict(o, "maxTaken", i32)),
		disableAutoplay:      !strict(o, "autoplay", boolean),
		showTimer:            lenient(o, "timer", u8, 0) != 0,
		skipQuestion:         !defaulted(o, "replayq", boolean, false),
		newMix:               defaulted(o, "newMix", i32, 0),
		newPerDayMinimum:     defaulted(o, "newPerDayMinimum", u32, 0),
		interdayLearningMix:  defaulted(o, "interdayLearningMix", i32, 0),
		reviewOrder:          defaulted(o, "reviewOrder", i32, 0),
		newSortOrder:         defaulted(o, "newSortOrder", i32, 0),
		newGatherPriority:    defaulted(o, "newGatherPriority", i32, 0),
		buryInterdayLearning: defaulted(o, "buryInterdayLearning", boolean, false),
		fsrsParams4:          defaulted(o, "fsrsWeights", listOf(f32), nil),
		fsrsParams5:          defaulted(o, "fsrsParams5", listOf(f32), nil),
		fsrsParams6:          defaulted(o, "fsrsParams6", listOf(f32), nil),
		desiredRetention:     defaulted(o, "desiredRetention", f32, 0),
		historicalRetention:  defaulted(o, "sm2Retention", f32, 0),
		paramSearch:          defaulted(o, "weightSearch", text, ""),
		ignoreBeforeDate:     defaulted(o, "ignoreRevlogsBeforeDate", text, ""),
		easyDays:             defaulted(o, "easyDaysPercentages", listOf(f32), nil),
		stopTimerOnAnswer:    defaulted(o, "stopTimerOnAnswer", boolean, false),
		secondsToQuestion:    defaulted(o, "secondsToShowQuestion", f32, 0),
		secondsToAnswer:      defaulted(o, "secondsToShowAnswer", f32, 0),
		questionAction:       defaulted(o, "questionAction", integer(0, 1), 0),
		answerAction:         defaulted(o, "answerAction", integer(0, 4), 0),
		waitForAudio:         defaulted(o, "waitForAudio", boolean, true),
	}
	// Only decks are filtered; the member is a left-over.
	o.get("dyn")
	others := []jsontext.Member{
		{Key: "new", Raw: c.parseNew(lenient(o, "new", anything, nil))},
		{Key: "rev", Raw: c.parseReview(lenient(o, "rev", anything, nil))},
		{Key: "lapse", Raw: c.parseLapse(lenient(o, "lapse", anything, nil))},
	}
	if o.err != nil {
		return nil, o.err
	}
	others = slices.DeleteFunc(others, func(m jsontext.Member) bool { return m.Raw == nil })
	c.other = encodeOther(append(o.rest(), others...))
	d.Config = c.encode()
	return d, nil
}

func anything(raw []byte) ([]byte, bool) { return raw, true }

// AppendJSON appends the configuration as JSON, with the values repaired that the reference would repair
// (collection-format.md §2.7). A blob that does not decode and a name that is not UTF-8 are fault.DamagedFile.
// Equal configurations give equal text.
func (d *DeckConfig) AppendJSON(dst []byte) ([]byte, error) {
	c, err := decodeConfig(d.Config)
	if err == nil && !validText(d.Name) {
		err = errName
	}
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "deck config %d", d.ID)
	}
	c.repair()
	// The members that were split off the three inner objects go back there.
	inner := map[string][]byte{}
	for _, m := range decodeOther(c.other, nil) {
		if m.Key == "new" || m.Key == "rev" || m.Key == "lapse" {
			inner[m.Key] = m.Raw
		}
	}
	dst = append(dst, '{')
	dst = jsontext.PutInt(dst, "id", d.ID)
	dst = jsontext.PutInt(dst, "mod", d.Mod)
	dst = jsontext.PutText(dst, "name", d.Name)
	dst = jsontext.PutInt(dst, "usn", int64(d.USN))
	dst = jsontext.PutInt(dst, "maxTaken", c.capAnswerTime)
	dst = jsontext.PutBool(dst, "autoplay", !c.disableAutoplay)
	dst = jsontext.PutInt(dst, "timer", boolInt(c.showTimer))
	dst = jsontext.PutBool(dst, "replayq", !c.skipQuestion)
	dst = c.appendNew(dst, inner["new"])
	dst = c.appendReview(dst, inner["rev"])
	dst = c.appendLapse(dst, inner["lapse"])
	dst = c.appendFlat(jsontext.PutBool(dst, "dyn", false))
	return append(appendMembers(dst, decodeOther(c.other, configKeys)), '}'), nil
}

// appendFlat appends the members that came later than the three inner objects.
func (c *deckConfig) appendFlat(dst []byte) []byte {
	dst = jsontext.PutInt(dst, "newMix", c.newMix)
	dst = jsontext.PutInt(dst, "newPerDayMinimum", c.newPerDayMinimum)
	dst = jsontext.PutInt(dst, "interdayLearningMix", c.interdayLearningMix)
	dst = jsontext.PutInt(dst, "reviewOrder", c.reviewOrder)
	dst = jsontext.PutInt(dst, "newSortOrder", c.newSortOrder)
	dst = jsontext.PutInt(dst, "newGatherPriority", c.newGatherPriority)
	dst = jsontext.PutBool(dst, "buryInterdayLearning", c.buryInterdayLearning)
	dst = appendFloats(dst, "fsrsWeights", c.fsrsParams4)
	dst = appendFloats(dst, "fsrsParams5", c.fsrsParams5)
	dst = appendFloats(dst, "fsrsParams6", c.fsrsParams6)
	dst = appendFloat(dst, "desiredRetention", c.desiredRetention)
	dst = jsontext.PutText(dst, "ignoreRevlogsBeforeDate", c.ignoreBeforeDate)
	dst = appendFloats(dst, "easyDaysPercentages", c.easyDays)
	dst = jsontext.PutBool(dst, "stopTimerOnAnswer", c.stopTimerOnAnswer)
	dst = appendFloat(dst, "secondsToShowQuestion", c.secondsToQuestion)
	dst = appendFloat(dst, "secondsToShowAnswer", c.secondsToAnswer)
	dst = jsontext.PutInt(dst, "questionAction", knownAction(c.questionAction, 1))
	dst = jsontext.PutInt(dst, "answerAction", knownAction(c.answerAction, 4))
	dst = jsontext.PutBool(dst, "waitForAudio", c.waitForAudio)
	dst = appendFloat(dst, "sm2Retention", c.historicalRetention)
	return jsontext.PutText(dst, "weightSearch", c.paramSearch)
}

// knownAction returns 0 for an action that only a later version knows: the receiver would refuse its number.
func knownAction(v, last int64) int64 {
	if v < 0 || v > last {
		return 0
	}
	return v
}
