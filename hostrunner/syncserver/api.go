package syncserver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// apiRoute is an endpoint below /api/.
type apiRoute struct {
	verb  string
	path  string // ends in "/" if an id follows
	open  bool   // needs no key
	serve func(ctx context.Context, c *call, id string) error
}

var apiRoutes = []apiRoute{
	{verb: http.MethodPost, path: "signup", open: true, serve: signUp},
	{verb: http.MethodPost, path: "password", serve: changePassword},
	{verb: http.MethodGet, path: "devices", serve: listDevices},
	{verb: http.MethodDelete, path: "devices/", serve: revokeDevice},
	{verb: http.MethodGet, path: "collection", serve: showContents},
	{verb: http.MethodGet, path: "events", serve: listen},
}

// api serves a path below /api/. Its answers, errors too, are JSON.
func (s *Server) api(c *call, path string) {
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.Header().Set("X-Content-Type-Options", "nosniff")
	var verbs []string
	for i := range apiRoutes {
		route := &apiRoutes[i]
		id, ok := strings.CutPrefix(path, route.path)
		if !ok || (id == "") == strings.HasSuffix(route.path, "/") || strings.Contains(id, "/") {
			continue
		}
		if c.r.Method != route.verb {
			verbs = append(verbs, route.verb)
			continue
		}
		c.endpoint = "api/" + strings.TrimSuffix(route.path, "/")
		if err := c.runAPI(route, id); err != nil {
			c.failAPI(err)
		}
		return
	}
	if verbs != nil {
		c.w.Header().Set("Allow", strings.Join(verbs, ", "))
		c.failAPI(refuse(http.StatusMethodNotAllowed, "no such method of this path"))
		return
	}
	c.failAPI(refuse(http.StatusNotFound, "no such path"))
}

func (c *call) runAPI(route *apiRoute, id string) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), c.server.Limits.Work)
	defer cancel()
	// A page of another origin must not use what a browser has of ours. There are no cookies, but sign-up needs no key.
	if err := c.server.crossOrigin.Check(c.r); err != nil {
		return refuse(http.StatusForbidden, "a request of another origin's page")
	}
	if !route.open {
		key, err := c.bearer()
		if err != nil {
			return err
		}
		err = c.server.authenticate(ctx, c, key, "")
		if fault.KindOf(err) == fault.Auth {
			return refuse(http.StatusUnauthorized, "unknown key")
		}
		if err != nil {
			return err
		}
	}
	return route.serve(ctx, c, id)
}

// bearer returns the key that the request has.
func (c *call) bearer() (string, error) {
	scheme, key, ok := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", refuse(http.StatusUnauthorized, "no key")
	}
	return strings.TrimSpace(key), nil
}

// failAPI answers with an error's status and a reason.
func (c *call) failAPI(err error) {
	status := statusOf(err)
	reason := strings.ToLower(http.StatusText(status))
	switch {
	case errors.Is(err, store.ErrTaken):
		status, reason = http.StatusConflict, "this user name is taken"
	case fault.KindOf(err) == fault.InvalidInput:
		status, reason = http.StatusUnprocessableEntity, err.Error()
	case fault.KindOf(err) == fault.NotFound:
		status, reason = http.StatusNotFound, "there is no such thing"
	}
	if status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	c.failWith(err, func() { c.json(status, map[string]string{"error": reason}) })
}

// json answers with a value.
func (c *call) json(status int, v any) {
	body, _ := json.Marshal(v) // our own types can always be
	body = append(body, '\n')
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // who does not take the answer gets none
}

// readJSON reads the request's body.
func (c *call) readJSON(v any) error {
	b, err := io.ReadAll(io.LimitReader(c.body, tinyMessage+1))
	if err != nil {
		return err
	}
	if len(b) > tinyMessage {
		return &http.MaxBytesError{Limit: tinyMessage}
	}
	// What is not text would become U+FFFD: names and passwords that nobody has chosen.
	if err := json.Unmarshal(b, v); err != nil || !utf8.Valid(b) {
		return refuse(http.StatusBadRequest, "not JSON of the expected form")
	}
	return nil
}

// signUp makes an account (contract §5).
func signUp(ctx context.Context, c *call, _ string) error {
	s := c.server
	if s.SignupClosed {
		return refuse(http.StatusForbidden, "sign-up is closed")
	}
	var request struct{ User, Password string }
	if err := c.readJSON(&request); err != nil {
		return err
	}
	try := attempt{at: s.Now()}
	if wait := try.try(s.limiters.signupIP, network(c.ip)); wait > 0 {
		return tooMany("too many sign-ups", wait)
	}
	if wait := try.try(s.limiters.signup, ""); wait > 0 {
		return tooMany("too many sign-ups", wait)
	}
	a, err := s.users.Add(ctx, request.User, request.Password)
	if fault.KindOf(err) == fault.InvalidInput {
		try.undo() // a slip of the fingers
	}
	if err != nil {
		return err
	}
	c.account = a
	c.json(http.StatusCreated, map[string]string{"user": a.Name})
	return nil
}

// changePassword sets a new password, for which the old one is asked, and revokes all other devices.
func changePassword(ctx context.Context, c *call, _ string) error {
	var request struct{ Old, New string }
	if err := c.readJSON(&request); err != nil {
		return err
	}
	a, err := c.login(ctx, c.account.Name, request.Old)
	if err == nil && a.ID == c.account.ID {
		err = c.server.users.changePassword(ctx, a, request.New, c.device.ID)
	}
	if fault.KindOf(err) == fault.Auth || err == nil && a.ID != c.account.ID {
		return refuse(http.StatusForbidden, "wrong password")
	}
	if err != nil {
		return err
	}
	c.server.events.recheck(c.account.ID)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// deviceInfo is a device as its owner sees it; times are in milliseconds.
type deviceInfo struct {
	ID       store.DeviceID `json:"id"`
	Name     string         `json:"name"`
	Created  int64          `json:"created"`
	LastSeen int64          `json:"last_seen"`
	Current  bool           `json:"current"` // the one that asks
}

func listDevices(ctx context.Context, c *call, _ string) error {
	list, err := c.server.Accounts.Devices(ctx, c.account.ID)
	if err != nil {
		return err
	}
	devices := make([]deviceInfo, 0, len(list))
	for _, d := range list {
		devices = append(devices, deviceInfo{d.ID, d.Name, d.Created.UnixMilli(), d.Seen.UnixMilli(), d.ID == c.device.ID})
	}
	c.json(http.StatusOK, map[string]any{"devices": devices})
	return nil
}

func revokeDevice(ctx context.Context, c *call, id string) error {
	if err := c.server.Accounts.RemoveDevice(ctx, c.account.ID, store.DeviceID(id)); err != nil {
		return err
	}
	c.server.events.recheck(c.account.ID)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
