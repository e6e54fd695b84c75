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
	j.timer = time.AfterFunc(settleAfter, func() {
		u.flushing.Lock()
		if u.journal == j {
			u.journal = nil
		}
		u.flushing.Unlock()
		s.settle(u, j)
	})
}

// settle makes files of a journal that is not written to any more, and removes it. It may be called more often than once. If it
// fails the journal stays, and its content is read from there.
func (s *Blobs) settle(u *unsettled, j *journal) {
	j.once.Do(func() {
		j.timer.Stop()
		j.file.Close()
		if s.settleRecords(u, j) == nil {
			os.Remove(j.path)
		}
		s.mu.Lock()
		delete(u.all, j)
		s.mu.Unlock()
		s.leave(u)
	})
}

func (s *Blobs) settleRecords(u *unsettled, j *journal) error {
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
		e.flushing.Lock()
		e.journal = nil
		e.flushing.Unlock()
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
		err = filesOf(logs[i], func(sum store.SHA1, content []byte) (string, error) { return f.restore(id, sum, content) })
		if err == nil {
			if err = os.Remove(logs[i]); missing(err) {
				err = nil
			}
		}
	}
	return filehost.Convert(err, "restore media content")
}

// filesOf makes durable files of what is in a journal. restore makes one of them.
func filesOf(log string, restore func(sum store.SHA1, content []byte) (path string, err error)) error {
	paths, size := map[string]bool{}, 0
	err := replay(log, func(sum store.SHA1, content []byte) error {
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
