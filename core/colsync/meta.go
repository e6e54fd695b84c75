package colsync

import (
	"context"
	"maps"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// maxClockDifference is in seconds; only a larger difference is an error (§5.2).
const maxClockDifference = 300

// meta asks for the server's state, following one redirect (§2.3), and makes the checks of §5.2 that do not need the
// local collection: the server's message and the clock.
func (r *remote) meta(ctx context.Context) (wire.Meta, error) {
	now := r.host.Clock.Now().Unix() // before the request (§22, trap 12)
	body, err := r.metaFollowing(ctx)
	if err != nil {
		return wire.Meta{}, err
	}
	m, err := wire.ParseMeta(body)
	if err != nil {
		return wire.Meta{}, fault.Step("meta", err)
	}
	if !m.Cont {
		return m, fault.New(fault.ServerMessage, "%s", m.Msg).With("server_message", m.Msg)
	}
	if d := m.TS - now; d > maxClockDifference || d < -maxClockDifference {
		return m, fault.New(fault.Clock, "this device's clock is %d seconds off the server's", -d).
			WithHint("Set date, time and time zone of this device, then sync again.").
			With("local_time", now).With("server_time", m.TS)
	}
	return m, nil
}

func (r *remote) metaFollowing(ctx context.Context) ([]byte, error) {
	for redirected := false; ; redirected = true {
		call := r.start(ctx, "meta", wire.MetaRequest(r.client))
		if err := r.wait(ctx, call); err != nil {
			call.Close()
			return nil, err
		}
		resp, err := call.Response()
		if err != nil || resp.Status != 308 || redirected {
			body, err := r.answer("meta", call)
			call.Close()
			return body, err
		}
		call.Close()
		if err := r.redirect(resp); err != nil {
			return nil, err
		}
	}
}

// redirect makes the Location of a 308 the new base; it is the base URL, not that of the method (§2.3).
func (r *remote) redirect(resp *host.Response) error {
	location := resp.Header["location"]
	if !strings.Contains(location, "://") {
		return fault.New(fault.Network, "meta: the server redirects to %q, which is no address", location)
	}
	base, err := ParseEndpoint(location)
	if err != nil {
		return fault.New(fault.Network, "meta: the server redirects to %q, which is no address", location)
	}
	r.base, r.newEndpoint = base, location
	return nil
}

// withRedirect adds where a redirect has led to the details of an error, as new_endpoint: the caller keeps it also when
// the sync has failed later (§2.3).
func (r *remote) withRedirect(err error) error {
	e, ok := err.(*fault.Error)
	if !ok || r.newEndpoint == "" {
		return err
	}
	c := *e
	c.Details = maps.Clone(e.Details)
	return c.With("new_endpoint", r.newEndpoint)
}

// LoginResult is what a login returns; Key is the secret to keep.
type LoginResult struct {
	Endpoint string `json:"endpoint"`
	User     string `json:"user"`
	Key      string `json:"key"`
}

// Login exchanges user and password for a key (§4). The user name is trimmed, the password is not.
// Errors: fault.Auth (wrong user or password), fault.InvalidInput, and those of the network.
func Login(ctx context.Context, h *host.Host, client, endpoint, user, password string) (LoginResult, error) {
	user = strings.TrimSpace(user)
	if user == "" || password == "" {
		return LoginResult{}, fault.New(fault.InvalidInput, "user and password must not be empty")
	}
	r, err := newRemote(h, Account{Endpoint: endpoint}, client)
	if err != nil {
		return LoginResult{}, err
	}
	body, err := r.post(ctx, "hostKey", wire.LoginRequest(user, password))
	if fault.KindOf(err) == fault.Auth {
		return LoginResult{}, fault.New(fault.Auth, "the server does not accept this user and password").
			WithHint("Check both, and that the account is one of this server.")
	}
	if err != nil {
		return LoginResult{}, err
	}
	key, err := wire.ParseLogin(body)
	if err != nil {
		return LoginResult{}, fault.Step("hostKey", err)
	}
	return LoginResult{Endpoint: r.base, User: user, Key: key}, nil
}
