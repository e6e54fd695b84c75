package abi

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

var (
	_ host.SQL  = sqlPort{}
	_ host.DB   = (*db)(nil)
	_ host.Stmt = (*stmt)(nil)
)

type sqlPort struct{ g *Guest }

// Open opens a database. The host knows which task runs and interrupts it itself, so ctx is only looked at here.
func (p sqlPort) Open(ctx context.Context, name string, mode host.OpenMode) (host.DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h := p.g.imports.SQLOpen(name, int32(mode))
	if h < 0 {
		return nil, p.g.failure(int64(h))
	}
	return &db{p.g, h}, nil
}

type db struct {
	g *Guest
	h int32
}

func (d *db) Exec(sql string) error { return d.g.check(d.g.imports.SQLExec(d.h, sql)) }

func (d *db) Prepare(sql string) (host.Stmt, error) {
	h := d.g.imports.SQLPrepare(d.h, sql)
	if h < 0 {
		return nil, d.g.failure(int64(h))
	}
	return &stmt{g: d.g, h: h}, nil
}

func (d *db) CopyInto(name string, compact bool) error {
	flag := int32(0)
	if compact {
		flag = 1
	}
	return d.g.check(d.g.imports.SQLCopyInto(d.h, name, flag))
}

func (d *db) CheckIntegrity(limit int) ([]string, error) {
	h := d.g.imports.SQLCheck(d.h, int32(limit))
	if h < 0 {
		return nil, d.g.failure(int64(h))
	}
	st := &stmt{g: d.g, h: h}
	var lines []string
	for row, err := range rows.Started(st) {
		if err != nil {
			st.Close()
			return nil, err
		}
		lines = append(lines, row[0].String())
	}
	return lines, st.Close()
}

func (d *db) Rollback() error { return d.g.check(d.g.imports.SQLRollback(d.h)) }

func (d *db) Close() error {
	if d.h == 0 {
		return nil
	}
	h := d.h
	d.h = 0
	return d.g.check(d.g.imports.SQLClose(h))
}

type stmt struct {
	g *Guest
	h int32
}

func (s *stmt) Run(params []byte) (int64, error) {
	n := s.g.imports.SQLRun(s.h, params)
	if n < 0 {
		return 0, s.g.failure(n)
	}
	return n, nil
}

func (s *stmt) Query(params []byte) error { return s.g.check(s.g.imports.SQLQuery(s.h, params)) }

// Next lets the host write into a buffer that all statements share, and appends what came: most queries are for one row, and
// memory for a whole batch each time would keep the garbage collector busy.
func (s *stmt) Next(buf []byte) ([]byte, bool, error) {
	if s.g.batch == nil {
		s.g.batch = make([]byte, NextBuffer)
	}
	for room := s.g.batch; ; {
		r := s.g.imports.SQLNext(s.h, room)
		size := int(uint32(r))
		switch {
		case r < 0:
			return nil, false, s.g.failure(r)
		case r&NextTooBig != 0 && size > len(room):
			room = make([]byte, size)
		case r&NextTooBig != 0 || size > len(room):
			return nil, false, fault.New(fault.Internal, "read rows: the host wrote %d bytes into %d", size, len(room))
		default:
			return append(buf, room[:size]...), r&NextDone != 0, nil
		}
	}
}

func (s *stmt) Close() error {
	if s.h == 0 {
		return nil
	}
	h := s.h
	s.h = 0
	return s.g.check(s.g.imports.SQLFinalize(h))
}
