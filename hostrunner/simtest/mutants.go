package simtest

import (
	"regexp"
	"strings"

	"github.com/cardferry/cardferry/core/wire"
)

// mutants are the seeded faults. A run that never meets the statement or message that a fault
// changes says so: it proves nothing.
var mutants = []*mutant{
	{
		name: "grave-dropped", words: "a device forgets one of the graves that it sends",
		out: func(method string, b []byte) []byte {
			g, err := wire.ParseApplyGraves(b)
			if method != "applyGraves" || err != nil || len(g.Cards) == 0 {
				return b
			}
			g.Cards = g.Cards[1:]
			return wire.ApplyGravesRequest(g)
		},
	},
	{
		name: "merge-older-wins", words: "an older card or note replaces a newer one that waits to be sent",
		sql: replaced(".mod < excluded.mod", ".mod > excluded.mod"),
	},
	{
		name: "merge-always", words: "what arrives replaces what waits to be sent, always",
		sql: replaced(".mod < excluded.mod", ".mod IS NOT NULL"),
	},
	{
		name: "merge-server-never", words: "the server keeps its own when both sides have edited a card or note",
		serverSQL: replaced(".mod < excluded.mod", ".mod < 0"),
	},
	{
		name: "usn-too-high", words: "a device notes a usn that is one too high after a sync",
		sql: replaced("UPDATE col SET usn = ?, ls = ?, mod = ?", "UPDATE col SET usn = ? + 1, ls = ?, mod = ?"),
	},
	{
		name: "stamp-edited", words: "rows that were edited while they were sent count as sent",
		sql: func(sql string) string {
			if i := strings.Index(sql, " AND EXISTS (SELECT 1 FROM temp."); i > 0 && strings.Contains(sql, " SET usn = ? WHERE usn = -1") {
				return sql[:i]
			}
			return sql
		},
	},
	{
		name: "review-lost", words: "the server drops the reviews of a slice, and counts as if it had them",
		out: func(method string, b []byte) []byte {
			var c wire.Chunk
			if method != "applyChunk" || wire.ParseApplyChunk(b, &c) != nil {
				return b
			}
			c.Revlog = nil
			return wire.ApplyChunkRequest(nil, &c)
		},
		sql: replaced("SELECT count(*) FROM revlog", "SELECT 0 FROM revlog"), serverSQL: replaced("SELECT count(*) FROM revlog", "SELECT 0 FROM revlog"),
	},
	{
		name: "deck-always", words: "a deck that arrives replaces a newer one",
		sql: replaced("SELECT mtime_secs FROM decks WHERE id = ?", "SELECT 0 FROM decks WHERE id = ?"),
	},
	{
		name: "brake-off", words: "a scan that misses all files deletes them on the server",
		sql: replaced("UPDATE media SET why = ? WHERE here IS NULL", "UPDATE media SET why = 2 + 0 * ? WHERE here IS NULL"),
	},
	{
		name: "agreed-without-offered", words: "media: what was offered is forgotten when the list shows something else",
		sql: replaced("WHEN offered IS excluded.server THEN nullif(offered, x'2d')", "WHEN 0 THEN NULL"),
	},
	{
		name: "media-agreed-blindly", words: "media: what the list shows counts as agreed",
		sql: replaced("WHEN offered IS excluded.server THEN nullif(offered, x'2d')", "WHEN here IS NOT NULL THEN excluded.server"),
	},
	{
		name: "graves-not-stored", words: "the server deletes, but keeps no graves for the other devices",
		serverSQL: func(sql string) string {
			if strings.HasPrefix(sql, "INSERT INTO graves ") {
				return strings.Replace(sql, "VALUES (?, ?, ?)", "SELECT ?, ?, ? WHERE 0", 1)
			}
			return sql
		},
	},
	{
		name: "edit-not-pending", words: "an edit of a note does not mark it as waiting",
		sql: func(sql string) string {
			if strings.HasPrefix(sql, "UPDATE notes SET ") {
				return strings.Replace(sql, "usn = -1", "usn = usn", 1)
			}
			return sql
		},
	},
	{
		name: "list-off-by-one", words: "the server does not send what the last sync before has brought",
		serverSQL: replaced("usn >= ", "usn > "),
	},
	{
		name: "undo-kept", words: "what was sent can still be taken back",
		sql: func(sql string) string {
			if strings.HasPrefix(sql, "DELETE FROM temp.undo_") {
				return strings.Replace(sql, "step > ?", "step > 1000 + ?", 1)
			}
			return sql
		},
	},
	{
		name: "mark-blind", words: "an edit made while rows are sent is not noticed",
		sql: replaced("SELECT total_changes()", "SELECT 0"),
	},
	{
		name: "graves-stamped", words: "what is deleted while others are sent counts as sent",
		sql: replaced("UPDATE graves SET usn = ? WHERE oid = ? AND type = ? AND usn = -1", "UPDATE graves SET usn = ?1 WHERE ?2 > 0 AND ?3 >= 0 AND usn = -1"),
	},
	{
		name: "mod-behind", words: "after a sync the collection counts as older than the server's",
		sql: replaced("UPDATE col SET usn = ?, ls = ?, mod = ?", "UPDATE col SET usn = ?, ls = ?, mod = ? - 1"),
	},
	{
		name: "download-mixed", words: "media: the server's change does not beat our deletion",
		sql: replaced("UPDATE media SET why = 1 WHERE here IS NULL AND why = 0 AND (agreed IS NOT NULL", "UPDATE media SET why = 1, agreed = server WHERE here IS NULL AND why = 0 AND (agreed IS NOT NULL"),
	},
	{
		name: "commit-skipped", words: "the server's finish answers and does not commit",
		serverSQL: func(sql string) string {
			if sql == "COMMIT" {
				return "ROLLBACK"
			}
			return sql
		},
	},
	{
		name: "request-twice", words: "the server does not know a request that comes twice",
		header: func(text string) string { return number.ReplaceAllString(text, "") },
	},
	{
		name: "same-mod", words: "an edit within the second of the last one keeps the time of change",
		sql: replaced("max(?1, mod + 1), usn = -1", "max(?1, mod), usn = -1"),
	},
}

// number is that by which the server knows a request that comes twice.
var number = regexp.MustCompile(`,"n":\d+`)

// Mutant describes a seeded fault.
type Mutant struct{ Name, Words string }

// Mutants lists the seeded faults.
func Mutants() (list []Mutant) {
	for _, m := range mutants {
		list = append(list, Mutant{m.name, m.words})
	}
	return list
}
