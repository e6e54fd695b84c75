// Package webapp serves the app (web/dist). Built files are never committed: `make build` copies them into this folder
// and builds the program with the tag embedguest, which embeds them; other builds take them from the source tree.
package webapp

import (
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

// policy lets the app run its own files and nothing else. Cards, which are strangers' HTML, are shown in framePolicy.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
	"connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// framePolicy is that of frame.html, an empty document around the sandboxed frame of a card, which inherits it: a card may
// run scripts and show what it is handed as blobs, but reaches no network, not even by going to another address.
const framePolicy = "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src 'none'; style-src 'unsafe-inline' blob:; img-src blob: data:; media-src blob: data:; " +
	"font-src blob: data:; connect-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// frameNetwork lets that document and the card within it connect to nothing at all. The policy stops requests, but Chromium connects before it
// asks the policy whether a card may go to an address; the name of a host can tell what is on the card. Browsers that do not know the header are as before.
const frameNetwork = "()"

// frame is the name of that document.
const frame = "frame.html"

// App is the app's files as an http.Handler.
type App struct {
	files fs.FS
}

// New returns the embedded app, else that of the source tree around the working directory, else nil.
func New() *App {
	if embedded != nil {
		return &App{files: embedded}
	}
	if files := guestfile.SourceFolder("web/dist"); files != nil {
		return &App{files: files}
	}
	return nil
}

// Has reports whether a request path is one of the app's files. It is false for a nil App.
func (a *App) Has(urlPath string) bool {
	if a == nil {
		return false
	}
	name := fileName(urlPath)
	info, err := fs.Stat(a.files, name)
	return err == nil && info.Mode().IsRegular() && !strings.HasSuffix(name, ".gz")
}

// ServeHTTP serves a file for which Has is true.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := fileName(r.URL.Path)
	content, err := fs.ReadFile(a.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	setHeaders(h, name)
	if packed, err := fs.ReadFile(a.files, name+".gz"); err == nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			content = packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

func fileName(urlPath string) string {
	if urlPath == "/" {
		return "index.html"
	}
	return strings.TrimPrefix(path.Clean(urlPath), "/")
}

// setHeaders sets what a browser must know of a file. Scripts get the policy too: that of a worker is its own.
func setHeaders(h http.Header, name string) {
	h.Set("Content-Type", contentType(name))
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	if name == frame {
		h.Set("Content-Security-Policy", framePolicy)
		h.Set("Connection-Allowlist", frameNetwork)
		h.Set("X-Frame-Options", "SAMEORIGIN")
	}
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "geolocation=(), payment=(), usb=(), serial=(), display-capture=()")
	h.Set("Cache-Control", "no-cache")
	if hashed(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
}

// contentType knows the types that a system's own table may lack.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".webmanifest":
		return "application/manifest+json"
	case ".wasm":
		return "application/wasm"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".map":
		return "application/json"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// hashed reports whether web/build.mjs put a hash of the content into the name, as in app-4F2KQ7ZD.js.
func hashed(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	_, hash, ok := strings.Cut(stem, "-")
	return ok && len(hash) >= 8
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
