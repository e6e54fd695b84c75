package mediahost

import (
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
)

// longestName is what common file systems hold, in bytes. Some hold less and refuse the rest themselves.
const longestName = 255

// checkName refuses what is not a plain file name. Names come from servers and may try to lead out of the folder.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > longestName || !utf8.ValidString(name) ||
		strings.ContainsAny(name, "/\x00") || systemRefuses(name) {
		shown := name
		if len(shown) > longestName {
			shown = shown[:longestName] + "…"
		}
		return fault.New(fault.InvalidInput, "not a name of a media file: %q", shown)
	}
	return nil
}

// windowsRefuses knows the names that mean something else on Windows: paths, streams ("a:b"), patterns, devices, and
// endings that it drops silently.
func windowsRefuses(name string) bool {
	if strings.ContainsAny(name, `\:*?"<>|`) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) ||
		strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return true
	}
	base, _, _ := strings.Cut(name, ".")
	switch base = strings.ToUpper(strings.TrimRight(base, " ")); base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(base, port); ok {
			switch n {
			case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
				return true
			}
		}
	}
	return false
}
