package syncserver

import "net/http"

// asked is what clients were told of the collection in meta: scm, by which they decided to merge (§5.2). If another device uploads before
// such a client starts, what it has does not belong to the new collection: its sync would end with numbers of rows that differ, or worse,
// with ones that happen not to. The protocol does not say at start what the client was told; its session key does, which is the same in both.
type asked struct {
	session string
	scm     int64
}

// askedMost is how many clients are remembered. One that asked long ago, or another server, is not refused.
const askedMost = 32

// told notes what a client was told.
func (t *tenant) told(session string, scm int64) {
	t.forget(session)
	if session == "" {
		return
	}
	if len(t.asked) == askedMost {
		t.asked = t.asked[1:]
	}
	t.asked = append(t.asked, asked{session, scm})
}

// forget is for a client that has replaced the collection itself.
func (t *tenant) forget(session string) {
	for i, a := range t.asked {
		if a.session == session {
			t.asked = append(t.asked[:i:i], t.asked[i+1:]...)
			return
		}
	}
}

// stillSo refuses a client that was told of another collection than there is now, as one whose session was taken over: it asks again.
func (t *tenant) stillSo(session string, scm int64) error {
	for _, a := range t.asked {
		if a.session == session && a.scm != scm {
			return refuse(http.StatusConflict, "another device has replaced the collection")
		}
	}
	return nil
}
