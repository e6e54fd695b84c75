package simtest

import "testing"

// What long runs have found, as scripts of their own: generators change, and seeds with them (README).
func TestFound(t *testing.T) {
	t.Parallel()
	at := func(device int, kind kind, about focus) action {
		return action{device: device, kind: kind, about: about, atOnce: true, seed: 7}
	}
	for name, actions := range map[string][]action{
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
	} {
		s := &script{seed: 1, accounts: 1, devices: 2, actions: actions}
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
