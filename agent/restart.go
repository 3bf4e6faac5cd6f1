package agent

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/provider"
	"patchbay/window"
	"patchbay/wire"
)

// restartLimit is for one service. systemd itself gives up on most sooner.
const restartLimit = 5 * time.Minute

// unitName is what may be restarted: a service by its plain name. What a process says of
// itself is no name of a unit, and a name with anything else in it is left alone.
var unitName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_.-]{0,100}(@[A-Za-z0-9:_.-]{1,100})?\.service$`)

// closed are services that are never restarted by themselves: they carry sessions, other
// services' connections, the network, containers, or this agent. Of a name with an @ in it,
// what stands before counts.
func closed() []string {
	return []string{
		"patchbay-agent",
		"dbus", "dbus-broker", "systemd-logind", "systemd-machined", "systemd-nspawn", "systemd-networkd",
		"user", "user-runtime-dir", "getty", "serial-getty", "console-getty", "container-getty", "autovt", "ssh", "sshd",
		"display-manager", "gdm", "gdm3", "lightdm", "sddm", "lxdm", "xdm", "wdm", "nodm", "slim", "greetd", "ly", "xrdp", "xrdp-sesman",
		"NetworkManager", "networking", "ifup", "wpa_supplicant", "iwd", "connman",
		"docker", "containerd", "podman", "crio", "lxc", "lxcfs", "lxd", "incus", "libvirtd", "virtqemud", "kubelet",
		"emergency", "rescue", "plymouth", "halt", "reboot", "poweroff",
	}
}

// isClosed reports whether only a reboot may restart what uses old files.
func isClosed(service string) bool {
	if service == "init.scope" {
		return true
	}
	name, isService := strings.CutSuffix(service, ".service")
	name, _, instance := strings.Cut(name, "@")
	if !isService || (name == "ssh" || name == "sshd") && !instance {
		return false // the one that waits for connections lets those that are open live on
	}
	return slices.Contains(closed(), name)
}

// isRestartable reports whether the service may be restarted by name.
func isRestartable(service string) bool { return unitName.MatchString(service) && !isClosed(service) }

// brought are the packages that a job put there: its own, and what was pulled in.
func brought(j journal.Job) []string {
	names := []string{j.Target.Name}
	for _, c := range j.Changes {
		names = append(names, c.Name)
	}
	return names
}

// using are the services that use old files of what the job brought.
func using(j journal.Job, r inventory.Report) []string {
	return r.Facts.Restart.Using(brought(j)...)
}

// restartsLeft are the services that are to be restarted for a job and were not.
func restartsLeft(s situation, j journal.Job, r inventory.Report) []string {
	if !s.device.Restart || !j.Begun {
		return nil
	}
	return slices.DeleteFunc(using(j, r), func(service string) bool {
		did := restartOf(j, service)
		return !isRestartable(service) || did.Ended || did.Tries >= maxTries
	})
}

func restartOf(j journal.Job, service string) journal.Restart {
	if i := slices.IndexFunc(j.Restarts, func(r journal.Restart) bool { return r.Service == service }); i >= 0 {
		return j.Restarts[i]
	}
	return journal.Restart{Service: service}
}

// withRestart is the job with one restart as it stands now.
func withRestart(j journal.Job, r journal.Restart) journal.Job {
	j.Restarts = slices.Clone(j.Restarts)
	if i := slices.IndexFunc(j.Restarts, func(o journal.Restart) bool { return o.Service == r.Service }); i >= 0 {
		j.Restarts[i] = r
	} else {
		j.Restarts = append(j.Restarts, r)
	}
	return j
}

// mayRestart is whether services may be restarted now for a job: in the window, or when a
// person forced it.
func (s situation) mayRestart(j journal.Job) bool {
	return s.device.Restart && s.sound() && (j.Forced != "" || s.window().Open)
}

// sound is whether anything may be begun at all.
func (s situation) sound() bool { return s.sure && !s.refused && s.doubt == "" }

// opens is when what a job waits for may be done, zero when nothing is worth waiting for.
func (s situation) opens(j journal.Job) time.Time {
	from, _, ok := window.Next(s.windows, s.now)
	if !ok || s.problem != "" || !s.sound() || s.window().Open || !from.Before(j.NotAfter) {
		return time.Time{}
	}
	return from
}

// restartServices restarts what uses old files of what was applied, each service once for
// all jobs. What the window does not allow now waits for it.
func (a *Agent) restartServices(ctx context.Context) error {
	for ctx.Err() == nil {
		s, service := a.situation(), ""
		var jobs []journal.Job
		for _, j := range a.standing(wire.StepRestarting) {
			if left := restartsLeft(s, j, a.report); a.mode == wire.Manage && s.mayRestart(j) && len(left) > 0 {
				service = cmp.Or(service, left[0])
				if slices.Contains(left, service) {
					jobs = append(jobs, j)
				}
			}
		}
		if service == "" {
			return a.leaveRestarts(s)
		}
		if err := a.restartOne(ctx, service, jobs); err != nil {
			return err
		}
	}
	return nil
}

// leaveRestarts takes jobs on for which nothing can be restarted now.
func (a *Agent) leaveRestarts(s situation) error {
	var c journal.Change
	for _, j := range a.standing(wire.StepRestarting) {
		opens := s.opens(j)
		switch left := restartsLeft(s, j, a.report); {
		case len(left) == 0 || opens.IsZero():
			j.Retry = time.Time{}
			c.Jobs = append(c.Jobs, arrived(s, j, a.report))
		case !j.Retry.Equal(opens):
			j.Retry = opens
			c.Jobs = append(c.Jobs, at(j, steps()[j.Step].again, sentence("Waits for the window to restart "+few(left)+"."), s.now))
		}
	}
	return a.save(c)
}

// restartOne restarts one service. It is written down before, so that one that is cut off is
// known, and after.
func (a *Agent) restartOne(ctx context.Context, service string, jobs []journal.Job) error {
	var c journal.Change
	now, _ := a.clock.time()
	for i, j := range jobs {
		r := restartOf(j, service)
		r.Tries++
		jobs[i] = at(withRestart(j, r), wire.StepRestarting, sentence("Restarting "+service+"."), now)
	}
	c.Jobs = jobs
	if err := a.save(c); err != nil {
		return err
	}
	a.Log.Info("restarting a service", "service", service, "jobs", len(jobs))
	a.worker.fresh = false
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), restartLimit)
	defer cancel()
	err := a.Restart(limited, service)
	now, _ = a.clock.time()
	c = journal.Change{}
	for _, j := range jobs {
		r := restartOf(j, service)
		r.Ended = true
		o := wire.Outcome{Device: j.Device, Job: j.ID, Step: j.Step, Result: wire.ResultOK, At: now, Message: sentence(service + " was restarted.")}
		if err != nil {
			o = told(j, wire.ResultFailed, err, now)
			r.Problem = o.Message
		}
		c.Outcomes = append(c.Outcomes, o)
		c.Jobs = append(c.Jobs, withRestart(j, r))
	}
	return a.save(c)
}

// restartService asks systemd to restart a service.
func restartService(ctx context.Context, host provider.Host, service string) error {
	if !isRestartable(service) {
		return fmt.Errorf("%.100q is not a service that may be restarted", service)
	}
	res, err := host.Run(ctx, provider.Command{Args: []string{"systemctl", "restart", "--", service}})
	if err != nil {
		return fmt.Errorf("restarting %s: %w", service, err)
	}
	if res.Code != 0 {
		return fmt.Errorf("%s could not be restarted: systemctl ended with %d: %.300s", service, res.Code, cmp.Or(res.Stderr, res.Stdout))
	}
	return nil
}

// stillOld says in a sentence what still runs with the files that a job replaced, or why
// that is not known; "" when nothing does.
func stillOld(j journal.Job, r inventory.Report) string {
	old, closed := using(j, r), ""
	for _, did := range j.Restarts {
		if did.Problem != "" {
			return did.Problem
		}
		if !did.Ended && slices.Contains(old, did.Service) {
			return fmt.Sprintf("The agent was stopped each time it restarted %s.", did.Service)
		}
	}
	if len(old) > 0 && !slices.ContainsFunc(old, func(s string) bool { return !isClosed(s) }) {
		closed = " Only a restart of the machine ends that."
	}
	switch {
	case len(old) == 1:
		return old[0] + " still runs with the old files." + closed
	case len(old) > 1:
		return few(old) + " still run with the old files." + closed
	case r.Facts.Restart.Doubts(brought(j)...):
		return "Whether something still runs with the old files could not be found out. " + r.Facts.Restart.Unknown[0]
	}
	return ""
}

// few names the first of many.
func few(names []string) string {
	const most = 3
	switch n := len(names); {
	case n == 1:
		return names[0]
	case n <= most:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	case n == most+1:
		return strings.Join(names[:most], ", ") + " and one more"
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
