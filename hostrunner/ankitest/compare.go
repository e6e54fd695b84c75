package ankitest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Allowed is a column in which two synced collections may differ, and why; the column "" stands for rows that only one of them
// has. Everything else must be equal.
type Allowed struct{ Table, Column, Why string }

// AlwaysAllowed lists the columns that may differ between any two sides that have synced.
var AlwaysAllowed = []Allowed{
	{"config", "usn", "the sender of the config sets 0, the receiver the usn of the sync"},
	{"config", "mtime_secs", "the receiver sets its own time"},
	{"tags", "usn", "only names travel"},
	{"tags", "collapsed", "only names travel: each device folds its own tree"},
	{"graves", "usn", "each side records the usn of its own sync"},
	{"templates", "mtime_secs", "unused"},
	{"templates", "usn", "unused"},
}

// BetweenDevices lists what else may differ between two devices, as one of them has synced after the other.
var BetweenDevices = []Allowed{
	{"col", "mod", "the time of the device's own last sync"},
	{"col", "ls", "the time of the device's own last sync"},
	{"col", "usn", "that of the device's own last sync"},
}

// AfterDownload is allowed between server and client after a full download.
var AfterDownload = Allowed{"col", "ls", "the client sets it to the mod of the file, the server does not"}

// RemovedTags is allowed after tags were removed or renamed.
var RemovedTags = Allowed{"tags", "", "the removal of a tag does not travel"}

// maxDifferences bounds a report.
const maxDifferences = 20

// Compare lists the differences between two dumps but for the allowed ones, at most twenty; none means equal.
func Compare(a, b Dump, allowed ...Allowed) []string {
	skip := map[[2]string]bool{}
	for _, x := range slices.Concat(AlwaysAllowed, allowed) {
		skip[[2]string{x.Table, x.Column}] = true
	}
	var diffs []string
	for _, name := range union(a, b) {
		for _, key := range union(a[name], b[name]) {
			diffs = append(diffs, compareRows(name, key, a[name][key], b[name][key], skip)...)
		}
	}
	if extra := len(diffs) - maxDifferences; extra > 0 {
		diffs = append(diffs[:maxDifferences], fmt.Sprintf("… and %d more", extra))
	}
	return diffs
}

// union returns the keys of both maps, sorted.
func union[V any](a, b map[string]V) []string {
	list := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, ok := a[k]; !ok {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

func compareRows(table, key string, a, b Row, skip map[[2]string]bool) (diffs []string) {
	if a == nil || b == nil {
		if skip[[2]string{table, ""}] {
			return nil
		}
		side, r := "first", a
		if a == nil {
			side, r = "second", b
		}
		return []string{fmt.Sprintf("%s %s: only on the %s side: %.300v", table, key, side, r)}
	}
	for _, c := range union(a, b) {
		if skip[[2]string{table, c}] || equalValues(table, c, a[c], b[c]) {
			continue
		}
		diffs = append(diffs, fmt.Sprintf("%s %s %s: %.300s ≠ %.300s", table, key, c, a[c], b[c]))
	}
	return diffs
}

// equalValues compares values; those of config are JSON, in which the order of keys and white space mean nothing.
func equalValues(table, column, a, b string) bool {
	if a == b {
		return true
	}
	return table == "config" && column == "val" && sameJSON(a, b)
}

func sameJSON(a, b string) bool {
	x, errA := canonical(a)
	y, errB := canonical(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

func canonical(literal string) ([]byte, error) {
	text, err := hex.DecodeString(strings.TrimPrefix(literal, "x"))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// RequireEqual ends the test if two dumps differ other than allowed.
func RequireEqual(t TB, what string, a, b Dump, allowed ...Allowed) {
	t.Helper()
	if diffs := Compare(a, b, allowed...); len(diffs) > 0 {
		t.Fatalf("%s differ:\n%s", what, strings.Join(diffs, "\n"))
	}
}
