package diskstore

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// settleEvery is after how many bytes of content their files are made durable: as with flushEvery, others wait for what a disk is given at once.
const settleEvery = 4 << 20

// settleLater ends a journal after a while. The use of u goes on until then.
func (s *Blobs) settleLater(u *unsettled, j *journal) {
	j.timer = time.AfterFunc(settleAfter, func() { s.settle(u, j) })
}

// settle ends the writing of a journal, makes files of it, and removes it. It may be called more often than once. If it
// fails the journal stays, and its content is read from there.
func (s *Blobs) settle(u *unsettled, j *journal) {
	j.once.Do(func() {
		u.flushing.Lock() // until it is known what the last Flush has written
		if u.journal == j {
			u.journal = nil
		}
		u.flushing.Unlock()
		if j.file != nil {
			j.timer.Stop()
			j.file.Close()
		}
		if s.settleRecords(u, j) == nil {
			os.Remove(j.path)
			s.mu.Lock()
			delete(u.all, j)
			s.mu.Unlock()
		}
		s.leave(u)
	})
}

func (s *Blobs) settleRecords(u *unsettled, j *journal) error {
	u.settling.Lock()
	defer u.settling.Unlock()
	err := filesOf(j.path, func(sum store.SHA1, content []byte) (string, error) { return s.settleOne(u, j, sum, content) })
	if err != nil && !missing(err) { // without a journal whoever has removed it has made files of it
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for sum, r := range u.logged {
		if r.journal == j {
			delete(u.logged, sum)
		}
	}
	return nil
}

// settleOne makes a file of a record, unless its content was removed.
func (s *Blobs) settleOne(u *unsettled, j *journal, sum store.SHA1, content []byte) (path string, err error) {
	wanted := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return u.logged[sum].journal == j
	}
	if !wanted() {
		path, err = s.folder.blob(u.id, sum) // perhaps a file already, which has to become durable
		return path, err
	}
	if path, err = s.folder.restore(u.id, sum, content); err == nil && !wanted() {
		os.Remove(path)
	}
	return path, err
}

// Close makes files of everything that is in journals.
func (s *Blobs) Close() error {
	type ending struct {
		*unsettled
		journals []*journal
	}
	s.mu.Lock()
	var all []ending
	for _, u := range s.unsettled {
		u.users++
		all = append(all, ending{u, slices.Collect(maps.Keys(u.all))})
	}
	s.mu.Unlock()
	for _, e := range all {
		for _, j := range e.journals {
			s.settle(e.unsettled, j)
		}
		s.leave(e.unsettled)
	}
	return nil
}

// recoverBlobs makes files of journals that a crash, or another process, has left. Nobody else uses the account.
func (f folder) recoverBlobs(id store.AccountID) error {
	dir, err := f.of(id)
	if err != nil {
		return err
	}
	logs, err := journals(dir)
	for i := 0; i < len(logs) && err == nil; i++ {
		if err = f.unwind(id, logs[i]); missing(err) {
			err = nil
		}
	}
	return filehost.Convert(err, "restore media content")
}

// unwind makes durable files of what is in a journal, from its end on, and cuts that off: it needs no more room than a few files take, where a full
// disk has kept the journal from being settled.
func (f folder) unwind(id store.AccountID, log string) error {
	type place struct {
		sum      store.SHA1
		at, size int64
	}
	var rest []place
	if err := replay(log, func(sum store.SHA1, content []byte, at int64) error {
		rest = append(rest, place{sum, at, int64(len(content))})
		return nil
	}); err != nil {
		return err
	}
	file, err := os.OpenFile(log, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	for len(rest) > 0 {
		paths, left, size := map[string]bool{}, len(rest), int64(0)
		for err == nil && left > 0 && size < settleEvery {
			p := rest[left-1]
			content := make([]byte, p.size)
			if _, err = file.ReadAt(content, p.at); err != nil {
				break
			}
			var path string
			if path, err = f.restore(id, p.sum, content); err == nil {
				paths[path] = true
				size += p.size
				left--
			}
		}
		if left == len(rest) {
			return err
		}
		if err = settleFiles(filepath.Dir(log), paths); err == nil { // with what is cut off there may be room again
			err = file.Truncate(rest[left].at - recordHead)
		}
		if err != nil {
			return err
		}
		rest = rest[:left]
	}
	file.Close() // a file in use cannot be removed everywhere
	return os.Remove(log)
}

// adopt takes up journals that could not be settled when the account was taken, as on a full disk: until they are, content is read from them.
func (s *Blobs) adopt(id store.AccountID) error {
	dir, err := s.folder.of(id)
	if err != nil {
		return err
	}
	if logs, err := s.strangers(id, dir); err != nil || len(logs) == 0 {
		return err
	}
	u := s.use(id, true)
	defer s.leave(u)
	u.flushing.Lock() // a journal of our own has just been begun, perhaps
	defer u.flushing.Unlock()
	logs, err := s.strangers(id, dir)
	for i := 0; i < len(logs) && err == nil; i++ {
		j, found := &journal{path: logs[i]}, map[store.SHA1]record{}
		err = replay(j.path, func(sum store.SHA1, content []byte, at int64) error {
			found[sum] = record{j, at, int64(len(content))}
			return nil
		})
		if missing(err) { // settled meanwhile
			err = nil
			continue
		}
		if err == nil {
			s.mu.Lock()
			u.users++
			u.all[j] = true
			maps.Copy(u.logged, found)
			s.mu.Unlock()
		}
	}
	return filehost.Convert(err, "read media content")
}

// strangers lists the journals in an account's folder that are not known. It ends what is known of adopted ones that are gone.
func (s *Blobs) strangers(id store.AccountID, dir string) ([]string, error) {
	logs, err := journals(dir)
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.unsettled[id]; u != nil {
		for j := range u.all {
			n := len(logs)
			logs = slices.DeleteFunc(logs, func(log string) bool { return log == j.path })
			if err == nil && len(logs) == n && j.file == nil {
				go s.settle(u, j)
			}
		}
	}
	return logs, filehost.Convert(err, "list media content")
}

// filesOf makes durable files of what is in a journal. restore makes one of them.
func filesOf(log string, restore func(sum store.SHA1, content []byte) (path string, err error)) error {
	paths, size := map[string]bool{}, 0
	err := replay(log, func(sum store.SHA1, content []byte, _ int64) error {
		path, err := restore(sum, content)
		if path != "" {
			paths[path] = true
		}
		if size += len(content); err == nil && size >= settleEvery {
			err = settleFiles(filepath.Dir(log), paths)
			clear(paths)
			size = 0
		}
		return err
	})
	if err != nil {
		return err
	}
	return settleFiles(filepath.Dir(log), paths)
}

// restore makes a file of content, unless it is there.
func (f folder) restore(id store.AccountID, sum store.SHA1, content []byte) (path string, err error) {
	if path, err = f.blob(id, sum); err != nil {
		return "", err
	}
	file, err := create(path)
	if os.IsExist(err) {
		return path, f.replace(id, path, content)
	}
	if err != nil {
		return "", err
	}
	if _, err = file.Write(content); err != nil {
		_ = file.Truncate(0) // what is empty counts as missing; the name may be that of another file by now
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return path, err
}

// replace leaves what is there already if it is the content. Else it is what a power cut has left, or it is damaged: a file that is
// whole and durable takes its place.
func (f folder) replace(id store.AccountID, path string, content []byte) error {
	same, err := equal(bytes.NewReader(content), path, int64(len(content)))
	if err != nil || same {
		return err
	}
	tmp, err := f.temporary(id)
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		return os.Rename(tmp.Name(), path)
	}
	os.Remove(tmp.Name())
	return err
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
