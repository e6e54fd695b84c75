package ankitest

import "sync"

// sharedUsers is the number of accounts of a shared server. Making one takes the server 40 ms of waiting for the disk.
const sharedUsers = 16

// shared are servers for all tests of this process: the accounts that are free, and the server that has more.
var shared struct {
	mu    sync.Mutex
	free  []account
	last  *Server
	taken int
}

type account struct {
	server *Server
	user   User
}

// Shared returns an account, new or reset, of a server that tests of this process share; the server ends with the
// process. A test that stops its server or changes its settings uses StartServer.
func Shared(t TB) (*Server, User) {
	t.Helper()
	Require(t)
	a, err := takeAccount()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { putAccount(a) })
	return a.server, a.user
}

func takeAccount() (account, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if n := len(shared.free); n > 0 {
		a := shared.free[n-1]
		shared.free = shared.free[:n-1]
		return a, nil
	}
	if shared.last == nil || shared.taken == sharedUsers {
		dir, err := tempDir()
		if err != nil {
			return account{}, err
		}
		if shared.last, err = newServer(ServerOptions{Users: sharedUsers, Base: dir}, dir); err != nil {
			return account{}, err
		}
		shared.taken = 0
	}
	shared.taken++
	return account{shared.last, shared.last.User()}, nil
}

// putAccount resets an account: the server takes an empty upload for a new collection.
func putAccount(a account) {
	if err := a.server.Upload(a.user, nil); err != nil {
		return // not used again
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.free = append(shared.free, a)
}
