package browsertest_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/gateway"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// aServer is what a page syncs with: the address of the process, and where that takes the page's requests and the real client's.
type aServer struct {
	url, path, real string
	account         *anki.Account
}

// ownAnki is our server with the accounts of the harness, which the page and the real client both use.
func ownAnki(t *testing.T) aServer {
	t.Helper()
	settings := anki.Settings(1)
	users, err := syncserver.FixedUsers(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
	s := &syncserver.Server{}
	if err == nil {
		err = s.Users().SetFixed(t.Context(), users)
	}
	if err != nil {
		t.Fatal(err)
	}
	url := running(t, s)
	return aServer{url, "", url, anki.ServerAt(url, 1).Account(t)}
}

// throughGateway is the real server, which the page reaches through our gateway and the real client directly.
func throughGateway(t *testing.T) aServer {
	t.Helper()
	endpoint, acc := account(t)
	up, err := gateway.ParseUpstream("real=" + endpoint)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Upstreams: []gateway.Upstream{up}, Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return aServer{listening(t, g), "upstream/real/", endpoint, acc}
}

// TestScenariosElsewhere runs the scenarios, and media files both ways, in a page with our server, and with the real one behind our
// gateway: one of them, or all with CARDFERRY_FULL=1. It is over HTTP/2.
func TestScenariosElsewhere(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	names := []string{"both edit the same"}
	if os.Getenv("CARDFERRY_FULL") != "" {
		names = slices.Sorted(maps.Keys(scenarios))
	}
	for server, start := range map[string]func(*testing.T) aServer{"ours": ownAnki, "gateway": throughGateway} {
		for _, name := range names {
			t.Run(server+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := start(t)
				page := pageDevice{browsertest.Start(t).Open(t, browsertest.NewSecureServer(t, s.url).URL), s.path}
				desktop := newDesktop(t, s.real, s.account)
				begin(t, page, desktop)
				change(t, page, scenarios[name].ours)
				apply(t, desktop.Client, scenarios[name].theirs)
				converge(t, page, desktop)
				exchangeMedia(t, page, desktop)
			})
		}
	}
}

// exchangeMedia has each side get the other's files, new ones and one that it has in another version, and lose one.
func exchangeMedia(t *testing.T, page pageDevice, desktop *desktop) {
	t.Helper()
	syncBoth := func() {
		t.Helper()
		page.Run(t, nil, `await ferry.media.sync()`)
		if _, err := desktop.SyncMedia(desktop.endpoint, desktop.Key); err != nil {
			t.Fatal(err)
		}
		page.Run(t, nil, `await ferry.media.sync()`)
	}
	desktop.PutMedia(t, "theirs.png", []byte("of the desktop"))
	desktop.PutMedia(t, "gone.png", []byte("to be removed"))
	page.Run(t, nil, `await ferry.media.add("ours.mp3", new Blob(["of the page"]))`)
	syncBoth()
	desktop.PutMedia(t, "ours.mp3", []byte("edited by the desktop"))
	page.Run(t, nil, `await ferry.media.remove("gone.png")`)
	syncBoth()
	want := map[string]string{"theirs.png": "of the desktop", "ours.mp3": "edited by the desktop"}
	here := map[string]string{}
	page.Run(t, &here, `const found = {};
		for (const name of ["theirs.png", "ours.mp3", "gone.png"]) if (await ferry.media.state(name) === "here") found[name] = await (await ferry.media.get(name)).text();
		return found`)
	there := map[string]string{}
	for name := range want {
		content, err := os.ReadFile(filepath.Join(desktop.Client.MediaDir(), name))
		if err != nil {
			t.Error(err)
		}
		there[name] = string(content)
	}
	if _, err := os.Stat(filepath.Join(desktop.Client.MediaDir(), "gone.png")); err == nil {
		t.Error("the desktop has the file that was removed in the page")
	}
	if !maps.Equal(here, want) || !maps.Equal(there, want) {
		t.Errorf("files in the page %v, of the desktop %v, want %v", here, there, want)
	}
}

// TestResent has the connection end in which a page waits for the answer to a request that must not come twice: Chromium sends it again by
// itself. The sync begins again then, and nothing is lost, whether our server or gateway knows the second request, or only the page can tell. The
// last request of all, finish, is answered again, or the sync would end with a conflict although all is well.
func TestResent(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	direct := func(t *testing.T) aServer {
		endpoint, acc := account(t)
		return aServer{endpoint, "", endpoint, acc}
	}
	// Over HTTP/2 it is the connection that ends, not a stream, and a media request is under way on it: one that soon comes to its end, or one
	// that does not before the last request of the sync.
	const soon, late = "HTTP/2, soon", "HTTP/2, late"
	for name, start := range map[string]func(*testing.T) aServer{"ours": ownAnki, "gateway": throughGateway, "real": direct, soon: direct, late: direct} {
		serve, secure := browsertest.NewServer, name == soon || name == late
		if secure {
			serve = browsertest.NewSecureServer
		}
		for method, requests := range map[string]int{"chunk": 3, "applyChanges": 3, "applyGraves": 3, "finish": 2} {
			if (name == "real" || secure) && method == "finish" {
				continue // that server does not know
			}
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				s := start(t)
				server := serve(t, s.url)
				page := pageDevice{browsertest.Start(t).Open(t, server.URL), s.path}
				desktop := newDesktop(t, s.real, s.account)
				desktop.addNote(t, "a", "front", "back")
				desktop.addNote(t, "b", "front", "back")
				desktop.full(t, true)
				page.login(t, "", desktop.Account)
				page.download(t)
				desktop.Do(t, "edit_note", anki.Args{"note": "a", "fields": []string{"edited"}}, nil)
				desktop.sync(t)
				page.Run(t, nil, `
					const [gone] = await ferry.query("SELECT id FROM notes WHERE guid = 'b'");
					await ferry.edit([{ op: "addDeck", name: "Of the page" }, { op: "removeNotes", noteIds: [gone.id] }])`)

				var mu sync.Mutex
				var asked []string
				var media atomic.Int32
				begun, ended := make(chan bool), make(chan bool)
				end := sync.OnceFunc(func() { close(ended) })
				server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
					if path.Base(r.URL.Path) == "begin" {
						switch n := media.Add(1); {
						case n == 1:
							close(begun)
							<-r.Context().Done()
							panic(http.ErrAbortHandler)
						case name == late:
							<-ended
						}
						return false
					}
					if path.Base(r.URL.Path) == "finish" {
						end()
					}
					if path.Base(r.URL.Path) != method {
						return false
					}
					mu.Lock()
					defer mu.Unlock()
					asked = append(asked, r.Header.Get("anki-sync"))
					if len(asked) > 1 {
						return false
					}
					server.PassOn(httptest.NewRecorder(), r)
					if secure {
						<-begun
						<-time.After(600 * time.Millisecond) // longer than twice what an answer takes on a busy machine
						server.Drop()
					}
					panic(http.ErrAbortHandler)
				})
				if secure {
					page.Run(t, nil, `await Promise.all([ferry.media.sync(), ferry.sync()])`)
				} else {
					page.sync(t)
				}
				if len(asked) != requests || asked[0] != asked[1] {
					t.Errorf("Chromium has not asked again, or the sync has not begun again: %q, want %d", asked, requests)
				}
				if got := field(t, page.Page, "a"); got != "edited\x1fback" {
					t.Errorf("the page has %q", got)
				}
				converge(t, page, desktop)
			})
		}
	}
}

// TestConnectionsNotKept syncs with servers that keep no connection, and say so or do not, as development servers and proxies before a real
// one: that one is opened for each request does not mean that a request came twice.
func TestConnectionsNotKept(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	keeping := func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}
	const second = "every second one" // looks like a request that came twice, and yet there is an end
	var count atomic.Int64
	for name, closing := range map[string]func(w http.ResponseWriter, answer *httptest.ResponseRecorder){
		"says so": func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			w.Header().Set("Connection", "close")
			keeping(w, answer)
		},
		"1.0": byHand("HTTP/1.0"),
		"1.1": byHand("HTTP/1.1"),
		second: func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			if count.Add(1)%2 == 0 {
				byHand("HTTP/1.1")(w, answer)
			} else {
				keeping(w, answer)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint, acc := account(t)
			server := browsertest.NewServer(t, endpoint)
			var mu sync.Mutex
			var asked []string
			server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				asked = append(asked, path.Base(r.URL.Path))
				mu.Unlock()
				answer := httptest.NewRecorder()
				server.PassOn(answer, r)
				closing(w, answer)
				return true
			})
			page := pageDevice{browsertest.Start(t).Open(t, server.URL), ""}
			desktop := newDesktop(t, endpoint, acc)
			desktop.addNote(t, "a", "front", "back")
			desktop.full(t, true)
			page.login(t, "", desktop.Account)
			page.download(t)
			desktop.Do(t, "add_notes", anki.Args{"prefix": "many", "count": 600, "deck": "Many"}, nil)
			desktop.sync(t)
			page.Run(t, nil, `await ferry.edit([{ op: "addDeck", name: "Of the page" }])`)
			asked = nil
			page.sync(t)
			if name != second && slices.Contains(asked, "abort") || !slices.Contains(asked, "chunk") {
				t.Errorf("the requests are %v", asked)
			}
			server.Intercept(nil)
			converge(t, page, desktop)
		})
	}
}

// byHand answers with a version of HTTP and without a word on the connection, which it closes.
func byHand(version string) func(http.ResponseWriter, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
		conn, to, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		answer.Header().Del("Connection")
		answer.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
		_, _ = fmt.Fprintf(to, "%s %d -\r\n", version, answer.Code)
		_ = answer.Header().Write(to)
		_, _ = to.WriteString("\r\n")
		_, _ = answer.Body.WriteTo(to)
		_ = to.Flush()
	}
}
