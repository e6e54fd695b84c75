package simtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Coverage counts what has happened. It may be used by several worlds at once.
type Coverage struct {
	mu     sync.Mutex
	counts map[string]int
}

// NewCoverage returns empty counts.
func NewCoverage() *Coverage { return &Coverage{counts: map[string]int{}} }

func (c *Coverage) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
}

// Count returns how often something has happened.
func (c *Coverage) Count(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[what]
}

// Missing returns what a long run must have seen and has not.
func (c *Coverage) Missing() (missing []string) {
	for _, what := range mustCover() {
		if c.Count(what) == 0 {
			missing = append(missing, what)
		}
	}
	return missing
}

// mustCover lists the cells: every request met by every fault of the network, every method answered, every operation done, kinds of
// errors that a sync can end with, and the known exceptions.
func mustCover() (list []string) {
	requests := []string{
		"meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish",
		"begin", "mediaChanges", "uploadChanges", "downloadFiles",
	}
	for _, r := range requests {
		list = append(list, "request: "+r)
		for _, f := range netFaults {
			list = append(list, "edge: "+r+", "+string(f))
		}
	}
	list = append(list, "request: upload", "request: download", "request: abort")
	for _, op := range []string{
		"addNote", "updateNote", "removeNotes", "answerCard", "setCards", "addDeck", "renameDeck", "removeDeck", "setConfig", "setTemplate", "undo",
	} {
		list = append(list, "edit: "+op)
	}
	for _, k := range []string{
		"network", "server_error", "conflict", "clock", "storage_full", "one_way_needed", "damaged_download", "needs_decision", "database_check",
	} {
		list = append(list, "kind: "+k)
	}
	return append(list, "media: written", "media: deleted", "media: folder lost", "known: deck names with +", "known: card of a deleted deck")
}

// Print writes the counts, most frequent first within each group.
func (c *Coverage) Print(to io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	group := ""
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		if g, _, _ := strings.Cut(what, ":"); g != group {
			group = g
			fmt.Fprintf(to, "%s\n", g)
		}
		fmt.Fprintf(to, "  %8d %s\n", c.counts[what], strings.TrimPrefix(what, group+": "))
	}
}
