package apptest

import (
	"slices"
	"strings"
	"testing"
)

// Heard waits until the page's console has an error with this text.
func (a *App) Heard(t testing.TB, text string) {
	t.Helper()
	for range 600 {
		a.console.mu.Lock()
		heard := slices.ContainsFunc(a.console.errors, func(e string) bool { return strings.Contains(e, text) })
		a.console.mu.Unlock()
		if heard {
			return
		}
		a.Run(t, nil, `await new Promise((go) => setTimeout(go, 50))`)
	}
	t.Errorf("waited in vain for %q on the console", text)
}
