package hostrunner

import (
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/wasm/abi"
)

func (l *lender) media() host.Media { return l.ports.host.Media }

// MediaScan lends the listing as a statement that has run already.
func (l *lender) MediaScan() int32 {
	s, err := l.media().Scan(l.ctx())
	if err != nil {
		return l.fail(err)
	}
	return l.stmts.add(&lentStmt{Stmt: struct {
		started
		host.MediaScan
	}{MediaScan: s}})
}

// set writes how a file is seen.
func set(out *[2]int64, f host.MediaFile) { out[0], out[1] = f.Size, f.Modified }

func (l *lender) MediaStat(name string, out *[2]int64) int32 {
	f, err := l.media().Stat(name)
	if err != nil {
		return l.fail(err)
	}
	set(out, f)
	return 0
}

func (l *lender) MediaHash(name string, out *abi.MediaRecord) int32 {
	f, sum, err := l.media().Hash(l.ctx(), name)
	if err != nil {
		return l.fail(err)
	}
	*out = abi.PutMediaRecord(f, sum)
	return 0
}

func (l *lender) MediaOpen(name string) int32 { return l.file(l.media().Open(name)) }

func (l *lender) MediaCreate() int32 {
	d, err := l.media().Create()
	if err != nil {
		return l.fail(err)
	}
	return l.drafts.add(d)
}

func (l *lender) MediaCopy(name string, size, modified int64) int32 {
	d, changed, err := l.media().Copy(name, host.MediaFile{Size: size, Modified: modified})
	switch {
	case err != nil:
		return l.fail(err)
	case changed:
		return 0
	}
	return l.drafts.add(d)
}

// onDraft runs do, which returns the import's result, on a draft.
func (l *lender) onDraft(n int32, do func(host.MediaDraft) (int32, error)) int32 {
	d, ok := l.drafts.m[n]
	if !ok {
		return l.unknown("draft", n)
	}
	r, err := do(d)
	if err != nil {
		return l.fail(err)
	}
	return r
}

func (l *lender) MediaWrite(n int32, p []byte) int32 {
	return l.onDraft(n, func(d host.MediaDraft) (int32, error) {
		_, err := d.Write(p)
		return 0, err
	})
}

func (l *lender) MediaSum(n int32, out *abi.MediaRecord) int32 {
	return l.onDraft(n, func(d host.MediaDraft) (int32, error) {
		size, sum, err := d.Sum()
		if err == nil {
			*out = abi.PutMediaRecord(host.MediaFile{Size: size}, sum)
		}
		return 0, err
	})
}

func (l *lender) MediaInstall(n int32, name string, seen int32, size, modified int64, out *[2]int64) int32 {
	return l.onDraft(n, func(d host.MediaDraft) (int32, error) {
		var as *host.MediaFile
		if seen != 0 {
			as = &host.MediaFile{Size: size, Modified: modified}
		}
		now, changed, err := d.Install(name, as)
		if err != nil || changed {
			return changedCode(changed), err
		}
		set(out, now)
		l.drafts.take(n)
		return 0, nil
	})
}

func changedCode(changed bool) int32 {
	if changed {
		return abi.Changed
	}
	return 0
}

func (l *lender) MediaDiscard(n int32) int32 {
	d, ok := l.drafts.take(n)
	if !ok {
		return l.unknown("draft", n)
	}
	d.Discard()
	return 0
}

func (l *lender) MediaTrash(name string, size, modified int64) int32 {
	changed, err := l.media().Trash(name, host.MediaFile{Size: size, Modified: modified})
	if err != nil {
		return l.fail(err)
	}
	return changedCode(changed)
}

func (l *lender) MediaExpire(ms int64) int32 { return l.code(l.media().Expire(unixMilli(ms))) }

func (l *lender) MediaFlush() int32 { return l.code(l.media().Flush(l.ctx())) }
