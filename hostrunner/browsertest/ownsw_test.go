package browsertest_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestOwnServiceWorker lets the app's own service worker serve media files beside what it does itself, in the two ways of README.md.
func TestOwnServiceWorker(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{"classic": `{ scope: "/" }`, "module": `{ scope: "/", type: "module" }`} {
		folder := map[string]string{"classic": "not ours", "module": "404 page not found\n"}[name] // as its own listener answers, or the server
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLearnerWith(t, `await open();`)
			l.desktop.AddMedia(t, "coming.png", dotPNG(t))
			l.syncDesktop(t)
			var got []any
			l.page.Run(t, &got, helpers+`
				const own = await navigator.serviceWorker.register("/testdata/`+name+`sw.js", `+options+`);
				if (!navigator.serviceWorker.controller) await event(navigator.serviceWorker, "controllerchange");
				await ferry.close();
				await open();
				const name = await ferry.media.add("a sound ä.wav", sound());
				const url = await ferry.media.url(name);
				const range = await fetch(url, { headers: { range: "bytes=0-3" } });
				const same = (await navigator.serviceWorker.getRegistration()).active === own.active;
				await ferry.media.sync().catch(() => {});
				return [
					url === location.origin + "/media/default/" + encodeURIComponent(name), range.status, await range.text(),
					await show(await ferry.media.url("coming.png")), (await fetch(await ferry.media.url("none.png"))).status,
					await (await fetch("/of-the-app")).text(), (await fetch("/dist/index.js")).ok, same,
					// The app may have files of its own there.
					await (await fetch("/media/icons/logo.png")).text(), await (await fetch("/media/%ff/x")).text(), await (await fetch("/media/photos/")).text(),
				];`)
			if want := fmt.Sprint([]any{true, 206, "RIFF", 1, 404, name, true, true, "404 page not found\n", "404 page not found\n", folder}); fmt.Sprint(got) != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
	// One that does not serve media files: addresses are blob URLs.
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var url string
	page.Run(t, &url, helpers+`
		await navigator.serviceWorker.register("/testdata/emptysw.js", { scope: "/" });
		if (!navigator.serviceWorker.controller) await event(navigator.serviceWorker, "controllerchange");
		`+openWithMedia+`
		const name = await ferry.media.add("dot.png", new Blob(["x"]));
		return ferry.media.url(name)`)
	if len(url) < 5 || url[:5] != "blob:" {
		t.Errorf("beside another service worker: %s", url)
	}
}

// TestSlowServiceWorker opens pages whose service worker is slow to come, as on a slow phone: addresses are blob URLs until it is there, and not for as
// long as the page is.
func TestSlowServiceWorker(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]string{
		"serviceWorker.js": `const { serviceWorker } = navigator, { register } = serviceWorker;
			const fetched = new Promise((resolve) => (window.come = resolve));
			serviceWorker.register = async (...args) => { await fetched; return register.apply(serviceWorker, args); }`,
		"testdata/slowsw.js": `window.come = () => new BroadcastChannel("install").postMessage(null)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
			var got []string
			page.Run(t, &got, until+slow+`;
				await open({ assets: { serviceWorker: args[0] } });
				await ferry.media.add("dot.txt", new Blob(["x"]));
				const before = new URL(await ferry.media.url("dot.txt")).protocol;
				let url;
				await until(async () => { come(); url = new URL(await ferry.media.url("dot.txt")); return url.protocol !== "blob:"; });
				return [before, url.pathname, await (await fetch(url)).text()]`, "/"+name)
			if want := "[blob: /media/default/dot.txt x]"; fmt.Sprint(got) != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
}

// mirrored tells what the service worker's copy of the directory has of a file.
const mirrored = `
		const mirrored = (name) => new Promise((resolve, reject) => {
			const request = indexedDB.open("cardferry-media", 1);
			request.onerror = () => reject(request.error);
			request.onupgradeneeded = () => request.transaction.abort();
			request.onsuccess = () => {
				const found = request.result.transaction("files").objectStore("files").get(["default", name]);
				found.onsuccess = () => { request.result.close(); resolve(found.result); };
			};
		}).catch(() => undefined);
`

// TestMirrorSoon adds files at any distance of time: the service worker's copy has each of them soon, also the last one.
func TestMirrorSoon(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var late []string
	page.Run(t, &late, mirrored+until+`
		await open();
		const late = [];
		const wait = (ms) => new Promise((go) => setTimeout(go, ms));
		for (let distance = 60; distance <= 260; distance += 20) {
			await ferry.media.add("a" + distance + ".txt", new Blob(["a" + distance]));
			await wait(distance);
			const name = "b" + distance + ".txt";
			await ferry.media.add(name, new Blob(["b" + distance]));
			if (!await Promise.race([until(() => mirrored(name)).then(() => true), wait(3000)])) late.push(name);
		}
		return late`)
	if len(late) > 0 {
		t.Errorf("not there: %v", late)
	}
}

// TestMirrorAgain: where the browser fails to open the service worker's copy of the directory once, a file that is added later is served all the same when
// no page has the profile open.
func TestMirrorAgain(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, mirrored+until+`
		const code = "const { open } = IDBFactory.prototype; let failed = false; IDBFactory.prototype.open = function (name, version) {" +
			"if (name === 'cardferry-media' && !failed) { failed = true; new BroadcastChannel('failed').postMessage(null); throw new DOMException('for once', 'UnknownError'); }" +
			"return open.call(this, name, version); };" +
			"import('" + location.origin + "/dist/worker.js').then(() => early.forEach((e) => onmessage(e))); const early = []; onmessage = (e) => early.push(e);";
		let failed = false;
		new BroadcastChannel("failed").onmessage = () => (failed = true);
		await open({ assets: { serviceWorker: "/serviceWorker.js", worker: script(code) } });
		await ferry.media.add("first.txt", new Blob(["first"]));
		await until(() => failed);
		await ferry.media.add("second.txt", new Blob(["second"]));
		const urls = await Promise.all(["first.txt", "second.txt"].map((name) => ferry.media.url(name)));
		await Promise.race([until(() => mirrored("second.txt")), new Promise((resolve) => setTimeout(resolve, 20_000))]);
		await ferry.close();
		return Promise.all(urls.map(async (url) => { const r = await fetch(url); return r.ok ? r.text() : r.status; }))`)
	if fmt.Sprint(got) != "[first second]" {
		t.Errorf("got %v", got)
	}
}

// TestHardReload loads a page again without its service worker, which serves it all the same a moment later.
func TestHardReload(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, openWithMedia+`; await ferry.media.add("dot.txt", new Blob(["x"])); await ferry.media.url("dot.txt")`)
	page.HardReload(t)
	var got []any
	page.Run(t, &got, `
		const before = navigator.serviceWorker.controller;
		`+openWithMedia+`
		const url = await ferry.media.url("dot.txt");
		return [before, new URL(url).pathname, await (await fetch(url)).text()]`)
	if want := "[<nil> /media/default/dot.txt x]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
