package render

import (
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/notetext"
)

// AV is a sound or video, or a text that is to be spoken.
type AV struct {
	Sound  string  `json:"sound"`            // the name of the file, "" of a text
	Speech *Speech `json:"speech,omitempty"` // the text, or nil
}

// Speech is a text that is to be spoken.
type Speech struct {
	Text   string   `json:"text"`
	Lang   string   `json:"lang"`
	Voices []string `json:"voices,omitempty"` // the ones that are wished for, the best first
	Speed  float64  `json:"speed"`            // 1 is normal
	Other  []string `json:"other,omitempty"`  // further options, as "key=value"
}

// extractAV takes the sounds and speeches out of a side of a card. Buttons are to take their place, which is marked by
// [anki:play:q:0] and so on, with an a on the answer side (§2.6).
func extractAV(html string, side Side) (text string, list []AV) {
	if strings.IndexByte(html, '[') < 0 {
		return html, nil
	}
	var b strings.Builder
	x := avScanner{rest: html}
	for {
		before, ok := x.skip()
		b.WriteString(before)
		if !ok {
			return b.String(), list
		}
		av, mistake := x.av()
		if mistake != "" {
			b.WriteString(mistake)
			continue
		}
		b.WriteString("[anki:play:" + sideLetter(side) + ":" + strconv.Itoa(len(list)) + "]")
		list = append(list, av)
	}
}

func sideLetter(side Side) string {
	if side == Front {
		return "q"
	}
	return "a"
}

// avScanner finds what extractAV takes out.
type avScanner struct {
	rest    string
	sound   string  // what skip has found: a name
	speech  *Speech // or a speech
	noSound bool    // nothing closes a sound in the rest
	noEnd   bool    // nothing ends a speech in the rest
}

const (
	soundOpen   = "[sound:"
	speechOpen  = "[anki:tts"
	speechClose = "[/anki:tts]"
)

// skip returns the text before the next sound or speech, which av returns then; ok is false at the end.
func (x *avScanner) skip() (before string, ok bool) {
	for i := 0; i < len(x.rest); i++ {
		n := strings.IndexByte(x.rest[i:], '[')
		if n < 0 {
			break
		}
		i += n
		if size := x.match(x.rest[i:]); size > 0 {
			before, x.rest = x.rest[:i], x.rest[i+size:]
			return before, true
		}
	}
	return x.rest, false
}

// match returns the length of the sound or speech that s begins with, 0 if there is none.
func (x *avScanner) match(s string) int {
	x.speech = nil
	if after, ok := strings.CutPrefix(s, soundOpen); ok && !x.noSound {
		n := strings.IndexByte(after, ']')
		x.noSound = n < 0
		if n <= 0 {
			return 0
		}
		name := notetext.DecodeEntities(after[:n])
		x.sound = name[strings.LastIndexByte(name, '/')+1:] // files are in one folder, and none but these are played
		return len(soundOpen) + n + 1
	}
	after, ok := strings.CutPrefix(s, speechOpen)
	if !ok || x.noEnd {
		return 0
	}
	speech, n := speechOptions(after)
	if speech == nil {
		return 0
	}
	text, _, ok := strings.Cut(after[n:], speechClose)
	if x.noEnd = !ok; !ok {
		return 0
	}
	speech.Text = spoken(text)
	x.speech = speech
	return len(speechOpen) + n + len(text) + len(speechClose)
}

// av returns what skip has found. A mistake is shown in its place.
func (x *avScanner) av() (av AV, mistake string) {
	switch {
	case x.speech == nil:
		return AV{Sound: x.sound}, ""
	case x.speech.Lang == "":
		return AV{}, "[Error in directive 'anki:tts': 'lang' not set]"
	}
	return AV{Speech: x.speech}, ""
}

// maxOptions bounds how far the end of the options of a speech is looked for.
const maxOptions = 1024

// speechOptions reads ` lang=en voices="A,B"]` and so on, and returns where it ends; nil if it is nothing like that.
func speechOptions(s string) (speech *Speech, size int) {
	const space = " \t\n\r"
	all := s[:min(len(s), maxOptions)]
	speech = &Speech{Speed: 1}
	for rest := all; ; {
		trimmed := strings.TrimLeft(rest, space)
		if strings.HasPrefix(trimmed, "]") {
			return speech, len(all) - len(trimmed) + 1
		}
		n := strings.IndexAny(trimmed, "="+space+"]\"")
		if n <= 0 || trimmed[n] != '=' || len(rest) == len(all) && len(trimmed) == len(rest) {
			return nil, 0
		}
		key := trimmed[:n]
		var value string
		if value, rest = optionValue(trimmed[n+1:]); rest == "" {
			return nil, 0
		}
		speech.set(key, value)
	}
}

// optionValue divides a value from what follows it, which is empty if the value has no end.
func optionValue(s string) (value, rest string) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		value, rest, _ = strings.Cut(quoted, `"`)
		return value, rest
	}
	n := strings.IndexAny(s, " \t\n\r]\"")
	if n < 0 || s[n] == '"' {
		return "", ""
	}
	return s[:n], s[n:]
}

func (s *Speech) set(key, value string) {
	switch key {
	case "lang":
		s.Lang = value
	case "voices":
		s.Voices = strings.Split(value, ",")
	case "speed":
		if v, err := strconv.ParseFloat(value, 64); err == nil && 0.01 <= v && v < 100 {
			s.Speed = v
		} else {
			s.Speed = 1
		}
	default:
		s.Other = append(s.Other, key+"="+value)
	}
}

// blocks are the elements in whose place a speech has a space, if they have no attributes.
const blocks = " br div p li ul ol dl dt dd table h1 h2 h3 h4 h5 h6 hr pre blockquote section article header footer main nav aside " +
	"address form fieldset figure figcaption tfoot canvas video noscript "

// spoken returns the text of HTML.
func spoken(html string) string {
	var b strings.Builder
	rest := html
	for {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			break
		}
		b.WriteString(rest[:i])
		rest = rest[i:]
		size := blockTag(rest)
		if size > 0 {
			b.WriteByte(' ')
		} else {
			b.WriteByte('<')
			size = 1
		}
		rest = rest[size:]
	}
	b.WriteString(rest)
	return notetext.DecodeEntities(notetext.StripTags(b.String()))
}

// blockTag returns the length of the tag of a block that s begins with, 0 if there is none.
func blockTag(s string) int {
	const longest = len("</blockquote>")
	i := 1 + optional(s[1:], '/')
	n := strings.IndexByte(s[i:min(len(s), longest)], '>')
	if n <= 0 || !strings.Contains(blocks, " "+strings.ToLower(s[i:i+n])+" ") {
		return 0
	}
	return i + n + 1
}
