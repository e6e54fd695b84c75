//go:build !linux

package nethost

import "net"

// queued is known on Linux only. Elsewhere what the system has taken counts as sent, and the stall time is best
// longer than a slow line needs for a full socket buffer.
func queued(net.Conn) int64 { return 0 }
