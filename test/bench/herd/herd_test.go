package main

import (
	"testing"

	"patchbay/server/store"
	"patchbay/sim"
	"patchbay/wire"
)

func row(agent, job string, step wire.Step, seq int64) store.OutcomeRow {
	o := store.OutcomeRow{Agent: agent}
	o.Job, o.Step, o.Seq = job, step, seq
	return o
}

func TestOnlyWhatWasAcknowledgedAndIsNotHeldIsLost(t *testing.T) {
	entries := []sim.Entry{
		{Agent: "a", Job: "j", Step: "done", Seq: 1, Acked: true},
		{Agent: "a", Job: "k", Step: "done", Seq: 2, Acked: true},      // another stands under its number
		{Agent: "b", Job: "l", Step: "failed", Seq: 1, Acked: true},    // nothing does
		{Agent: "b", Job: "m", Step: "done", Seq: 2},                   // waits
		{Agent: "b", Job: "n", Step: "applying", Seq: 3, Acked: false}, // is held, and not known to be
	}
	rows := []store.OutcomeRow{row("a", "j", wire.StepDone, 1), row("a", "x", wire.StepDone, 2), row("b", "n", wire.StepApplying, 3),
		row("c", "j", wire.StepFailed, 1)}
	if lost, waits, doubled := compare(entries, rows); lost != 2 || waits != 1 || doubled != 1 {
		t.Errorf("%d lost, %d wait, %d doubled", lost, waits, doubled)
	}
}

func TestAgentsThatCameBeforeOrTwiceDoNotStandForOthers(t *testing.T) {
	for _, c := range []struct {
		mine, came, away int
		want             bool
	}{{1000, 990, 10, true}, {1000, 989, 0, false}, {1000, 2000, 11, false}, {1000, 0, 0, false}, {12, 12, 0, true}, {12, 11, 0, false}} {
		if got := mostBack(c.mine, c.came, c.away); got != c.want {
			t.Errorf("of %d, %d came and %d are away: %v", c.mine, c.came, c.away, got)
		}
	}
}
