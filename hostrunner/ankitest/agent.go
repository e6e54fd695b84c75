package ankitest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"sync"
)

//go:embed agent.py
var agentSource string

// Error is what the real Anki raised.
type Error struct {
	Class   string // of the exception
	Kind    string // of a sync error, e.g. "AUTH"
	Message string
}

// Error returns class and message.
func (e *Error) Error() string { return fmt.Sprintf("anki: %s %s: %s", e.Class, e.Kind, e.Message) }

// agent is a Python process that runs agent.py. It ends with its standard input, so it never outlives this process.
type agent struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors *tail
}

// idle has agents without a collection: starting one takes most of a second. It is the package's only state.
var idle struct {
	mu     sync.Mutex
	agents []*agent
}

// takeAgent returns an idle agent or starts one.
func takeAgent() (*agent, error) {
	idle.mu.Lock()
	if n := len(idle.agents); n > 0 {
		a := idle.agents[n-1]
		idle.agents = idle.agents[:n-1]
		idle.mu.Unlock()
		return a, nil
	}
	idle.mu.Unlock()
	return startAgent()
}

func startAgent() (*agent, error) {
	python, err := Python()
	if err != nil {
		return nil, err
	}
	a := &agent{cmd: exec.Command(python, "-c", agentSource), errors: &tail{}}
	a.cmd.Stderr = a.errors
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.out = bufio.NewReaderSize(out, 1<<20)
	return a, a.cmd.Start()
}

// putAgent keeps an agent for the next client, unless it has died.
func putAgent(a *agent) {
	if err := a.call("cleanup", nil, nil); err != nil {
		a.kill()
		return
	}
	idle.mu.Lock()
	defer idle.mu.Unlock()
	idle.agents = append(idle.agents, a)
}

// kill ends the process at once.
func (a *agent) kill() {
	_ = a.cmd.Process.Kill()
	_ = a.in.Close()
	_ = a.cmd.Wait()
}

// call runs a function of agent.py and decodes its result into result (nil: dropped). Exceptions are *Error.
func (a *agent) call(do string, args map[string]any, result any) error {
	line, err := json.Marshal(struct {
		Do   string         `json:"do"`
		Args map[string]any `json:"args,omitempty"`
	}{do, args})
	if err != nil {
		return err
	}
	if _, err := a.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("anki %s: %w\n%s", do, err, a.errors)
	}
	line, err = a.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("anki %s: the process has ended: %w\n%s", do, err, a.errors)
	}
	var answer struct {
		Result json.RawMessage
		Error  *Error
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return fmt.Errorf("anki %s: %w: %.200s", do, err, line)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %w", do, answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// tail keeps the end of what a process writes.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if extra := len(t.b) - 8<<10; extra > 0 {
		t.b = t.b[extra:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
