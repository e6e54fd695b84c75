package study

import "strconv"

// label returns what a button says of the state after it, in English: "<10m", "3d", "1.1mo". What comes within the
// learn-ahead limit has a "<" before it; what comes at once is "(end)", as the end of a preview is.
func (c *Session) label(s *State) string {
	if s.Kind == Review && s.Days > 0 {
		return span(s.Days * daySeconds)
	}
	if s.Kind == Review || s.Seconds == 0 {
		return "(end)"
	}
	if days := c.stepDays(s.Seconds); days > 0 {
		return span(days * daySeconds)
	}
	if s.Seconds < c.learnAhead {
		return "<" + span(s.Seconds)
	}
	return span(s.Seconds)
}

// span writes a length of time in its greatest unit.
func span(seconds int64) string {
	const year = 365 * daySeconds
	const month = year / 12
	switch {
	case seconds < 60:
		return strconv.FormatInt(seconds, 10) + "s"
	case seconds < 3600:
		return whole(seconds, 60) + "m"
	case seconds < daySeconds:
		return tenths(seconds, 3600) + "h"
	case seconds < month:
		return whole(seconds, daySeconds) + "d"
	case seconds < year:
		return tenths(seconds, month) + "mo"
	}
	return tenths(seconds, year) + "y"
}

func whole(seconds, unit int64) string {
	return strconv.FormatInt(round(float64(seconds)/float64(unit)), 10)
}

func tenths(seconds, unit int64) string {
	n := round(float64(seconds) * 10 / float64(unit))
	text := strconv.FormatInt(n/10, 10)
	if n%10 != 0 {
		text += "." + strconv.FormatInt(n%10, 10)
	}
	return text
}
