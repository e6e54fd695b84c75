package render

// Error is a mistake in a card template, which keeps a card from being shown (§2.5). Its text is for developers; a program
// says it in its own words.
type Error struct {
	Side    Side    `json:"side"`
	Problem Problem `json:"problem"`
	Tag     string  `json:"tag"`   // the tag in question, always with braces
	Field   string  `json:"field"` // what it names; of WrongEnd, what it should name
}

// Side is a side of a card template.
type Side string

// The sides.
const (
	Front Side = "front"
	Back  Side = "back"
)

// Problem is what is wrong with a template.
type Problem string

// The problems. Those from NoField on keep a notetype from being saved (§1.2), but no card from being shown.
const (
	UnknownField Problem = "unknown_field"
	NotClosed    Problem = "not_closed" // nothing ends a conditional
	WrongEnd     Problem = "wrong_end"  // another conditional should be ended first
	NotOpened    Problem = "not_opened" // there is no conditional to end
	TooLong      Problem = "too_long"   // the side would have more than 16 MiB, or take as much work
	NoField      Problem = "no_field"   // the front names no field
	NoCloze      Problem = "no_cloze"   // a side of a cloze notetype shows no cloze
	SameFront    Problem = "same_front" // an earlier template has the same front
)

// Error says what is wrong.
func (e *Error) Error() string {
	text := "the " + string(e.Side) + " of the template "
	switch e.Problem {
	case UnknownField:
		return text + "has " + e.Tag + ", but there is no field " + e.Field
	case NotClosed:
		return text + "lacks " + e.Tag
	case WrongEnd:
		return text + "has " + e.Tag + ", but " + e.Field + " is to be closed first"
	case NotOpened:
		return text + "has " + e.Tag + ", but nothing opens it"
	case TooLong:
		return text + "is too long at " + e.Tag
	case NoField:
		return text + "names no field"
	case NoCloze:
		return text + "has no {{cloze:…}}"
	}
	return text + "is that of another template"
}
