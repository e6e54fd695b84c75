package browsertest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// watchZstd opens a profile and counts in the page's zstd how many frames the library writes and reads.
const watchZstd = `
	const watched = script("(" + (() => {
		const { Instance } = WebAssembly, heard = new BroadcastChannel("zstd");
		WebAssembly.Instance = function (...args) {
			const { exports } = new Instance(...args);
			if (!exports.ZSTD_createCStream) return { exports };
			const counted = (name) => (...args) => { heard.postMessage(name); return exports[name](...args); };
			return { exports: { ...exports, ...Object.fromEntries(["ZSTD_createCStream", "ZSTD_createDStream"].map((name) => [name, counted(name)])) } };
		};
	}) + ")();");
	window.zstd = { ZSTD_createCStream: 0, ZSTD_createDStream: 0 };
	new BroadcastChannel("zstd").onmessage = ({ data }) => zstd[data]++;
	await open({ assets: { ...args[0], worker: script("import '" + watched + "'; import '" + location.origin + "/dist/worker.js';") } });`

// fillCollection gives the collection megabytes of text that does not compress, and as much that does.
const fillCollection = `
	await exec("CREATE TABLE IF NOT EXISTS filler (data); WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < " + args[0] + ") " +
		"INSERT INTO filler SELECT hex(randomblob(500000)) FROM n; UPDATE col SET mod = mod + 1, scm = scm + 1");`

// TestZstd uploads and downloads with the zstd library, and where it cannot be had: then the guest does its work.
func TestZstd(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		assets map[string]string
		used   bool
	}{
		{"there", map[string]string{}, true},
		{"missing", map[string]string{"zstd": "/missing.wasm"}, false},
		{"no such file", map[string]string{"zstd": "/dist/index.js"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			endpoint, acc := account(t)
			page := browsertest.Start(t).Open(t, browsertest.NewServer(t, endpoint).URL)
			page.Run(t, nil, watchZstd, c.assets)
			page.Run(t, nil, `await ferry.login({ user: args[0], password: args[1] })`, acc.User, anki.Password)
			page.Run(t, nil, fillCollection, 6)
			sums := func() (s string) {
				page.Run(t, &s, `return JSON.stringify(await ferry.query("SELECT count(*), sum(length(data)), min(data), max(data) FROM filler"))`)
				return s
			}
			before := sums()
			page.Run(t, nil, `await ferry.upload(); await exec("DELETE FROM filler"); await ferry.download()`)
			if sums() != before {
				t.Error("what came back is not what was sent")
			}
			var used [2]bool
			page.Run(t, &used, `
				if (args[0]) while (!zstd.ZSTD_createCStream || !zstd.ZSTD_createDStream) await new Promise((resolve) => setTimeout(resolve, 20));
				const own = [zstd.ZSTD_createCStream > 0, zstd.ZSTD_createDStream > 0];
				const file = await ferry.exportFile({ media: false });
				await ferry.importFile(file);
				return own`, c.used)
			if used != [2]bool{c.used, c.used} {
				t.Errorf("the library has written, read: %v", used)
			}
			if sums() != before {
				t.Error("what was imported is not what was exported")
			}
		})
	}
}

// TestCancelCompressing cancels uploads while the file is being compressed. Nothing is left of them, and the next upload is whole.
func TestCancelCompressing(t *testing.T) {
	t.Parallel()
	_, page := loggedIn(t)
	page.Run(t, nil, `await ferry.upload()`) // by now the library is there
	page.Run(t, nil, fillCollection, 60)
	for _, after := range []int{0, 20, 60, 120, 200, 300} {
		var late float64
		page.Run(t, &late, `
			const controller = new AbortController();
			let at;
			const abort = () => { at = performance.now(); controller.abort(); };
			const off = ferry.subscribe(({ progress }) => {
				if (progress?.stage === "upload" && !at) setTimeout(abort, args[0], at = Infinity);
			});
			try {
				await ferry.upload({ signal: controller.signal });
				throw new Error("it was not cancelled");
			} catch (e) {
				if (e.kind !== "cancelled") throw e;
				return performance.now() - at;
			} finally {
				off();
			}`, after)
		if late > 1000 {
			t.Errorf("cancelled after %d ms it took %.0f ms to end", after, late)
		}
	}
	page.Run(t, nil, `await ferry.upload(); await ferry.download()`)
	var got string
	page.Run(t, &got, `return (await ferry.query("SELECT count(*) || ' ' || sum(length(data)) AS got FROM filler"))[0].got`)
	if want := "60 60000000"; got != want {
		t.Errorf("the server has %s, want %s", got, want)
	}
}

// TestFullWhileCompressing: where there is room for the copy to be sent, but not for its compressed form, the error says so, and nothing
// is left of either.
func TestFullWhileCompressing(t *testing.T) {
	t.Parallel()
	_, page := loggedIn(t)
	page.Run(t, nil, `await ferry.upload()`)
	page.Run(t, nil, fillCollection, 20)
	size := func() (bytes float64) {
		page.Run(t, &bytes, `
			const size = async (of) => {
				if (of.kind === "file") return (await of.getFile()).size;
				let sum = 0;
				for await (const entry of of.values()) sum += await size(entry);
				return sum;
			};
			return size(await navigator.storage.getDirectory())`)
		return bytes
	}
	before := size()
	var used float64
	page.Run(t, &used, `
		const used = async () => (await navigator.storage.estimate()).usage;
		for (let last = -1, now = await used(); ; [last, now] = [now, await used()]) {
			if (now === last) return now; // what is being given back is no more counted
			await new Promise((done) => setTimeout(done, 200));
		}`)
	page.Quota(t, used+24e6) // the copy has 20 MB, the frame 10
	if e := wantKind(t, page.Try(t, nil, `await ferry.upload()`), fault.StorageFull); !strings.Contains(e.Message, "copy the collection: write file") {
		t.Errorf("%v", e)
	}
	if after := size(); after > before+100e3 {
		t.Errorf("the files have %.0f bytes, before %.0f", after, before)
	}
	page.Quota(t, 0)
	if err := page.Try(t, nil, `await ferry.upload()`); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
