package browsertest

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// wrong is how the lines begin that tell of what nobody has caught, in a page, a worker or a service worker: exceptions and rejections, and
// what our own worker says about a guest that has crashed and a scheduler that was called wrongly.
var wrong = []string{`"Uncaught `, `"cardferry: the guest has crashed`, `"cardferry: the scheduler`}

// console takes what a browser writes: the console lines of its pages and workers go to the test's log.
type console struct {
	io.Writer

	mu        sync.Mutex
	errors    []string
	expected  []string
	elsewhere bool
}

// newConsole returns a console that fails the test at its end if something went wrong that it did not expect.
func newConsole(t testing.TB) *console {
	r, w := io.Pipe()
	c := &console{Writer: w}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(r); s.Scan(); {
			if _, line, ok := strings.Cut(s.Text(), "CONSOLE"); ok {
				t.Log("console" + line)
				c.hear(line)
			}
		}
		_, _ = io.Copy(io.Discard, r) // after a line that is too long
	}()
	t.Cleanup(func() {
		_ = w.Close()
		<-done
		for _, e := range c.unexpected() {
			t.Errorf("on the console%s", e)
		}
	})
	return c
}

// hear takes a line: where it was said, and what.
func (c *console) hear(line string) {
	_, said, _ := strings.Cut(line, "] ")
	if !slices.ContainsFunc(wrong, func(begin string) bool { return strings.HasPrefix(said, begin) }) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors = append(c.errors, line)
}

func (c *console) unexpected() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.elsewhere {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.errors), func(e string) bool {
		return slices.ContainsFunc(c.expected, func(text string) bool { return strings.Contains(e, text) })
	})
}

// Expects says that the test provokes what tells of itself with this text on a console.
func (b *Browser) Expects(text string) {
	b.console.mu.Lock()
	defer b.console.mu.Unlock()
	b.console.expected = append(b.console.expected, text)
}

// heardElsewhere says that listeners of the pages' events judge what goes wrong.
func (c *console) heardElsewhere() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.elsewhere = true
}
