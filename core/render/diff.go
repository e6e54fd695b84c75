package render

import "slices"

// maxCompared bounds the pairs of characters that are looked at for one comparison: what remains then counts as different.
const maxCompared = 4 << 20

// differ finds what two texts have in common: their longest common piece, the first if there are several, then what is
// in front of it, and behind.
type differ struct {
	typed, expected []letter
	budget          int
	blocks          []block // in the order of the texts
}

// block is a piece that both have.
type block struct{ typed, expected, size int }

// compare adds the blocks of two ranges.
func (d *differ) compare(fromT, toT, fromE, toE int) {
	for {
		if d.budget -= (toT - fromT) * (toE - fromE); fromT == toT || fromE == toE || d.budget < 0 {
			return
		}
		m := d.longest(fromT, toT, fromE, toE)
		if m.size == 0 {
			return
		}
		d.compare(fromT, m.typed, fromE, m.expected)
		if last := len(d.blocks) - 1; last >= 0 && d.blocks[last].typed+d.blocks[last].size == m.typed &&
			d.blocks[last].expected+d.blocks[last].size == m.expected {
			d.blocks[last].size += m.size
		} else {
			d.blocks = append(d.blocks, m)
		}
		fromT, fromE = m.typed+m.size, m.expected+m.size
	}
}

// longest returns the longest common piece of two ranges; of equal ones, the first in the typed text, then in the expected.
func (d *differ) longest(fromT, toT, fromE, toE int) (best block) {
	row := make([]int, toE-fromE+1) // row[j+1] is the length of the piece that ends at j
	for i := fromT; i < toT; i++ {
		diagonal := 0
		for j := range toE - fromE {
			above := row[j+1]
			row[j+1] = 0
			if d.typed[i].key == d.expected[fromE+j].key {
				n := diagonal + 1
				row[j+1] = n
				if n > best.size {
					best = block{i - n + 1, fromE + j - n + 1, n}
				}
			}
			diagonal = above
		}
	}
	return best
}

func shown(list []letter) string {
	var b []byte
	for _, l := range list {
		b = append(b, l.shown...)
	}
	return string(b)
}

// appendTyped appends the typed text: what is right, what is wrong, and a hyphen for each character that is missing.
func (d *differ) appendTyped(dst []byte) []byte {
	t, e := 0, 0
	for _, m := range append(slices.Clip(d.blocks), block{len(d.typed), len(d.expected), 0}) {
		if t < m.typed {
			dst = appendRun(dst, "typeBad", shown(d.typed[t:m.typed]))
		} else if missing := m.expected - e; missing > 0 {
			dst = append(dst, "<span class=typeMissed>"...)
			for range missing {
				dst = append(dst, '-')
			}
			dst = append(dst, "</span>"...)
		}
		if m.size > 0 {
			dst = appendRun(dst, "typeGood", shown(d.typed[m.typed:m.typed+m.size]))
		}
		t, e = m.typed+m.size, m.expected+m.size
	}
	return dst
}

// appendExpected appends the expected text: what was right and what was missed.
func (d *differ) appendExpected(dst []byte) []byte {
	e := 0
	for _, m := range append(slices.Clip(d.blocks), block{len(d.typed), len(d.expected), 0}) {
		if e < m.expected {
			dst = appendRun(dst, "typeMissed", shown(d.expected[e:m.expected]))
		}
		if m.size > 0 {
			dst = appendRun(dst, "typeGood", shown(d.expected[m.expected:m.expected+m.size]))
		}
		e = m.expected + m.size
	}
	return dst
}
