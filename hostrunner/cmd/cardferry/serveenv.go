package main

import (
	"fmt"
	"strconv"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// environment reads the reference server's variables (collection-sync.md §18) that are no flags.
func (set *serveSettings) environment(lookup func(string) (string, bool)) (err error) {
	if set.users, err = syncserver.FixedUsers(lookup); err != nil {
		return err
	}
	set.gap = userGap(lookup, len(set.users))
	if v, _ := lookup("MAX_SYNC_PAYLOAD_MEGS"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 1 || n > 1<<20 {
			return fault.New(fault.InvalidInput, "MAX_SYNC_PAYLOAD_MEGS is %q, not a number of megabytes", v)
		}
		// The reference bounds what is in a body, by three times that number (collection-sync.md §3.5): one that does not compress is as long, and a
		// bit longer.
		set.limits.Collection = 3 * n << 20
		set.limits.Payload = set.limits.Collection + n<<10
	}
	header, _ := lookup("SYNC_IP_HEADER")
	set.clientIP, err = syncserver.ClientIPFrom(header)
	return err
}

// userGap tells of a user beyond the last one that counts, "" if there is none: who takes one of them out of the middle would shut the others out,
// and nothing would say why.
func userGap(lookup func(string) (string, bool), users int) string {
	const most = 100 // variables
	for i := users + 2; i <= users+most; i++ {
		if _, ok := lookup(fmt.Sprintf("SYNC_USER%d", i)); ok {
			return fmt.Sprintf("SYNC_USER%d is set, but not SYNC_USER%d: users are looked for up to the first number that is missing", i, users+1)
		}
	}
	return ""
}

func checkPort(port string) error {
	_, err := strconv.ParseUint(port, 10, 16)
	return err
}
