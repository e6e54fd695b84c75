package filehost

import (
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
)

// CheckName refuses names that are not plain relative paths below a profile: names reach the host from the guest,
// and some of them (the ID of a backup) from the command line. A name is split by "/"; "..", ".", empty parts,
// backslashes, colons (drives and streams on Windows) and control characters are refused with fault.InvalidInput.
func CheckName(name string) error {
	if name == "" || len(name) > 1024 || !utf8.ValidString(name) || strings.ContainsFunc(name, forbidden) {
		return fault.New(fault.InvalidInput, "not a file name: %q", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 {
			return fault.New(fault.InvalidInput, "not a file name: %q", name)
		}
	}
	return nil
}

func forbidden(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == ':' }

// Mode returns the permissions of a new file of a profile: our own files are private, the collection is like any
// other document of the user (the umask may take more away).
func Mode(name string) fs.FileMode {
	if strings.HasPrefix(name, "cardferry.") {
		return 0o600
	}
	return 0o644
}
