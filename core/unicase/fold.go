package unicase

// span is a run of code points, step apart, that fold to the code point delta away.
type span struct {
	lo, hi rune
	step   rune
	delta  rune
}

// expansion is a code point that folds to two or three, in the order in which they compare. That order is not
// Unicode's for three (collection-format.md §8.5).
type expansion struct {
	from rune
	to   []rune
}

// foldRune returns what r folds to: one code point, or several in more, which must not be modified.
func foldRune(r rune) (one rune, more []rune) {
	if r > lastFolded {
		return r, nil
	}
	lo, hi := 0, len(spans)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		switch s := &spans[mid]; {
		case r < s.lo:
			hi = mid
		case r > s.hi:
			lo = mid + 1
		case (r-s.lo)%s.step == 0:
			return r + s.delta, nil
		default:
			// The gaps of spans hold code points that stay as they are, or expansions.
			return expand(r)
		}
	}
	return expand(r)
}

func expand(r rune) (one rune, more []rune) {
	lo, hi := 0, len(expansions)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		switch e := &expansions[mid]; {
		case r < e.from:
			hi = mid
		case r > e.from:
			lo = mid + 1
		default:
			return r, e.to
		}
	}
	return r, nil
}
