package service

import (
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// params reads the parameters of a method. Each that the method knows is asked for, then end refuses the others, as
// they would do nothing. The first problem stays in err.
type params struct {
	members []jsontext.Member // not asked for yet
	err     error
}

func readParams(b []byte) *params {
	p := &params{}
	if len(b) > 0 {
		p.members, p.err = jsontext.ParseObject(b)
		p.err = fault.Wrap(fault.InvalidInput, p.err, "read the parameters")
	}
	return p
}

// take returns a parameter, nil if it is missing or null. The last of equal keys counts.
func (p *params) take(key string) (raw []byte) {
	rest := p.members[:0]
	for _, m := range p.members {
		if m.Key == key {
			raw = m.Raw
		} else {
			rest = append(rest, m)
		}
	}
	p.members = rest
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func (p *params) wrongType(key string) {
	if p.err == nil {
		p.err = fault.New(fault.InvalidInput, "the parameter %q has a wrong type", key)
	}
}

func (p *params) text(key string) (v string) {
	if raw := p.take(key); raw != nil {
		var ok bool
		if v, ok = jsontext.String(raw); !ok {
			p.wrongType(key)
		}
	}
	return v
}

func (p *params) flag(key string) (v bool) {
	if raw := p.take(key); raw != nil {
		var ok bool
		if v, ok = jsontext.Bool(raw); !ok {
			p.wrongType(key)
		}
	}
	return v
}

// integer returns nil if the parameter is missing.
func (p *params) integer(key string) *int64 {
	raw := p.take(key)
	if raw == nil {
		return nil
	}
	v, ok := jsontext.Int(raw)
	if !ok {
		p.wrongType(key)
	}
	return &v
}

func (p *params) account(key string) *colsync.Account {
	raw := p.take(key)
	if raw == nil {
		return nil
	}
	in := readParams(raw)
	acc := &colsync.Account{Endpoint: in.text("endpoint"), Key: in.text("key")}
	if err := in.end(); err != nil && p.err == nil {
		p.err = err
	}
	return acc
}

// end returns the first problem.
func (p *params) end() error {
	if p.err == nil && len(p.members) > 0 {
		p.err = fault.New(fault.InvalidInput, "there is no parameter %q", p.members[0].Key)
	}
	return p.err
}

func (o *OpenParams) read(p *params) error {
	o.Client, o.Create = p.text("client"), p.flag("create")
	return p.end()
}

func (o *LoginParams) read(p *params) error {
	o.Endpoint, o.User, o.Password, o.Client = p.text("endpoint"), p.text("user"), p.text("password"), p.text("client")
	return p.end()
}

func (o *StatusParams) read(p *params) error {
	o.Account, o.Offline = p.account("account"), p.flag("offline")
	return p.end()
}

func (o *SyncParams) read(p *params) error {
	o.Account, o.OnConflict = p.account("account"), colsync.Direction(p.text("on_conflict"))
	return p.end()
}

func (o *TransferParams) read(p *params) error {
	o.Account, o.Backup, o.OwnBackup = p.account("account"), p.flag("backup"), p.flag("own_backup")
	return p.end()
}

func (o *RestoreParams) read(p *params) error {
	o.ID = p.text("id")
	return p.end()
}

func (none) read(p *params) error { return p.end() }
