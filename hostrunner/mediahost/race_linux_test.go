package mediahost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cardferry/cardferry/core/coretest"
)

// TestEditsMeanwhile: another program saves a file again and again, while it is being replaced and trashed. Every
// content that it saved is there in the end: in place, in the trash, or pushed out by itself.
func TestEditsMeanwhile(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.install(t, "a", "ours", nil)
	const saves = 1000
	var editor sync.WaitGroup
	pushedOut := map[string]bool{"ours": true}
	editor.Go(func() {
		other := filepath.Join(s.dir, "other")
		for i := range saves {
			if err := os.WriteFile(other, fmt.Append(nil, i), 0o600); err != nil {
				t.Error(err)
				return
			}
			// An editor that knows what it has pushed out, so that the test does.
			err := unix.Renameat2(unix.AT_FDCWD, other, unix.AT_FDCWD, s.path("a"), unix.RENAME_EXCHANGE)
			if err == unix.ENOENT {
				err = unix.Renameat2(unix.AT_FDCWD, other, unix.AT_FDCWD, s.path("a"), unix.RENAME_NOREPLACE)
				if err == nil || err == unix.EEXIST {
					if err != nil {
						pushedOut[fmt.Sprint(i)] = true // never saved
					}
					continue
				}
			}
			if err != nil {
				t.Error(err)
				return
			}
			old, err := os.ReadFile(other)
			if err != nil {
				t.Error(err)
			}
			pushedOut[string(old)] = true
		}
	})
	done := make(chan struct{})
	go func() { editor.Wait(); close(done) }()
	replaced, trashed := 0, 0
	for i := 0; ; i++ {
		select {
		case <-done:
		default:
			seen, err := s.Stat("a")
			if err != nil {
				_, _, err = s.tryInstall(t, "a", "ours", nil)
				coretest.Must(t, err)
				continue
			}
			if i%2 == 0 {
				if _, changed, err := s.tryInstall(t, "a", "ours", &seen); err != nil {
					t.Fatal(err)
				} else if !changed {
					replaced++
				}
			} else if changed, err := s.Trash("a", seen); err != nil {
				t.Fatal(err)
			} else if !changed {
				trashed++
			}
			continue
		}
		break
	}
	t.Logf("replaced %d and trashed %d among %d saves", replaced, trashed, saves)
	trash, err := s.InTrash("a")
	coretest.Must(t, err)
	for _, c := range trash {
		pushedOut[string(c)] = true
	}
	if live, err := os.ReadFile(s.path("a")); err == nil {
		pushedOut[string(live)] = true
	}
	for i := range saves {
		if !pushedOut[fmt.Sprint(i)] {
			t.Errorf("save %d is lost", i)
		}
	}
}
