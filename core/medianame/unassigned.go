package medianame

// isUnassigned reports whether r has the general category Cn in Unicode 10.0, whose table the reference has: names with
// characters that were added later are renamed there. Non-characters belong to it, private use does not. Go's own
// tables are newer, and know assigned characters only.
func isUnassigned(r rune) bool {
	switch {
	case r < 0x378:
		return false
	case r <= 0xffff:
		return inGap(gapsBMP[:], uint16(r))
	case r <= 0x1ffff:
		return inGap(gapsSMP[:], uint16(r-0x10000))
	}
	for _, s := range &assignedAbove {
		if s.lo <= r && r <= s.hi {
			return false
		}
	}
	return true
}

// inGap looks for c in sorted runs of first and last.
func inGap(gaps [][2]uint16, c uint16) bool {
	lo, hi := 0, len(gaps)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		switch g := gaps[mid]; {
		case c < g[0]:
			hi = mid
		case c > g[1]:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// assignedAbove are the runs of assigned characters above U+1FFFF.
var assignedAbove = [...]struct{ lo, hi rune }{
	{0x20000, 0x2a6d6}, {0x2a700, 0x2b734}, {0x2b740, 0x2b81d}, {0x2b820, 0x2cea1}, {0x2ceb0, 0x2ebe0}, {0x2f800, 0x2fa1d},
	{0xe0001, 0xe0001}, {0xe0020, 0xe007f}, {0xe0100, 0xe01ef}, {0xf0000, 0xffffd}, {0x100000, 0x10fffd},
}
