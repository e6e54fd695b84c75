package browsertest_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// The benchmarks measure the workloads of design.md §8 in a page of Chromium, and the same work of the real client in the same run: run
// them with -benchtime 1x. They report milliseconds of both and the ratio, MiB of both memories, which never shrink, and how long
// the page's own thread was busy at most.

// watcher observes the page's own thread: the longest task that the browser reports (those of 50 ms and more), and how late a timer was
// at most, which a busy machine makes late as well.
const watcher = `
	const watch = () => {
		let task = 0, late = 0, last = performance.now();
		const observer = new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) task = Math.max(task, duration); });
		observer.observe({ type: "longtask" });
		const timer = setInterval(() => { const now = performance.now(); late = Math.max(late, now - last - 5); last = now; }, 5);
		return () => { clearInterval(timer); observer.disconnect(); return { task, late }; };
	};
`

// measured is what a piece of work in a page cost.
type measured struct{ Ms, MiB, Task, Late float64 }

// measure runs do in the page.
func measure(b *testing.B, page *browsertest.Page, do string, args ...any) (m measured) {
	b.Helper()
	page.Run(b, &m, watcher+`
		const watched = watch(), start = performance.now();
		`+do+`;
		const ms = performance.now() - start, { task, late } = watched(), { guest, sqlite } = await memory();
		return { ms, miB: (guest + sqlite) / 2 ** 20, task, late }`, args...)
	return m
}

// middle returns the median time, and the most of all else.
func middle(all []measured) (m measured) {
	slices.SortFunc(all, func(x, y measured) int { return cmp.Compare(x.Ms, y.Ms) })
	m.Ms = all[len(all)/2].Ms
	for _, x := range all {
		m.MiB, m.Task, m.Late = max(m.MiB, x.MiB), max(m.Task, x.Task), max(m.Late, x.Late)
	}
	return m
}

// report prints a measurement beside the real client's time, 0 for none.
func (m measured) report(b *testing.B, real time.Duration) {
	b.Helper()
	b.ReportMetric(m.Ms, "ms/op")
	b.ReportMetric(m.MiB, "MiB")
	b.ReportMetric(m.Task, "ms-task")
	b.ReportMetric(m.Late, "ms-late")
	b.ReportMetric(0, "ns/op") // the time of the test's own work says nothing
	if real > 0 {
		ms := float64(real) / float64(time.Millisecond)
		b.ReportMetric(ms, "ms-real")
		b.ReportMetric(m.Ms/ms, "ratio")
	}
}

// pageWork is one workload, for a page and for the real client. Before it both run the statements. What takes a moment only is done several times
// by both in turn; the median counts.
type pageWork struct {
	name  string
	times int
	sql   []string
	page  string
	real  func(c *anki.Client, endpoint, key string) error
}

func syncReal(c *anki.Client, endpoint, key string) error {
	_, err := c.Sync(endpoint, key)
	return err
}

var (
	downloadWork = pageWork{"download", 3, nil, `await ferry.download({ backup: false })`, func(c *anki.Client, e, k string) error { return c.Full(e, k, false) }}
	uploadWork   = pageWork{"upload", 1, []string{"UPDATE col SET mod = mod + 5"}, `await ferry.upload({ backup: false })`, func(c *anki.Client, e, k string) error { return c.Full(e, k, true) }}
	sameWork     = pageWork{"no change", 9, nil, `await ferry.sync({ media: false })`, syncReal}
	// What the browser itself needs for the one request of a sync without changes, beside that sync of the real client: the page's cannot take less.
	fetchWork = pageWork{"bare fetch", 9, nil, `await (await fetch("/sync/meta", { method: "POST", body: "x" })).text()`, syncReal}
	sendWork  = pageWork{"send everything", 1, []string{
		"UPDATE notes SET usn = -1, mod = mod + 1", "UPDATE cards SET usn = -1, mod = mod + 1", "UPDATE revlog SET usn = -1", "UPDATE col SET mod = mod + 5",
	}, `await ferry.sync({ media: false })`, syncReal}
	dayWork = pageWork{"day", 9, []string{
		"INSERT INTO revlog SELECT (SELECT max(id) FROM revlog) + row_number() OVER (), id, -1, 3, 1, 1, 2500, 1000, 1 FROM cards LIMIT 100",
		"UPDATE cards SET usn = -1, mod = mod + 1, reps = reps + 1 WHERE id IN (SELECT cid FROM revlog WHERE usn = -1)",
		"UPDATE col SET mod = mod + 5",
	}, `await ferry.sync({ media: false })`, syncReal}
	receiveWork = pageWork{"receive everything", 1, []string{
		"DELETE FROM notes", "DELETE FROM cards", "DELETE FROM revlog", "UPDATE col SET usn = 0, mod = mod + 5",
	}, `await ferry.sync({ media: false })`, syncReal}
)

// BenchmarkPage measures syncs of the collection.
func BenchmarkPage(b *testing.B) {
	for _, w := range []struct {
		name      string
		size      anki.Size
		roundTrip time.Duration
		works     []pageWork
	}{
		{"M", anki.SizeM, 0, []pageWork{downloadWork, uploadWork, sameWork, dayWork, sendWork, receiveWork}},
		{"M 50ms", anki.SizeM, 50 * time.Millisecond, []pageWork{downloadWork, fetchWork, sameWork, dayWork, sendWork, receiveWork}},
		{"L", anki.SizeL, 0, []pageWork{downloadWork, uploadWork}},
	} {
		b.Run(w.name, func(b *testing.B) {
			file := generated(b, w.size)
			page, _, _ := pageBefore(b, file, w.roundTrip)
			client, endpoint, key := realBefore(b, file, w.roundTrip)
			for _, work := range w.works {
				b.Run(work.name, func(b *testing.B) {
					var all []measured
					var real []time.Duration
					for range b.N * work.times {
						for _, sql := range work.sql {
							page.Run(b, nil, `await exec(args[0])`, sql)
							client.SQL(b, sql)
						}
						all = append(all, measure(b, page, work.page))
						start := time.Now()
						if err := work.real(client, endpoint, key); err != nil {
							b.Fatal(err)
						}
						real = append(real, time.Since(start))
					}
					slices.Sort(real)
					middle(all).report(b, real[len(real)/2])
				})
			}
		})
	}
}

// BenchmarkPageOpen measures from the start of the worker to the open collection M: in a browser that has just been started, and
// after the page was loaded again. With -benchtime 10x it says the least, which a busy machine disturbs least, and the median.
func BenchmarkPageOpen(b *testing.B) {
	dir := b.TempDir()
	page, server, browser := pageIn(b, dir, generated(b, anki.SizeM), originOf(b, 0))
	page.Run(b, nil, `await ferry.download(); await ferry.close()`)
	browser.Close()
	opened := map[string][]opening{}
	for range b.N {
		browser = browsertest.StartIn(b, dir)
		page = browser.Open(b, server.URL)
		opened["cold"] = append(opened["cold"], open(b, page))
		page.Load(b, server.URL)
		opened["warm"] = append(opened["warm"], open(b, page))
		browser.Close()
	}
	b.ReportMetric(0, "ns/op")
	for name, all := range opened {
		slices.SortFunc(all, func(x, y opening) int { return cmp.Compare(x.Ms, y.Ms) })
		b.ReportMetric(all[0].Ms, "ms-"+name)
		b.ReportMetric(all[len(all)/2].Ms, "ms-"+name+"-median")
		b.Logf("%s, each part of the fastest with its start and length in ms: %s", name, all[0].parts)
	}
}

// opening is what an opening cost, and what its parts took from the start of the worker.
type opening struct {
	measured
	parts string
}

// open opens the profile of a page and closes it again.
func open(b *testing.B, page *browsertest.Page) opening {
	b.Helper()
	m := measure(b, page, `await bridge.Cardferry.open().then((f) => { window.ferry = f; })`)
	var answer struct{ Parts map[string][2]float64 }
	page.Run(b, &answer, `const answer = await memory(); await ferry.close(); return answer`)
	names := slices.SortedFunc(maps.Keys(answer.Parts), func(x, y string) int { return cmp.Compare(answer.Parts[x][0], answer.Parts[y][0]) })
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "  %s %.0f+%.0f", name, answer.Parts[name][0], answer.Parts[name][1])
	}
	return opening{m, text.String()}
}

// BenchmarkPageStudy measures what studying asks for in a collection of 50,000 cards (issue budgets: 300 ms for the deck list, counted from
// the open collection, and 50 ms for a card): first in a page that has just opened it, and again after each of some answers, the median. Of
// some pages it says the least, which a busy machine disturbs least, and for what comes first the median, too.
func BenchmarkPageStudy(b *testing.B) {
	page, server, _ := pageBefore(b, generated(b, anki.Size{Notes: 50_000, Cards: 50_000, Reviews: 200_000}), 0)
	page.Run(b, nil, `await ferry.download(); await ferry.close()`)
	all := map[string][]float64{}
	for range b.N * studyPages {
		page.Load(b, server.URL)
		var times map[string]float64
		page.Run(b, &times, `
			await open();
			const timed = async (work) => { const start = performance.now(), result = await work(); return [performance.now() - start, result]; };
			const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
			const due = (d) => d.new + d.learn + d.review;
			const [decks, tree] = await timed(() => ferry.deckTree());
			const deck = tree.decks.reduce((a, b) => (due(b) > due(a) ? b : a));
			let [next, { cards: [card] }] = await timed(() => ferry.nextCards(deck.id));
			const again = { decks: [], next: [], answer: [] };
			for (let i = 0; i < 9; i++) {
				const [answer] = await timed(() => ferry.edit([{ op: "answerCard", cardId: card.card_id, button: 3, takenMs: 2000 }]));
				const [ms, { cards }] = await timed(() => ferry.nextCards(deck.id));
				card = cards[0];
				again.answer.push(answer);
				again.next.push(ms);
				again.decks.push((await timed(() => ferry.deckTree()))[0]);
			}
			const [{ n }] = await ferry.query("SELECT count() AS n FROM cards");
			await ferry.close();
			return { decks, "decks-again": median(again.decks), card: next, "card-again": median(again.next), answer: median(again.answer), cards: n, due: due(deck) }`)
		if times["cards"] != 50_000 || times["due"] < 20 {
			b.Fatalf("%v cards, %v of them due in the largest deck", times["cards"], times["due"])
		}
		for name, ms := range times {
			all[name] = append(all[name], ms)
		}
	}
	for _, name := range []string{"decks", "decks-again", "card", "card-again", "answer"} {
		slices.Sort(all[name])
		b.ReportMetric(all[name][0], "ms-"+name)
	}
	for _, name := range []string{"decks", "card"} {
		b.ReportMetric(all[name][len(all[name])/2], "ms-"+name+"-median")
	}
	b.ReportMetric(0, "ns/op")
}

// studyPages is in how many pages BenchmarkPageStudy studies.
const studyPages = 5

// BenchmarkPageMedia measures syncs of media files at 50 ms. The sets are those of design.md §8.
func BenchmarkPageMedia(b *testing.B) {
	const roundTrip = 50 * time.Millisecond
	for name, set := range map[string]anki.MediaSet{"10000 x 20kB": {Files: 10000, Size: 20_000}, "1000 x 200kB": {Files: 1000, Size: 200_000}} {
		dir := filepath.Join(b.TempDir(), "media")
		if err := anki.GenerateMedia(dir, set); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/down", func(b *testing.B) {
			for range b.N {
				_, acc := account(b)
				if err := acc.UploadFolder(dir); err != nil {
					b.Fatal(err)
				}
				mediaWork(b, acc, acc, "", "", roundTrip, set)
			}
		})
		b.Run(name+"/up", func(b *testing.B) {
			for range b.N {
				_, ours := account(b)
				_, real := account(b)
				const add = `
					await Promise.all(Array.from({ length: args[0] }, (_, i) => {
						const bytes = new Uint8Array(args[1]);
						for (let at = 0; at < bytes.length; at += 60000) crypto.getRandomValues(bytes.subarray(at, at + 60000));
						return ferry.media.add("file" + args[2] + " " + i + ".bin", new Blob([bytes]));
					}))`
				mediaWork(b, ours, real, dir, add, roundTrip, set)
			}
		})
	}
}

// mediaWork measures a media sync of a page and of the real client, which has the files of a folder.
func mediaWork(b *testing.B, ours, theirs *anki.Account, folder, prepare string, roundTrip time.Duration, set anki.MediaSet) {
	b.Helper()
	endpoint := distant(b, roundTrip)
	page := browsertest.Start(b).Open(b, originOf(b, roundTrip).URL)
	page.Run(b, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, ours.User, anki.Password)
	for part := 0; prepare != "" && part < 10; part++ { // one call has two minutes
		page.Run(b, nil, prepare, set.Files/10, set.Size, part)
	}
	m := measure(b, page, `await ferry.media.sync()`)
	client := realClient(b, filepath.Join(b.TempDir(), "collection.anki2"))
	if folder != "" {
		if err := os.CopyFS(client.MediaDir(), os.DirFS(folder)); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	if _, err := client.SyncMedia(endpoint, theirs.Key); err != nil {
		b.Fatal(err)
	}
	m.report(b, time.Since(start))
}

// generated returns a collection of that size.
func generated(b *testing.B, size anki.Size) []byte {
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
	return file
}

// distant returns an address of the real server with that round-trip time.
func distant(b *testing.B, roundTrip time.Duration) string {
	b.Helper()
	anki.Need(b)
	server, err := real.server()
	if err != nil {
		b.Fatal(err)
	}
	if roundTrip == 0 {
		return server.URL
	}
	proxy, err := anki.NewDelayProxy(server.URL, roundTrip)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = proxy.Close() })
	return proxy.URL
}

// originOf returns what serves a page, and sends its requests on to the real server: one at a distance has TLS, as all have that are not of this
// machine.
func originOf(b *testing.B, roundTrip time.Duration) *browsertest.Server {
	b.Helper()
	if roundTrip > 0 {
		return browsertest.NewSecureServer(b, distant(b, roundTrip))
	}
	return browsertest.NewServer(b, distant(b, 0))
}

// pageBefore returns a page with an account whose server has a collection.
func pageBefore(b *testing.B, file []byte, roundTrip time.Duration) (*browsertest.Page, *browsertest.Server, *browsertest.Browser) {
	b.Helper()
	return pageIn(b, b.TempDir(), file, originOf(b, roundTrip))
}

func pageIn(b *testing.B, dir string, file []byte, server *browsertest.Server) (*browsertest.Page, *browsertest.Server, *browsertest.Browser) {
	b.Helper()
	_, acc := account(b)
	acc.Install(b, file)
	browser := browsertest.StartIn(b, dir)
	page := browser.Open(b, server.URL)
	page.Run(b, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, acc.User, anki.Password)
	return page, server, browser
}

// realBefore returns a real client with an empty collection, and an account of its own with the same on the server.
func realBefore(b *testing.B, file []byte, roundTrip time.Duration) (c *anki.Client, endpoint, key string) {
	b.Helper()
	_, acc := account(b)
	acc.Install(b, file)
	return realClient(b, filepath.Join(b.TempDir(), "collection.anki2")), distant(b, roundTrip), acc.Key
}

func realClient(b *testing.B, path string) *anki.Client {
	b.Helper()
	agent, err := real.agent()
	if err != nil {
		b.Fatal(err)
	}
	return agent.Client(b, path)
}
