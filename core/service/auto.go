package service

import (
	"context"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/profile"
)

// AutoParams tell the scheduler what has happened; which fields belong to which event is said at autosync.Kind. Settings that are
// left out stay as they are: they are kept with the profile, unless it is not open. Error is the name of a kind, Report is the
// result of the sync that has ended.
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

	// What read has found.
	settings []byte
	report   autosync.Report
}

// AutoResult says what to do, and the settings as they are now. Status is that of the collection, without the server, after an
// edit or a sync: a host shows at once what waits to be sent, also while another sync runs.
type AutoResult struct {
	autosync.Answer
	Settings autosync.Settings `json:"settings"`
	Status   *StatusResult     `json:"status,omitempty"`
}

// AppendJSON appends r as JSON.
func (r AutoResult) AppendJSON(dst []byte) []byte {
	dst = r.Answer.AppendJSON(dst)
	dst = jsontext.AppendKey(dst[:len(dst)-1], "settings")
	dst = r.Settings.AppendJSON(dst)
	if r.Status != nil {
		dst = r.Status.AppendJSON(jsontext.AppendKey(dst, "status"))
	}
	return append(dst, '}')
}

func (o *AutoParams) read(p *params) error {
	o.Event, o.Network, o.What = autosync.Kind(p.text("event")), autosync.Network(p.text("network")), autosync.Action(p.text("what"))
	o.LoggedIn, o.Hidden, o.Pending = p.flag("logged_in"), p.flag("hidden"), p.flag("pending")
	o.Media, o.Manual, o.Error, o.Empty = p.flag("media"), p.flag("manual"), p.text("error"), p.flag("empty")
	o.USN, o.MediaUSN = p.integer("usn"), p.integer("media_usn")
	o.settings = p.take("settings")
	if raw := p.take("report"); raw != nil {
		o.report = readReport(raw)
	}
	return p.end()
}

// changeSettings changes those settings that are in a JSON object; others are refused.
func changeSettings(s *autosync.Settings, raw []byte) error {
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
	if raw := in.take("metered"); raw != nil {
		policy, ok := jsontext.String(raw)
		if s.Metered = autosync.Policy(policy); !ok {
			in.wrongType("metered")
		}
	}
	if err := in.end(); err != nil {
		return err
	}
	return s.Check()
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

func (s *Service) auto(ctx context.Context, p AutoParams) (AutoResult, error) {
	if s.scheduler == nil {
		s.scheduler = autosync.New(s.host.Clock, s.host.Random)
	}
	e := autosync.Event{
		Kind: p.Event, Network: p.Network, LoggedIn: p.LoggedIn, Hidden: p.Hidden, Pending: p.Pending,
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
	var err error
	if e.Settings, err = s.autoSettings(p); err != nil {
		return AutoResult{}, err
	}
	a, err := s.scheduler.Handle(e)
	r := AutoResult{Answer: a, Settings: s.scheduler.Settings()}
	if err == nil && (e.Kind == autosync.Edited || e.Kind == autosync.Finished) && s.readable() {
		// A sync may be using the collection; its own syncer has the note of what it has changed.
		y := &colsync.Syncer{Host: s.host, Store: s.profile, Client: s.client}
		var status StatusResult
		status, err = y.Status(ctx, nil, true)
		r.Status = &status
	}
	return r, err
}

// readable reports whether the collection can be read at this moment: no other call replaces it or has a transaction open.
func (s *Service) readable() bool {
	return s.profile != nil && (s.using == "" || s.using == MethodSync) && !s.profile.InTransaction()
}

// autoSettings returns the settings of an event, and keeps them if that is a change of them.
func (s *Service) autoSettings(p AutoParams) (autosync.Settings, error) {
	set := s.scheduler.Settings()
	if p.Event == autosync.Opened {
		var err error
		if set, err = s.keptSettings(); err != nil {
			return set, err
		}
	}
	if p.settings != nil {
		if err := changeSettings(&set, p.settings); err != nil {
			return set, err
		}
	}
	if p.Event != autosync.Settled || s.profile == nil {
		return set, nil
	}
	return set, s.profile.Remember(profile.AutoSettings, set.AppendJSON(nil))
}

// keptSettings returns the profile's settings. Those that are damaged are the defaults again.
func (s *Service) keptSettings() (autosync.Settings, error) {
	set := autosync.Defaults()
	if s.profile == nil {
		return set, nil
	}
	members, found, err := s.profile.Recall(profile.AutoSettings)
	if err != nil || !found {
		return set, err
	}
	for _, m := range members {
		kept := set
		if changeSettings(&kept, append(append(jsontext.AppendKey([]byte{'{'}, m.Key), m.Raw...), '}')) == nil {
			set = kept
		}
	}
	return set, nil
}
