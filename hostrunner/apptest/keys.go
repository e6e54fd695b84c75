package apptest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// mostTabs bounds how far away with the Tab key something may be.
const mostTabs = 60

// reachable are the elements that may have the focus.
const reachable = `a[href], button, input, textarea, select, summary, [role=textbox]`

// TabTo waits for what has that name, and presses Tab until it has the focus, which must be seen.
func (a *App) TabTo(t testing.TB, text string) {
	t.Helper()
	a.Wait(t, fmt.Sprintf("named(%s, %s) !== undefined", quote(reachable), quote(text)))
	type focus struct {
		There, Seen bool
		Name        string
	}
	var passed []string
	for range mostTabs {
		var f focus
		a.Eval(t, &f, `const e = document.activeElement, s = getComputedStyle(e);
			const text = clean(e === document.body ? "" : name(e));
			return { There: text.startsWith(args[0]) && e !== document.body && e.tagName !== "MAIN", Seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2, Name: text.slice(0, 40) };`, text)
		if f.There {
			if !f.Seen {
				t.Errorf("%q has the focus, which is not seen", text)
			}
			return
		}
		passed = append(passed, f.Name)
		a.Key(t, kb.Tab)
	}
	t.Fatalf("the Tab key does not lead to %q, but to %q; the page says:\n%s", text, passed, a.Text(t))
}

// Tab presses Tab, or with Shift, which goes back.
func (a *App) Tab(t testing.TB, back bool) {
	t.Helper()
	var how []chromedp.KeyOption
	if back {
		how = append(how, chromedp.KeyModifiers(chromedp.ModifierShift))
	}
	a.do(t, chromedp.KeyEvent(kb.Tab, how...))
}

// Press goes to what has that name with the Tab key and presses Enter.
func (a *App) Press(t testing.TB, text string) {
	t.Helper()
	a.TabTo(t, text)
	a.Key(t, kb.Enter)
}

// Hold presses a key with a letter and keeps it down until it has repeated so many times.
func (a *App) Hold(t testing.TB, key string, repeats int) {
	t.Helper()
	a.do(t, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key}
		for i := range repeats {
			again := i > 0
			down.AutoRepeat = &again
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, down); err != nil {
				return err
			}
			time.Sleep(30 * time.Millisecond) // as a keyboard does
		}
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
		return err
	}))
}
