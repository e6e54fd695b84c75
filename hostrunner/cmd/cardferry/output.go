package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// output writes what a command reports: JSON lines or text for a person.
type output struct {
	json    bool
	out     io.Writer
	err     io.Writer
	bar     *bar // nil: no terminal
	started time.Time
}

// line writes one JSON object with the given event and fields.
func (o *output) line(event string, fields map[string]any) {
	m := map[string]any{"event": event}
	maps.Copy(m, fields)
	b, err := json.Marshal(m)
	if err != nil {
		b = fmt.Appendf(nil, `{"event":"error","kind":"internal","message":%q,"changed":false}`, err.Error())
	}
	o.out.Write(append(b, '\n'))
}

// progress reports a stage's progress.
func (o *output) progress(p host.Progress) {
	if o.json {
		f := map[string]any{"stage": p.Stage, "done": p.Done}
		if p.Total > 0 {
			f["total"] = p.Total
		}
		o.line("progress", f)
	} else if o.bar != nil {
		o.bar.set(p)
	}
}

// result writes the command's one result: v's fields as JSON, or text.
func (o *output) result(v any, text string) {
	if o.bar != nil {
		o.bar.close()
	}
	if !o.json {
		fmt.Fprintln(o.out, text)
		return
	}
	f := map[string]any{}
	if b, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(b, &f)
	}
	f["elapsed_ms"] = time.Since(o.started).Milliseconds()
	o.line("result", f)
}

// fail writes the command's one error and returns its exit code.
func (o *output) fail(err error) int {
	if o.bar != nil {
		o.bar.close()
	}
	kind, changed, hint := fault.KindOf(err), false, ""
	f := map[string]any{}
	if e, ok := errors.AsType[*fault.Error](err); ok { // kong wraps what commands return
		changed, hint = e.Changed, e.Hint
		maps.Copy(f, e.Details)
	}
	if o.json {
		maps.Copy(f, map[string]any{"kind": kind.String(), "message": err.Error(), "hint": hint, "changed": changed})
		o.line("error", f)
		return exitCode(kind)
	}
	fmt.Fprintf(o.err, "cardferry: %v (%s)\n", err, kind)
	if hint != "" {
		fmt.Fprintln(o.err, hint)
	}
	return exitCode(kind)
}
