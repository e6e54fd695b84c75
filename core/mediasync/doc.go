// Package mediasync syncs the media files of a profile with a protocol-11 server.
//
// It keeps observations, not a list of work (design.md §4): for each name what the server has, what is here, what both
// last agreed on, and what was last offered to the server. What to do follows from these alone (decide), so that a sync
// that was killed, cancelled, or whose answer was lost anywhere is simply continued by the next one.
//
// A sync looks at the folder, reads the server's list to its end, plans with exact totals, and transfers with several
// requests under way. Tasks share the index; a row is read again after each wait before anything is done about it.
//
// Section numbers in comments are those of shared/spec/media-sync.md unless another document is named.
package mediasync
