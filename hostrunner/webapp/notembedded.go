//go:build !embedguest

package webapp

import "io/fs"

// embedded is nil in programs that are built without the app.
var embedded fs.FS
