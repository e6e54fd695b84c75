package syncserver

import (
	"context"
	"time"
)

// lastWord is the answer with which a session has ended. Browsers send a request again of which a connection in use has brought no answer: the
// sync went well, and its client would be told that another device has taken it over. What the answer says stays true whatever has come since.
// Only clients that number their requests (core/remote) get it again: they have a new key for each session.
type lastWord struct {
	session, endpoint string
	answer            []byte
	ended             time.Time
}

// lastWords is how many are kept: other devices may have synced before a dead connection is noticed.
const lastWords = 8

// ending is inSession for a method whose answer may be the session's last word; do returns it, and whether it is.
func (c *call) ending(ctx context.Context, do func(s *session) (answer []byte, last bool, err error)) (a answer, again bool, err error) {
	t := c.tenant
	err = t.with(ctx, func() error {
		t.expireSession()
		if a.message = t.said(c); a.message != nil {
			again = true
			return nil
		}
		return c.use(ctx, func(s *session) (err error) {
			var last bool
			if a.message, last, err = do(s); last && err == nil && s.once.last > 0 {
				t.endsWith(lastWord{s.key, c.endpoint, a.message, t.server.Now()})
			}
			return err
		})
	})
	return a, again, err
}

func (t *tenant) endsWith(w lastWord) {
	if len(t.ended) == lastWords {
		t.ended = t.ended[1:]
	}
	t.ended = append(t.ended, w)
}

// said returns the answer to a request that has ended its session, nil if it has not. It is kept as long as a session would have waited.
func (t *tenant) said(c *call) []byte {
	if t.session != nil && t.session.key == c.header.session {
		return nil
	}
	for _, w := range t.ended {
		if w.session == c.header.session && w.endpoint == c.endpoint && t.server.Now().Sub(w.ended) < t.server.Limits.Session {
			return w.answer
		}
	}
	return nil
}
