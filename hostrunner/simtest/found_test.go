package simtest

import (
	"fmt"
	"testing"
)

// What long runs have found, as scripts of their own: generators change, and seeds with them (README).
func TestFound(t *testing.T) {
	t.Parallel()
	at := func(device int, kind kind, about focus) action {
		return action{device: device, kind: kind, about: about, atOnce: true, seed: 7}
	}
	scripts := map[string][]action{
		"an edit in the millisecond in which another device's sync ends": {
			at(0, doClock, focusTogether), at(0, doEdit, focusCard), at(0, doSync, ""), at(0, doEdit, focusUpdate), at(1, doSync, ""),
		},
		"an edit while others are sent, in the millisecond in which another device's sync ends": {
			at(0, doEdit, focusAdd), at(1, doEdit, focusRemove),
			{device: 1, kind: doSync, at: map[string]netFault{"applyGraves": removed}, atOnce: true, seed: 7}, at(0, doSync, ""),
		},
		"an id given again in the millisecond of a deletion": {
			at(0, doEdit, focusAdd), at(0, doSync, ""), at(1, doSync, ""), at(0, doEdit, focusRemoveLast), at(0, doEdit, focusAdd), at(0, doSync, ""),
			at(1, doSync, ""), at(0, doEdit, focusRemoveLast), at(0, doSync, ""),
		},
	}
	for step := 1; step < 80; step++ {
		full := at(0, doSync, "")
		full.fullAt = step
		scripts[fmt.Sprint("no room from step ", step, " of a sync on, then an edit that is taken back")] = []action{
			at(0, doEdit, focusRemove), full, at(0, doEdit, focusAdd), at(0, doUndo, ""),
		}
	}
	for step := 50; step < 80; step++ {
		killed := at(1, doMediaSyn, "")
		killed.killAt, killed.seed = step, 1 // the power is gone then, the file empty, and the index as it was at the beginning
		scripts[fmt.Sprint("a media file that is deleted here and replaced there, and a power cut at step ", step)] = []action{
			at(1, doMedia, focusWrite), at(1, doMediaSyn, ""), at(0, doMediaSyn, ""), at(0, doMedia, focusWrite), at(0, doMediaSyn, ""),
			at(1, doMedia, focusDelete), killed,
		}
	}
	for step := 20; step < 60; step++ {
		cancelled := at(1, doOneWay, focusUpload)
		cancelled.cancelAt = step
		scripts[fmt.Sprint("two devices replace the same while their clocks are behind it, and one is cancelled at step ", step)] = []action{
			at(2, doEdit, focusUpdate), at(0, doClock, focusTogether), at(0, doOneWay, focusUpload), cancelled, at(2, doOneWay, focusUpload),
		}
	}
	for name, actions := range scripts {
		s := &script{seed: 1, accounts: 1, devices: 2, actions: actions}
		for _, a := range actions {
			s.devices = max(s.devices, a.device+1)
		}
		r := play(s, nil, NewCoverage())
		for _, f := range r.failures {
			t.Errorf("%s: %s", name, f)
		}
		if t.Failed() {
			for _, line := range r.log {
				t.Log(line)
			}
		}
	}
}
