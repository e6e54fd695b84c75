package ankitest

import (
	"encoding/json"
	"errors"
	"path/filepath"
)

// ErrKilled is the error of a client's methods after Kill.
var ErrKilled = errors.New("the real client was killed")

// SyncResult is what the real client says after a sync.
type SyncResult struct {
	Required    string // "none", "normal", "full", "full_download" or "full_upload"
	Message     string
	NewEndpoint string `json:"new_endpoint"`
}

// Client is a real Anki client with one collection open. Its methods end the test if Anki raises an exception; those
// named Try… return it. It is used by one goroutine at a time.
type Client struct {
	// Path is the collection file.
	Path string

	t     TB
	agent *agent
}

// NewClient opens the collection at path with a real client, creating it if it is missing; "" is a new one in a folder
// of the test's. The test ends it.
func NewClient(t TB, path string) *Client {
	t.Helper()
	Require(t)
	if path == "" {
		path = filepath.Join(TempDir(t), "collection.anki2")
	}
	c := &Client{Path: path, t: t}
	t.Cleanup(c.end)
	c.Reopen()
	return c
}

// StartClient is NewClient outside of tests, with a process of its own. The caller ends it with Kill; only methods named
// Try…, and Measure, may be used.
func StartClient(path string) (*Client, error) {
	a, err := startAgent()
	if err != nil {
		return nil, err
	}
	c := &Client{Path: path, agent: a}
	if err := c.TryDo("open", map[string]any{"path": path}, nil); err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

func (c *Client) end() {
	if c.agent != nil {
		putAgent(c.agent)
		c.agent = nil
	}
}

// Do runs a function of agent.py on the collection.
func (c *Client) Do(do string, args map[string]any) {
	c.t.Helper()
	if err := c.TryDo(do, args, nil); err != nil {
		c.t.Fatal(err)
	}
}

// TryDo is Do with a result and an error. The error is an *Error if Anki raised it.
func (c *Client) TryDo(do string, args map[string]any, result any) error {
	if c.agent == nil {
		return ErrKilled
	}
	return c.agent.call(do, args, result)
}

// Close closes the collection; the client can be reopened.
func (c *Client) Close() { c.t.Helper(); c.Do("close", nil) }

// Kill ends the process at once, as a crash does.
func (c *Client) Kill() {
	c.agent.kill()
	c.agent = nil
}

// Reopen opens the collection again after Close or Kill.
func (c *Client) Reopen() {
	c.t.Helper()
	if c.agent == nil {
		a, err := takeAgent()
		if err != nil {
			c.t.Fatal(err)
		}
		c.agent = a
	}
	c.Do("open", map[string]any{"path": c.Path})
}

// Login logs in at an endpoint.
func (c *Client) Login(endpoint string, u User) {
	c.t.Helper()
	c.Do("login", map[string]any{"endpoint": endpoint, "user": u.Name, "password": u.Password})
}

// UseKey sets endpoint and key without a request.
func (c *Client) UseKey(endpoint, key string) {
	c.t.Helper()
	c.Do("use_key", map[string]any{"endpoint": endpoint, "key": key})
}

// TrySync runs a normal sync, and nothing if a one-way sync is needed.
func (c *Client) TrySync() (r SyncResult, err error) {
	return r, c.TryDo("sync", nil, &r)
}

// Sync runs a sync that must not need a one-way sync.
func (c *Client) Sync() {
	c.t.Helper()
	r, err := c.TrySync()
	if err != nil {
		c.t.Fatal(err)
	}
	if r.Required != "none" {
		c.t.Fatalf("the real client needs a %s sync", r.Required)
	}
}

// TryFull uploads or downloads the whole collection.
func (c *Client) TryFull(upload bool) error {
	return c.TryDo("full", map[string]any{"upload": upload}, nil)
}

// Upload replaces the server's collection by this one.
func (c *Client) Upload() { c.t.Helper(); c.Do("full", map[string]any{"upload": true}) }

// Download replaces this collection by the server's.
func (c *Client) Download() { c.t.Helper(); c.Do("full", map[string]any{"upload": false}) }

// Measured is what a call cost.
type Measured struct {
	Seconds   float64
	Kilobytes int64 // peak memory of the process beyond what it had before
	Result    json.RawMessage
}

// Measure runs a function of agent.py and says what it cost, measured in its process.
func (c *Client) Measure(do string, args map[string]any) (m Measured, err error) {
	if args == nil {
		args = map[string]any{}
	}
	return m, c.TryDo("measure", map[string]any{"do": do, "args": args}, &m)
}

// SQL runs a statement on the open collection.
func (c *Client) SQL(sql string, args ...any) {
	c.t.Helper()
	c.Do("execute", map[string]any{"sql": sql, "args": args})
}

// CheckFile runs the real client's database check on a copy of a collection file. It ends the test if there is anything to
// repair.
func CheckFile(t TB, path string) {
	t.Helper()
	report, err := CheckReport(t, path)
	if err != nil || report != "" {
		t.Fatalf("the database check of %s: %s %v", path, report, err)
	}
}

// CheckReport returns the report of the database check of a copy of a collection file, "" if nothing was found.
func CheckReport(t TB, path string) (report string, err error) {
	t.Helper()
	Require(t)
	copied, err := copyCollection(path, TempDir(t))
	if err != nil {
		return "", err
	}
	a, err := takeAgent()
	if err != nil {
		return "", err
	}
	defer putAgent(a)
	return report, a.call("check", map[string]any{"path": copied}, &report)
}
