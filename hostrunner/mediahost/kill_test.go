//go:build unix

package mediahost_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/hostrunner/mediahost"
)

// killedDir names the profile that a child process works on until it is killed.
const killedDir = "CARDFERRY_KILLED_MEDIA"

// numbered is a content that is whole or seen to be not.
func numbered(n int) string { return strings.Repeat(fmt.Sprintf("%07d\n", n), 5000) }

// numberOf is the reverse of numbered.
func numberOf(t *testing.T, what string, content []byte) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimLeft(strings.SplitN(string(content), "\n", 2)[0], "0") + "0")
	if n /= 10; err != nil || numbered(n) != string(content) {
		t.Fatalf("%s has %d bytes that begin with %.20q", what, len(content), content)
	}
	return n
}

// TestKilled: at whatever moment a process is killed, a name has its old content or the new one, whole, and what was
// replaced or trashed is in the trash.
func TestKilled(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(killedDir); dir != "" {
		workUntilKilled(t, store{mediahost.New(dir), dir})
		return
	}
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	random := rand.New(rand.NewPCG(1, 2))
	replaced := 0
	for range rounds {
		s := newStore(t)
		killAfter(t, s.dir, time.Duration(random.IntN(20_000))*time.Microsecond)
		replaced += wantNothingLost(t, s)
		// The next run can go on, and clears up.
		s.install(t, "after", "x", nil)
		if entries, err := os.ReadDir(s.dir + "/cardferry.tmp/media"); len(entries) != 0 || err != nil {
			t.Errorf("drafts left: %v, %v", entries, err)
		}
	}
	t.Logf("%d files were replaced in %d rounds", replaced, rounds)
}

func workUntilKilled(t *testing.T, s store) {
	seen := s.install(t, "a", numbered(0), nil)
	fmt.Println("begun")
	for n := 1; ; n++ {
		seen = s.install(t, "a", numbered(n), &seen)
		name := fmt.Sprintf("b%d", n)
		now := s.install(t, name, numbered(n), nil)
		if changed, err := s.Trash(name, now); changed || err != nil {
			t.Fatal(changed, err)
		}
	}
}

// killAfter starts a process that works on the profile, and kills it.
func killAfter(t *testing.T, dir string, after time.Duration) {
	t.Helper()
	self, err := os.Executable()
	coretest.Must(t, err)
	cmd := exec.Command(self, "-test.run=^TestKilled$", "-test.paniconexit0")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	coretest.Must(t, err)
	coretest.Must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "begun" {
	}
	<-time.After(after)
	coretest.Must(t, cmd.Process.Kill())
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatal("the process has ended by itself: ", err)
	}
}

func wantNothingLost(t *testing.T, s store) (replaced int) {
	t.Helper()
	content, err := os.ReadFile(s.path("a"))
	coretest.Must(t, err)
	last := numberOf(t, "a", content)
	trash, err := s.InTrash("a")
	coretest.Must(t, err)
	kept := map[int]bool{}
	for _, c := range trash {
		kept[numberOf(t, "a in the trash", c)] = true
	}
	for n := range last {
		if !kept[n] {
			t.Errorf("a has %d; %d is lost", last, n)
		}
	}
	for n := 1; n <= last; n++ {
		name := fmt.Sprintf("b%d", n)
		trash, err := s.InTrash(name)
		coretest.Must(t, err)
		live, err := os.ReadFile(s.path(name))
		if err == nil {
			trash = append(trash, live)
		}
		for _, c := range trash {
			numberOf(t, name, c)
		}
		if len(trash) == 0 && n < last { // the last one may not have been begun
			t.Errorf("%s is lost", name)
		}
	}
	return last
}
