package legacy

import "github.com/cardferry/cardferry/core/jsontext"

import "math"

// The objects new, rev and lapse inside a deck configuration are taken as a whole: if one of the members that must
// be there is missing or wrong, the defaults of all apply and its unknown members are gone. The parse functions set
// the fields and return the unknown members as JSON text, nil if there are none.

var (
	newKeys    = []string{"bury", "delays", "initialFactor", "ints", "order", "perDay"}
	reviewKeys = []string{"bury", "ease4", "ivlFct", "maxIvl", "perDay", "hardFactor"}
	lapseKeys  = []string{"delays", "leechAction", "leechFails", "minInt", "mult"}
)

func (c *deckConfig) parseNew(raw []byte) (other []byte) {
	o := newObject("new", raw, false)
	bury := defaulted(o, "bury", boolean, false)
	steps := lenient(o, "delays", listOf(f32), nil)
	factor := strict(o, "initialFactor", u16)
	graduating := lenient(o, "ints", listOf(u16), nil)
	order := lenient(o, "order", integer(0, 1), 1)
	perDay := lenient(o, "perDay", u32, 0)
	if o.err != nil {
		c.newDefaults()
		return nil
	}
	if len(graduating) < 2 {
		graduating = []int64{1, 4}
	}
	c.buryNew, c.learnSteps, c.newPerDay = bury, steps, perDay
	c.initialEase = float32(factor) / 1000
	c.graduatingGood, c.graduatingEasy = graduating[0], graduating[1]
	// 0 and 1 mean the reverse of what they mean in a file.
	c.newInsertOrder = 1 - order
	return encodeOther(o.rest())
}

func (c *deckConfig) newDefaults() {
	c.buryNew, c.learnSteps, c.newPerDay = false, []float32{1, 10}, 20
	c.initialEase = 2.5
	c.graduatingGood, c.graduatingEasy = 1, 4
	c.newInsertOrder = 0
}

func (c *deckConfig) parseReview(raw []byte) (other []byte) {
	o := newObject("rev", raw, false)
	bury := defaulted(o, "bury", boolean, false)
	easy := strict(o, "ease4", f32)
	interval := strict(o, "ivlFct", f32)
	maximum := strict(o, "maxIvl", u32)
	perDay := lenient(o, "perDay", u32, 0)
	hard := defaulted(o, "hardFactor", f32, 1.2)
	if o.err != nil {
		c.buryReviews, c.reviewsPerDay, c.maximumInterval = false, 200, 36500
		c.easyMultiplier, c.intervalMultiplier, c.hardMultiplier = 1.3, 1, 1.2
		return nil
	}
	c.buryReviews, c.reviewsPerDay, c.maximumInterval = bury, perDay, maximum
	c.easyMultiplier, c.intervalMultiplier, c.hardMultiplier = easy, interval, hard
	return encodeOther(o.rest())
}

func (c *deckConfig) parseLapse(raw []byte) (other []byte) {
	o := newObject("lapse", raw, false)
	steps := lenient(o, "delays", listOf(f32), nil)
	action := lenient(o, "leechAction", integer(0, 1), 1)
	fails := strict(o, "leechFails", u32)
	minimum := strict(o, "minInt", u32)
	multiplier := strict(o, "mult", f32)
	if o.err != nil {
		c.relearnSteps, c.leechAction, c.leechThreshold = []float32{10}, 1, 8
		c.minimumLapseInterval, c.lapseMultiplier = 1, 0
		return nil
	}
	c.relearnSteps, c.leechAction, c.leechThreshold = steps, action, fails
	c.minimumLapseInterval, c.lapseMultiplier = minimum, multiplier
	return encodeOther(o.rest())
}

func (c *deckConfig) appendNew(dst, other []byte) []byte {
	dst = append(jsontext.AppendKey(dst, "new"), '{')
	dst = jsontext.PutBool(dst, "bury", c.buryNew)
	dst = appendFloats(dst, "delays", c.learnSteps)
	dst = jsontext.PutInt(dst, "initialFactor", int64(c.initialEase*1000))
	dst = append(jsontext.AppendKey(dst, "ints"), '[')
	for _, v := range [...]int64{c.graduatingGood & math.MaxUint16, c.graduatingEasy & math.MaxUint16, 0} {
		dst = appendElement(dst, v)
	}
	dst = append(dst, ']')
	// An order that only a later version knows becomes the default.
	dst = jsontext.PutInt(dst, "order", boolInt(c.newInsertOrder != 1))
	dst = jsontext.PutInt(dst, "perDay", c.newPerDay)
	return append(appendMembers(dst, decodeOther(other, newKeys)), '}')
}

func (c *deckConfig) appendReview(dst, other []byte) []byte {
	dst = append(jsontext.AppendKey(dst, "rev"), '{')
	dst = jsontext.PutBool(dst, "bury", c.buryReviews)
	dst = appendFloat(dst, "ease4", c.easyMultiplier)
	dst = appendFloat(dst, "ivlFct", c.intervalMultiplier)
	dst = jsontext.PutInt(dst, "maxIvl", c.maximumInterval)
	dst = jsontext.PutInt(dst, "perDay", c.reviewsPerDay)
	dst = appendFloat(dst, "hardFactor", c.hardMultiplier)
	return append(appendMembers(dst, decodeOther(other, reviewKeys)), '}')
}

func (c *deckConfig) appendLapse(dst, other []byte) []byte {
	dst = append(jsontext.AppendKey(dst, "lapse"), '{')
	dst = appendFloats(dst, "delays", c.relearnSteps)
	dst = jsontext.PutInt(dst, "leechAction", boolInt(c.leechAction == 1))
	dst = jsontext.PutInt(dst, "leechFails", c.leechThreshold)
	dst = jsontext.PutInt(dst, "minInt", c.minimumLapseInterval)
	dst = appendFloat(dst, "mult", c.lapseMultiplier)
	return append(appendMembers(dst, decodeOther(other, lapseKeys)), '}')
}
