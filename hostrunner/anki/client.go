package anki

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Client is a collection of the real client.
type Client struct {
	// Path is its file. The real client locks it while it is open.
	Path string

	agent *Agent
	name  string
	open  bool
}

var clients atomic.Int64 // makes the names of collections in agents unique

// NewClient opens a new collection in an Agent of its own.
func NewClient(t testing.TB) *Client {
	t.Helper()
	return StartAgent(t).Client(t, filepath.Join(t.TempDir(), "collection.anki2"))
}

// Client opens the file, which is created if it is missing.
func (a *Agent) Client(t testing.TB, path string) *Client {
	t.Helper()
	c := a.client(path)
	c.Open(t)
	t.Cleanup(func() { c.Close(t) })
	return c
}

// OpenClient is Client outside of tests. Only methods without a testing.TB may be used.
func (a *Agent) OpenClient(path string) (*Client, error) {
	c := a.client(path)
	return c, c.Try("open", Args{"path": path}, nil)
}

func (a *Agent) client(path string) *Client {
	return &Client{Path: path, agent: a, name: fmt.Sprint(clients.Add(1))}
}

// Open opens the file again after Close.
func (c *Client) Open(t testing.TB) {
	t.Helper()
	c.Do(t, "open", Args{"path": c.Path}, nil)
	c.open = true
}

// Close closes the file; twice does no harm.
func (c *Client) Close(t testing.TB) {
	t.Helper()
	if c.open {
		c.open = false
		c.Do(t, "close", nil, nil)
	}
}

// Args are the arguments of an operation.
type Args map[string]any

// Try runs an operation of agent.py or edits.py; the error is an *Error.
func (c *Client) Try(op string, args Args, result any) error {
	return c.agent.call(c.name, op, args, result)
}

// Measured is what an operation cost.
type Measured struct {
	Seconds   float64
	Kilobytes int64 // peak memory of the process beyond what it had before
	Result    json.RawMessage
}

// Measure is Try that says what the operation cost, measured in the agent's process.
func (c *Client) Measure(op string, args Args) (m Measured, err error) {
	return m, c.Try("measure", Args{"op": op, "args": args}, &m)
}

// Do is Try for an operation that must not fail.
func (c *Client) Do(t testing.TB, op string, args Args, result any) {
	t.Helper()
	if err := c.Try(op, args, result); err != nil {
		if e, ok := err.(*Error); ok {
			t.Logf("%s", e.Trace)
		}
		t.Fatalf("anki: %s: %v", op, err)
	}
}

// ID runs an operation that returns an id.
func (c *Client) ID(t testing.TB, op string, args Args) (id int64) {
	t.Helper()
	c.Do(t, op, args, &id)
	return id
}

// SQL runs a statement on the open collection and returns its rows; blobs are hexadecimal text.
func (c *Client) SQL(t testing.TB, sql string, args ...any) (rows [][]any) {
	t.Helper()
	if args == nil {
		args = []any{}
	}
	c.Do(t, "sql", Args{"sql": sql, "args": args}, &rows)
	return rows
}

// Outcome is what a sync of the real client reports.
type Outcome struct {
	Required    string `json:"required"` // NO_CHANGES NORMAL_SYNC FULL_SYNC FULL_DOWNLOAD FULL_UPLOAD
	Message     string `json:"message"`
	NewEndpoint string `json:"new_endpoint"`
	MediaUSN    int64  `json:"media_usn"` // what the server has of media; only with NO_CHANGES and NORMAL_SYNC
}

// Sync syncs with the server at endpoint.
func (c *Client) Sync(endpoint, key string) (o Outcome, err error) {
	err = c.Try("sync", Args{"endpoint": endpoint, "key": key}, &o)
	return o, err
}

// Full replaces the server's collection by this one, or the other way round.
func (c *Client) Full(endpoint, key string, upload bool) error {
	return c.Try("full", Args{"endpoint": endpoint, "key": key, "upload": upload}, nil)
}

// Login returns the key.
func (c *Client) Login(endpoint, user, password string) (key string, err error) {
	err = c.Try("login", Args{"endpoint": endpoint, "user": user, "password": password}, &key)
	return key, err
}

// Dump returns the content of the collection, closing it for a moment.
func (c *Client) Dump(t testing.TB) Dump {
	t.Helper()
	if c.open {
		c.Close(t)
		defer c.Open(t)
	}
	return Read(t, c.Path)
}

// Int returns a number that came through JSON.
func Int(v any) int64 {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case json.Number:
		n, _ := v.Int64()
		return n
	}
	return 0
}
