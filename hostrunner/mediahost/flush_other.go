//go:build !linux

package mediahost

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

// pending remembers what to flush, since only Linux flushes a whole disk by one call.
type pending struct {
	mu    sync.Mutex
	paths map[string]bool // of files and folders; true for files
}

// add remembers a folder and, unless name is empty, a file in it.
func (p *pending) add(in *folder, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paths == nil {
		p.paths = map[string]bool{}
	}
	p.paths[in.path] = false
	if name != "" {
		p.paths[filepath.Join(in.path, name)] = true
	}
}

func (p *pending) list() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.paths)
}

func (p *pending) done(paths map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.paths, func(path string, _ bool) bool { _, ok := paths[path]; return ok })
}

// flush flushes the files and then the folders with their names.
func (m *Media) flush() error {
	paths := m.pending.list()
	for _, files := range []bool{true, false} {
		for path, isFile := range paths {
			if isFile != files {
				continue
			}
			if err := flushPath(path, isFile); err != nil {
				return convert(err, "flush", filepath.Base(path))
			}
		}
	}
	m.pending.done(paths)
	return nil
}

func flushPath(path string, isFile bool) error {
	flag := os.O_RDONLY
	if isFile {
		flag = os.O_RDWR // some systems flush only what is open for writing
	}
	file, err := os.OpenFile(path, flag|dontWait, 0)
	if errors.Is(err, fs.ErrPermission) {
		file, err = os.OpenFile(path, os.O_RDONLY|dontWait, 0)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone again
	}
	if err != nil {
		return err
	}
	err = file.Sync()
	if !isFile && filehost.KindOf(err) != fault.StorageFull {
		err = nil // not every system can flush a folder
	}
	return errors.Join(err, file.Close())
}
