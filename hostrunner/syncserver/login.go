package syncserver

import (
	"context"
	"net/http"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// hostKey is the login (§4): every one makes a device with a key of its own.
func hostKey(ctx context.Context, c *call, payload []byte) (answer, error) {
	user, password, err := wire.ParseLoginRequest(payload)
	if err != nil {
		return answer{}, err
	}
	a, err := c.login(ctx, user, password)
	var key string
	if err == nil {
		key, err = c.server.users.addDevice(ctx, a, c.header.client, c.server.Limits.Devices)
	}
	if fault.KindOf(err) == fault.Auth {
		return answer{}, refuse(http.StatusForbidden, "wrong user or password")
	}
	if err != nil {
		return answer{}, err
	}
	c.account = a
	return answer{message: wire.AppendLogin(nil, key)}, nil
}

// login checks user and password, and limits how often that is tried. Errors: fault.Auth, 429.
func (c *call) login(ctx context.Context, user, password string) (store.Account, error) {
	s := c.server
	from, to := network(c.ip), store.FoldName(user)
	if len(to) > maxName {
		to = to[:maxName]
	}
	try := attempt{at: s.Now()}
	for _, l := range []struct {
		*limiter
		key string
	}{{s.limiters.loginIP, from}, {s.limiters.loginTo, to}, {s.limiters.loginBoth, from + " " + to}} {
		if wait := try.try(l.limiter, l.key); wait > 0 {
			return store.Account{}, tooMany("too many logins", wait)
		}
	}
	a, err := s.users.check(ctx, user, password)
	if err == nil {
		try.undo()
	}
	return a, err
}

// tooMany is a 429 that says when to try again.
func tooMany(reason string, wait time.Duration) error {
	return &statusError{status: http.StatusTooManyRequests, reason: reason, retryAfter: int((wait + time.Second - 1) / time.Second)}
}
