//go:build embedguest

package webapp

import (
	"embed"
	"io/fs"
)

//go:embed dist
var dist embed.FS

// embedded has the files of web/dist.
var embedded, _ = fs.Sub(dist, "dist")
