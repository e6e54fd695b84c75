package main

import (
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/host"
)

func TestPace(t *testing.T) {
	t.Parallel()
	var c pace
	now := time.Unix(1_000, 0)
	set := func(stage host.Stage, done, total int64) {
		c.set(host.Progress{Stage: stage, Done: done, Total: total}, now)
	}
	set(host.StageMediaDownload, 100, 1100)
	now = now.Add(time.Second / 2)
	set(host.StageMediaDownload, 150, 1100)
	if c.rate != 0 || c.left != 0 {
		t.Errorf("after half a second: %v a second, %v left", c.rate, c.left)
	}
	now = now.Add(time.Second * 3 / 2)
	set(host.StageMediaDownload, 200, 1100) // 100 in 2 s
	if c.rate != 50 || c.left != 18*time.Second {
		t.Errorf("%v a second, %v left; want 50, 18s", c.rate, c.left)
	}
	set(host.StageMediaUpload, 0, 10)
	if c.rate != 0 || c.left != 0 {
		t.Errorf("a new stage has the pace of the old one: %v, %v", c.rate, c.left)
	}
	now = now.Add(2 * time.Second)
	set(host.StageMediaUpload, 10, 10)
	if c.rate != 5 || c.left != 0 {
		t.Errorf("at the end: %v a second, %v left", c.rate, c.left)
	}
}
