package apptest_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// runDemo starts what `make run` starts, and returns the account and the address that it tells.
func runDemo(t *testing.T) (url, user, password string) {
	t.Helper()
	anki.Need(t)
	python, err := anki.Python()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "build", "cardferry")); err != nil {
		t.Skip("the program is not built: run make")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command("bash", filepath.Join(root, "hostrunner", "demo", "run.sh"))
	cmd.Env = append(os.Environ(), "ADDR="+addr, "DEMO_DIR="+t.TempDir(), "CARDFERRY_ANKI_PYTHON="+python)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("make run, when it is told to end: %v", err)
		}
	})
	told := map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		for _, name := range []string{"Cardferry runs at", "user name", "password"} {
			if _, rest, ok := strings.Cut(line, name+"  "); ok {
				told[name] = strings.TrimSpace(rest)
			}
		}
		if strings.Contains(line, "Self-hosted sync server") {
			return told["Cardferry runs at"], told["user name"], told["password"]
		}
	}
	t.Fatalf("make run has told %v and nothing more", told)
	return
}

// TestDemo follows what `make run` says: the account is there, its decks have pictures and sounds.
func TestDemo(t *testing.T) {
	t.Parallel()
	url, user, password := runDemo(t)
	a := apptest.Open(t, browsertest.Start(t), url)
	a.Size(t, 360, 780, false)
	a.Tap(t, "You have an account? Sign in")
	a.Fill(t, "User name", user)
	a.Fill(t, "Password", password)
	a.Tap(t, "Sign in")
	a.Tap(t, "Fetch my decks")
	a.Read(t, "At the harbour")
	synced(t, a)
	a.Tap(t, "Study Spanish")
	a.ReadCard(t, "el")
	a.Go(t, "#/check")
	a.Read(t, "No file is missing")
	a.Read(t, "Every file is used")
}
