package apt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// environment keeps every part of an installation from asking questions, and leaves the
// restart of services to Patchbay's own plan.
var environment = []string{
	"DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true",
	"APT_LISTCHANGES_FRONTEND=none", "NEEDRESTART_MODE=l", "UCF_FORCE_CONFFOLD=1",
}

// keepConfiguration makes dpkg keep the local version of a configuration file that the
// package changed too. Without it dpkg would ask, in whatever frontend, and fail.
var keepConfiguration = []string{"-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"}

// keepUnneeded stops apt from removing on the way what nothing needs any more.
const keepUnneeded = "APT::Get::AutomaticRemove=0"

// Apply installs exactly the versions in the request. What was done is in the outcome,
// also when it ends with an error: half of it may have happened.
func (a *Apt) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	before, args, err := a.prepare(r)
	if err != nil || len(args) == 0 {
		return provider.Outcome{}, err
	}
	return a.carryOut(ctx, r, before, work{args: args, allowed: plan.allowed, keeps: true})
}

// work is what apt is to do.
type work struct {
	args    []string                              // what is to be installed, and how
	allowed func(p plan, removals []string) error // refuses what nobody approved
	keeps   bool                                  // the versions that are there are kept before
}

// carryOut lets apt do the work, and says what changed.
func (a *Apt) carryOut(ctx context.Context, r provider.Request, before installed, w work) (provider.Outcome, error) {
	reboots := a.readReboots()
	said := &messages{}
	err := a.install(ctx, r, before, w, said)
	out := provider.Outcome{Messages: said.last(), Conflicts: a.conflicts(said.conflicts)}
	after, readErr := a.settleApply()
	if readErr != nil {
		return out, errors.Join(err, fmt.Errorf("reading what was done: %w", readErr))
	}
	out.Changes = changes(before, after, r.Updates)
	out.Reboot = a.readReboots().since(reboots, out.Changes)
	return out, err
}

// Stage downloads what Apply would install.
func (a *Apt) Stage(ctx context.Context, r provider.Request) error {
	_, args, err := a.prepare(r)
	if err != nil || len(args) == 0 {
		return err
	}
	p, err := a.planned(ctx, args)
	if err != nil {
		return err
	}
	if err := p.allowed(r.AllowRemovals); err != nil {
		return err
	}
	if err := a.checkSpace(ctx, p, a.unpacked(r.Updates), false); err != nil {
		return err
	}
	res, err := a.runLocked(ctx, r.LockWait, nil, append([]string{"--download-only"}, args...))
	if err != nil {
		return err
	}
	if res.Code != 0 {
		return fmt.Errorf("downloading: %w", a.explain(res))
	}
	return nil
}

// prepare turns the request into exact arguments, without what is installed already.
func (a *Apt) prepare(r provider.Request) (installed, []string, error) {
	before, err := readInstalled(a.env.Host.Files())
	if err != nil {
		return before, nil, err
	}
	var args []string
	for _, u := range r.Updates {
		arg, err := before.argument(u, func(wanted, installed string) bool { return newer(installed, wanted) })
		if err != nil {
			return before, nil, err
		}
		if arg != "" {
			args = append(args, arg)
		}
	}
	slices.Sort(args)
	return before, slices.Compact(args), nil
}

// argument gives name:architecture=version, or "" when there is nothing left to do. against
// reports a version that is on the wrong side of the installed one. Nothing that is not a
// package's name, architecture and version gets through.
func (in installed) argument(u patch.Update, against func(wanted, installed string) bool) (string, error) {
	if !isPackageName(u.Name) || u.Architecture != "" && !isArchitecture(u.Architecture) || !isVersion(u.Available) {
		return "", fmt.Errorf("%w: %.80q %.40q %.80q is not the name, architecture and version of a package",
			provider.ErrRefused, u.Name, u.Architecture, u.Available)
	}
	arch := u.Architecture
	if arch == "all" {
		arch = ""
	}
	item, ok := in.find(u.Name, arch)
	switch {
	case !ok:
		return "", fmt.Errorf("%w: %s is not installed here, so there is nothing to update", provider.ErrRefused, u.Name)
	case item.Version == u.Available && item.Broken == "":
		return "", nil
	case against(u.Available, item.Version):
		return "", fmt.Errorf("%w: %s is installed in %s, and %s was asked for", provider.ErrRefused, u.Name, item.Version, u.Available)
	case item.Held:
		return "", fmt.Errorf("%w: %s is held on this device", provider.ErrRefused, u.Name)
	}
	if item.Architecture == "all" || arch == "" {
		return u.Name + "=" + u.Available, nil
	}
	return u.Name + ":" + item.Architecture + "=" + u.Available, nil
}

// install looks at what would happen, then does it.
func (a *Apt) install(ctx context.Context, r provider.Request, before installed, w work, said *messages) error {
	args := w.args
	p, err := a.planned(ctx, args)
	if err != nil {
		return err
	}
	if err := w.allowed(p, r.AllowRemovals); err != nil {
		return err
	}
	if err := a.checkSpace(ctx, p, a.unpacked(r.Updates), true); err != nil {
		return err
	}
	if w.keeps {
		a.keep(ctx, p, before)
	}
	if err := a.begin(r, p, w); err != nil {
		return err
	}
	if len(r.AllowRemovals) == 0 {
		args = append([]string{"--no-remove"}, args...)
	}
	res, err := a.runLocked(ctx, r.LockWait, said, args)
	if err == nil && wasInterrupted(res) {
		if err = a.configureAll(ctx, said); err == nil {
			res, err = a.runLocked(ctx, r.LockWait, said, args)
		}
	}
	if err != nil {
		return err
	}
	if res.Code != 0 {
		return fmt.Errorf("installing: %w", a.explain(res))
	}
	return nil
}

// plan asks apt what exactly these arguments would do.
func (a *Apt) plan(ctx context.Context, args []string) (plan, error) {
	cmd := append([]string{"apt-get", "--print-uris", "-V", "--only-upgrade", "-o", keepUnneeded, "install"}, args...)
	res, err := a.env.Host.Run(ctx, provider.Command{Args: cmd})
	if err != nil {
		return plan{}, fmt.Errorf("asking apt what it would do: %w", err)
	}
	if res.Code != 0 {
		return plan{}, fmt.Errorf("asking apt what it would do: %w", failure(res))
	}
	p, err := parsePlan(res.Stdout)
	if err != nil {
		return plan{}, fmt.Errorf("asking apt what it would do: %w", err)
	}
	return p, nil
}

// allowed refuses what nobody approved: removals, steps down, and changes of held packages.
func (p plan) allowed(removals []string) error {
	var unasked []string
	for _, s := range p.removed {
		if !slices.Contains(removals, s.name) {
			unasked = append(unasked, s.name)
		}
	}
	switch {
	case len(unasked) > 0:
		return fmt.Errorf("%w: apt would have to remove %s, which nobody approved", provider.ErrRefused, strings.Join(unasked, ", "))
	case len(p.downgrades) > 0:
		return fmt.Errorf("%w: apt would take %s down to an older version", provider.ErrRefused, names(p.downgrades))
	case len(p.held) > 0:
		return fmt.Errorf("%w: apt would have to change %s, which is held on this device", provider.ErrRefused, names(p.held))
	}
	return nil
}

func names(steps []step) string {
	var list []string
	for _, s := range steps {
		list = append(list, s.name)
	}
	return strings.Join(list, ", ")
}

// runLocked runs an installation that waits for other package managers, and for no longer
// than it is told.
func (a *Apt) runLocked(ctx context.Context, wait time.Duration, said *messages, args []string) (provider.Result, error) {
	cmd := []string{"apt-get", "-q", "-y", "--only-upgrade",
		"-o", "DPkg::Lock::Timeout=" + strconv.Itoa(int(wait.Seconds())), "-o", "Dpkg::Use-Pty=0", "-o", keepUnneeded}
	cmd = append(cmd, keepConfiguration...)
	cmd = append(append(cmd, "install"), args...)
	res, err := a.env.Host.Run(ctx, provider.Command{Args: cmd, Env: environment, Line: said.line()})
	if err != nil {
		return res, fmt.Errorf("running apt: %w", err)
	}
	return res, nil
}

// forgetLook makes the next look a fresh one.
func (a *Apt) forgetLook() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stamp = ""
}
