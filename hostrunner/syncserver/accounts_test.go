package syncserver_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// clock is a clock that tests move.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_800_000_000_000)
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func TestSignUp(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	url := serve(t, s)
	anybody := &client{t: t, url: url}
	sign := func(user, password string) (int, map[string]any) {
		return anybody.api("POST", "signup", map[string]string{"user": user, "password": password})
	}
	if status, answer := sign("  Zoë@example.org ", password); status != 201 || answer["user"] != "Zoë@example.org" {
		t.Fatal(status, answer)
	}
	login(t, url, "zoë@EXAMPLE.org", password)
	login(t, url, "  Zoë@example.org ", password) // just as it was signed up
	for _, c := range []struct {
		user, password string
		status         int
	}{
		{"zoe\u0308@example.org", password, 409},
		{"", password, 422}, {" ", password, 422}, {"a\nb", password, 422}, {"a\u200bb", password, 422}, {"a\ufffd", password, 422}, {strings.Repeat("x", 101), password, 422},
		{"\u3164", password, 422}, {"zoë\u115f", password, 422}, {"\uffa0zoë", password, 422}, {"zoë\u034f", password, 422}, {"\u2800", password, 422},
		{"\ufe0f", password, 422}, {"❤\ufe0f", password, 201},
		{"ada", "", 422}, {"ada", "short", 422}, {"ada", "password", 422}, {"ada", "PassWord123", 422}, {"ada", "aaaaaaaaaaaa", 422}, {"ada", "éééééééé", 422},
		{"ada.lovelace", "Ada.Lovelace", 422}, {"ada", strings.Repeat("x y", 400), 422},
		{"../../etc", password, 201}, {"'; DROP TABLE accounts", password, 201}, {"👩‍🎓"[:4], password, 201},
	} {
		status, answer := sign(c.user, c.password)
		if status != c.status {
			t.Errorf("%q with %q: %d %v, want %d", c.user, c.password, status, answer, c.status)
		}
		if reason, _ := answer["error"].(string); status != 201 && reason == "" {
			t.Errorf("%q: no reason", c.user)
		}
	}
	for _, body := range []string{"", "[]", `{"user":1,"password":"x"}`, `{"user"`, `{"user":"a` + "\xff" + `","password":"` + password + `"}`} {
		if resp := do(t, "POST", url+"api/signup", []byte(body), nil); resp.StatusCode != 400 {
			t.Errorf("%s: %d", body, resp.StatusCode)
		}
	}
	if resp := do(t, "POST", url+"api/signup", []byte(`{"user":"`+strings.Repeat("x", 1<<17)+`"}`), nil); resp.StatusCode != 413 {
		t.Errorf("a large request: %d", resp.StatusCode)
	}
	if resp := do(t, "GET", url+"api/signup", nil, nil); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" ||
		string(resp.body) != `{"error":"method not allowed"}`+"\n" {
		t.Errorf("GET: %d %v %s", resp.StatusCode, resp.Header, resp.body)
	}
	for _, path := range []string{"api/", "api/nothing", "api/signup/x"} {
		if resp := do(t, "POST", url+path, []byte("{}"), nil); resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/json" ||
			string(resp.body) != `{"error":"not found"}`+"\n" {
			t.Errorf("%s: %d %v %s", path, resp.StatusCode, resp.Header, resp.body)
		}
	}
}

func TestSignUpClosed(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{SignupClosed: true}
	c := &client{t: t, url: serve(t, s)}
	if status, _ := c.api("POST", "signup", map[string]string{"user": "ada", "password": password}); status != 403 {
		t.Fatal(status)
	}
	newClient(t, s, c.url, "ada") // made by the administrator
}

// TestSignUpOfOneName: of many who want a name at once one gets it, and the others are told.
func TestSignUpOfOneName(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	c := &client{t: t, url: serve(t, s)}
	var created, taken atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch status, _ := c.api("POST", "signup", map[string]string{"user": "ada", "password": password}); status {
			case 201:
				created.Add(1)
			case 409:
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 || taken.Load() != 15 {
		t.Fatal(created.Load(), taken.Load())
	}
}

// TestSignUpLimit: a flood of sign-ups from one address ends, and the answer says when to come again; other addresses are not
// affected.
func TestSignUpLimit(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now, ClientIP: fromHeader}
	url := serve(t, s)
	made := 0
	sign := func(i int, ip string) response {
		return do(t, "POST", url+"api/signup", fmt.Appendf(nil, `{"user":"u%d","password":%q}`, i, password), map[string]string{"from": ip})
	}
	for i := range 1000 {
		resp := sign(i, "192.0.2.1")
		switch resp.StatusCode {
		case 201:
			made++
		case 429:
			if resp.Header.Get("Retry-After") != "60" {
				t.Fatal("retry after", resp.Header.Get("Retry-After"))
			}
		default:
			t.Fatal(resp.StatusCode)
		}
	}
	if made != 20 {
		t.Errorf("%d accounts from one address", made)
	}
	if resp := sign(2000, "192.0.2.2"); resp.StatusCode != 201 {
		t.Error("another address:", resp.StatusCode)
	}
	for i, want := range []int{201, 201, 429} { // addresses of one IPv6 network count as one
		now.advance(map[bool]time.Duration{true: 2 * time.Minute}[i == 0])
		if resp := sign(3000+i, "192.0.2.1"); resp.StatusCode != want {
			t.Error("later:", resp.StatusCode, want)
		}
	}
	for i := range 21 {
		resp := sign(4000+i, fmt.Sprintf("2001:db8::%x", i+1))
		if want := map[bool]int{true: 201, false: 429}[i < 20]; resp.StatusCode != want {
			t.Error("IPv6:", i, resp.StatusCode)
		}
	}
}

func TestLoginLimit(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now, ClientIP: fromHeader}
	url := serve(t, s)
	if _, err := s.Users().Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	try := func(user, password, ip string) response {
		return do(t, "POST", url+"sync/hostKey", wire.NewCodec().Compress(nil, wire.LoginRequest(user, password)),
			map[string]string{"from": ip, "anki-sync": `{"v":11,"k":"","c":"","s":""}`})
	}
	for range 30 { // a class behind one address: logins that succeed do not count
		if resp := try("ada", password, "192.0.2.1"); resp.StatusCode != 200 {
			t.Fatal(resp.StatusCode)
		}
	}
	for _, user := range []string{"ada", "nobody"} { // the same answers whether there is such a user or not
		for i := range 12 {
			resp := try(user, "guess", "192.0.2.7")
			if want := map[bool]int{true: 403, false: 429}[i < 10]; resp.StatusCode != want {
				t.Fatalf("%s %d: %d", user, i, resp.StatusCode)
			}
			if i >= 10 && resp.Header.Get("Retry-After") != "30" {
				t.Error("retry after", resp.Header.Get("Retry-After"))
			}
		}
	}
	if resp := try("ada", password, "192.0.2.7"); resp.StatusCode != 429 {
		t.Error("the right password after too many wrong ones:", resp.StatusCode)
	}
	if resp := try("ada", password, "192.0.2.8"); resp.StatusCode != 200 {
		t.Error("from elsewhere:", resp.StatusCode)
	}
	now.advance(31 * time.Second)
	if resp := try("ada", password, "192.0.2.7"); resp.StatusCode != 200 {
		t.Error("later:", resp.StatusCode)
	}
}

// TestLoginTellsNothing: a wrong password, an unknown user, a disabled one and none at all have one answer, after the same work.
func TestLoginTellsNothing(t *testing.T) {
	t.Parallel()
	accounts := memstore.NewAccounts()
	s := &syncserver.Server{Accounts: accounts}
	url := serve(t, s)
	c := newClient(t, s, url, "ada")
	disabled, err := s.Users().Add(t.Context(), "eve", password)
	if err != nil {
		t.Fatal(err)
	}
	eve := login(t, url, "eve", password)
	disabled.Disabled = true
	if err := accounts.Update(t.Context(), disabled); err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{{"ada", "wrong password"}, {"nobody", "wrong password"}, {"eve", password}, {"", ""}, {"ada", ""},
		{"ada", strings.Repeat("x", 5000)}, {strings.Repeat("x", 5000), "x"}} {
		c.want(403, "sync/hostKey", string(wire.LoginRequest(r[0], r[1])))
	}
	eve.want(403, "sync/abort", "{}")
	c.want(400, "sync/hostKey", `{"u":"ada"}`)
}

func TestDevices(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now, Limits: syncserver.Limits{Devices: 3}}
	url := serve(t, s)
	phone := newClient(t, s, url, "ada")
	now.advance(time.Hour)
	laptop := login(t, url, "ada", password)
	eve := newClient(t, s, url, "eve")
	laptop.name = "desktop program\u00e9 1.0"
	laptop.must("sync/abort", []byte("{}"))

	list := laptop.devices()
	if len(list) != 2 || list[0]["name"] != phone.name || list[1]["name"] != "desktop program 1.0" ||
		list[0]["current"] != false || list[1]["current"] != true ||
		list[0]["last_seen"] != float64(now.now().Add(-time.Hour).UnixMilli()) || list[1]["last_seen"] != float64(now.now().UnixMilli()) {
		t.Fatalf("devices: %v", list)
	}
	id := list[0]["id"].(string)
	for _, c := range []struct {
		who    *client
		verb   string
		path   string
		status int
	}{
		{eve, "DELETE", "devices/" + id, 404}, {laptop, "DELETE", "devices/none", 404}, {laptop, "DELETE", "devices/", 404},
		{laptop, "DELETE", "devices/" + id + "/x", 404}, {laptop, "DELETE", "devices", 405}, {laptop, "POST", "devices", 405},
		{&client{t: t, url: url}, "GET", "devices", 401}, {&client{t: t, url: url, key: "forged"}, "GET", "devices", 401},
		{laptop, "GET", "nothing", 404},
		{laptop, "DELETE", "devices/" + id, 204}, {laptop, "DELETE", "devices/" + id, 404}, {phone, "GET", "devices", 401},
	} {
		if status, _ := c.who.api(c.verb, c.path, nil); status != c.status {
			t.Errorf("%s %s: %d, want %d", c.verb, c.path, status, c.status)
		}
	}
	phone.want(403, "sync/abort", "{}")
	laptop.must("sync/abort", []byte("{}"))

	for range 3 { // more devices than there may be
		now.advance(time.Hour)
		login(t, url, "ada", password)
	}
	laptop.want(403, "sync/abort", "{}")
}

// TestDevicesSetBack: the clock was a year ahead when devices were seen, as after a start without the network's time. Those in use are seen
// now, and it is one of the others that makes room.
func TestDevicesSetBack(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now, Limits: syncserver.Limits{Devices: 3}}
	url := serve(t, s)
	now.advance(365 * 24 * time.Hour)
	phone := newClient(t, s, url, "ada")
	laptop, lost := login(t, url, "ada", password), login(t, url, "ada", password)
	now.advance(-365 * 24 * time.Hour)
	laptop.must("sync/abort", []byte("{}"))
	phone.must("sync/abort", []byte("{}"))
	if seen := phone.devices()[0]["last_seen"]; seen != float64(now.now().UnixMilli()) {
		t.Errorf("a device is here now, %d, and was last seen %.0f", now.now().UnixMilli(), seen)
	}
	now.advance(time.Minute)
	login(t, url, "ada", password)
	phone.want(200, "sync/abort", "{}")
	laptop.want(200, "sync/abort", "{}")
	lost.want(403, "sync/abort", "{}")
}

// devices returns the account's devices.
func (c *client) devices() (list []map[string]any) {
	c.t.Helper()
	status, answer := c.api("GET", "devices", nil)
	if status != 200 {
		c.t.Fatal(status, answer)
	}
	for _, d := range answer["devices"].([]any) {
		list = append(list, d.(map[string]any))
	}
	return list
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	url := serve(t, s)
	phone := newClient(t, s, url, "ada")
	laptop := login(t, url, "ada", password)
	change := func(old, next string) int {
		status, _ := laptop.api("POST", "password", map[string]string{"old": old, "new": next})
		return status
	}
	for _, c := range []struct {
		old, next string
		status    int
	}{{"wrong password", "battery staple", 403}, {password, "short", 422}, {password, "battery staple", 204}, {password, "battery staple", 403}} {
		if got := change(c.old, c.next); got != c.status {
			t.Errorf("%q to %q: %d, want %d", c.old, c.next, got, c.status)
		}
	}
	laptop.must("sync/abort", []byte("{}"))
	phone.want(403, "sync/abort", "{}")
	laptop.want(403, "sync/hostKey", string(wire.LoginRequest("ada", password)))
	login(t, url, "ada", "battery staple")
}

// TestCrossOrigin: a page of another origin cannot use /api/, unless it is allowed.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origins syncserver.Origins
		header  map[string]string
		status  int
		allowed string
	}{
		{nil, map[string]string{"Origin": "https://evil.example"}, 403, ""},
		{nil, map[string]string{"Origin": "null"}, 403, ""},
		{nil, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403, ""},
		{nil, map[string]string{"Sec-Fetch-Site": "same-origin"}, 201, ""},
		{nil, nil, 201, ""},
		{syncserver.Origins{"https://app.example"}, map[string]string{"Origin": "https://evil.example"}, 403, ""},
		{syncserver.Origins{"https://app.example"}, map[string]string{"Origin": "https://app.example"}, 201, "https://app.example"},
		{syncserver.Origins{"*"}, map[string]string{"Origin": "https://any.example"}, 201, "https://any.example"},
	} {
		url := serve(t, &syncserver.Server{Origins: c.origins})
		resp := do(t, "POST", url+"api/signup", fmt.Appendf(nil, `{"user":"ada","password":%q}`, password), c.header)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != c.status || got != c.allowed {
			t.Errorf("%v %v: %d, allowed %q", c.origins, c.header, resp.StatusCode, got)
		}
	}
	url := serve(t, &syncserver.Server{Origins: syncserver.Origins{"https://app.example"}})
	preflight := map[string]string{"Origin": "https://app.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "anki-sync"}
	if resp := do(t, "OPTIONS", url+"sync/meta", nil, preflight); resp.StatusCode != 204 || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "anki-sync") {
		t.Error("preflight:", resp.StatusCode, resp.Header)
	}
	preflight["Origin"] = "https://evil.example"
	if resp := do(t, "OPTIONS", url+"sync/meta", nil, preflight); resp.StatusCode != 405 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("preflight of another page:", resp.StatusCode, resp.Header)
	}
	resp := do(t, "POST", url+"sync/meta", nil, map[string]string{"Origin": "https://app.example"})
	if !strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), "anki-original-size") {
		t.Error("an error cannot be read by the page:", resp.Header)
	}
}

// TestFixedUsers: the accounts of the reference server's settings, whose devices go on with the keys that they have.
func TestFixedUsers(t *testing.T) {
	t.Parallel()
	accounts := memstore.NewAccounts()
	s := &syncserver.Server{Accounts: accounts}
	url := serve(t, s)
	newClient(t, s, url, "carol")
	with := func(settings map[string]string) {
		t.Helper()
		list, err := syncserver.FixedUsers(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
		if err == nil {
			err = s.Users().SetFixed(t.Context(), list)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const key = "b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d" // of user:pass (§18)
	old := &client{t: t, url: url, version: 11, key: key}
	old.want(403, "sync/abort", "{}")
	with(map[string]string{"SYNC_USER1": "user:pass", "SYNC_USER2": "bob:p:w", "SYNC_USER4": "dave:after the gap"})
	old.want(200, "sync/abort", "{}")
	device := login(t, url, "user", "pass")
	login(t, url, "bob", "p:w")
	old.want(403, "sync/hostKey", string(wire.LoginRequest("dave", "after the gap")))
	if err := s.Users().SetPassword(t.Context(), "user", "battery staple", ""); fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("another password for a fixed user: %v", err)
	}

	with(map[string]string{"SYNC_USER1": "user:pass", "SYNC_USER2": "bob:p:w"}) // started again: nothing changes
	old.want(200, "sync/abort", "{}")
	device.want(200, "sync/abort", "{}")

	with(map[string]string{"SYNC_USER1": "user:new", "SYNC_USER2": "carol:mine"}) // bob is gone, carol is taken over
	old.want(403, "sync/abort", "{}")
	device.want(403, "sync/abort", "{}")
	device.want(403, "sync/hostKey", string(wire.LoginRequest("bob", "p:w")))
	device.want(403, "sync/hostKey", string(wire.LoginRequest("carol", password)))
	login(t, url, "carol", "mine")
	// A password of its own makes bob's an account like any other, which the settings leave alone.
	if err := s.Users().SetPassword(t.Context(), "bob", "battery staple", ""); err != nil {
		t.Errorf("a password for a user that is fixed no more: %v", err)
	}
	own := login(t, url, "bob", "battery staple")
	with(map[string]string{"SYNC_USER1": "user:new", "SYNC_USER2": "carol:mine"})
	own.want(200, "sync/abort", "{}")

	// The hash that the test harness of the real server uses, of "pass".
	const hashed = "$pbkdf2-sha256$i=1000,l=32$Y2FyZGZlcnJ5c2FsdDEyMw$pWkX7kvy4DxeWBp+3zRLhzqgaIG6j+FK7eSUYZ8E3tY"
	with(map[string]string{"SYNC_USER1": "user:" + hashed, "PASSWORDS_HASHED": ""})
	device = login(t, url, "user", "pass")
	device.want(403, "sync/hostKey", string(wire.LoginRequest("user", hashed)))
	device.want(403, "sync/hostKey", string(wire.LoginRequest("nobody", "pass")))
	with(map[string]string{"SYNC_USER1": "user:" + hashed, "PASSWORDS_HASHED": ""})
	device.want(200, "sync/abort", "{}")
	for _, unsaid := range []string{"", "$l=32"} { // the reference takes 600,000 rounds then
		with(map[string]string{"SYNC_USER1": "user:$pbkdf2-sha256" + unsaid + "$Y2FyZGZlcnJ5c2FsdDEyMw$TO+uhwN9B7uXSWqpgML1X+Zag/nfhuMvycQnxfgf+z0", "PASSWORDS_HASHED": ""})
		login(t, url, "user", "pass").want(403, "sync/hostKey", string(wire.LoginRequest("user", "wrong")))
	}
}

func TestFixedUsersRefused(t *testing.T) {
	t.Parallel()
	for _, settings := range []map[string]string{
		{"SYNC_USER1": "no colon"}, {"SYNC_USER1": "user:" + strings.Repeat("long", 300)}, {"SYNC_USER1": ":password"}, {"SYNC_USER1": "user:"}, {"SYNC_USER1": "user:", "PASSWORDS_HASHED": "1"}, {"SYNC_USER1": "a:b", "SYNC_USER2": "A:c"},
		{"SYNC_USER1": "user:pass", "PASSWORDS_HASHED": "0"}, {"SYNC_USER1": "user:$argon2id$v=19$m=99999999,t=1,p=1$AAAA$AAAA", "PASSWORDS_HASHED": "1"},
	} {
		_, err := syncserver.FixedUsers(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
		if fault.KindOf(err) != fault.InvalidInput || strings.Contains(err.Error(), "pass:") {
			t.Errorf("%v: %v", settings, err)
		}
	}
}

// TestKeysAreHashed: neither passwords nor keys are kept.
func TestKeysAreHashed(t *testing.T) {
	t.Parallel()
	accounts := memstore.NewAccounts()
	s := &syncserver.Server{Accounts: accounts}
	c := newClient(t, s, serve(t, s), "ada")
	a, d, err := accounts.ByKey(t.Context(), store.HashKey(c.key))
	if err != nil || !strings.HasPrefix(a.Verifier, "$argon2id$v=19$") || strings.Contains(fmt.Sprintf("%s %+v", d.Key, a), c.key) {
		t.Fatalf("%+v %+v %v", a, d, err)
	}
	if _, err := s.Users().Add(t.Context(), "Ada", password); !errors.Is(err, store.ErrTaken) {
		t.Fatal(err)
	}
}
