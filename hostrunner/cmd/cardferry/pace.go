package main

import (
	"time"

	"github.com/cardferry/cardferry/core/host"
)

// pace is how fast a stage goes, and so how long the rest of it takes.
type pace struct {
	stage host.Stage
	begun time.Time
	first int64 // what was done when the stage was first seen

	rate float64       // rows, bytes or files a second; 0 while unknown
	left time.Duration // 0 while unknown
}

// minPace is how long a stage is watched before its pace is told: the first answers say little.
const minPace = time.Second

// set takes a report that arrived at now.
func (c *pace) set(p host.Progress, now time.Time) {
	if p.Stage != c.stage || p.Done < c.first {
		*c = pace{stage: p.Stage, begun: now, first: p.Done}
		return
	}
	elapsed, done := now.Sub(c.begun), p.Done-c.first
	if elapsed < minPace || done == 0 {
		return
	}
	c.rate, c.left = float64(done)/elapsed.Seconds(), 0
	if p.Total > p.Done {
		c.left = time.Duration(float64(p.Total-p.Done) / c.rate * float64(time.Second))
	}
}
