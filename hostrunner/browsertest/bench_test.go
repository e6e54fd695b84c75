package browsertest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// BenchmarkPage measures the workloads of design.md §8 in a page of Chromium: milliseconds, and MiB of both memories,
// which never shrink. Run it with -benchtime 1x.
func BenchmarkPage(b *testing.B) {
	for name, size := range map[string]anki.Size{"M": anki.SizeM, "L": anki.SizeL} {
		page := pageBefore(b, size)
		for _, work := range []struct{ name, prepare, do string }{
			{"download", ``, `await ferry.download()`},
			{"upload", `await exec("UPDATE col SET mod = mod + 5")`, `await ferry.upload()`},
			{"no change", ``, `await ferry.sync()`},
			{"send everything", `await exec("BEGIN; UPDATE notes SET usn = -1, mod = mod + 1; UPDATE cards SET usn = -1, mod = mod + 1;" +
				"UPDATE revlog SET usn = -1; UPDATE col SET mod = mod + 5; COMMIT")`, `await ferry.sync()`},
		} {
			b.Run(name+"/"+work.name, func(b *testing.B) {
				var ms, mib float64
				for range b.N {
					var got [2]float64
					page.Run(b, &got, work.prepare+`;
						const start = performance.now();
						`+work.do+`;
						const end = performance.now(), { guest, sqlite } = await memory();
						return [end - start, (guest + sqlite) / 2 ** 20]`)
					ms, mib = ms+got[0], got[1]
				}
				b.ReportMetric(ms/float64(b.N), "ms/op")
				b.ReportMetric(mib, "MiB")
				b.ReportMetric(0, "ns/op") // the time of the test's own work says nothing
			})
		}
	}
}

// pageBefore returns a page with an account whose server has a collection of that size.
func pageBefore(b *testing.B, size anki.Size) *browsertest.Page {
	b.Helper()
	path := filepath.Join(b.TempDir(), "collection.anki2")
	now := anki.GeneratedTime.UnixMilli()
	if err := anki.Generate(path, anki.Generated{Seed: 1, Size: size, USN: 5, Mod: now, LS: now}); err != nil {
		b.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	endpoint, acc := account(b)
	acc.Install(b, file)
	page := browsertest.Start(b).Open(b, browsertest.NewServer(b, endpoint).URL)
	page.Run(b, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, acc.User, anki.Password)
	return page
}
