package agentapi

import (
	"testing"

	"patchbay/server/peers"
)

// Of an agent that another server names, nothing is remembered, nor kept of what was being
// read when it was named. While others are not heard nothing is kept at all.
func TestWhatAnotherServerChangedIsReadAnew(t *testing.T) {
	s := newScene(t)
	e := s.enrol(t)
	period := uint64(1)
	inTheMiddle := func() {}
	s.api.Period = func() uint64 {
		defer func() { inTheMiddle() }()
		return period
	}
	get := func() *session {
		t.Helper()
		got, err := s.api.sessions.get(t.Context(), s.api, e.Agent)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	kept := func() bool {
		t.Helper()
		first := get()
		return first == get()
	}
	if !kept() {
		t.Error("nothing is remembered")
	}
	for name, n := range map[string]peers.Notice{"due": {Due: []peers.Device{{Agent: e.Agent}}}, "moved": {Moved: []string{e.Agent}}, "all": {All: true}} {
		before := get()
		if s.api.Told(n); get() == before {
			t.Errorf("%s: it is remembered as it was", name)
		}
		s.api.CutOff()
		var once *session
		inTheMiddle = func() { // after the period was asked for, before the store is read
			inTheMiddle = func() {}
			s.api.Told(n)
		}
		if once = get(); once == get() {
			t.Errorf("%s: what was read before it was named is kept", name)
		}
	}
	s.api.CutOff()
	if period = 0; kept() {
		t.Error("something is remembered while others are not heard")
	}
	if period = 2; !kept() {
		t.Error("nothing is remembered although all are heard again")
	}
	s.api.CutOff()
	calls := 0
	s.api.Period = func() uint64 { calls++; return uint64(2 + calls/2) } // another period by the time it is read
	if kept() {
		t.Error("what was read in an earlier period is kept")
	}
}
