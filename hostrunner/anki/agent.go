package anki

import (
	"bufio"
	_ "embed" // the Python program
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// The files are one Python program.
var (
	//go:embed edits.py
	editsSource string
	//go:embed media.py
	mediaSource string
	//go:embed study.py
	studySource string
	//go:embed agent.py
	agentSource string
)

// Agent is a Python process with the real client library. It holds any number of collections and may be used by several
// goroutines.
type Agent struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
	ended   error
}

type request struct {
	ID   int    `json:"id"`
	Col  string `json:"col"`
	Op   string `json:"op"`
	Args any    `json:"args"`
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`
}

// Error is an exception of the real client.
type Error struct {
	Class   string `json:"class"`
	Kind    string `json:"kind"` // of a sync error or network error
	Message string `json:"message"`
	Trace   string `json:"trace"`
}

// Error returns class and message.
func (e *Error) Error() string { return strings.TrimSpace(e.Class + " " + e.Kind + ": " + e.Message) }

// StartAgent starts a process for one test.
func StartAgent(t testing.TB) *Agent {
	t.Helper()
	Need(t)
	a, err := NewAgent()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// NewAgent starts a process; the caller closes it.
func NewAgent() (*Agent, error) {
	python, err := Python()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, "-c", editsSource+mediaSource+studySource+agentSource)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.Stderr = os.Stderr
	if os.Getenv("CARDFERRY_AGENT_LOG") == "" {
		cmd.Stderr = nil
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	a := &Agent{cmd: cmd, stdin: in, waiting: map[int]chan reply{}}
	go a.read(out)
	return a, nil
}

// read hands answers to those who wait for them.
func (a *Agent) read(out io.Reader) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadBytes('\n')
		var rep reply
		if err == nil {
			err = json.Unmarshal(line, &rep)
		}
		a.mu.Lock()
		if err != nil {
			a.ended = fmt.Errorf("the Anki process has ended: %w", err)
			for id, c := range a.waiting {
				delete(a.waiting, id)
				close(c)
			}
			a.mu.Unlock()
			return
		}
		c := a.waiting[rep.ID]
		delete(a.waiting, rep.ID)
		a.mu.Unlock()
		c <- rep
	}
}

// call runs an operation. The error is an *Error if the real client raised one.
func (a *Agent) call(col, op string, args, result any) error {
	a.mu.Lock()
	if a.ended != nil {
		a.mu.Unlock()
		return a.ended
	}
	a.last++
	line, err := json.Marshal(request{a.last, col, op, args})
	if err != nil {
		a.mu.Unlock()
		return err
	}
	c := make(chan reply, 1)
	a.waiting[a.last] = c
	_, err = a.stdin.Write(append(line, '\n'))
	a.mu.Unlock()
	if err != nil {
		return err
	}
	rep, ok := <-c
	switch {
	case !ok:
		return a.ended
	case rep.Error != nil:
		return rep.Error
	case result == nil:
		return nil
	}
	return json.Unmarshal(rep.Result, result)
}

// Check runs the real client's database check on a copy of a file, and returns what it found: "" for nothing.
func (a *Agent) Check(path string) (string, error) {
	var r struct {
		Text string
		OK   bool
	}
	if err := a.call("", "check", map[string]any{"path": path}, &r); err != nil {
		return "", err
	}
	if text := strings.TrimSpace(r.Text); !r.OK || text != "Database rebuilt and optimized." {
		return text, nil
	}
	return "", nil
}

// Close ends the process.
func (a *Agent) Close() {
	a.stdin.Close()
	_ = a.cmd.Process.Kill()
	_ = a.cmd.Wait()
}
