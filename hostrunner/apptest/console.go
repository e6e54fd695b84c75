package apptest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
)

// console gathers what goes wrong in a page and its workers without being shown to anyone: exceptions that nobody catches, and errors on the
// console, which the browser's own are among.
type console struct {
	mu       sync.Mutex
	errors   []string
	expected []string
	// answer closes a dialog of the browser's, which stops the page, and with it the test, as long as it is open.
	answer func(yes bool)
	// attend begins to hear a worker of the page's.
	attend func(worker target.ID)
}

// hearWorker takes an event of a worker: what the browser itself says about requests stays with the page, which says what it thinks of them.
func (c *console) hearWorker(event any) {
	switch event.(type) {
	case *runtime.EventExceptionThrown, *runtime.EventConsoleAPICalled:
		c.hear(event)
	}
}

// newConsole returns a console that fails the test at its end if there was an error that it did not expect.
func newConsole(t testing.TB) *console {
	c := &console{}
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, e := range c.errors {
			if !c.expects(e) {
				t.Errorf("on the page's console: %s", e)
			}
		}
	})
	return c
}

// Expects says that the test provokes errors with this text on the page's console.
func (a *App) Expects(text string) {
	a.console.mu.Lock()
	defer a.console.mu.Unlock()
	a.console.expected = append(a.console.expected, text)
}

func (c *console) expects(e string) bool {
	for _, text := range c.expected {
		if strings.Contains(e, text) {
			return true
		}
	}
	return false
}

// hear takes an event of the tab.
func (c *console) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description + " " + string(x.Value)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
			return
		}
		for _, arg := range e.Args {
			text += " " + arg.Description + " " + string(arg.Value)
		}
	case *target.EventAttachedToTarget:
		if strings.HasSuffix(e.TargetInfo.Type, "worker") {
			go c.attend(e.TargetInfo.TargetID)
		}
		return
	case *page.EventJavascriptDialogOpening:
		leaving := e.Type == page.DialogTypeBeforeunload // the test goes elsewhere, whatever is unsaved
		go c.answer(leaving)
		if leaving {
			return
		}
		text = fmt.Sprintf("a dialog (%s): %s", e.Type, e.Message)
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError {
			return
		}
		text = fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors = append(c.errors, strings.TrimSpace(text))
}
