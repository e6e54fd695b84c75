//go:build unix

package mediahost

import "syscall"

// dontWait makes opening a pipe return at once; it means nothing for regular files.
const dontWait = syscall.O_NONBLOCK
