package main

import (
	"fmt"
	"strings"

	"github.com/cardferry/cardferry/core/service"
)

// mediaText says what a media sync has done.
func mediaText(r service.MediaSyncResult) string {
	var b strings.Builder
	if parts := mediaCounts(r); len(parts) > 0 {
		b.WriteString("Media: " + strings.Join(parts, ", "))
	} else {
		b.WriteString("Media: in sync, nothing to do")
	}
	if n := len(r.SetAside); n > 0 {
		fmt.Fprintf(&b, "\n%s left out; everything else is synced:", files(int64(n)))
		for _, s := range r.SetAside {
			fmt.Fprintf(&b, "\n  %s: %s", s.Name, setAsideText(s.Reason))
		}
	}
	if r.Warning != "" {
		b.WriteString("\n" + r.Warning)
	}
	return b.String()
}

// mediaCounts lists what was done, leaving out what was not.
func mediaCounts(r service.MediaSyncResult) (parts []string) {
	for _, c := range []struct {
		n    int64
		what string
	}{
		{r.Downloaded, "downloaded"}, {r.Uploaded, "uploaded"},
		{r.DeletedLocal, "moved to the trash here"}, {r.DeletedRemote, "deleted on the server"},
	} {
		if c.n > 0 {
			parts = append(parts, files(c.n)+" "+c.what)
		}
	}
	return parts
}

func files(n int64) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// setAsideText is what a person reads for the reasons of set_aside (contract §3).
func setAsideText(reason string) string {
	switch reason {
	case "name":
		return "its name does not work on every device; rename it and change the notes that use it"
	case "empty":
		return "it is empty (0 bytes)"
	case "too_large":
		return "it is larger than 100 MiB"
	case "not_regular":
		return "it is not a plain file"
	case "unreadable":
		return "it cannot be read"
	case "gone":
		return "the server lists it, but has lost it"
	case "hash", "damaged":
		return "what the server sends is damaged"
	case "refused":
		return "the server refuses it"
	}
	return reason
}

// mediaCheckText lists what a check has found.
func mediaCheckText(r service.MediaCheckResult) string {
	var b strings.Builder
	names := func(title string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(&b, "%s:\n  %s\n", title, strings.Join(list, "\n  "))
		}
	}
	names("Missing: named in notes, but neither here nor on the server", r.Missing)
	names("Not used by any note", r.Unused)
	if len(r.TemplateMissing) > 0 {
		b.WriteString("Missing, named in card templates:\n")
		for _, m := range r.TemplateMissing {
			fmt.Fprintf(&b, "  %s (%s, %s)\n", m.Name, m.Notetype, m.Template)
		}
	}
	switch {
	case b.Len() == 0:
		return "No file is missing, and every file is used"
	case r.Trashed > 0:
		fmt.Fprintf(&b, "%s moved to the trash; the next sync deletes them on the server", files(r.Trashed))
	case r.Kept > 0: // told below
	case len(r.Unused) > 0:
		b.WriteString("To move the unused files to the trash: cardferry media check --apply")
	}
	if r.Kept > 0 {
		fmt.Fprintf(&b, "\n%s left: notes that are not synced yet may use them", files(r.Kept))
	}
	return strings.Trim(b.String(), "\n")
}
