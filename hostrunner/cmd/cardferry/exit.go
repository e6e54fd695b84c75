package main

import "github.com/cardferry/cardferry/core/fault"

// exitCode returns the program's exit code for an error kind (contract §3); a new kind exits with 1 until listed.
func exitCode(k fault.Kind) int {
	switch k {
	case 0:
		return 0
	case fault.InvalidInput:
		return 2
	case fault.OneWayNeeded:
		return 3
	case fault.Auth:
		return 4
	case fault.Offline, fault.Timeout, fault.ProxyAuth, fault.ServerError, fault.Network:
		return 5
	case fault.ServerMessage, fault.Clock, fault.ClientTooOld, fault.TooLarge:
		return 6
	case fault.Sanity, fault.Resync, fault.DatabaseCheck:
		return 7
	case fault.Conflict:
		return 8
	case fault.DamagedFile, fault.UnsupportedFile, fault.DamagedDownload:
		return 9
	case fault.NeedsDecision:
		return 10
	case fault.Cancelled:
		return 130
	}
	return 1
}
