package agent

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// rebootTime is how long a machine may take from being asked to restart until it does.
const rebootTime = 10 * time.Minute

// settle brings what was applied to its end: at most one reboot for all of it, then
// verification.
func (a *Agent) settle(ctx context.Context) error {
	if err := a.restartServices(ctx); err != nil {
		return err
	}
	if err := a.decideReboot(ctx); err != nil {
		return err
	}
	return a.verify(ctx)
}

// rebootWanted reports whether something asks for a reboot after this job: the package, the
// machine, or services that are to be restarted and that only a reboot restarts.
func rebootWanted(s situation, j journal.Job, r inventory.Report) bool {
	if r.Facts.Restart.Machine || s.device.Restart && slices.ContainsFunc(using(j, r), isClosed) {
		return true
	}
	return j.Reboot == patch.Yes && (j.BootBefore == "" || r.Facts.BootID == "" || r.Facts.BootID == j.BootBefore)
}

// arrived is the job after its version was found installed: at the restarts or the reboot
// that it asks for, or past them.
func arrived(s situation, j journal.Job, r inventory.Report) journal.Job {
	step, reboot := steps()[j.Step].ok, rebootWanted(s, j, r)
	if step == wire.StepRestarting {
		if len(restartsLeft(s, j, r)) > 0 && (!reboot || s.device.Rebooting().When == wire.RebootNever) {
			return at(j, step, "Services are to be restarted.", s.now)
		}
		step = steps()[step].ok
	}
	if reboot {
		return at(j, step, "A reboot is asked for.", s.now)
	}
	return at(j, steps()[step].ok, "", s.now)
}

// awaitReboot takes on jobs after the machine restarted. While it is about to, nothing else
// is begun: then the answer is when to look again.
func (a *Agent) awaitReboot(ctx context.Context) (time.Time, error) {
	jobs := slices.DeleteFunc(a.standing(wire.StepRebooting), func(j journal.Job) bool { return !j.Rebooted })
	for _, j := range jobs {
		var err error
		if boot := a.report.Facts.BootID; boot == "" || boot == j.BootBefore {
			if a.worker.restarting.IsZero() { // an agent before this one asked
				a.worker.restarting = a.Now()
			}
			if since := a.Now().Sub(a.worker.restarting); since < rebootTime {
				return a.Now().Add(rebootTime - since), nil
			}
			err = fmt.Errorf("the machine was asked to restart and did not within %s", rebootTime)
		}
		if err := a.rebooted([]journal.Job{j}, err); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, ctx.Err()
}

// rebooted moves jobs on to verification, with the reboot made or not.
func (a *Agent) rebooted(jobs []journal.Job, err error) error {
	now, _ := a.clock.time()
	var c journal.Change
	for _, j := range jobs {
		edges := steps()[j.Step]
		if err != nil {
			c.Outcomes = append(c.Outcomes, told(j, wire.ResultFailed, err, now))
			c.Jobs = append(c.Jobs, at(j, edges.failed, "", now))
			continue
		}
		c.Outcomes = append(c.Outcomes, wire.Outcome{Device: j.Device, Job: j.ID, Step: j.Step, Result: wire.ResultOK, At: now,
			Message: "The machine restarted."})
		c.Jobs = append(c.Jobs, at(j, edges.ok, "", now))
	}
	return a.save(c)
}

// reboot asks the operating system to restart.
func reboot(ctx context.Context, host provider.Host) error {
	args := []string{"systemctl", "reboot"}
	switch runtime.GOOS {
	case "windows":
		args = []string{"shutdown", "/r", "/t", "60", "/c", "Patchbay restarts this machine to finish updates."}
	case "darwin":
		args = []string{"shutdown", "-r", "+1"}
	}
	res, err := host.Run(ctx, provider.Command{Args: args})
	if err != nil {
		return fmt.Errorf("restarting the machine: %w", err)
	}
	if res.Code != 0 {
		return fmt.Errorf("restarting the machine: %s ended with %d: %.200s", args[0], res.Code, cmp.Or(res.Stderr, res.Stdout))
	}
	return nil
}

// verify ends every job that was applied, by a scan alone.
func (a *Agent) verify(ctx context.Context) error {
	jobs := a.standing(wire.StepVerifying)
	if len(jobs) == 0 {
		return nil
	}
	r := a.report
	if !a.worker.fresh {
		r = a.rescan(ctx)
	}
	now, _ := a.clock.time()
	var c journal.Change
	for _, j := range jobs {
		if !r.Read(j.Target.Provider) && j.Loops < maxReadings {
			j.Loops++
			why := "What is installed could not be read back; it is tried again."
			c.Jobs = append(c.Jobs, at(j, steps()[j.Step].again, why, now))
			continue
		}
		a.end(&c, j, a.judge(j, r), now)
	}
	return a.save(c)
}

// reached reports whether the scan shows the wanted version, or for an install a newer one,
// completely installed: the number alone is there as soon as a package is unpacked.
func (a *Agent) reached(r inventory.Report, j journal.Job) bool {
	item, ok := r.Item(j.Target)
	if j.Target.To == patch.Nothing {
		return (!ok || item.Leaving) && r.Read(j.Target.Provider)
	}
	if !ok || item.Leaving || item.Broken != "" || item.Disputed != "" || !r.Read(j.Target.Provider) {
		return false
	}
	kind, _ := a.scanner.Kind(j.Target.Provider)
	c, err := patch.CompareVersions(kind.Traits.Versions, item.Version, j.Target.To)
	return err == nil && (c == 0 || c > 0 && j.Verb == wire.VerbInstall)
}

// adds reports whether each update is an item of its own, which was not there before.
func (a *Agent) adds(t wire.Target) bool {
	kind, _ := a.scanner.Kind(t.Provider)
	return kind.Traits.Adds
}

// ending is how a job is over.
type ending struct {
	done     bool // otherwise it failed
	result   wire.Result
	verified bool
	after    string
	message  string
	detail   string
}

// judge says how a job ended. Only the scan counts.
func (a *Agent) judge(j journal.Job, r inventory.Report) ending {
	t := j.Target
	item, installed := r.Item(t)
	failed := ending{result: wire.ResultFailed, after: item.Version}
	if j.Failure != nil {
		failed.message, failed.detail = j.Failure.Message, j.Failure.Detail
		if j.Failure.Result == wire.ResultRefused {
			failed.result = wire.ResultRefused
		}
	}
	switch {
	case !r.Read(t.Provider):
		failed.after = ""
		failed.message = "What is installed could not be read back, so nobody knows whether it worked. " + failed.message
		return failed
	case item.Leaving:
		why := fmt.Sprintf("%s is taken off when the machine restarts, which is still to be done.", t.Name)
		if t.To == patch.Nothing {
			return ending{done: true, result: wire.ResultOK, after: item.Version, message: why}
		}
		failed.message = cmp.Or(failed.message, why)
		return failed
	case t.To == patch.Nothing && installed:
		failed.message = cmp.Or(failed.message, fmt.Sprintf("%s is still installed.", t.Name))
		return failed
	case t.To == patch.Nothing:
		e := ending{done: true, result: wire.ResultOK, verified: true, message: fmt.Sprintf("%s is no longer installed, as was asked.", t.Name)}
		if why := inactive(j, item, r); why != "" {
			e.verified, e.message = false, fmt.Sprintf("%s is no longer installed. %s", t.Name, why)
		}
		return e
	case !installed && a.adds(t):
		failed.message = fmt.Sprintf("%s is not installed. %s", t.Name, failed.message)
		return failed
	case !installed && t.Source != "":
		failed.message = fmt.Sprintf("%s is not installed: nothing that this machine lists is of %s. %s", t.Name, t.Source, failed.message)
		return failed
	case !installed:
		failed.message = fmt.Sprintf("%s is no longer installed. %s", t.Name, failed.message)
		return failed
	case item.Broken != "":
		failed.message = fmt.Sprintf("The package %s %s was left %s. %s", t.Name, item.Version, item.Broken, failed.message)
		return failed
	case item.Disputed != "":
		failed.message = cmp.Or(failed.message, item.Disputed)
		return failed
	case !a.reached(r, j):
		failed.message = cmp.Or(failed.message, fmt.Sprintf("%s is still %s, not %s.", t.Name, item.Version, t.To))
		return failed
	}
	e := ending{done: true, result: wire.ResultOK, verified: true, after: item.Version}
	e.message = fmt.Sprintf("%s is now %s.", t.Name, item.Version)
	if j.Verb == wire.VerbUndo {
		e.message = fmt.Sprintf("%s is back at %s.", t.Name, item.Version)
	}
	if !j.Begun {
		e.message = fmt.Sprintf("%s was already %s; nothing was changed.", t.Name, item.Version)
	}
	if why := inactive(j, item, r); why != "" {
		e.verified, e.message = false, fmt.Sprintf("%s %s is installed. %s", t.Name, item.Version, why)
	}
	return e
}

// inactive says in a sentence why an installed version does not run yet, "" when it does.
func inactive(j journal.Job, item patch.Item, r inventory.Report) string {
	restarted := j.BootBefore != "" && r.Facts.BootID != "" && r.Facts.BootID != j.BootBefore
	restart := r.Facts.Restart
	switch {
	case !r.HostRead():
		return "Whether the machine must restart for it could not be read."
	case item.Restart, restart.Machine && caused(j, restart.Reasons):
		return "It becomes active when the machine restarts, which is still to be done."
	case j.Reboot == patch.Yes && !restart.Machine && !restarted && !r.Facts.Container:
		return "It becomes active when the machine restarts, which is still to be done."
	}
	return stillOld(j, r)
}

// caused reports whether the job brought one of the packages that ask for the restart. When
// nobody knows who asks, every job may have.
func caused(j journal.Job, reasons []string) bool {
	return len(reasons) == 0 || slices.ContainsFunc(reasons, func(name string) bool {
		return name == j.Target.Name || slices.ContainsFunc(j.Changes, func(c provider.Change) bool { return c.Name == name })
	})
}

// end writes the last outcome of a job, with its receipt.
func (a *Agent) end(c *journal.Change, j journal.Job, e ending, now time.Time) {
	step := wire.StepFailed
	if e.done {
		step = wire.StepDone
	}
	e.message = sentence(e.message)
	receipt := wire.Receipt{
		Job: j.ID, Device: j.Device, Agent: a.id.Agent, Decision: j.Decision, Target: j.Target,
		Verified: e.verified, Before: j.Before, After: e.after, Changes: j.Changes, Conflicts: j.Conflicts,
		BootBefore: j.BootBefore, BootAfter: a.report.Facts.BootID, StartedAt: j.StartedAt, EndedAt: now,
		Step: step, Message: e.message, Orders: j.Orders, Forced: j.Forced, Approval: j.Approval,
	}
	if receipt.StartedAt.IsZero() {
		receipt.StartedAt = now
	}
	o := wire.Outcome{Device: j.Device, Job: j.ID, Step: step, Result: e.result, At: now, Message: e.message, Detail: sentence(e.detail)}
	envelope, err := wire.Seal(wire.ReceiptDocument, receipt, a.key)
	if err != nil {
		a.Log.Error("a receipt could not be signed", "job", j.ID, "error", err) // the outcome is told all the same
	}
	o.Receipt = envelope
	c.Outcomes = append(c.Outcomes, o)
	c.Jobs = append(c.Jobs, j.Ended(step, now))
	a.Log.Info("a job is over", "job", j.ID, "item", j.Target.Name, "step", step, "message", e.message)
}
