package collection

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// A staged slice is a received chunk in the form in which it waits for the merge: checked, and packed for the
// statements that store it, so that the transaction neither decompresses nor parses. Senders list ids in descending
// order; a staged slice has them in ascending order, because SQLite appends to a table much faster than it prepends.
//
//	staged := len(revlog):u32 len(cards):u32 revlog cards notes
//
// A staged note has the columns of stagedNote; sort field and checksum depend on the notetype, which is stored later.

// AppendStaged appends the staged form of c. It refuses rows with usn -1.
func AppendStaged(dst []byte, c *wire.Chunk) ([]byte, error) { return appendStaged(dst, c, -1) }

// appendStaged is AppendStaged for an Applier with the given pendingFrom.
func appendStaged(dst []byte, c *wire.Chunk, pendingFrom int64) ([]byte, error) {
	start := len(dst)
	dst, err := packRevlog(append(dst, make([]byte, 8)...), c.Revlog)
	if err != nil {
		return nil, err
	}
	cards := len(dst)
	if dst, err = packCards(dst, c.Cards, pendingFrom); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(cards-start-8))
	binary.LittleEndian.PutUint32(dst[start+4:], uint32(len(dst)-cards))
	for n := range ascending(c.Notes, func(n *wire.Note) int64 { return n.ID }) {
		if err := checkUSN(n.USN, "note", n.ID); err != nil {
			return nil, err
		}
		dst = rows.Begin(dst, stagedNote)
		dst = rows.Int(dst, n.ID)
		dst = rows.Text(dst, n.GUID)
		dst = rows.Int(dst, n.NotetypeID)
		dst = rows.Int(dst, n.Mod)
		dst = rows.Int(dst, int64(n.USN))
		dst = rows.Text(dst, notetext.JoinTags(n.Tags))
		dst = rows.Text(dst, notetext.CleanFields(n.Fields))
	}
	return dst, nil
}

// Staged stores a staged slice as Chunk stores the chunk.
func (a *Applier) Staged(b []byte) error {
	if len(b) < 8 {
		return fault.New(fault.Internal, "a staged slice is truncated")
	}
	revlog := int(binary.LittleEndian.Uint32(b))
	cards := int(binary.LittleEndian.Uint32(b[4:]))
	if b = b[8:]; revlog+cards > len(b) {
		return fault.New(fault.Internal, "a staged slice is truncated")
	}
	if err := a.runPacked(revlogSQL, b[:revlog]); err != nil {
		return fmt.Errorf("apply revlog: %w", err)
	}
	if err := a.runPacked(a.cardSQL(), b[revlog:revlog+cards]); err != nil {
		return fmt.Errorf("apply cards: %w", err)
	}
	if err := a.applyNotes(b[revlog+cards:]); err != nil {
		return fmt.Errorf("apply notes: %w", err)
	}
	return nil
}

// ascending yields a list in ascending order if it is in strictly descending order, else as it is: of rows that occur
// twice the order decides.
func ascending[T any](list []T, id func(*T) int64) iter.Seq[*T] {
	descending := true
	for i := 1; i < len(list) && descending; i++ {
		descending = id(&list[i]) < id(&list[i-1])
	}
	return func(yield func(*T) bool) {
		for i := range list {
			if descending {
				i = len(list) - 1 - i
			}
			if !yield(&list[i]) {
				return
			}
		}
	}
}
