package agent

import "patchbay/wire"

// edge is where a job goes from a step.
type edge struct {
	ok     wire.Step // the step succeeded
	failed wire.Step // it failed
	again  wire.Step // it could not be done just now; "" where there is no such thing
}

// steps is the whole of a job's ways. Every step has both edges; a step for which there is
// nothing to do is passed by its ok edge without being entered.
func steps() map[wire.Step]edge {
	return map[wire.Step]edge{
		wire.StepStaging:    {ok: wire.StepWaiting, failed: wire.StepWaiting}, // applying downloads what is missing
		wire.StepWaiting:    {ok: wire.StepPreflight, failed: wire.StepFailed},
		wire.StepPreflight:  {ok: wire.StepApplying, failed: wire.StepFailed, again: wire.StepWaiting},
		wire.StepApplying:   {ok: wire.StepRestarting, failed: wire.StepVerifying, again: wire.StepWaiting}, // half of it may have happened
		wire.StepRestarting: {ok: wire.StepRebooting, failed: wire.StepVerifying, again: wire.StepRestarting},
		wire.StepRebooting:  {ok: wire.StepVerifying, failed: wire.StepVerifying, again: wire.StepRebooting},
		wire.StepVerifying:  {ok: wire.StepDone, failed: wire.StepFailed, again: wire.StepVerifying},
	}
}

// Limits of loops. A job that reaches one goes on by the failed edge and says why.
const (
	maxTries    = 3    // begun and interrupted, such as by a power cut
	maxLoops    = 2000 // busy or offline: a fortnight of windows
	maxReadings = 10   // scans that could not read the item back
)
