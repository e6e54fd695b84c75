package hostrunner

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/service"
)

// silence is how long a server that is listened to may say nothing; its heartbeats come every 25 seconds.
const silence = 70 * time.Second

// listener has at most one connection to a server's events (contract §5). When to listen is decided by the scheduler.
type listener struct {
	ctx  context.Context
	tell func(service.AutoParams)

	mu   sync.Mutex
	conn *connection // nil: not listening
}

type connection struct{ end context.CancelFunc }

func newListener(ctx context.Context, tell func(service.AutoParams)) *listener {
	return &listener{ctx: ctx, tell: tell}
}

// set listens or not, as wanted.
func (l *listener) set(wanted bool, acc *colsync.Account) {
	if !wanted || acc == nil {
		l.stop()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		return
	}
	ctx, end := context.WithCancel(l.ctx)
	c := &connection{end}
	l.conn = c
	go func() {
		_ = l.run(ctx, c, *acc) // why it has ended does not matter
		end()
		if l.take(c) {
			l.tell(service.AutoParams{Event: autosync.Deaf})
		}
	}()
}

// stop ends the connection, without a word.
func (l *listener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.end()
		l.conn = nil
	}
}

// take forgets a connection that has ended; false if it was stopped.
func (l *listener) take(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := l.conn == c
	if mine {
		l.conn = nil
	}
	return mine
}

func (l *listener) run(ctx context.Context, c *connection, acc colsync.Account) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(acc.Endpoint, "/")+"/api/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+acc.Key)
	dead := time.AfterFunc(silence, c.end)
	defer dead.Stop()
	// A key must not follow a redirect to somewhere else.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		// What the key still is good for, a sync tells: without one nobody would hear of it before there is something to send.
		l.tell(service.AutoParams{Event: autosync.Changed})
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return nil
	}
	l.tell(service.AutoParams{Event: autosync.Listening})
	changed := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		dead.Reset(silence)
		switch line := lines.Text(); {
		case line == "":
			changed = false
		case line == "event: changed":
			changed = true
		case changed && strings.HasPrefix(line, "data:"):
			e := service.AutoParams{Event: autosync.Changed}
			replaced := false
			_ = json.Unmarshal([]byte(line[len("data:"):]), &struct {
				USN      **int64 `json:"usn"`
				MediaUSN **int64 `json:"media_usn"`
				Empty    *bool   `json:"empty"`
				Replaced *bool   `json:"replaced"`
			}{&e.USN, &e.MediaUSN, &e.Empty, &replaced}) // what cannot be read is a change of something
			if replaced {
				e.USN = nil // the number of another collection says nothing: it may be the one that we know
			}
			l.tell(e)
		}
	}
	return ctx.Err()
}
