package colsync

import (
	"context"
	"strings"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/wire"
)

// Syncer syncs one open profile. It runs one call at a time.
type Syncer struct {
	Host  *host.Host
	Store *profile.Profile
	// Client names the program in requests, printable ASCII, e.g. "cardferry/1.0".
	Client string
	// OwnBackup keeps a backup of the server's collection here also where the server keeps one: only what is here can be restored here.
	OwnBackup bool
}

// Account says where to sync and with which key.
type Account = remote.Account

// Direction is what to do when one side must replace the other.
type Direction string

// The directions. With Ask a needed one-way sync ends with fault.OneWayNeeded and changes nothing.
const (
	Ask      Direction = "ask"
	Upload   Direction = "upload"
	Download Direction = "download"
)

// The kinds of objects that a report counts.
var kinds = []string{"notes", "cards", "revlog", "decks", "notetypes", "deck_configs", "tags", "config", "graves"}

// Counts is a number of objects by kind: notes cards revlog decks notetypes deck_configs tags config graves.
type Counts map[string]int64

func newCounts() Counts {
	c := Counts{}
	for _, k := range kinds {
		c[k] = 0
	}
	return c
}

func (c Counts) total() (n int64) {
	for _, v := range c {
		n += v
	}
	return n
}

func (c Counts) addGraves(g wire.Graves) {
	c["graves"] += int64(len(g.Cards) + len(g.Notes) + len(g.Decks))
}

func (c Counts) addChanges(ch *wire.Changes) {
	c["notetypes"] += int64(len(ch.Notetypes))
	c["decks"] += int64(len(ch.Decks))
	c["deck_configs"] += int64(len(ch.DeckConfigs))
	c["tags"] += int64(len(ch.Tags))
	c["config"] += int64(len(ch.Config))
}

func (c Counts) addChunk(ch *wire.Chunk) {
	c["revlog"] += int64(len(ch.Revlog))
	c["cards"] += int64(len(ch.Cards))
	c["notes"] += int64(len(ch.Notes))
}

// Report is the result of a sync (contract §3). Bytes and Backup are set when a one-way sync was chosen.
type Report struct {
	Required    Required `json:"required"`
	Sent        Counts   `json:"sent"`
	Received    Counts   `json:"received"`
	RoundTrips  int      `json:"round_trips"`
	NewEndpoint string   `json:"new_endpoint"`
	Message     string   `json:"message"`
	Bytes       int64    `json:"bytes,omitempty"`
	Backup      string   `json:"backup,omitempty"`
	// MediaUSN is the number of the server's last media change; a media sync that is told need not ask.
	MediaUSN int32 `json:"media_usn"`
	// USN is the number of the collection's last sync; Events says that the server tells of changes (contract §5).
	USN    int64 `json:"usn"`
	Events bool  `json:"events"`

	settled bool // nothing is left to be noted: a store for each sync that has nothing to do is half of its work
}

// maxAttempts bounds how often a sync starts again because the collection's schema changed under it, or a request came twice.
const maxAttempts = 4

// Sync runs meta and, as it says, nothing, a normal sync, or the one-way sync that onConflict allows.
// Errors: fault.OneWayNeeded, fault.ServerMessage, fault.Clock, fault.Auth, fault.Conflict, fault.Sanity,
// fault.Resync, fault.DatabaseCheck, fault.DamagedDownload, fault.Cancelled, and those of network and SQL. After a
// failure the collection is intact and pending rows are still pending.
func (s *Syncer) Sync(ctx context.Context, acc Account, onConflict Direction) (Report, error) {
	rep := Report{Required: RequiredNone, Sent: newCounts(), Received: newCounts()}
	r, err := remote.New(s.Host, acc, s.Client, remote.Sync)
	if err != nil {
		return rep, err
	}
	inFlight := maxInFlight
	for attempt := 1; ; attempt++ {
		again, err := s.syncOnce(ctx, r, onConflict, inFlight, &rep)
		rep.RoundTrips, rep.NewEndpoint = r.Requests, r.NewEndpoint
		if err == nil && !again {
			err = s.complete(&rep)
		}
		if !again || err != nil && attempt >= maxAttempts {
			return rep, r.WithRedirect(err)
		}
		if fault.KindOf(err) != fault.Resync && err != remote.ErrTwice {
			inFlight = 1 // a server that cannot take overlapped requests
		}
		r.NewSession()
	}
}

// syncOnce makes one attempt; again says that another one may succeed.
func (s *Syncer) syncOnce(ctx context.Context, r *remote.Server, onConflict Direction, inFlight int, rep *Report) (again bool, err error) {
	s.progress(host.StageConnect, 0, 0)
	if err := s.checkHostedSize(r.Base); err != nil {
		return false, err
	}
	var base base
	m, err := metaDuring(ctx, r, func() (err error) { base, err = s.readBase(); return err })
	if err != nil {
		return false, err
	}
	rep.Message, rep.MediaUSN, rep.Events = m.Msg, m.MediaUSN, m.Events
	landed := false
	if base.offered {
		landed, err = s.resolveOffered(ctx, m)
	}
	if err != nil {
		return false, err
	}
	if landed {
		if base, err = s.readBase(); err != nil {
			return false, err
		}
	}
	d := decide(base.col, base.empty, m)
	switch d.required {
	case RequiredNone:
		rep.USN, rep.settled = base.col.USN, base.media == int64(m.MediaUSN)
		return false, nil
	case RequiredFull:
		return false, s.oneWay(ctx, r, onConflict, base, d, m, rep)
	}
	a := &attempt{syncer: s, remote: r, meta: m, base: base, localNewer: d.localNewer, inFlight: inFlight, report: rep}
	return a.run(ctx)
}

// complete adds to the report what is known at the end.
func (s *Syncer) complete(rep *Report) error {
	if rep.settled {
		return nil
	}
	col, err := collection.ReadCol(s.db())
	if err != nil {
		return err
	}
	rep.USN = col.USN
	return s.Store.SeeMedia(int64(rep.MediaUSN))
}

// base is the local state that a sync started from.
type base struct {
	col    collection.Col
	empty  bool
	config map[string]string

	offered bool  // an upload's outcome is not known
	media   int64 // see profile.Profile.MediaSeen; -1 if that is not known
}

// readBase reads it in one transaction: a config key that differs later was edited after col.mod was read.
func (s *Syncer) readBase() (b base, err error) {
	if _, b.offered, err = s.Store.Recall(profile.Offered); err != nil {
		return b, err
	}
	known := false
	if b.media, known, err = s.Store.MediaSeen(); err != nil {
		return b, err
	}
	if !known {
		b.media = -1
	}
	db := s.db()
	err = rowsRead(db, func() error {
		if b.col, b.empty, err = localState(db); err != nil {
			return err
		}
		b.config, err = configMap(db)
		return err
	})
	return b, err
}

// rowsRead runs do in a read transaction.
func rowsRead(db host.DB, do func() error) error {
	if err := db.Exec("BEGIN"); err != nil {
		return err
	}
	err := do()
	if rerr := db.Rollback(); err == nil {
		err = rerr
	}
	return err
}

// oneWay acts on a needed one-way sync.
func (s *Syncer) oneWay(ctx context.Context, r *remote.Server, onConflict Direction, b base, d decision, m wire.Meta, rep *Report) error {
	rep.Required = RequiredFull
	var tr TransferReport
	var err error
	switch {
	case onConflict == Upload && d.uploadOK:
		tr, err = s.upload(ctx, r, m, true)
	case onConflict == Download && d.downloadOK:
		tr, err = s.download(ctx, r, m, true)
	case onConflict == Upload || onConflict == Download:
		return directionError(s.db(), b.col, d, m)
	default:
		return oneWayError(s.db(), b.col, d, m)
	}
	if err != nil {
		return err
	}
	rep.Required, rep.Bytes, rep.Backup = RequiredNone, tr.Bytes, tr.Backup
	return nil
}

// checkHostedSize applies the hosted service's limit before anything is sent to it (§3.5).
func (s *Syncer) checkHostedSize(base string) error {
	const limit = 300 << 20
	if !strings.Contains(base, "ankiweb") {
		return nil
	}
	info, err := s.Host.Files.Stat(host.Collection)
	if err != nil {
		return err
	}
	if info.Size > limit {
		return fault.New(fault.TooLarge, "the collection is too large for this server: %d > %d bytes", info.Size, limit).
			WithHint("Remove decks that you no longer need, then check the database.")
	}
	return nil
}

func (s *Syncer) progress(stage host.Stage, done, total int64) {
	s.Host.Events.Progress(host.Progress{Stage: stage, Done: done, Total: total})
}
