package main

import (
	"strconv"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// environment reads the reference server's variables (collection-sync.md §18) that are no flags.
func (set *serveSettings) environment(lookup func(string) (string, bool)) (err error) {
	if set.users, err = syncserver.FixedUsers(lookup); err != nil {
		return err
	}
	if v, _ := lookup("MAX_SYNC_PAYLOAD_MEGS"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 1 || n > 1<<20 {
			return fault.New(fault.InvalidInput, "MAX_SYNC_PAYLOAD_MEGS is %q, not a number of megabytes", v)
		}
		set.payload = n << 20
	}
	header, _ := lookup("SYNC_IP_HEADER")
	set.clientIP, err = syncserver.ClientIPFrom(header)
	return err
}

func checkPort(port string) error {
	_, err := strconv.ParseUint(port, 10, 16)
	return err
}
