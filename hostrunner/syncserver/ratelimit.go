package syncserver

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter limits how often something may be done by, or to, each of many.
type limiter struct {
	every time.Duration // one more each
	burst int

	mu sync.Mutex
	// Two generations bound the memory: when one is full, those not seen since it began are forgotten.
	young, old map[string]*rate.Limiter
}

// limiterKeys is the size of a generation.
const limiterKeys = 10_000

func newLimiter(every time.Duration, burst int) *limiter {
	return &limiter{every: every, burst: burst, young: map[string]*rate.Limiter{}}
}

func (l *limiter) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.young[key]; one != nil {
		return one
	}
	one := l.old[key]
	if one == nil {
		one = rate.NewLimiter(rate.Every(l.every), l.burst)
	}
	if len(l.young) >= limiterKeys {
		l.young, l.old = map[string]*rate.Limiter{}, l.young
	}
	l.young[key] = one
	return one
}

// attempt is something that several limiters were asked about.
type attempt struct {
	at       time.Time
	reserved []*rate.Reservation
}

// try counts an attempt; wait is how long to wait, if there were too many.
func (a *attempt) try(l *limiter, key string) (wait time.Duration) {
	r := l.of(key).ReserveN(a.at, 1)
	if wait = r.DelayFrom(a.at); wait > 0 {
		r.CancelAt(a.at)
		a.undo()
		return wait
	}
	a.reserved = append(a.reserved, r)
	return 0
}

// undo takes the attempt back: it was none of those that are limited. The time is that of the attempt, since a reservation
// in the past counts as used up.
func (a *attempt) undo() {
	for _, r := range a.reserved {
		r.CancelAt(a.at)
	}
	a.reserved = nil
}

// limiters are those of the server. Logins that succeed do not count: a class may log in from one address.
type limiters struct {
	signupIP, signup            *limiter
	loginIP, loginBoth, loginTo *limiter
}

func newLimiters(l *Limits) *limiters {
	return &limiters{
		signupIP:  newLimiter(time.Minute, l.Signups),
		signup:    newLimiter(time.Second, 20*l.Signups),
		loginIP:   newLimiter(5*time.Second, 5*l.Logins),
		loginBoth: newLimiter(30*time.Second, l.Logins),
		loginTo:   newLimiter(10*time.Second, 10*l.Logins),
	}
}

// network returns what stands for whoever has an address: of IPv6 addresses everybody has a whole /64.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Is4() || addr.Is4In6() {
		return ip
	}
	p, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
