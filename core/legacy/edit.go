package legacy

import "github.com/cardferry/cardferry/core/fault"

// NewDeck returns the columns of a new normal deck (collection-format.md §4.2).
func NewDeck() (common, kind []byte) {
	c, n := deckCommon{collapsed: true, browserCollapsed: true}, normalDeck{configID: 1}
	return c.encode(), putMessage([]byte{}, kindNormal, n.encode())
}

// IsFiltered reports whether a deck is filtered; one whose blob is damaged is not.
func IsFiltered(kind []byte) bool {
	k, err := decodeKind(kind)
	return err == nil && k.filtered != nil
}

// DeckConfigID returns which options a deck has, 0 if it is filtered or damaged.
func DeckConfigID(kind []byte) int64 {
	k, err := decodeKind(kind)
	if err != nil || k.normal == nil {
		return 0
	}
	return k.normal.configID
}

// EditTemplate returns a template's stored configuration with other texts; nil leaves one as it is.
func EditTemplate(config []byte, question, answer *string) ([]byte, error) {
	c, err := decodeTemplate(config)
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "template")
	}
	if question != nil {
		c.question = *question
	}
	if answer != nil {
		c.answer = *answer
	}
	return c.encode(), nil
}

// Requirement says which fields a template needs for a card: none will do, any of them, all of them.
type Requirement struct {
	Kind   int64 // 0 none, 1 any, 2 all
	Fields []int64
}

// EditNotetype returns a notetype's stored configuration with another style, if css is not nil, and with the requirements of its
// templates.
func EditNotetype(config []byte, css *string, needs []Requirement) ([]byte, error) {
	c, err := decodeNotetype(config)
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "notetype")
	}
	if css != nil {
		c.css = *css
	}
	c.reqs = nil
	for ord, n := range needs {
		c.reqs = append(c.reqs, requirement{int64(ord), n.Kind, n.Fields})
	}
	return c.encode(), nil
}
