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
