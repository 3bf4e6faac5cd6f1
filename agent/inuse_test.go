package agent

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/agent/journal"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
)

// opens has somebody open a program, and everybody close it by hand after some time.
func (w *world) opens(name string, closed time.Duration) {
	w.machine.open = []provider.Process{{ID: 7, Session: 1, Program: name}}
	if closed > 0 {
		time.AfterFunc(closed, func() { w.machine.closes(provider.Process{ID: 7}) })
	}
}

func (w *world) why(j wire.Job) string {
	heard := w.server.heard()
	for _, s := range heard[len(heard)-1].Devices[0].Jobs {
		if s.Job == j.ID {
			return s.Why
		}
	}
	return ""
}

// TestNobodysProgramIsReplacedUnderThem: whatever the orders say, a program that is open is not
// replaced before it was closed: by its user, after a yes, or after everybody was told.
func TestNobodysProgramIsReplacedUnderThem(t *testing.T) {
	for name, c := range map[string]struct {
		policy  wire.InUse
		closed  time.Duration        // by hand; 0 never
		says    func() (bool, error) // to the question
		soonest time.Duration        // at which it may be installed; 0 never
		latest  time.Duration
		asks    int // questions in three hours, at least one less than an hour apart is too many
		notices int
	}{
		"wait, never closed":      {policy: wire.InUseWait},
		"wait, closed":            {policy: wire.InUseWait, closed: 20 * time.Minute, soonest: 20 * time.Minute, latest: 27 * time.Minute},
		"close":                   {policy: wire.InUseClose, soonest: noticeTime, latest: noticeTime + time.Minute, notices: 1},
		"close, closed by hand":   {policy: wire.InUseClose, closed: time.Minute, soonest: time.Minute, latest: noticeTime + time.Minute, notices: 1},
		"ask, yes":                {policy: wire.InUseAsk, says: func() (bool, error) { return true, nil }, latest: 2 * time.Minute, asks: 1},
		"ask, no":                 {policy: wire.InUseAsk, says: func() (bool, error) { return false, nil }, asks: 3},
		"ask, no answer":          {policy: wire.InUseAsk, asks: 3},
		"ask, no way to ask":      {policy: wire.InUseAsk, says: func() (bool, error) { return false, errors.New("no desk") }, asks: 3},
		"ask, no, closed by hand": {policy: wire.InUseAsk, says: func() (bool, error) { return false, nil }, closed: 30 * time.Minute, soonest: 30 * time.Minute, latest: 40 * time.Minute, asks: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(t *testing.T, w *world) {
				began := time.Now()
				var replaced time.Duration
				w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
					replaced = time.Since(began)
					if len(w.machine.open) > 0 {
						t.Error("it was replaced while it was open")
					}
					return provider.Outcome{}, true, nil
				}
				w.says = c.says
				w.opens("curl", c.closed)
				j := job("curl", "1.0", "1.1")
				w.order(j)
				w.server.set(func(d *wire.DeviceOrders) { d.InUse = c.policy })
				w.start()
				pass(20 * time.Second)
				if why := w.why(j); c.latest != 2*time.Minute && !strings.HasPrefix(why, wire.Open+"curl (curl). ") {
					t.Errorf("while it waits it says %q", why)
				}
				pass(3*time.Hour - 20*time.Second)
				if done := c.latest > 0; done != (replaced > 0) || done && (replaced < c.soonest || replaced > c.latest) {
					t.Errorf("replaced after %s, want %s to %s", replaced, c.soonest, c.latest)
				}
				if len(w.asks) != c.asks || len(w.notices) != c.notices {
					t.Errorf("asked %q, told %q", w.asks, w.notices)
				}
			})
		})
	}
}

// TestAProgramIsAskedToCloseBeforeItIsEnded: by its own windows, where that can be; one that stays
// is ended.
func TestAProgramIsAskedToCloseBeforeItIsEnded(t *testing.T) {
	for _, stays := range []bool{false, true} {
		inside(t, func(t *testing.T, w *world) {
			w.stays = stays
			w.opens("curl", 0)
			j := job("curl", "1.0", "1.1")
			w.order(j)
			w.server.set(func(d *wire.DeviceOrders) { d.InUse = wire.InUseClose })
			w.start()
			pass(time.Hour)
			if w.last(j).Step != wire.StepDone || (w.closed == 1) == stays || (w.ended == 1) != stays {
				t.Errorf("stays %v: %d closed, %d ended", stays, w.closed, w.ended)
			}
		})
	}
}

// TestClosingNeedsRoomInTheWindow: nobody's program is closed without time to save.
func TestClosingNeedsRoomInTheWindow(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := []provider.Process{{ID: 7, Session: 1, Program: `c:\program files\editor\editor.exe`}}
	for left := time.Duration(0); left < 10*time.Minute; left += 10 * time.Second {
		orders := wire.DeviceOrders{InUse: wire.InUseClose, Windows: window.Spec{Opens: []window.Span{{From: now.Add(-time.Hour), Until: now.Add(left + time.Second), Reason: "test"}}}}
		j := journal.Job{Job: wire.Job{ID: "job_1", Target: wire.Target{Name: "Editor"}}, Step: wire.StepPreflight}
		p := planOpen(newSituation(now, true, false, orders), j, open, question{})
		switch {
		case p.close:
			t.Errorf("%s before the end: closed without notice", left)
		case p.job.CloseAt.After(now.Add(left)) || !p.job.Retry.After(now):
			t.Errorf("%s before the end: closed at %s, looked at again at %s", left, p.job.CloseAt, p.job.Retry)
		case (p.say != "") != !p.job.CloseAt.IsZero():
			t.Errorf("%s before the end: %q and closed at %s", left, p.say, p.job.CloseAt)
		case !strings.HasPrefix(p.job.Why, wire.Open+"Editor (editor.exe). "):
			t.Errorf("it says %q", p.job.Why)
		}
	}
}

// TestAnOldNoticeClosesNothing: neither what was told for an earlier try or an earlier night,
// nor a yes to a question of then, is for what somebody opened since.
func TestAnOldNoticeClosesNothing(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := []provider.Process{{ID: 7, Session: 1, Program: "editor.exe"}}
	for _, policy := range []wire.InUse{wire.InUseClose, wire.InUseAsk} {
		s := newSituation(now, true, false, wire.DeviceOrders{InUse: policy, Windows: window.Spec{Opens: []window.Span{{From: now.Add(-time.Hour), Until: now.Add(time.Hour), Reason: "test"}}}})
		j := journal.Job{Job: wire.Job{ID: "job_1", Target: wire.Target{Name: "Editor"}}, Step: wire.StepPreflight, CloseAt: now.Add(-noticeTime - time.Second)}
		p := planOpen(s, j, open, question{saidYes, now.Add(-askTime - time.Second)})
		if p.close || p.say == "" && p.ask == "" {
			t.Errorf("%s: %+v", policy, p)
		}
	}
	inside(t, func(t *testing.T, w *world) {
		n := 0
		w.machine.apply = func(provider.Request) (provider.Outcome, bool, error) {
			if n++; n == 1 { // busy, and somebody opens it again
				w.machine.open = []provider.Process{{ID: 7, Session: 1, Program: "curl"}}
				return provider.Outcome{}, false, provider.ErrBusy
			}
			return provider.Outcome{}, true, nil
		}
		w.opens("curl", 0)
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.server.set(func(d *wire.DeviceOrders) { d.InUse = wire.InUseClose })
		w.start()
		pass(time.Hour)
		if len(w.notices) != 2 || w.last(j).Step != wire.StepDone {
			t.Errorf("told %q", w.notices)
		}
	})
}

// TestClosingOutlivesARestart: what was announced is kept to by the agent that starts after it.
func TestClosingOutlivesARestart(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		w.opens("curl", 0)
		j := job("curl", "1.0", "1.1")
		w.order(j)
		w.server.set(func(d *wire.DeviceOrders) { d.InUse = wire.InUseClose })
		w.start()
		pass(time.Minute)
		w.stop()
		synctest.Wait()
		w.start()
		pass(noticeTime)
		if len(w.notices) != 1 || w.machine.version("curl") != "1.1" {
			t.Errorf("told %q, and it is %s", w.notices, w.machine.version("curl"))
		}
	})
}
