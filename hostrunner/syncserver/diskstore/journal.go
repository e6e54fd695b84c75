package diskstore

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

const (
	// journalPrefix begins the names of journals, in the account's folder.
	journalPrefix = "media.log-"
	// journalLimit is about how long a journal gets.
	journalLimit = 32 << 20
	// settleAfter is how long content may be in a journal only.
	settleAfter = 10 * time.Second
	// recordHead is the length of what comes before each content: its SHA-1, and its length in 8 bytes.
	recordHead = sha1.Size + 8
)

// journal makes many small files durable by one flush: their content is in one more file, which is all that is flushed.
// Later, when it costs nobody time, the files themselves are, and then the journal goes. After a crash recoverBlobs makes the files
// again.
type journal struct {
	path  string
	file  *os.File
	size  int64 // of the records that are durable
	paths map[string]bool
	timer *time.Timer
	once  sync.Once
}

// newJournal begins a journal in an account's folder.
func newJournal(dir string) (*journal, error) {
	path := filepath.Join(dir, journalPrefix+strings.ToLower(rand.Text()))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, file: f, paths: map[string]bool{}}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := syncFolder(d); err != nil {
			j.drop()
			os.Remove(path)
			return nil, err
		}
	}
	return j, nil
}

// inPlace reports whether the journal still is where it would be found after a crash.
func (j *journal) inPlace() bool {
	there, err := os.Stat(j.path)
	if err != nil {
		return false
	}
	own, err := j.file.Stat()
	return err == nil && os.SameFile(there, own)
}

// drop closes the journal and leaves its file.
func (j *journal) drop() {
	j.once.Do(func() {
		if j.timer != nil {
			j.timer.Stop()
		}
		j.file.Close()
	})
}

// add appends files and makes them durable. What a failed add leaves at the end is overwritten by the next.
func (j *journal) add(paths []string) error {
	at, buf := j.size, []byte(nil)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		sum := sha1.Sum(content)
		buf = append(buf, sum[:]...)
		buf = binary.LittleEndian.AppendUint64(buf, uint64(len(content)))
		if buf = append(buf, content...); len(buf) < 1<<20 {
			continue
		}
		if _, err := j.file.WriteAt(buf, at); err != nil {
			return err
		}
		at, buf = at+int64(len(buf)), buf[:0]
	}
	if _, err := j.file.WriteAt(buf, at); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.size = at + int64(len(buf))
	for _, path := range paths {
		j.paths[path] = true
	}
	return nil
}

// settle makes the files themselves durable and removes the journal. If that fails the journal stays, for recoverBlobs.
func (j *journal) settle() {
	j.drop()
	if settleFiles(filepath.Dir(j.path), j.paths) == nil {
		os.Remove(j.path)
	}
}

// settleLater ends the account's journal after a while.
func (s *Blobs) settleLater(id store.AccountID, j *journal) {
	j.timer = time.AfterFunc(settleAfter, func() { s.settle(id, j) })
}

func (s *Blobs) settle(id store.AccountID, j *journal) {
	p := s.use(id)
	if p == nil {
		return
	}
	p.flushing.Lock()
	current := p.journal == j
	if current {
		s.detach(id, p)
	}
	p.flushing.Unlock()
	s.leave(id, p)
	if current {
		j.settle()
	}
}

// journals lists the journals in an account's folder.
func journals(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), journalPrefix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, err
}

// recoverBlobs makes files again that are in journals which a crash, or another process, has left. Nobody else uses the account.
func (f folder) recoverBlobs(id store.AccountID) error {
	dir, err := f.of(id)
	if err != nil {
		return err
	}
	logs, err := journals(dir)
	if err != nil || len(logs) == 0 {
		return filehost.Convert(err, "look for media content of before")
	}
	paths := map[string]bool{}
	for _, path := range logs {
		if err := f.replay(id, path, paths); err != nil {
			return filehost.Convert(err, "restore media content")
		}
	}
	if err := settleFiles(dir, paths); err != nil {
		return filehost.Convert(err, "restore media content")
	}
	for _, path := range logs {
		if err := os.Remove(path); err != nil && !missing(err) {
			return filehost.Convert(err, "restore media content")
		}
	}
	return nil
}

// replay goes through a journal up to where it was cut off, if it was.
func (f folder) replay(id store.AccountID, path string, paths map[string]bool) error {
	file, err := os.Open(path)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<20)
	content := make([]byte, smallFile)
	for {
		var head [recordHead]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return endOf(err)
		}
		size := binary.LittleEndian.Uint64(head[sha1.Size:])
		if size == 0 || size > smallFile {
			return nil
		}
		if _, err := io.ReadFull(r, content[:size]); err != nil {
			return endOf(err)
		}
		sum := store.SHA1(head[:sha1.Size])
		if sha1.Sum(content[:size]) != sum {
			return nil
		}
		placed, err := f.restore(id, sum, content[:size])
		if err != nil {
			return err
		}
		paths[placed] = true
	}
}

// endOf turns the end of a file into success.
func endOf(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}

// restore puts content in its place, unless it is there.
func (f folder) restore(id store.AccountID, sum store.SHA1, content []byte) (path string, err error) {
	sub, name := blobPath(sum)
	if path, err = f.in(id, mediaFolder, sub, name); err != nil {
		return "", err
	}
	if there, err := os.ReadFile(path); err == nil && string(there) == string(content) {
		return path, nil
	}
	tmp, err := f.temporary(id)
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	return path, err
}

// settleFiles makes many files durable, and the folders in which they are.
func settleFiles(dir string, paths map[string]bool) error {
	if len(paths) > flushers {
		if done, err := syncDisk(dir); done {
			return err
		}
	}
	return flush(context.Background(), paths)
}
