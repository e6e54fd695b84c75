package diskstore

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

const (
	// journalPrefix begins the names of journals, in the account's folder.
	journalPrefix = "media.log-"
	// journalBlock is about how much is written at once.
	journalBlock = 64 << 10
	// settleAfter is how long content may be in a journal only.
	settleAfter = 10 * time.Second
	// recordHead is the length of what comes before each content: its SHA-1, and its length in 8 bytes.
	recordHead = sha1.Size + 8
)

// journalLimit is about how long a journal gets.
var journalLimit int64 = 64 << 20

// journal makes much small content durable by one flush: instead of many files, one is written. Later, when nobody waits for it,
// settle makes files of it. After a crash recoverBlobs does.
type journal struct {
	path  string
	file  *os.File    // nil: it was left by somebody else, and is only read
	size  int64       // of the records that are durable
	timer *time.Timer // as file
	once  sync.Once   // for settle
}

// record is where content is in a journal.
type record struct {
	journal  *journal
	at, size int64
}

// newJournal begins a journal in an account's folder.
func newJournal(dir string) (*journal, error) {
	path := filepath.Join(dir, journalPrefix+strings.ToLower(rand.Text()))
	f, err := create(path)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, file: f}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := syncFolder(d); err != nil {
			f.Close()
			os.Remove(path)
			return nil, err
		}
	}
	return j, nil
}

// inPlace reports whether the journal still is where it would be found after a crash, whole: behind an end that was cut off nothing would be.
func (j *journal) inPlace() bool {
	there, err := os.Stat(j.path)
	if err != nil {
		return false
	}
	own, err := j.file.Stat()
	return err == nil && os.SameFile(there, own) && own.Size() >= j.size
}

// add appends content, and that of files, and makes it durable. What a failed add leaves at the end is overwritten by the next.
func (j *journal) add(fresh map[store.SHA1][]byte, files []string) (map[store.SHA1]record, error) {
	w := journalWriter{bufio.NewWriterSize(io.NewOffsetWriter(j.file, j.size), journalBlock), j.size}
	records := make(map[store.SHA1]record, len(fresh))
	for sum, content := range fresh {
		at, err := w.record(sum, content)
		if err != nil {
			return nil, err
		}
		records[sum] = record{j, at, int64(len(content))}
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if missing(err) {
			continue
		}
		var sum store.SHA1
		if err == nil {
			_, err = hex.Decode(sum[:], []byte(filepath.Base(path)))
		}
		if err == nil {
			_, err = w.record(sum, content)
		}
		if err != nil {
			return nil, err
		}
	}
	err := w.Flush()
	if err == nil {
		err = j.file.Sync()
	}
	if err == nil {
		j.size = w.at
	}
	return records, err
}

// journalWriter writes records at the end of a journal.
type journalWriter struct {
	*bufio.Writer
	at int64 // where the next record is
}

// record appends a record and returns where its content is.
func (w *journalWriter) record(sum store.SHA1, content []byte) (at int64, err error) {
	var head [recordHead]byte
	binary.LittleEndian.PutUint64(head[copy(head[:], sum[:]):], uint64(len(content)))
	_, _ = w.Write(head[:]) // an error comes again with the content
	_, err = w.Write(content)
	at = w.at + recordHead
	w.at = at + int64(len(content))
	return at, err
}

// open returns the content of a record. It is not there any more if a file was made of it.
func (r record) open() (store.Blob, error) {
	f, err := os.Open(r.journal.path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.Size() < r.at+r.size {
		f.Close()
		return nil, fs.ErrNotExist
	}
	return &logged{io.NewSectionReader(f, r.at, r.size), f}, nil
}

// logged is content in a journal.
type logged struct {
	*io.SectionReader
	io.Closer
}

// journals lists the journals in an account's folder.
func journals(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), journalPrefix) && e.Type().IsRegular() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, err
}

// replay calls do with the records of a journal and where their content is, up to where it was cut off, if it was. What do gets is valid until it
// returns.
func replay(path string, do func(sum store.SHA1, content []byte, at int64) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 256<<10)
	var content []byte
	for at := int64(recordHead); ; at += int64(len(content)) + recordHead {
		var head [recordHead]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return endOf(err)
		}
		size := binary.LittleEndian.Uint64(head[sha1.Size:])
		if size == 0 || size >= largeFile {
			return nil
		}
		if uint64(cap(content)) < size {
			content = make([]byte, size)
		}
		content = content[:size]
		if _, err := io.ReadFull(r, content); err != nil {
			return endOf(err)
		}
		sum := store.SHA1(head[:sha1.Size])
		if sha1.Sum(content) != sum {
			return nil
		}
		if err := do(sum, content, at); err != nil {
			return err
		}
	}
}

// endOf turns the end of a file into success.
func endOf(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
