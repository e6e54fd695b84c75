package colsync

import (
	"context"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/wire"
)

// maxClockDifference is in seconds; only a larger difference is an error (§5.2).
const maxClockDifference = 300

// meta asks for the server's state, following one redirect (§2.3), and makes the checks of §5.2 that do not need the
// local collection: the server's message and the clock.
func meta(ctx context.Context, r *remote.Server) (wire.Meta, error) {
	return metaDuring(ctx, r, func() error { return nil })
}

// metaDuring is meta that does something else while the request is under way.
func metaDuring(ctx context.Context, r *remote.Server, do func() error) (wire.Meta, error) {
	now := r.Host.Clock.Now().Unix() // before the request (§22, trap 12)
	body, err := r.PostDuring(ctx, "meta", wire.MetaRequest(r.Client), do)
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
	r, err := remote.New(h, Account{Endpoint: endpoint}, client, remote.Sync)
	if err != nil {
		return LoginResult{}, err
	}
	body, err := r.Post(ctx, "hostKey", wire.LoginRequest(user, password))
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
	return LoginResult{Endpoint: r.Base, User: user, Key: key}, nil
}
