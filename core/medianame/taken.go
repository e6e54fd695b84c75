package medianame

import (
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// CheckTaken fails with fault.InvalidInput unless a server takes a file of that name: one that every client can keep under
// it. The reference's server takes more, and its clients then rename such a file for everybody (§7.3), or delete it (§7.5).
//
// Two things that Normalized asks for are not: characters that Unicode 10 has not assigned pass, since clients with
// newer tables must not be locked out, and so do names of up to 255 bytes, which older clients have.
func CheckTaken(t host.Text, name string) error {
	if err := Check(t, name); err != nil {
		return err
	}
	problem := ""
	switch {
	case strings.ContainsFunc(name, func(r rune) bool { return keep(r) != r && !isUnassigned(r) }):
		problem = "it has a character that names on some systems cannot have"
	case avoidDevice(name) != name:
		problem = "it is the name of a device on some systems"
	case closeEnd(name) != name:
		problem = "it ends in a space or dot"
	case IsSystem(name):
		problem = "it is a file of the system"
	default:
		return nil
	}
	return fault.New(fault.InvalidInput, "media file %.300q: %s", name, problem)
}

// CheckDeleted fails with fault.InvalidInput unless a server takes a deletion of that name. A client that has renamed what
// it got from another server deletes the old name, whatever it was; this server never had it, so nothing happens.
func CheckDeleted(t host.Text, name string) error {
	if len(name) <= maxReceived && utf8.ValidString(name) && !strings.Contains(name, "/") && t.NFC(name) == name {
		return nil
	}
	return fault.New(fault.InvalidInput, "media file %.300q: its deletion is not one of a media file", name)
}

// IsSystem reports whether a file is one that a system has put into the folder, which is not synced (§7.2). Any character
// stands for the dot, as with the reference.
func IsSystem(name string) bool {
	const longest = len(".ds_store") + 3
	if len(name) > longest {
		return false
	}
	n := []rune(strings.ToLower(name))
	return len(n) == 9 && (string(n[:6])+string(n[7:]) == "thumbsdb" || string(n[1:]) == "ds_store")
}
