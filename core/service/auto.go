package service

import (
	"context"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// AutoParams tell the scheduler what has happened; which fields belong to which event is said at autosync.Kind. Settings that are
// left out are the defaults, Error is the name of a kind, Report is the result of the sync that has ended.
type AutoParams struct {
	Event    autosync.Kind      `json:"event"`
	Settings *autosync.Settings `json:"settings,omitempty"`
	Network  autosync.Network   `json:"network,omitempty"`
	LoggedIn bool               `json:"logged_in,omitempty"`
	Hidden   bool               `json:"hidden,omitempty"`
	Pending  bool               `json:"pending,omitempty"`
	Media    bool               `json:"media,omitempty"`
	What     autosync.Action    `json:"what,omitempty"`
	Manual   bool               `json:"manual,omitempty"`
	Error    string             `json:"error,omitempty"`
	Report   any                `json:"report,omitempty"`
	USN      *int64             `json:"usn,omitempty"`
	MediaUSN *int64             `json:"media_usn,omitempty"`
	Empty    bool               `json:"empty,omitempty"`

	report autosync.Report // what read has found in Report
}

// AutoResult says what to do.
type AutoResult = autosync.Answer

func (o *AutoParams) read(p *params) error {
	o.Event, o.Network, o.What = autosync.Kind(p.text("event")), autosync.Network(p.text("network")), autosync.Action(p.text("what"))
	o.LoggedIn, o.Hidden, o.Pending = p.flag("logged_in"), p.flag("hidden"), p.flag("pending")
	o.Media, o.Manual, o.Error, o.Empty = p.flag("media"), p.flag("manual"), p.text("error"), p.flag("empty")
	o.USN, o.MediaUSN = p.integer("usn"), p.integer("media_usn")
	o.Settings = p.settings("settings")
	if raw := p.take("report"); raw != nil {
		o.report = readReport(raw)
	}
	return p.end()
}

// settings returns the defaults with those settings that are given.
func (p *params) settings(key string) *autosync.Settings {
	raw := p.take(key)
	s := autosync.Defaults()
	if raw == nil {
		return &s
	}
	in := readParams(raw)
	for _, flag := range []struct {
		key string
		to  *bool
	}{{"autoSync", &s.AutoSync}, {"live", &s.Live}, {"syncMedia", &s.SyncMedia}} {
		if raw := in.take(flag.key); raw != nil {
			var ok bool
			if *flag.to, ok = jsontext.Bool(raw); !ok {
				in.wrongType(flag.key)
			}
		}
	}
	if raw := in.take("mediaInterval"); raw != nil {
		var ok bool
		if s.MediaInterval, ok = jsontext.Float(raw); !ok {
			in.wrongType("mediaInterval")
		}
	}
	if policy := in.text("metered"); policy != "" {
		s.Metered = autosync.Policy(policy)
	}
	if err := in.end(); err != nil && p.err == nil {
		p.err = err
	}
	return &s
}

// readReport finds what the scheduler wants to know in the result of any kind of sync.
func readReport(raw []byte) autosync.Report {
	r := autosync.Report{USN: -1, MediaUSN: -1}
	members, err := jsontext.ParseObject(raw)
	if err != nil {
		return r
	}
	if n, ok := jsontext.Int(jsontext.Get(members, "usn")); ok {
		r.USN = n
	}
	if n, ok := jsontext.Int(jsontext.Get(members, "media_usn")); ok {
		r.MediaUSN = n
	}
	r.Events, r.HasEvents = jsontext.Bool(jsontext.Get(members, "events"))
	received, err := jsontext.ParseObject(jsontext.Get(members, "received"))
	if err != nil {
		return r
	}
	for _, m := range received {
		if n, ok := jsontext.Int(m.Raw); ok {
			r.Received += n
		}
	}
	return r
}

func (s *Service) auto(_ context.Context, p AutoParams) (AutoResult, error) {
	if s.scheduler == nil {
		s.scheduler = autosync.New(s.host.Clock, s.host.Random)
	}
	e := autosync.Event{
		Kind: p.Event, Settings: *p.Settings, Network: p.Network, LoggedIn: p.LoggedIn, Hidden: p.Hidden, Pending: p.Pending,
		Media: p.Media, What: p.What, Manual: p.Manual, Report: p.report, USN: -1, MediaUSN: -1, Empty: p.Empty,
	}
	if p.Error != "" {
		e.Error = fault.ParseKind(p.Error)
	}
	if p.USN != nil {
		e.USN = *p.USN
	}
	if p.MediaUSN != nil {
		e.MediaUSN = *p.MediaUSN
	}
	return s.scheduler.Handle(e)
}
