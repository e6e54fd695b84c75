// Package study schedules: what a card's state is after an answer, which cards are due, in which order, and how many
// (shared spec study.md §3 and §4; sections named here are its).
//
// It keeps nothing between calls: each looks at the collection as it is, so that it may be called after any sync or edit.
// Callers open the transaction.
package study
