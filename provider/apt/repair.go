package apt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// maxRepairs is how often finishing is tried; pauses are what lies between. After the last
// one a person has to look, or a new approval begins it anew.
const maxRepairs = 3

var pauses = [maxRepairs]time.Duration{0, 10 * time.Minute, time.Hour}

// Unfinished names what an installation here began and something cut short. It is empty
// between two tries, and after the last one.
func (a *Apt) Unfinished(context.Context) ([]patch.Item, error) {
	b, err := a.readBegun()
	if err != nil || len(b.Packages) == 0 || b.Tries >= maxRepairs {
		return nil, err
	}
	if since := a.env.Now().Sub(b.Tried); since >= 0 && since < pauses[b.Tries] {
		return nil, nil
	}
	in, err := readInstalled(a.env.Host.Files())
	if err != nil {
		return nil, err
	}
	left := b.left(in)
	if len(left) == 0 && !a.unmerged() {
		return nil, nil
	}
	for _, u := range b.asked() {
		item, ok := in.find(u.Name, u.Architecture)
		if ok && !slices.ContainsFunc(left, func(i patch.Item) bool { return i.Key() == item.Key() }) {
			left = append(left, item)
		}
	}
	return left, nil
}

// Repair finishes what is unfinished, in the versions that were approved: it removes
// nothing, takes nothing down, and touches no package that was not part of it. What it could
// not do is in the error, in dpkg's or apt's own words.
func (a *Apt) Repair(ctx context.Context, lockWait time.Duration) (provider.Outcome, error) {
	b, err := a.readBegun()
	if err != nil || len(b.Packages) == 0 {
		return provider.Outcome{}, err
	}
	before, err := readInstalled(a.env.Host.Files())
	if err != nil {
		return provider.Outcome{}, err
	}
	b.Tries, b.Tried = b.Tries+1, a.env.Now()
	if err := a.writeBegun(b); err != nil { // first: a repair that takes the machine down is not tried for ever
		return provider.Outcome{}, err
	}
	a.env.Log.Warn("what was begun and cut short is finished", "try", b.Tries, "packages", len(b.Packages))
	reboots, said := a.readReboots(), &messages{}
	err = a.finish(ctx, b, lockWait, said)
	out := provider.Outcome{Messages: said.last(), Conflicts: a.conflicts(said.conflicts)}
	if errors.Is(err, provider.ErrBusy) {
		b.Tries, b.Tried = b.Tries-1, time.Time{} // nothing was tried
	} else if err != nil {
		b.Said = err.Error()
	}
	after, settleErr := a.settle(b)
	if settleErr != nil {
		return out, errors.Join(err, settleErr)
	}
	out.Changes = changes(before, after, b.asked())
	out.Reboot = a.readReboots().since(reboots, out.Changes)
	return out, err
}

// finish goes from what costs least to what costs most: configure, unpack again, bring what
// is depended upon.
func (a *Apt) finish(ctx context.Context, b begun, wait time.Duration, said *messages) error {
	configured := a.configure(ctx, b, said)
	if errors.Is(configured, provider.ErrBusy) {
		return configured
	}
	in, err := readInstalled(a.env.Host.Files())
	if err != nil {
		return err
	}
	left := b.left(in)
	if len(left) == 0 {
		return configured
	}
	if !slices.ContainsFunc(left, func(i patch.Item) bool { return mustUnpack(i) || waits(i) }) {
		return configured // a script failed: what it said is what there is to say
	}
	return a.unpackAgain(ctx, b, in, wait, said)
}

// configure lets dpkg finish what is on the disk already, of our packages only, and take its
// journal into its record.
func (a *Apt) configure(ctx context.Context, b begun, said *messages) error {
	in, err := readInstalled(a.env.Host.Files())
	if err != nil {
		return err
	}
	args := []string{"--triggers-only", "-a"}
	var ours []string
	for _, i := range b.left(in) {
		if !mustUnpack(i) {
			ours = append(ours, in.full(i))
		}
	}
	if len(ours) > 0 {
		args = append([]string{"--configure"}, ours...)
	}
	return a.dpkg(ctx, said, args...)
}

// unpackAgain lets apt unpack what must be, at the versions that were approved. The first
// way whose plan stays within what was begun is taken.
func (a *Apt) unpackAgain(ctx context.Context, b begun, in installed, wait time.Duration, said *messages) error {
	var refusal error
	for _, args := range b.ways(in) {
		p, err := a.planned(ctx, args)
		if err == nil {
			err = b.covers(p, in)
		}
		if err == nil {
			err = a.checkSpace(ctx, p, 0, true)
		}
		if err != nil {
			refusal = errors.Join(refusal, err)
			continue
		}
		res, err := a.runLocked(ctx, wait, said, append([]string{"--no-remove"}, args...))
		if err != nil {
			return err
		}
		if res.Code != 0 {
			return fmt.Errorf("finishing what was begun: %w", a.explain(res))
		}
		return nil
	}
	return fmt.Errorf("finishing what was begun: %w", refusal)
}

// ways are the arguments to try, the smallest change first: only what must be unpacked
// again, then all of what was begun and is not there yet.
func (b begun) ways(in installed) [][]string {
	var again, all []string
	flags := []string{"--fix-broken"}
	for _, p := range b.Packages {
		item, ok := in.find(p.Name, p.Architecture)
		if !ok || item.Broken == "" && item.Version == p.To || newer(item.Version, p.To) && len(b.Undo) == 0 {
			continue
		}
		arg := in.full(item) + "=" + p.To
		all = append(all, arg)
		if mustUnpack(item) {
			again = append(again, arg)
			if item.Version == p.To { // apt would say that it is there already, and end well
				flags = []string{"--fix-broken", "--reinstall"}
			}
		}
	}
	if len(b.Undo) > 0 { // the file that was kept, or the older version
		return [][]string{slices.Concat(flags, b.Undo)}
	}
	var ways [][]string
	for _, args := range [][]string{again, all} {
		if len(args) > 0 {
			ways = append(ways, slices.Concat(flags, args))
		}
	}
	return ways
}

// covers refuses a plan that goes beyond what was begun.
func (b begun) covers(p plan, in installed) error {
	allowed := plan.allowed
	if len(b.Undo) > 0 {
		allowed = undoing(b.asked())
	}
	if err := allowed(p, nil); err != nil {
		return err
	}
	for _, s := range slices.Concat(p.upgrades, p.downgrades, p.added) {
		if !slices.ContainsFunc(b.Packages, func(q begunPackage) bool { return q.To == s.to && q.is(s.name, s.arch, in) }) {
			return fmt.Errorf("%w: apt would also have to install %s %s, which was not approved", provider.ErrRefused, s.name, s.to)
		}
	}
	return nil
}

// full is the package's name as dpkg and apt take it without doubt.
func (in installed) full(i patch.Item) string {
	if i.Architecture == "all" || i.Architecture == in.native {
		return i.Name
	}
	return i.Name + ":" + i.Architecture
}

// dpkg runs dpkg itself, with no questions asked.
func (a *Apt) dpkg(ctx context.Context, said *messages, args ...string) error {
	args = append([]string{"dpkg", "--force-confdef", "--force-confold"}, args...)
	res, err := a.env.Host.Run(ctx, provider.Command{Args: args, Env: environment, Line: said.line()})
	if err != nil {
		return fmt.Errorf("finishing an interrupted dpkg run: %w", err)
	}
	if res.Code != 0 {
		return a.explain(res)
	}
	return nil
}

// wasInterrupted reports whether apt refuses to work because dpkg was once stopped in the
// middle, by a power cut or a kill, or whether it was killed just now.
func wasInterrupted(res provider.Result) bool {
	if res.Code == 0 {
		return false
	}
	said := words(res)
	return slices.ContainsFunc([]string{"dpkg was interrupted", "dpkg received signal", "dpkg exited unexpectedly"},
		func(sign string) bool { return strings.Contains(said, sign) })
}

// configureAll finishes what an interrupted dpkg left undone, whoever began it: until then
// apt does nothing at all, and what was approved cannot be installed.
func (a *Apt) configureAll(ctx context.Context, said *messages) error {
	a.env.Log.Warn("dpkg was interrupted once; what it left is finished first")
	if err := a.dpkg(ctx, said, "--configure", "-a"); errors.Is(err, provider.ErrBusy) {
		return err
	}
	return nil // what still fails is in apt's answer to the next try
}
