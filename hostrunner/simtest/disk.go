package simtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

var (
	_ host.SQL   = (*disk)(nil)
	_ host.Files = files{}
	_ host.DB    = (*simDB)(nil)
	_ host.File  = (*simFile)(nil)
)

// disk is a profile folder in memory: databases and plain files share their names. Every step asks the gate first, which
// may refuse it or end the device. A commit is durable at once, as synchronous = FULL makes it.
type disk struct {
	gate    func(step, name string) error
	rewrite func(sql string) string // nil, or a seeded fault
	mayDie  func() bool             // the running action may kill the device
	plain   bool                    // see script
	entries map[string]*entry
	open    map[*simDB]bool
}

// entry is a file: a database in memory, or bytes.
type entry struct {
	db   string // name of the database in memory, "" if data is the content
	data []byte
	// commits are what a power cut may leave of a database whose commits are not all flushed: the last flushed state and all after it.
	commits [][]byte
	// idle is a connection that was closed, or whose device has died, for the next time: opening one and compiling its statements takes as
	// long as a sync.
	idle *statements
}

// databases numbers the databases in memory of this process, which have one name space.
var databases atomic.Int64

func newDisk(gate func(step, name string) error) *disk {
	return &disk{gate: gate, entries: map[string]*entry{}, open: map[*simDB]bool{}}
}

// drop closes what a killed device had open; what was not committed is gone.
func (d *disk) drop() {
	for db := range d.open {
		if e := db.of; db.name == host.Collection && d.entries[db.name] == e && e.idle == nil && db.statements.outlive() {
			e.idle = db.statements
		} else {
			_ = db.DB.Close()
		}
		db.dead = true
	}
	clear(d.open)
}

// resting returns a connection that the device has open, without a transaction, past the gate and the seeded fault; nil if there is
// none.
func (d *disk) resting(e *entry) *statements {
	for db := range d.open {
		if db.of == e && !db.dead && db.DB.Resting() {
			return db.looks
		}
	}
	return nil
}

// free gives the memory back.
func (d *disk) free() {
	d.drop()
	for _, e := range d.entries {
		e.forget()
	}
	clear(d.entries)
}

func (e *entry) forget() {
	if e.idle != nil {
		_ = e.idle.Close()
		e.idle = nil
	}
	if e.db != "" {
		sqlitehost.DeleteMemory(e.db)
	}
}

// database makes the entry one.
func (e *entry) database() {
	if e.db == "" {
		e.db = fmt.Sprint("simtest-", databases.Add(1))
		sqlitehost.CreateMemory(e.db, bytes.Clone(e.data))
		e.data = nil
	}
}

// bytes returns the content.
func (e *entry) bytes() ([]byte, error) {
	if e.db == "" {
		return e.data, nil
	}
	return sqlitehost.MemoryBytes(e.db)
}

// Open opens a database.
func (d *disk) Open(_ context.Context, name string, mode host.OpenMode) (host.DB, error) {
	if err := d.gate("sql open", name); err != nil {
		return nil, err
	}
	e := d.entries[name]
	if e == nil {
		if mode != host.Create {
			return nil, fault.New(fault.NotFound, "there is no %s", name)
		}
		e = &entry{}
		d.entries[name] = e
	}
	e.database()
	lent := name == host.Collection && mode == host.ReadOnly && !d.plain
	if lent {
		mode = host.ReadWrite // so that it can stay for who opens the file next
	}
	kept := e.idle
	if e.idle = nil; kept == nil {
		db, err := sqlitehost.OpenMemory(e.db, mode)
		if err != nil {
			return nil, err
		}
		kept = keepStatements(db, d.rewrite)
		kept.plain = d.plain
	}
	if kept.looks == nil {
		kept.looks = keepStatements(kept.DB, nil)
	}
	s := &simDB{statements: kept, disk: d, name: name, of: e, lent: lent}
	d.open[s] = true
	s.flushes = true
	s.committed()
	return s, nil
}

// committed notes what a power cut would leave of the media index, the one database whose commits are not all flushed (its log is, in
// order, when one that must last is made, and when the file is closed).
func (s *simDB) committed() {
	if s.name != host.MediaIndex || !s.disk.mayDie() || !s.DB.Resting() {
		return
	}
	content, err := s.of.bytes()
	if err != nil {
		return
	}
	if n := len(s.of.commits); s.flushes || n == 0 {
		s.of.commits = [][]byte{content}
	} else if !bytes.Equal(s.of.commits[n-1], content) {
		s.of.commits = append(s.of.commits, content)
	}
}

// powerCut takes commits back, and reports whether it did.
func (d *disk) powerCut(rng *rand.Rand) bool {
	e := d.entries[host.MediaIndex]
	if e == nil || len(e.commits) < 2 {
		return false
	}
	left := rng.IntN(len(e.commits))
	content, last := e.commits[left], len(e.commits)-1
	d.drop()
	e.forget()
	*e = entry{data: content}
	return left < last
}

func (d *disk) find(step, name string) (*entry, error) {
	if err := d.gate(step, name); err != nil {
		return nil, err
	}
	if e := d.entries[name]; e != nil {
		return e, nil
	}
	return nil, fault.New(fault.NotFound, "there is no %s", name)
}

// Stat describes a file.
func (d *disk) Stat(name string) (host.FileInfo, error) {
	e, err := d.find("file stat", name)
	if err != nil {
		return host.FileInfo{}, err
	}
	b, err := e.bytes()
	return host.FileInfo{Name: name, Size: int64(len(b))}, err
}

// List lists files.
func (d *disk) List(prefix string) (list []host.FileInfo, err error) {
	if err := d.gate("file list", prefix); err != nil {
		return nil, err
	}
	for name, e := range d.entries {
		if strings.HasPrefix(name, prefix) {
			b, err := e.bytes()
			if err != nil {
				return nil, err
			}
			list = append(list, host.FileInfo{Name: name, Size: int64(len(b))})
		}
	}
	slices.SortFunc(list, func(a, b host.FileInfo) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Remove removes a file.
func (d *disk) Remove(name string) error {
	if err := d.gate("file remove", name); err != nil {
		return err
	}
	if e := d.entries[name]; e != nil {
		e.forget()
		delete(d.entries, name)
	}
	return nil
}

// Replace gives staged the name.
func (d *disk) Replace(staged, name string) error {
	e, err := d.find("file replace", staged)
	if err != nil {
		return err
	}
	if old := d.entries[name]; old != nil {
		old.forget()
	}
	delete(d.entries, staged)
	d.entries[name] = e
	return nil
}

// Create makes an empty file.
func (d *disk) Create(name string) (host.File, error) {
	if err := d.gate("file create", name); err != nil {
		return nil, err
	}
	if old := d.entries[name]; old != nil {
		old.forget()
	}
	e := &entry{}
	d.entries[name] = e
	return &simFile{d: d, e: e, name: name}, nil
}

// OpenFile is Open of host.Files; see files.
func (d *disk) OpenFile(name string) (host.File, error) {
	e, err := d.find("file open", name)
	if err != nil {
		return nil, err
	}
	b, err := e.bytes()
	if err != nil {
		return nil, err
	}
	return &simFile{d: d, e: &entry{data: b}, name: name, sealed: true}, nil
}

// files are the host.Files of a disk, whose Open is another one than that of host.SQL.
type files struct{ *disk }

// Open opens a file.
func (f files) Open(name string) (host.File, error) { return f.OpenFile(name) }

// simFile is an open plain file.
type simFile struct {
	d      *disk
	e      *entry
	name   string
	sealed bool
}

func (f *simFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.d.gate("file read", f.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.e.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.e.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) Write(p []byte) (int, error) {
	if err := f.d.gate("file write", f.name); err != nil {
		return 0, err
	}
	if f.sealed {
		return 0, fault.New(fault.Other, "%s is open for reading", f.name)
	}
	f.e.data = append(f.e.data, p...)
	return len(p), nil
}

func (f *simFile) Size() (int64, error) { return int64(len(f.e.data)), nil }

func (f *simFile) Sync() error { return f.d.gate("file sync", f.name) }

func (f *simFile) Close() error { return nil }

// simDB is a connection of a device.
type simDB struct {
	*statements
	disk *disk
	name string
	of   *entry
	lent bool // for a look before the file is opened
	// flushes: commits are durable (PRAGMA synchronous).
	flushes bool
	dead    bool
}

func (s *simDB) begin(step string) error {
	if err := s.disk.gate(step, s.name); err != nil {
		return err
	}
	if s.dead {
		return errDead
	}
	return nil
}

func (s *simDB) Exec(sql string) error {
	if err := s.begin("sql exec"); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(sql, "PRAGMA synchronous = NORMAL"):
		s.flushes = false
	case strings.HasPrefix(sql, "PRAGMA synchronous = FULL"):
		s.flushes = true
	}
	err := s.statements.Exec(sql)
	s.committed()
	return err
}

func (s *simDB) Prepare(sql string) (host.Stmt, error) {
	if err := s.begin("sql prepare"); err != nil {
		return nil, err
	}
	st, err := s.statements.Prepare(sql)
	if err != nil {
		return nil, err
	}
	return &simStmt{st, s}, nil
}

func (s *simDB) CopyInto(name string, _ bool) error {
	if err := s.begin("sql copy"); err != nil {
		return err
	}
	if s.disk.entries[name] != nil {
		return fault.New(fault.Other, "%s is there already", name)
	}
	b, err := s.DB.Bytes()
	if err != nil {
		return err
	}
	s.disk.entries[name] = &entry{data: b}
	return nil
}

func (s *simDB) CheckIntegrity(limit int) ([]string, error) {
	if err := s.begin("sql check"); err != nil {
		return nil, err
	}
	return s.DB.CheckIntegrity(limit)
}

// Rollback is what also happens to a dead device's transaction.
func (s *simDB) Rollback() error {
	if s.dead {
		return errDead
	}
	return s.statements.Rollback()
}

func (s *simDB) Close() error {
	if s.dead {
		return errDead
	}
	if err := s.begin("sql close"); err == errDead {
		return err // drop closes it
	}
	delete(s.disk.open, s)
	s.dead = true
	s.of.commits = nil // closing brings all of it into the file
	if s.name == host.MediaIndex && s.of.idle == nil && s.statements.rest() {
		s.of.idle = s.statements
		return nil
	}
	if s.lent && s.of.idle == nil && s.statements.outlive() {
		s.of.idle = s.statements
		return nil
	}
	return s.DB.Close()
}

// simStmt is a statement of a device.
type simStmt struct {
	host.Stmt
	db *simDB
}

func (s *simStmt) Run(params []byte) (int64, error) {
	if err := s.db.begin("sql run"); err != nil {
		return 0, err
	}
	n, err := s.Stmt.Run(params)
	s.db.committed()
	return n, err
}

func (s *simStmt) Query(params []byte) error {
	if err := s.db.begin("sql query"); err != nil {
		return err
	}
	return s.Stmt.Query(params)
}

func (s *simStmt) Close() error {
	if s.db.dead {
		return nil // drop has closed it
	}
	return s.Stmt.Close()
}

func (s *simStmt) Next(buf []byte) ([]byte, bool, error) {
	if s.db.dead {
		return buf, false, errDead
	}
	return s.Stmt.Next(buf)
}

// errDead is what a killed device gets from each of its ports.
var errDead error = fault.New(fault.Other, "the device is dead")
