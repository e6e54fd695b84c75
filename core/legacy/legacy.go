// Package legacy converts notetypes, decks and deck configurations between the JSON objects of the sync protocol,
// which have the shape of collection schema 11, and what a file of schema 18 stores: columns and protobuf messages
// (collection-format.md §2, §3).
//
// Each JSON member has a class that says what happens when it is missing or wrong; these decide what devices end
// up with, so they are the reference's to the letter. Members that are not known are kept in a field "other".
//
// Parsing fails with fault.DamagedDownload; a caller that reads the JSON from a file wraps the error with another
// kind. Writing fails with fault.DamagedFile if a blob does not decode. A received usn is passed on as it is:
// whether it may be -1 is the caller's to check.
package legacy
