package syncserver

import "time"

// Limits bound what users may cost. Zero values have the defaults given here.
type Limits struct {
	// Payload is the longest request body in bytes as it is sent, compressed: 1 GiB. A collection may have three times as
	// much (§3.5), unless Collection says how much.
	Payload, Collection int64
	// Message bounds the other messages of the protocol, decompressed: 64 MiB.
	Message int64
	// Slice is how many rows we take and give in a message when the client is ours: 2,000.
	Slice int
	// Requests is how many requests of one account are served at once: 64; more are told to wait.
	Requests int
	// Open is how many collections are open at once: 256. The one used longest ago makes room.
	Open int
	// Idle is how long an account that sends nothing stays open: 5 minutes.
	Idle time.Duration
	// Session is how long a session (§17) waits for the next request: 15 minutes.
	Session time.Duration
	// Stall cuts a client off that sends or takes nothing: 60 s. One that is slower than 1 KiB/s on the whole is cut off, too.
	Stall time.Duration
	// Work bounds the work for one request: 5 minutes.
	Work time.Duration
	// Devices is how many devices an account may have: 100. The one seen longest ago makes room.
	Devices int
	// Logins is how many failed logins to one account from one address are taken at once: 10; then one every 30 s. More are
	// taken from one address to different accounts, and to one account from different addresses.
	Logins int
	// Signups is how many accounts can be made from one address at once: 20; then one a minute.
	Signups int
	// Backups is how many replaced collections of an account are always kept: 3; further ones are for BackupAge, 30 days.
	Backups   int
	BackupAge time.Duration
	// Listeners is how many connections of an account listen for events at once: 100. The one that began first makes room.
	Listeners int
	// Heartbeat is how often a listener gets a sign of life: 25 s. Within this time a revoked key ends the listening, too.
	Heartbeat time.Duration
	// MaxBackups is how many are kept whatever their age: 20.
	MaxBackups int
}

func (l Limits) withDefaults() Limits {
	orElse(&l.Payload, 1<<30)
	orElse(&l.Collection, 3*l.Payload)
	orElse(&l.Message, 64<<20)
	orElse(&l.Slice, 2000)
	orElse(&l.Requests, 64)
	orElse(&l.Open, 256)
	orElse(&l.Idle, 5*time.Minute)
	orElse(&l.Session, 15*time.Minute)
	orElse(&l.Stall, time.Minute)
	orElse(&l.Work, 5*time.Minute)
	orElse(&l.Devices, 100)
	orElse(&l.Logins, 10)
	orElse(&l.Signups, 20)
	orElse(&l.Backups, 3)
	orElse(&l.BackupAge, 30*24*time.Hour)
	orElse(&l.MaxBackups, 20)
	orElse(&l.Listeners, 100)
	orElse(&l.Heartbeat, 25*time.Second)
	return l
}

// orElse sets what is not set.
func orElse[T int | int64 | time.Duration](v *T, value T) {
	if *v == 0 {
		*v = value
	}
}

const (
	// smallMessage is how long a message may be, before and after decompression, without waiting for its turn among the large ones.
	smallMessage = 4 << 20
	// largeMessages is how many large messages are handled at once: they are rare, and this bounds the memory for them.
	largeMessages = 4
	// hugeMessage is how long a message may be, after decompression, without being the only one of its size that is handled: in all, seven times its
	// length is in use then.
	hugeMessage = 16 << 20
	// minRate is in bytes a second.
	minRate = 1 << 10
)
