package render

import (
	"encoding/hex"
	"strings"

	"github.com/cardferry/cardferry/core/digest"
	"github.com/cardferry/cardferry/core/notetext"
)

// filter applies the filters of a replacement, from right to left (§2.3). Unknown ones do nothing.
func (c *card) filter(n *node, content string) string {
	// These two only exist as they are: with any other filter the marker is the plain one.
	if n.filters == "type:nc" || n.filters == "type:cloze" {
		return "[[" + n.filters + ":" + n.text + "]]"
	}
	for rest, more := n.filters, n.filtered; more; {
		name := rest
		i := strings.LastIndexByte(rest, ':')
		if more = i >= 0; more {
			rest, name = rest[:i], rest[i+1:]
		}
		if c.work += len(content); c.work > maxWork {
			return "" // expand says that it is too much
		}
		content = c.apply(name, n.text, content)
	}
	return content
}

// apply applies a filter to the content of a field.
func (c *card) apply(filter, field, content string) string {
	switch filter {
	case "text":
		return notetext.DecodeEntities(notetext.StripTags(content))
	case "hint":
		return hint(field, content)
	case "type":
		return "[[type:" + field + "]]"
	case "furigana":
		return furigana(content, "<ruby><rb>", "</rb><rt>", "</rt></ruby>")
	case "kana":
		return furigana(content, "", omit, "")
	case "kanji":
		return furigana(content, "", "", omit)
	case "cloze":
		return renderClozes(content, c.ord+1, c.side)
	case "cloze-only":
		return strings.Join(clozeTexts(content, c.ord+1, c.side), ", ")
	}
	if options, ok := strings.CutPrefix(filter, "tts "); ok {
		return "[anki:tts lang=" + options + "]" + content + "[/anki:tts]"
	}
	return content
}

// hint is a link that shows the content. The reference's elements are kept, as styles of cards refer to them.
func hint(field, content string) string {
	if strings.TrimSpace(content) == "" {
		return content
	}
	sum := digest.SHA1(field + "\x1f" + content)
	id := "hint" + hex.EncodeToString(sum[:8])
	return "\n<a class=hint href=\"#\"\nonclick=\"this.style.display='none';\ndocument.getElementById('" + id +
		"').style.display='block';\nreturn false;\" draggable=false>\n" + field + "</a>\n<div id=\"" + id +
		"\" class=hint style=\"display: none\">" + content + "</div>\n"
}

// omit, in the place of a mark, leaves out the part of a reading in front of it or behind.
const omit = "\x00"

// furigana replaces "base[reading]" by both between marks. The base has no space, and one in front of it goes; nor has it a
// ">". Sounds are left alone.
func furigana(text, before, between, after string) string {
	text = strings.ReplaceAll(text, "&nbsp;", " ")
	var b strings.Builder
	start := 0 // of the base
	line := 0  // the end of a line that has no "]" before it
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '>':
			start = i + 1
		case '[':
			if i == start || i < line {
				continue
			}
			reading, ok := readingAt(text[i+1:])
			if !ok {
				line = i + 1 + len(reading)
				continue
			}
			end := i + 1 + len(reading) + 1
			space := start
			if start > 0 && text[start-1] == ' ' {
				space--
			}
			if strings.HasPrefix(reading, "sound:") {
				b.WriteString(text[:end])
			} else {
				b.WriteString(text[:space])
				b.WriteString(before)
				if between != omit {
					b.WriteString(text[start:i] + between)
				}
				if after != omit {
					b.WriteString(reading + after)
				}
			}
			text, start, line, i = text[end:], 0, 0, -1
		}
	}
	b.WriteString(text)
	return b.String()
}

// readingAt returns what stands before the first "]" but not at once, on the same line; otherwise the line.
func readingAt(s string) (reading string, ok bool) {
	if s == "" || s[0] == '\n' {
		return "", false
	}
	n := strings.IndexAny(s[1:], "]\n")
	if n < 0 {
		return s, false
	}
	return s[:1+n], s[1+n] == ']'
}
