module github.com/cardferry/cardferry

go 1.26.0

require (
	// The program's command line: nested commands, flags in any place, help texts.
	github.com/alecthomas/kong v1.17.0
	// Browser tests: the protocol types that go with chromedp.
	github.com/chromedp/cdproto v0.159.0
	// Browser tests: drives an installed Chromium, needs no driver program.
	github.com/chromedp/chromedp v0.23.0
	// zstd, which the sync protocol is framed in, in plain Go: it compiles into the guest.
	github.com/klauspost/compress v1.20.4
	// SQLite in plain Go: the program needs no C compiler and builds for every system.
	github.com/ncruces/go-sqlite3 v0.35.6
	// The server's metrics, in the form that Prometheus reads.
	github.com/prometheus/client_golang v1.25.0
	// testscript: the program's tests are scripts that read like a shell session.
	github.com/rogpeppe/go-internal v1.16.0
	// Runs the Wasm guest, in plain Go.
	github.com/tetratelabs/wazero v1.12.0
	// The progress bar.
	github.com/vbauerster/mpb/v8 v8.16.2
	// argon2id, which passwords are kept with.
	golang.org/x/crypto v0.59.0
	// publicsuffix: which hosts belong to one domain, for redirects of the gateway's upstreams. httpproxy: the environment's proxies.
	golang.org/x/net v0.62.0
	// System calls that the standard library lacks: file locks on Windows, the send queue of a socket on Linux.
	golang.org/x/sys v0.50.0
	// Whether standard error is a terminal, and reading a password from one.
	golang.org/x/term v0.48.0
	// Unicode normalization, which native hosts lend to the core.
	golang.org/x/text v0.44.0
	// Rate limits of logins and sign-ups.
	golang.org/x/time v0.16.0
)

require (
	github.com/VividCortex/ewma v1.2.0 // indirect
	github.com/acarl005/stripansi v0.0.0-20180116102854-5a71ef0e047d // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/mattn/go-runewidth v0.0.30 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.3.35304 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/vbauerster/cupwriter v0.0.5 // indirect
	golang.org/x/tools v0.52.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
