// Package collection is the collection file as sync sees it: its schema, new files and upgrades of old ones, checks
// of files from elsewhere, the merge rules, pending rows, and the counts that both sides compare.
//
// Everything runs over the host.DB port. Functions work inside the caller's transaction unless they say that they
// open their own. Section numbers refer to spec/collection-format.md and spec/collection-sync.md.
package collection
