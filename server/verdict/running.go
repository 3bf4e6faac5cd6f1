package verdict

import (
	"fmt"
	"strings"
	"time"

	"patchbay/server/policy"
	"patchbay/window"
	"patchbay/wire"
)

// BackWithin is how long a machine that was told to restart may say nothing before it counts as
// one that did not come back. Servers with much memory take a quarter of an hour.
const BackWithin = 30 * time.Minute

// restarting reports whether the device said that its machine was told to restart for this
// work, and has said nothing of its end.
func restarting(c Case) bool {
	return openStep(c) == wire.StepRebooting && c.Work.Why == wire.Restarts
}

// lost reports whether the machine was told to restart and did not come back.
func lost(c Case, now time.Time) bool {
	return restarting(c) && now.Sub(c.Device.LastSeen) > BackWithin
}

// notBack is a failure, whatever was read before: nobody reaches the machine any more.
func notBack(c Case) Verdict {
	return Verdict{Name: FAILED, Owner: MSP, Since: c.Work.Since, Act: ActLook,
		Sentence: fmt.Sprintf("%s was told to restart at %s for its update of %s and has not been heard of since.",
			c.Device.Name, moment(c.Work.Since), c.Need.Key.Name)}
}

func moment(t time.Time) string { return t.UTC().Format("15:04 MST on 2 January") }

// untilLost has a verdict looked at again when the machine should be back.
func untilLost(c Case, now time.Time, v Verdict) Verdict {
	if at := c.Device.LastSeen.Add(BackWithin + time.Second); restarting(c) && at.After(now) && (v.Until == nil || at.Before(*v.Until)) {
		v.Until = &at
	}
	return v
}

// IsNotBack reports whether the verdict is that of a machine that did not come back.
func IsNotBack(v Verdict) bool { return v.Name == FAILED && v.Link == Reachable }

// atWork is while the device makes the new version the one that runs.
func atWork(c Case, now time.Time) Verdict {
	v := Verdict{Owner: Patchbay, Since: c.Work.Since}
	done := "Installed. "
	if c.Decision.Kind == policy.Undo {
		done = "Taken back. "
	}
	switch openStep(c) {
	case wire.StepRestarting:
		v.Name, v.Sentence = RUNNING_OLD, done+"What still uses the old files is to be restarted."
		if n := c.Need; len(n.Running) > 0 {
			v.Sentence = done + runs(n.Running, n.Key.Name)
		}
	case wire.StepRebooting:
		v.Name, v.Sentence = INSTALLED_PENDING_REBOOT, done+"The machine has to restart so that this version is the one that runs."
		switch {
		case restarting(c) && now.Sub(c.Device.LastSeen) > Quiet:
			v.Sentence = fmt.Sprintf("%sThe machine was told to restart at %s and has not been heard of since.", done, moment(c.Work.Since))
			return v
		case restarting(c):
			v.Sentence = done + "The machine is restarting so that this version is the one that runs."
			return v
		}
	default:
		return Verdict{}
	}
	v.Sentence += reason(c)
	if from, _, ok := window.Next(c.Device.Windows, now); ok && !window.Open(c.Device.Windows, now).Open {
		v.Next, v.Until = &from, &from
	}
	return v
}

// runningOld is for what nobody restarts by itself: the work is over, or there was none.
func runningOld(c Case) Verdict {
	n := c.Need
	v := Verdict{Name: RUNNING_OLD, Owner: User, Since: n.ScannedAt, Act: ActLook, Sentence: "Installed, but " + runs(n.Running, n.Key.Name)}
	for _, name := range n.Running {
		if strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".scope") {
			v.Owner = MSP // programs of no service are somebody's who is logged in
		}
	}
	if n.GoneAt != nil {
		v.Since = *n.GoneAt
	}
	return v
}

// runs says which services run with old files of a package.
func runs(services []string, of string) string {
	const most = 3
	verb, names := "runs", services[0]
	if n := len(services); n > 1 {
		verb, names = "run", strings.Join(services[:min(n, most+1)-1], ", ")+" and "+services[min(n, most+1)-1]
		if n > most+1 {
			names = fmt.Sprintf("%s and %d more", strings.Join(services[:most], ", "), n-most)
		}
	}
	return fmt.Sprintf("%s still %s with the old files of %s.", names, verb, of)
}
