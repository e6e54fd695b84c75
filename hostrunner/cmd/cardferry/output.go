package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"golang.org/x/term"
)

// output writes what a command reports: JSON lines, or text for a person. There is one result or one error, and
// nothing after it.
type output struct {
	json bool
	out  io.Writer
	err  io.Writer

	mu      sync.Mutex
	bar     *bar // nil: not a terminal, or nothing to show
	pace    pace // of the running stage, for JSON
	ended   bool
	started time.Time // when the work began; zero before
	broken  error     // the first failed write to out
}

func newOutput(json bool, out, err io.Writer) *output {
	return &output{json: json, out: out, err: err}
}

// loading shows a person that the program is starting, which takes a while after an update.
func (o *output) loading() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f, ok := o.err.(*os.File); ok && !o.json && !o.ended && o.bar == nil && term.IsTerminal(int(f.Fd())) {
		o.bar = newBar(f)
	}
}

// begin starts the clock of elapsed_ms: the program and its guest are loaded.
func (o *output) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started = time.Now()
}

// progress reports a stage's progress.
func (o *output) progress(p host.Progress) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.ended:
	case o.json:
		o.pace.set(p, time.Now())
		o.line("progress", struct {
			Stage  host.Stage `json:"stage"`
			Done   int64      `json:"done"`
			Total  int64      `json:"total,omitempty"`
			Rate   float64    `json:"rate,omitempty"`    // a second
			LeftMS int64      `json:"left_ms,omitempty"` // time left
		}{p.Stage, p.Done, p.Total, o.pace.rate, o.pace.left.Milliseconds()})
	case o.bar != nil:
		o.bar.set(p)
	}
}

// result writes the command's one result: v's fields as JSON, or text.
func (o *output) result(v any, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.end() {
		return
	}
	if !o.json {
		o.write([]byte(plain(text) + "\n"))
		return
	}
	elapsed := int64(0)
	if !o.started.IsZero() {
		elapsed = time.Since(o.started).Milliseconds()
	}
	o.line("result", map[string]int64{"elapsed_ms": elapsed}, v)
}

// fail writes the command's one error and returns the exit code.
func (o *output) fail(err error) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failLocked(err)
}

// abandon ends a cancelled command that has not ended by itself. Whether it has changed anything is not known.
func (o *output) abandon() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := fault.New(fault.Cancelled, "cancelled")
	e.Changed = !o.started.IsZero()
	return o.failLocked(e)
}

func (o *output) failLocked(err error) int {
	kind := fault.KindOf(err)
	code := exitCode(kind)
	if !o.end() {
		return code
	}
	var e fault.Error
	if f, ok := errors.AsType[*fault.Error](err); ok { // kong wraps what commands return
		e = *f
	}
	if e.Hint == "" {
		e.Hint = defaultHints[kind]
	}
	message := err.Error()
	if kind == fault.Cancelled {
		message = "cancelled"
	}
	if message == "" { // a server's, which has nothing to say
		message = "the server refuses to sync, without saying why"
	}
	if !o.json {
		fmt.Fprint(o.err, plain(errorText(kind, message, e)))
		return code
	}
	fields := errorFields{kind.String(), message, e.Hint, e.Changed}
	for _, reserved := range []string{"event", "kind", "message", "hint", "changed"} {
		delete(e.Details, reserved)
	}
	o.line("error", fields, e.Details)
	return code
}

// errorFields are those of every error line (contract §3).
type errorFields struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	Changed bool   `json:"changed"`
}

// exitCode is that of a command that has succeeded: its result must have been delivered.
func (o *output) exitCode() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken == nil {
		return 0
	}
	fmt.Fprintf(o.err, "cardferry: the work is done, but its result could not be written: %v\n", o.broken)
	return exitCode(fault.Other)
}

// end takes the bar away and reports whether the one last line may be written now.
func (o *output) end() bool {
	if o.ended {
		return false
	}
	o.ended = true
	if o.bar != nil {
		o.bar.close()
	}
	return true
}

// line writes one JSON object: the event, and the fields of all parts, each of which is an object.
func (o *output) line(event string, parts ...any) {
	line := fmt.Appendf(nil, `{"event":%q`, event)
	for _, part := range parts {
		b, err := json.Marshal(part)
		if err != nil {
			b = fmt.Appendf(nil, `{"encoding":%q}`, err.Error())
		}
		if len(b) > 2 && b[0] == '{' { // not {} and not null
			line = append(append(line, ','), b[1:len(b)-1]...)
		}
	}
	o.write(append(line, "}\n"...))
}

func (o *output) write(b []byte) {
	if o.broken == nil {
		_, o.broken = o.out.Write(b)
	}
}

// announce writes a line that is neither progress nor the end: v's fields as JSON, or text.
func (o *output) announce(event string, v any, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.ended:
	case o.json:
		o.line(event, v)
	default:
		o.write([]byte(plain(text) + "\n"))
	}
}

// plain shows control characters instead of sending them to a terminal, which would obey them: servers choose messages, and anybody the
// names of files.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, text)
}
