// Package order sorts without a copy of the sorting code for every type of element, as package slices makes it: in the guest that
// would be a fiftieth of what is transferred. Sorting is stable, and slower than that of package slices: for long lists
// that are sorted often use that one.
package order

import "sort"

// By sorts n elements of a list that less compares and swap exchanges, both by index.
func By(n int, less func(i, j int) bool, swap func(i, j int)) { sort.Stable(&list{n, less, swap}) }

type list struct {
	n    int
	less func(i, j int) bool
	swap func(i, j int)
}

func (l *list) Len() int           { return l.n }
func (l *list) Less(i, j int) bool { return l.less(i, j) }
func (l *list) Swap(i, j int)      { l.swap(i, j) }

// Strings sorts texts by their bytes.
func Strings(s []string) { sort.Stable(sort.StringSlice(s)) }

// Func sorts texts as compare says.
func Func(s []string, compare func(a, b string) int) {
	By(len(s), func(i, j int) bool { return compare(s[i], s[j]) < 0 }, func(i, j int) { s[i], s[j] = s[j], s[i] })
}

// Ints sorts numbers.
func Ints(s []int) { sort.Stable(sort.IntSlice(s)) }

// Keys returns the keys of a map, sorted.
func Keys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	Strings(keys)
	return keys
}
