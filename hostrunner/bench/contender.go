package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// contender is a server that is measured, in a process of its own: the real one, or cardferry serve. Its bench measures clients with it.
type contender struct {
	*bench
	name  string
	pid   int
	close func() error
}

// The contenders' names.
const (
	realServer = "real"
	ownServer  = "ours"
)

// startContender starts a server with its data in a new folder.
func (b *bench) startContender(name string, users int) (*contender, error) {
	c := &contender{name: name}
	clone := *b
	clone.dir = filepath.Join(b.dir, "server-"+name)
	clone.media = mediaFiles{dir: b.media.dir}
	c.bench = &clone
	data := filepath.Join(clone.dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	if name == ownServer {
		return c, c.startOwn(data, users)
	}
	server, err := anki.NewServer(data, users)
	if err != nil {
		return nil, err
	}
	c.server, c.pid = server, server.Pid()
	c.close = func() error { server.Kill(); return os.RemoveAll(clone.dir) }
	return c, nil
}

// program builds cardferry and returns its path. The guest inside is not needed to serve.
func (b *bench) program(ctx context.Context) (string, error) {
	path := filepath.Join(b.dir, "cardferry")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "github.com/cardferry/cardferry/hostrunner/cmd/cardferry").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cardferry: %w\n%s", err, out)
	}
	return path, nil
}

// startOwn starts cardferry serve with the accounts that the real server would have.
func (c *contender) startOwn(data string, users int) error {
	cmd := exec.Command(c.serve, "serve", "--json", "--addr", "127.0.0.1:0", "--data", data)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	for name, value := range anki.Settings(users) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.pid = cmd.Process.Pid
	c.close = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return errors.Join(cmd.Wait(), os.RemoveAll(c.dir))
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	go io.Copy(io.Discard, lines)
	var ready struct{ URL string }
	if err == nil {
		err = json.Unmarshal([]byte(line), &ready)
	}
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("our server does not start: %w\n%s", err, text), c.close())
	}
	c.server = anki.ServerAt(ready.URL, users)
	c.server.Dir = filepath.Join(c.dir, "users")
	return c.linkUsers(data)
}

// linkUsers gives the accounts' folders the names that they have with the real server, so that files are placed and compared in the same
// way.
func (c *contender) linkUsers(data string) error {
	accounts, err := diskstore.OpenAccounts(data)
	if err != nil {
		return err
	}
	defer accounts.Close()
	list, err := accounts.List(context.Background())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.server.Dir, 0o700); err != nil {
		return err
	}
	for _, a := range list {
		folder := filepath.Join(data, "accounts", string(a.ID))
		if err := errors.Join(os.MkdirAll(folder, 0o700), os.Symlink(folder, filepath.Join(c.server.Dir, a.Name))); err != nil {
			return err
		}
	}
	return nil
}

// cpu is the processor time that the server has used so far, in seconds (Linux only).
func (c *contender) cpu() float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	const perSecond = 100 // USER_HZ, whatever the kernel's own clock is
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return float64(user+system) / perSecond
}

// megabytes is the server's memory in MiB (Linux only).
func (c *contender) megabytes() float64 {
	return float64(kilobytesOf(fmt.Sprintf("/proc/%d/status", c.pid), "VmRSS")) / 1024
}
