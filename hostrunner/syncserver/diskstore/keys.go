package diskstore

import (
	"sync"

	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// keys remembers what keys stand for: every request asks, seven times in a small sync. What is remembered counts only as long as the database is
// the one that it was read from, whoever changes it, so a key that is revoked stops working as it would without this.
type keys struct {
	stamp *stamp // nil: nothing is remembered

	mu    sync.Mutex
	at    mark // what known was read from, or something before
	known map[store.KeyHash]owner
}

// owner is what a key stands for.
type owner struct {
	account store.Account
	device  store.Device
}

// keysMost bounds how many are remembered.
const keysMost = 1000

// mark is a state of the database. Every commit makes another one.
type mark [markSize]byte

// find returns what is known of a key, or else the state to remember its owner with; again is false if there is nothing to remember it with.
func (k *keys) find(key store.KeyHash) (o owner, found bool, at mark, again bool) {
	if k.stamp == nil {
		return o, false, at, false
	}
	// The state comes before what is read, which is therefore of this state or a later one.
	if at, again = k.stamp.read(); !again {
		return o, false, at, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at == at {
		o, found = k.known[key]
	}
	return o, found, at, true
}

// remember keeps the owner of a key, which was read after the state was.
func (k *keys) remember(at mark, key store.KeyHash, o owner) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at != at || k.known == nil || len(k.known) == keysMost {
		k.at, k.known = at, map[store.KeyHash]owner{}
	}
	k.known[key] = o
}

// close ends the use.
func (k *keys) close() {
	if k.stamp != nil {
		k.stamp.close()
	}
}
