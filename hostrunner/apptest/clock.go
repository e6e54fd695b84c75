package apptest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Later moves the clock of the app's workers, which tell the core the time.
func (a *App) Later(t testing.TB, by time.Duration) {
	t.Helper()
	list, err := chromedp.Targets(a.Context())
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	for _, info := range list {
		if info.Type != "worker" {
			continue
		}
		ctx, cancel := chromedp.NewContext(a.Context(), chromedp.WithTargetID(info.TargetID), chromedp.WithDetachOnCancel())
		_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const now = Date.now; Date.now = () => now() + %d; }`, by.Milliseconds())))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		moved++
	}
	if moved == 0 {
		t.Fatal("the app has no worker")
	}
}
