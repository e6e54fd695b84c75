package mediasync

// content is what is known to be under a name, here or on the server: the SHA-1 of a file, 20 bytes, or one of these.
type content string

const (
	nothing content = ""  // no file; of the server: not known
	deleted content = "-" // the server says that the file is deleted
	opaque  content = "?" // a file that cannot be synced
	hollow  content = "0" // a file of the server without content, which cannot be synced either
)

// live reports whether there is a file.
func (c content) live() bool { return c != nothing && c != deleted }

// known reports whether there is a file that can be synced.
func (c content) known() bool { return len(c) > 1 }

// absence says why a file that was here is not here any more.
type absence uint8

// The absences. Only a file that both sides had agreed on can be deleted on the server.
const (
	unjudged absence = iota // no scan has missed it yet; there may be something else under the name
	missed                  // a scan has missed it
	passed                  // and the brake let it pass
	wanted                  // the user deleted it, or allowed what was held
	held                    // a scan missed it, and the brake holds it
)

// action is what is to be done about a name.
type action uint8

// The actions.
const (
	settled     action = iota // both sides are equal and know it
	untouched                 // something cannot be synced: set aside
	waiting                   // missing here; the next scan will judge
	holding                   // missing here, and the user has to say whether it was deleted
	dropRow                   // no one has the file
	agree                     // both sides are equal: remember that
	download                  // take the server's file; what is here goes to the trash
	upload                    // send ours
	trash                     // deleted on the server: move ours to the trash
	deleteThere               // deleted here: delete on the server
)

// decide is the table of design.md §4: what follows from what is here, what the server has, and what both last agreed
// on. What was last offered has no column: a listing that shows it counts as agreed (index.apply).
func decide(here, server, agreed content, why absence) action {
	switch {
	case here == opaque || server.live() && !server.known():
		return untouched
	case here == nothing:
		return decideMissing(server, agreed, why)
	case server == nothing: // a name that the server does not list is unknown to it, not deleted
		return upload
	case server == here:
		if agreed == here {
			return settled
		}
		return agree
	case server == deleted:
		if agreed == here {
			return trash
		}
		return upload // an edit survives their deletion
	case server == agreed:
		return upload
	}
	return download // also if both have changed it: theirs wins, ours is in the trash
}

// decideMissing is decide for a name without a file here.
func decideMissing(server, agreed content, why absence) action {
	switch {
	case !server.live():
		return dropRow
	case server != agreed:
		return download // their change beats our deletion
	}
	switch why {
	case passed, wanted:
		return deleteThere
	case held:
		return holding
	}
	return waiting
}
