package zstd

import (
	"encoding/binary"
	"slices"
)

// blocks decodes the blocks of one frame; their content is appended to out, which is the window as well.
type blocks struct {
	out    []byte
	base   int // where in out the frame begins
	limit  int // of len(out)
	rep    repeats
	huff   huffman
	lits   []byte
	tables [3]*fseTable // of literal lengths, offsets, match lengths; nil: not set in this frame
	own    [3]fseTable
}

func (d *blocks) reset() {
	d.rep = newRepeats()
	d.huff.log = 0
	d.tables = [3]*fseTable{}
}

// block decodes one block.
func (d *blocks) block(kind, size int, b []byte) error {
	switch kind {
	case blockRaw:
		return d.append(b)
	case blockRLE:
		if len(d.out)+size > d.limit {
			return ErrTooLong
		}
		d.room()
		for range size {
			d.out = append(d.out, b[0])
		}
		return nil
	case blockCompressed:
		return d.compressed(b)
	}
	return ErrCorrupt
}

// room makes room for what a block has at most, so that out need not grow inside; never for more than the limit.
func (d *blocks) room() {
	need := len(d.out) + min(maxBlock, d.limit-len(d.out))
	if need <= cap(d.out) {
		return
	}
	grown := make([]byte, len(d.out), max(need, min(2*cap(d.out), d.limit)))
	copy(grown, d.out)
	d.out = grown
}

func (d *blocks) append(b []byte) error {
	if len(d.out)+len(b) > d.limit {
		return ErrTooLong
	}
	d.room()
	d.out = append(d.out, b...)
	return nil
}

func (d *blocks) compressed(b []byte) error {
	lits, used, err := d.literals(b)
	if err != nil {
		return err
	}
	d.room()
	return d.sequences(b[used:], lits)
}

// literals decodes the literals section (§3.1.1.3.1) and returns its length.
func (d *blocks) literals(b []byte) (lits []byte, used int, err error) {
	if len(b) == 0 {
		return nil, 0, ErrCorrupt
	}
	kind, format := b[0]&3, b[0]>>2&3
	head := func(n int) uint64 {
		var v [8]byte
		copy(v[:n], b)
		return binary.LittleEndian.Uint64(v[:])
	}
	if kind == literalsRaw || kind == literalsRLE {
		var size int
		switch used = 1; format {
		case 1:
			used, size = 2, int(head(2)>>4)
		case 3:
			used, size = 3, int(head(3)>>4)
		default:
			size = int(b[0] >> 3)
		}
		if len(b) < used || size > maxBlock {
			return nil, 0, ErrCorrupt
		}
		if kind == literalsRaw {
			if len(b) < used+size {
				return nil, 0, ErrCorrupt
			}
			return b[used : used+size], used + size, nil
		}
		if len(b) < used+1 {
			return nil, 0, ErrCorrupt
		}
		lits = d.space(size)
		for i := range lits {
			lits[i] = b[used]
		}
		return lits, used + 1, nil
	}
	width := [...]uint{10, 10, 14, 18}[format]
	used = [...]int{3, 3, 4, 5}[format]
	if len(b) < used {
		return nil, 0, ErrCorrupt
	}
	sizes := head(used) >> 4
	size, packed := int(sizes&(1<<width-1)), int(sizes>>width&(1<<width-1))
	if size > maxBlock || len(b) < used+packed {
		return nil, 0, ErrCorrupt
	}
	lits = d.space(size)
	return lits, used + packed, d.unpack(lits, b[used:used+packed], kind == literalsCompressed, format != 0)
}

func (d *blocks) space(n int) []byte {
	d.lits = slices.Grow(d.lits[:0], n)[:n]
	return d.lits
}

func (d *blocks) unpack(lits, b []byte, tree, four bool) error {
	if tree {
		n, err := d.huff.parse(b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	switch {
	case d.huff.log == 0 || len(lits) == 0:
		return ErrCorrupt
	case four:
		return d.huff.decode4(lits, b)
	}
	return d.huff.decode(lits, b)
}

// sequences decodes and carries out the sequences section (§3.1.1.3.2).
func (d *blocks) sequences(b, lits []byte) error {
	n, used, err := sequenceCount(b)
	if err != nil {
		return err
	}
	b = b[used:]
	if n == 0 {
		if len(b) > 0 {
			return ErrCorrupt
		}
		return d.append(lits)
	}
	if len(b) == 0 || b[0]&3 != 0 {
		return ErrCorrupt
	}
	modes := b[0]
	b = b[1:]
	for i, kind := range [3]*tableKind{lengthKind, offsetKind, matchKind} {
		if b, err = d.table(i, kind, modes>>(6-2*i)&3, b); err != nil {
			return err
		}
	}
	return d.execute(n, b, lits)
}

func sequenceCount(b []byte) (n, used int, err error) {
	switch {
	case len(b) == 0:
	case b[0] < 128:
		return int(b[0]), 1, nil
	case b[0] < 255 && len(b) >= 2:
		return int(b[0]-128)<<8 | int(b[1]), 2, nil
	case b[0] == 255 && len(b) >= 3:
		return int(binary.LittleEndian.Uint16(b[1:])) + 0x7F00, 3, nil
	}
	return 0, 0, ErrCorrupt
}

// table sets one of the tables and returns what follows its description.
func (d *blocks) table(i int, kind *tableKind, mode byte, b []byte) ([]byte, error) {
	t := &d.own[i]
	switch mode {
	case modePredefined:
		t.build(kind.norm, kind.log, kind.codes)
	case modeRLE:
		if len(b) == 0 || int(b[0]) >= len(kind.codes) {
			return nil, ErrCorrupt
		}
		t.single(kind.codes[b[0]])
		b = b[1:]
	case modeFSE:
		var norm [256]int16
		n, log, used, err := parseNorm(b, &norm, len(kind.codes), kind.maxLog)
		if err != nil {
			return nil, err
		}
		t.build(norm[:n], log, kind.codes)
		b = b[used:]
	default:
		if d.tables[i] == nil {
			return nil, ErrCorrupt
		}
	}
	d.tables[i] = t
	return b, nil
}

// execute decodes n sequences from b: literals, then a match. The literals that are left come last.
func (d *blocks) execute(n int, b, lits []byte) error {
	r, err := newBitReader(b)
	if err != nil {
		return err
	}
	lt, ot, mt := d.tables[0], d.tables[1], d.tables[2]
	ls, os, ms := r.read(lt.log), r.read(ot.log), r.read(mt.log)
	out, base := d.out, d.base
	end := min(d.limit, len(out)+maxBlock)
	for ; n > 0; n-- {
		l, o, m := &lt.state[ls&(1<<maxTableLog-1)], &ot.state[os&(1<<maxTableLog-1)], &mt.state[ms&(1<<maxTableLog-1)]
		v := r.peek()
		value := int(o.base) + int(v>>(64-uint(o.bits)))
		v <<= o.bits
		r.left -= int(o.bits)
		if o.bits+m.bits+l.bits > 57 {
			v = r.peek()
		}
		match := int(m.base) + int(v>>(64-uint(m.bits)))
		v <<= m.bits
		length := int(l.base) + int(v>>(64-uint(l.bits)))
		r.left -= int(m.bits) + int(l.bits)
		if n > 1 {
			v = r.peek()
			ls = int(l.next) + int(v>>(64-uint(l.nextBits)))
			v <<= l.nextBits
			ms = int(m.next) + int(v>>(64-uint(m.nextBits)))
			v <<= m.nextBits
			os = int(o.next) + int(v>>(64-uint(o.nextBits)))
			r.left -= int(l.nextBits) + int(m.nextBits) + int(o.nextBits)
		}
		offset := d.rep.resolve(value, length)
		from := len(out) + length - offset
		if length > len(lits) || r.left < 0 || offset <= 0 || from < base {
			return ErrCorrupt
		}
		if len(out)+length+match > end {
			return d.tooLong(end)
		}
		out = append(out, lits[:length]...)
		lits = lits[length:]
		for match > 0 { // a match may run into itself: each turn copies all that is there
			k := min(match, len(out)-from)
			out = append(out, out[from:from+k]...)
			match -= k
		}
	}
	d.out = out
	if r.left != 0 {
		return ErrCorrupt
	}
	if len(out)+len(lits) > end {
		return d.tooLong(end)
	}
	return d.append(lits)
}

// tooLong tells a block that is too long from a frame that is.
func (d *blocks) tooLong(end int) error {
	if end < d.limit {
		return ErrCorrupt
	}
	return ErrTooLong
}
