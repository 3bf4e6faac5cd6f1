package agent

import (
	"testing"
	"time"

	"patchbay/agent/journal"
	"patchbay/window"
	"patchbay/wire"
)

// TestReadyMeansEveryConditionHolds takes a job that is ready and breaks one condition at a
// time.
func TestReadyMeansEveryConditionHolds(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := window.Spec{Opens: []window.Span{{From: now.Add(-time.Hour), Until: now.Add(time.Hour), Reason: "test"}}}
	bad := window.Spec{Weekly: []window.Weekly{{Zone: "Nowhere/Atlantis", Days: []string{"mon"}, Start: "12:00", Minutes: 60}}}
	ready := journal.Job{Step: wire.StepWaiting}
	type scene struct {
		sure, refused bool
		spec          window.Spec
		job           journal.Job
	}
	for name, c := range map[string]struct {
		bend func(*scene)
		want bool
	}{
		"all holds":              {func(*scene) {}, true},
		"clock not sure":         {func(s *scene) { s.sure = false }, false},
		"refused by the server":  {func(s *scene) { s.refused = true }, false},
		"no window":              {func(s *scene) { s.spec = window.Spec{} }, false},
		"window not usable":      {func(s *scene) { s.spec = bad }, false},
		"too early":              {func(s *scene) { s.job.NotBefore = now.Add(time.Minute) }, false},
		"tried a moment ago":     {func(s *scene) { s.job.Retry = now.Add(time.Minute) }, false},
		"forced without window":  {func(s *scene) { s.spec, s.job.Forced = window.Spec{}, "Ada" }, true},
		"forced, clock not sure": {func(s *scene) { s.sure, s.job.Forced = false, "Ada" }, false},
		"forced, refused":        {func(s *scene) { s.refused, s.job.Forced = true, "Ada" }, false},
	} {
		s := scene{sure: true, spec: open, job: ready}
		s.job.Why = "Another package manager works."
		c.bend(&s)
		got, why, _ := newSituation(now, s.sure, s.refused, wire.DeviceOrders{Windows: s.spec}).readiness(s.job)
		if got != c.want || got == (why != "") {
			t.Errorf("%s: ready %v, %q", name, got, why)
		}
	}
}

// TestRebootNeedsLeave: whatever asks for it, the machine restarts only with leave, in the
// window, for a job that a person forced and that asked for it itself, or as somebody at the
// machine chose.
func TestRebootNeedsLeave(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := window.Spec{Opens: []window.Span{{From: now.Add(-time.Hour), Until: now.Add(time.Hour), Reason: "test"}}}
	forced := journal.Job{Job: wire.Job{Forced: "Ada"}}
	asking := journal.Job{Job: wire.Job{Forced: "Ada"}, Reboot: "yes"}
	for _, c := range []struct {
		when         wire.RebootWhen
		sure, chosen bool
		spec         window.Spec
		job          journal.Job
		want         bool
	}{
		{wire.RebootWindow, true, false, open, journal.Job{}, true},
		{wire.RebootNever, true, true, open, asking, false},
		{"", true, true, open, asking, false},
		{"sometimes", true, true, open, asking, false},
		{wire.RebootWindow, false, true, open, asking, false},
		{wire.RebootWindow, true, false, window.Spec{}, journal.Job{Reboot: "yes"}, false},
		{wire.RebootWindow, true, false, window.Spec{}, forced, false},
		{wire.RebootWindow, true, false, window.Spec{}, asking, true},
		{wire.RebootWindow, true, true, window.Spec{}, journal.Job{Reboot: "yes"}, true},
	} {
		s := newSituation(now, c.sure, false, wire.DeviceOrders{Windows: c.spec, Reboots: &wire.Reboots{When: c.when}})
		if got := s.mayReboot([]journal.Job{c.job}, c.chosen); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
