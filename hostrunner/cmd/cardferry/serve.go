package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/gateway"
	"github.com/cardferry/cardferry/hostrunner/profilelock"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// dataFlag names the folder of a server.
type dataFlag struct {
	Data string `help:"Folder with everything that the server keeps (or SYNC_BASE)." placeholder:"DIR"` // a path type would take "" for the current folder
}

// folder returns the data folder.
func (f *dataFlag) folder() (string, error) {
	if f.Data == "" {
		f.Data = os.Getenv("SYNC_BASE")
	}
	if f.Data == "" {
		return "", fault.New(fault.InvalidInput, "missing flags: --data=DIR").WithHint("Say in which folder the server keeps its data.")
	}
	return f.Data, nil
}

// makeDataFolder makes the data folder if it is not there.
func makeDataFolder(dir string) error {
	if err := checkDataFolder(dir); err != nil {
		return err
	}
	return dataError(fault.Wrap(fault.NotWritable, os.MkdirAll(dir, 0o700), "make the data folder"))
}

// checkDataFolder refuses what is no folder.
func checkDataFolder(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && !info.IsDir():
		return fault.New(fault.InvalidInput, "%s is not a folder", dir).WithHint("Give the folder that the server keeps its data in.")
	case errors.Is(err, syscall.ENAMETOOLONG):
		return fault.New(fault.InvalidInput, "the name of the data folder is too long").WithHint("Use a folder with a shorter path.")
	}
	return nil // other errors come again
}

// dataError gives an error a hint that speaks of the data folder: the usual ones speak of a profile.
func dataError(err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Hint == "" {
		e.Hint = dataHints[e.Kind]
	}
	return err
}

// dataHints are for errors of a data folder. Of its files, the accounts alone are used before there are requests.
var dataHints = map[fault.Kind]string{
	fault.NotWritable: "Check who may write in the data folder, and that the disk is not read-only.",
	fault.DamagedFile: "Put a copy of " + diskstore.AccountsFile + " in its place. What is kept of the accounts stays there meanwhile, also beside a new, empty file.",
	fault.Busy:        "End the other program that uses " + diskstore.AccountsFile + ".",
}

type serveCommand struct {
	dataFlag
	Addr       string   `help:"Where to listen; port 0 is any free one. Default: SYNC_HOST and SYNC_PORT, else 127.0.0.1:8080." placeholder:"HOST:PORT"`
	Signup     string   `help:"Whether anybody may make an account (open), or only cardferry user (closed)." enum:"open,closed" default:"open"`
	Upstream   []string `help:"A sync server that pages reach at /upstream/NAME/. May be repeated." placeholder:"NAME=URL" sep:"none"`
	CORSOrigin []string `name:"cors-origin" help:"An origin whose pages may use this server, or * for all. May be repeated." placeholder:"ORIGIN" sep:"none"`
	TLSCert    string   `name:"tls-cert" help:"Certificate chain (PEM); a new file is taken without a restart." placeholder:"FILE" type:"path"`
	TLSKey     string   `name:"tls-key" help:"Its private key (PEM)." placeholder:"FILE" type:"path"`
}

// serveSettings are those of flags and environment, checked.
type serveSettings struct {
	dir, addr    string
	signupClosed bool
	upstreams    []gateway.Upstream
	origins      syncserver.Origins
	certificates *certificates // nil: plain HTTP
	users        []syncserver.FixedUser
	gap          string                     // what is wrong with how these are numbered
	limits       syncserver.Limits          // of bodies
	clientIP     func(*http.Request) string // nil: the connection's
}

// Run serves until a signal comes. Then requests under way are finished, as far as they end soon, and sessions are rolled back.
func (c *serveCommand) Run(app *app) error {
	set, err := c.settings(os.LookupEnv)
	if err != nil {
		return err
	}
	if err := makeDataFolder(set.dir); err != nil {
		return err
	}
	lock, err := profilelock.Acquire(set.dir)
	if fault.KindOf(err) == fault.Busy {
		return fault.New(fault.Busy, "another cardferry serve is using this data folder").WithHint("End it, or choose another folder.")
	}
	if err != nil {
		return dataError(fault.Step("use the data folder", err))
	}
	defer lock.Release()
	shareProcessors()
	log := slog.New(slog.NewTextHandler(app.out.err, nil))
	if app.out.json {
		log = slog.New(slog.NewJSONHandler(app.out.err, nil))
	}
	s, err := newServing(app.ctx, set, log)
	if err != nil {
		return dataError(err)
	}
	if err := s.run(app); err != nil {
		return err
	}
	app.out.result(nil, "Stopped")
	return nil
}

// shareProcessors lets more threads run than there are processors, unless the environment says how many. Go's own scheduler has a request
// wait for 10 ms behind those that compute; the system's gives who has waited its turn at once.
func shareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS() // a test calls this more than once
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}

// settings reads flags and environment; flags come first. Errors are fault.InvalidInput.
func (c *serveCommand) settings(lookup func(string) (string, bool)) (*serveSettings, error) {
	set := &serveSettings{signupClosed: c.Signup == "closed"}
	var err error
	if set.dir, err = c.folder(); err != nil {
		return nil, err
	}
	if set.addr, err = listenAddress(c.Addr, lookup); err != nil {
		return nil, err
	}
	for _, s := range c.Upstream {
		u, err := gateway.ParseUpstream(s)
		if err != nil {
			return nil, err
		}
		set.upstreams = append(set.upstreams, u)
	}
	for _, origin := range c.CORSOrigin {
		if err := checkOrigin(origin); err != nil {
			return nil, err
		}
		set.origins = append(set.origins, origin)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return nil, fault.New(fault.InvalidInput, "--tls-cert and --tls-key need each other")
	}
	if c.TLSCert != "" {
		if set.certificates, err = loadCertificates(c.TLSCert, c.TLSKey); err != nil {
			return nil, err
		}
	}
	return set, set.environment(lookup)
}

// listenAddress returns where to listen.
func listenAddress(flag string, lookup func(string) (string, bool)) (string, error) {
	if flag == "" {
		host, port := "127.0.0.1", "8080"
		if v, _ := lookup("SYNC_HOST"); v != "" {
			host = v
		}
		if v, _ := lookup("SYNC_PORT"); v != "" {
			port = v
		}
		flag = net.JoinHostPort(host, port)
	}
	_, port, err := net.SplitHostPort(flag)
	if err == nil {
		err = checkPort(port)
	}
	if err != nil {
		return "", fault.New(fault.InvalidInput, "%q is no address to listen at", flag).WithHint("Give host and port, for example 127.0.0.1:8080.")
	}
	return flag, nil
}

// checkOrigin refuses what no browser sends as an origin: pages would be refused, and nobody would know why.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	isOther := func(r rune) bool { return r == '*' || r > '~' } // names in other letters are sent as xn--…
	if origin == "*" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Port() != defaultPorts[u.Scheme] &&
		u.Scheme+"://"+strings.ToLower(u.Host) == origin && !strings.ContainsFunc(u.Host, isOther) {
		return nil
	}
	return fault.New(fault.InvalidInput, "%q is not an origin", origin).
		WithHint("An origin is scheme, host and port as the browser sends them, for example https://app.example.org, without a slash at the end.")
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// serverPatience is how long a server may take to end in order.
const serverPatience = drainTime + 7*time.Second

// patienceOf is how long a cancelled command may take to end in order.
func patienceOf(command string) time.Duration {
	if command == "serve" {
		return serverPatience
	}
	return patience
}

// describe says what is served, for a person.
func (set *serveSettings) describe(url string) string {
	signup := "open"
	if set.signupClosed {
		signup = "closed"
	}
	return fmt.Sprintf("Serving at %s (data in %s, sign-up %s)", url, set.dir, signup)
}
