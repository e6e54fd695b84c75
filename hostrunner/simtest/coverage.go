package simtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
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

// requests are the methods that a fault can meet.
var requests = []string{
	"meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish", "upload", "download",
	"begin", "mediaChanges", "uploadChanges", "downloadFiles",
}

// mustCover lists the cells: every request met by every fault of the network, every method answered, every operation done, every row of
// the tables that decide, every kind of error, and the known exceptions.
func mustCover() (list []string) {
	for _, r := range requests {
		list = append(list, "request: "+r)
		for _, f := range netFaults {
			list = append(list, "edge: "+r+", "+string(f))
		}
	}
	list = append(list, "request: abort")
	for _, op := range []string{
		"addNote", "updateNote", "removeNotes", "answerCard", "setCards", "addDeck", "renameDeck", "removeDeck", "setConfig", "setTemplate", "undo",
	} {
		list = append(list, "edit: "+op)
	}
	for _, kind := range merged {
		for _, how := range []string{
			"only here", "only there", "both, newer here", "both, newer there", "both, same time",
			"deleted here", "deleted there", "deleted on both sides", "changed here, deleted there", "deleted here, changed there",
		} {
			list = append(list, "merge: "+kind.name+", "+how)
		}
	}
	list = append(list, "merge: config, newer here", "merge: config, newer there", "merge: deck config, any")
	for _, row := range mediaTable {
		list = append(list, "media table: "+row)
	}
	for _, k := range fault.Kinds() {
		list = append(list, "kind: "+k.String())
	}
	list = append(list,
		"media: written", "media: deleted", "media: folder lost", "media: cannot be synced", "power cut: media index",
		"known: deck names with +", "known: card of a deleted deck",
	)
	return slices.DeleteFunc(list, func(what string) bool { return impossible(what) != "" })
}

// cannotHappen are cells that no run meets, with the reason. Each stands for all that begin so.
var cannotHappen = []struct{ cell, why string }{
	{"merge: notetype, deleted", "no operation of core/edit deletes a notetype, and the protocol has no grave for one: it forces a one-way sync (sync spec §6.1)"},
	{"merge: notetype, changed here, deleted there", "as above"},
	{"merge: deck config, any", "no operation of core/edit changes one; core/colsync and hostrunner/interop test the rule"},
	{"merge: tag, deleted", "tags are only added by a sync (§8.4)"},
	{"merge: tag, changed here, deleted there", "as above"},
	{"merge: tag, both, newer", "tags have no time of change"},
	{"merge: revlog, deleted", "reviews are never deleted"},
	{"merge: revlog, changed here, deleted there", "as above"},
	{"merge: revlog, both, newer", "a review never changes"},
	{"kind: busy", "no other program has the files open; core/profile and hostrunner test it"},
	{"kind: unsupported_file", "no other program writes the files; core/profile tests it"},
	{"kind: unsupported_browser", "only a page has it"},
	{"kind: internal", "it is a failure of the run"},
	{"kind: sanity", "it is a failure of the run, but for a known exception that hardly any run meets; hostrunner/interop tests it"},
	{"kind: closed", "nobody closes a profile that is in use; core/service tests it"},
	{"kind: damaged_file", "disks lose writes and do not change bytes; core/profile tests it"},
	{"kind: other", "it is what a dead device gets, and means nothing else here"},
	{"kind: resync", "no operation of core/edit changes the fields or templates of a notetype without a new schema"},
	{"kind: not_found", "a sync names nothing that may be missing"},
	{"kind: invalid_input", "the arguments of a sync are right; core/service tests others"},
}

// impossible returns why a cell cannot be met, "" if it can.
func impossible(what string) string {
	for _, c := range cannotHappen {
		if strings.HasPrefix(what, c.cell) {
			return c.why
		}
	}
	return ""
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
	fmt.Fprintln(to, "cannot happen")
	for _, cell := range cannotHappen {
		fmt.Fprintf(to, "  %s: %s\n", cell.cell, cell.why)
	}
}
