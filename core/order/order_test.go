package order_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/order"
)

// TestOrder compares with package slices.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		s, ints, m := make([]string, n), make([]int, n), map[string]int{}
		for i := range s {
			ints[i] = r.IntN(50)
			s[i] = strings.Repeat("a", r.IntN(3)) + string(rune('A'+r.IntN(58)))
			m[s[i]] = i
		}
		byCase := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
		want, folded, numbers := slices.Sorted(slices.Values(s)), slices.Clone(s), slices.Sorted(slices.Values(ints))
		slices.SortStableFunc(folded, byCase)
		got := slices.Clone(s)
		order.Func(got, byCase)
		if !slices.Equal(got, folded) {
			t.Fatalf("%q, want %q", got, folded)
		}
		order.Strings(s)
		order.Ints(ints)
		if !slices.Equal(s, want) || !slices.Equal(ints, numbers) || !slices.Equal(order.Keys(m), slices.Compact(want)) {
			t.Fatalf("%q %v, want %q %v", s, ints, want, numbers)
		}
	}
}
