// Package colsync syncs a collection with a protocol-11 server: normal sync, full upload and download, status, login.
//
// A normal sync never holds a transaction while it waits for the network (design.md §3). It stages what the server
// has, applies it in one transaction in which it also copies its own pending rows, sends those copies, and in a
// second transaction stamps the rows that still equal what was sent. Killed or cancelled anywhere between, the file
// is consistent, pending rows are still pending, and the next sync sends them again, which is idempotent by id.
//
// Section numbers in comments are those of shared/spec/collection-sync.md unless another document is named.
package colsync
