// Package browsertest drives Debian's Chromium for tests of the bridge: a same-origin server with the built package, a
// browser, and pages in which tests run JavaScript.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startTimeout bounds the start of Chromium on a busy machine.
const startTimeout = 60 * time.Second

// Browser is a running Chromium.
type Browser struct {
	ctx     context.Context
	cancel  context.CancelFunc
	console *console
}

// Start starts a Chromium whose profile lies in a temporary folder, and ends it with the test, which fails if a page or worker was heard to
// go wrong (see Expects). Without a Chromium the test is skipped, or fails if CARDFERRY_REQUIRE_CHROME is set.
func Start(t testing.TB) *Browser {
	t.Helper()
	return StartIn(t, t.TempDir())
}

// StartIn is Start with a given profile folder, so that another browser can find what this one has stored.
func StartIn(t testing.TB, dir string) *Browser {
	t.Helper()
	console := newConsole(t)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(executable(t)),
		chromedp.UserDataDir(dir),
		chromedp.Flag("headless", "new"),
		chromedp.NoSandbox,
		chromedp.NoFirstRun,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("ignore-certificate-errors", true), // of NewSecureServer
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		// The lists below the address bar are pages of some 500 scripts, which would cost more than most tests.
		chromedp.Flag("disable-features", "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("enable-logging", "stderr"),
		chromedp.CombinedOutput(console),
		chromedp.WSURLReadTimeout(startTimeout),
	}
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	b := &Browser{ctx: ctx, cancel: func() { cancel(); stop() }, console: console}
	t.Cleanup(b.cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return b
}

// Kill ends the browser as a crash would, without a chance to write anything.
func (b *Browser) Kill(t testing.TB) {
	t.Helper()
	if err := chromedp.FromContext(b.ctx).Browser.Process().Kill(); err != nil {
		t.Fatalf("kill Chromium: %v", err)
	}
	b.cancel()
}

// Close ends the browser, so that another one can have its folder.
func (b *Browser) Close() { b.cancel() }

// executable finds Chromium: CHROME_BIN, then the PATH.
func executable(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CHROME_BIN"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "Chromium is not installed: apt-get install chromium, or set CHROME_BIN")
	return ""
}

// missing skips a test, or fails it where everything must be there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CARDFERRY_REQUIRE_CHROME") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
