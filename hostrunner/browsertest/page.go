package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// runTimeout bounds one piece of JavaScript.
const runTimeout = 120 * time.Second

// Page is a tab.
type Page struct {
	ctx   context.Context
	close context.CancelFunc
}

// Open opens a tab with the page at url, which must set window.ready when it is loaded.
func (b *Browser) Open(t testing.TB, url string) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	p := &Page{ctx: ctx, close: cancel}
	t.Cleanup(cancel)
	p.Load(t, url)
	return p
}

// Load goes to url in the same tab.
func (p *Page) Load(t testing.TB, url string) {
	t.Helper()
	ready := chromedp.Poll[chromedp.Void]("window.ready", chromedp.WithPollingTimeout(startTimeout))
	if err := chromedp.Do(p.ctx, chromedp.Navigate(url), ready); err != nil {
		t.Fatalf("load %s: %v", url, err)
	}
}

// HardReload loads the page again as users do with Shift held down: everything anew, and without its service worker.
func (p *Page) HardReload(t testing.TB) {
	t.Helper()
	p.Run(t, nil, `window.ready = false`)
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, page.Reload, page.ReloadParams{IgnoreCache: new(true)})
	})
	if err != nil {
		t.Fatalf("reload: %v", err)
	}
	p.becomes(t, `return window.ready === true`)
}

// Close closes the tab.
func (p *Page) Close() { p.close() }

// Crash ends the tab's process, its workers included, at whatever they are doing.
func (p *Page) Crash() {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	// There is no answer: nobody is left to give one.
	_, _ = chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, page.Crash, cdp.Empty{})
	})
}

// Freeze stops the tab as a browser does with one that has long been in the background; Thaw lets it go on.
func (p *Page) Freeze(t testing.TB) { t.Helper(); p.lifecycle(t, page.SetWebLifecycleStateStateFrozen) }

// Thaw ends Freeze.
func (p *Page) Thaw(t testing.TB) { t.Helper(); p.lifecycle(t, page.SetWebLifecycleStateStateActive) }

func (p *Page) lifecycle(t testing.TB, state page.SetWebLifecycleStateState) {
	t.Helper()
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
	})
	if err != nil {
		t.Fatalf("make the page %s: %v", state, err)
	}
}

// Back goes to the page before, in the same tab.
func (p *Page) Back(t testing.TB) {
	t.Helper()
	var from string
	p.Run(t, &from, `setTimeout(() => history.back()); return location.href`)
	// Not NavigateBack: that waits for a load, which a page that the browser has kept does not have.
	p.becomes(t, `return window.ready === true && location.href !== args[0]`, from)
}

// becomes waits until a script returns true, in the document that the tab has by then.
func (p *Page) becomes(t testing.TB, script string, args ...any) {
	t.Helper()
	for start := time.Now(); ; {
		answer, err := p.evaluate(script, args)
		if err == nil && string(answer.Result) == "true" {
			return
		}
		if time.Since(start) > startTimeout {
			t.Fatalf("waited in vain for %s: %v", script, err)
		}
	}
}

// Try runs the body of an async JavaScript function and decodes what it returns into out (nil: dropped). Inside, the
// parameters are in the array args. A SyncError is returned as *fault.Error, any other exception fails the test.
func (p *Page) Try(t testing.TB, out any, body string, args ...any) error {
	t.Helper()
	err := p.Evaluate(out, body, args...)
	if _, ok := err.(*fault.Error); err != nil && !ok {
		t.Fatalf("run %s: %v", body, err)
	}
	return err
}

// Evaluate is Try in a page that may be killed meanwhile: exceptions, and that there is no page any more, are errors as well.
func (p *Page) Evaluate(out any, body string, args ...any) error {
	answer, err := p.evaluate(body, args)
	if err != nil {
		return err
	}
	if f := answer.Error; f != nil {
		return &fault.Error{Kind: fault.ParseKind(f.Kind), Message: f.Message, Hint: f.Hint, Changed: f.Changed, Details: f.Details}
	}
	if out != nil {
		if err := json.Unmarshal(answer.Result, out); err != nil {
			return fmt.Errorf("decode %s: %w", answer.Result, err)
		}
	}
	return nil
}

// Run is Try for code that must not fail.
func (p *Page) Run(t testing.TB, out any, body string, args ...any) {
	t.Helper()
	if err := p.Try(t, out, body, args...); err != nil {
		t.Fatalf("run %s: %v (%v)", body, err, fault.KindOf(err))
	}
}

type pageAnswer struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Kind, Message, Hint string
		Changed             bool
		Details             map[string]any
	} `json:"error"`
}

// runner wraps a body. Integers beyond 2^53 come as strings, which JSON does not have otherwise.
const runner = `(async () => {
  const json = (v) => JSON.stringify(v, (_, x) => typeof x === "bigint" ? String(x) : x) ?? "null";
  try {
    const result = await (async (args) => { %s })(%s);
    return json({ result: result ?? null });
  } catch (e) {
    if (e?.name !== "SyncError") throw e;
    const { kind, message, hint, changed, details } = e;
    return json({ error: { kind, message, hint, changed, details } });
  }
})()`

func (p *Page) evaluate(body string, args []any) (answer pageAnswer, err error) {
	if args == nil {
		args = []any{}
	}
	encoded, err := json.Marshal(args)
	if err != nil {
		return answer, err
	}
	ctx, cancel := context.WithTimeout(p.ctx, runTimeout)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(runner, body, encoded), chromedp.EvalAwaitPromise))
	if err == nil {
		err = json.Unmarshal([]byte(text), &answer)
	}
	return answer, err
}

// Quota bounds what the page's origin may store, in bytes; 0 is the browser's own bound.
func (p *Page) Quota(t testing.TB, bytes float64) {
	t.Helper()
	var params storage.OverrideQuotaForOriginParams
	p.Run(t, &params.Origin, `return location.origin`)
	if bytes > 0 {
		params.QuotaSize = &bytes
	}
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, storage.OverrideQuotaForOrigin, params)
	})
	if err != nil {
		t.Fatalf("set the quota: %v", err)
	}
}

// ClearFiles removes the files that the page's origin has stored, as a user or the browser does, whether they are open or not.
func (p *Page) ClearFiles(t testing.TB) {
	t.Helper()
	params := storage.ClearDataForOriginParams{StorageTypes: "file_systems"}
	p.Run(t, &params.Origin, `return location.origin`)
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, storage.ClearDataForOrigin, params)
	})
	if err != nil {
		t.Fatalf("clear the files: %v", err)
	}
}

// ExportCollection writes the collection of the open profile to a file.
func (p *Page) ExportCollection(t testing.TB, path string) {
	t.Helper()
	var content []byte // base64 in JSON
	p.Run(t, &content, `return dump()`)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Dump returns what is in the collection of the open profile.
func (p *Page) Dump(t testing.TB) anki.Dump {
	t.Helper()
	path := filepath.Join(t.TempDir(), "collection.anki2")
	p.ExportCollection(t, path)
	return anki.Read(t, path)
}

// ImportCollection makes a file the collection of the open profile.
func (p *Page) ImportCollection(t testing.TB, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p.Run(t, nil, `await load(args[0])`, content)
}

// Media makes a media feature of CSS have a value.
func (p *Page) Media(t testing.TB, feature, value string) {
	t.Helper()
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}}
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetEmulatedMedia, params)
	})
	if err != nil {
		t.Fatalf("set %s: %v", feature, err)
	}
}

// Screenshot writes a picture of the page to the folder CARDFERRY_SCREENSHOTS, if that is set.
func (p *Page) Screenshot(t testing.TB, name string) {
	t.Helper()
	dir := os.Getenv("CARDFERRY_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
