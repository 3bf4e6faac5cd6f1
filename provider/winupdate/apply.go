package winupdate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"patchbay/patch"
	"patchbay/provider"
)

// maxMessages is how many lines an outcome has.
const maxMessages = 20

// ready is whether the engine may be asked to change something.
func ready(ctx context.Context, e provider.Engine) error {
	state, err := e.State(ctx)
	switch {
	case err != nil:
		return explained("asking how Windows Update is", err)
	case state.Busy:
		return fmt.Errorf("%w: Windows Update installs something for somebody else", provider.ErrBusy)
	case state.RebootFirst:
		return fmt.Errorf("%w: Windows Update installs nothing more before the machine has restarted", provider.ErrBusy)
	}
	return nil
}

// present asks the engine what it has, without its server.
func (w *Windows) present(ctx context.Context, e provider.Engine) (n present, err error) {
	if n.installed, err = search(ctx, e, provider.EngineInstalled, false); err != nil {
		return n, err
	}
	if n.offered, err = search(ctx, e, provider.EngineOffered, false); err != nil {
		return n, err
	}
	if n.hidden, err = search(ctx, e, provider.EngineHidden, false); err != nil {
		return n, err
	}
	n.graph = graphOf(w.env.Now(), w.record().Seen, n.installed, n.offered, n.hidden)
	n.replaced = n.graph.replaced(n.offered)
	return n, nil
}

// Stage downloads ahead exactly what was approved. A restart that Windows waits for does not
// keep it from that.
func (w *Windows) Stage(ctx context.Context, r provider.Request) error {
	return w.with(ctx, func(e provider.Engine) error {
		state, err := e.State(ctx)
		if err != nil {
			return explained("asking how Windows Update is", err)
		}
		if state.Busy {
			return fmt.Errorf("%w: Windows Update installs something for somebody else", provider.ErrBusy)
		}
		n, err := w.present(ctx, e)
		if err != nil {
			return err
		}
		wanted, err := n.plan(r.Updates)
		if err != nil {
			return err
		}
		if err := download(ctx, e, wanted); err != nil {
			return w.failed(wanted, err)
		}
		return nil
	})
}

// download fetches what is not here yet.
func download(ctx context.Context, e provider.Engine, wanted []provider.EngineUpdate) error {
	missing := slices.DeleteFunc(slices.Clone(wanted), func(u provider.EngineUpdate) bool { return u.Downloaded })
	if len(missing) == 0 {
		return nil
	}
	results, err := e.Download(ctx, idsOf(missing))
	if err != nil {
		return explained("downloading", err)
	}
	return ended("downloading", missing, results, nil)
}

func idsOf(list []provider.EngineUpdate) []provider.EngineID {
	var all []provider.EngineID
	for _, u := range list {
		all = append(all, u.ID)
	}
	return all
}

// ended is how it went, update by update: an error for each that did not end well. What the
// engine tells of updates that nobody asked for, and what it does not tell, is an error too.
func ended(what string, asked []provider.EngineUpdate, results []provider.EngineResult, say func(string)) error {
	var errs []error
	for _, u := range asked {
		i := slices.IndexFunc(results, func(r provider.EngineResult) bool { return r.ID == u.ID })
		if i < 0 {
			errs = append(errs, fmt.Errorf("%s %s: Windows Update does not say how it ended", what, name(u)))
			continue
		}
		err := result(what+" "+name(u), results[i])
		if err != nil {
			errs = append(errs, err)
		} else if say != nil {
			say(fmt.Sprintf("Windows Update says that %s %s succeeded.", what, name(u)))
		}
	}
	for _, r := range results {
		if !slices.ContainsFunc(asked, func(u provider.EngineUpdate) bool { return u.ID == r.ID }) {
			errs = append(errs, fmt.Errorf("%s: Windows Update tells of an update that nobody asked for: %.40q, revision %d", what, r.ID.Update, r.ID.Revision))
		}
	}
	return errors.Join(errs...)
}

// result is how one update ended. Only a success without any number of a failure is one.
func result(what string, r provider.EngineResult) error {
	failing := r.HResult&0x8000_0000 != 0
	switch {
	case r.NotFound:
		return fmt.Errorf("%w: %s: Windows Update does not have this revision any more; nothing was done", provider.ErrRefused, what)
	case r.Result == provider.EngineSucceeded && !failing:
		return nil
	case failing:
		return meaning(r.HResult).err(what, r.HResult)
	case r.Result == provider.EngineSucceededWithErrors:
		return fmt.Errorf("%s: Windows Update says that it succeeded with errors, which is no success (0x%08X)", what, r.HResult)
	case r.Result == provider.EngineAborted:
		return fmt.Errorf("%s: somebody or something stopped it (0x%08X)", what, r.HResult)
	}
	return fmt.Errorf("%s: it ended without success (result %d, 0x%08X)", what, r.Result, r.HResult)
}

// Apply installs exactly the updates of the request, in the revisions that were approved. A
// licence is agreed to only where the update has one that nobody agreed to yet: whoever
// approved the update agreed to it.
func (w *Windows) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	return w.change(ctx, r, func(e provider.Engine, before found, out *outcome) error {
		n, err := w.present(ctx, e)
		if err != nil {
			return err
		}
		wanted, err := n.plan(r.Updates)
		if err != nil || len(wanted) == 0 {
			return err
		}
		if i := slices.IndexFunc(wanted, func(u provider.EngineUpdate) bool { return before.leaves(u.ID.Update) }); i >= 0 {
			return fmt.Errorf("%w: the next restart takes %s off, and until then it cannot be installed again", provider.ErrBusy, name(wanted[i]))
		}
		rec := w.record() // first: what was begun is looked for also when this process ends meanwhile
		rec.began(wanted, w.env.Now())
		if err := w.env.WriteRecord(recordFile, rec); err != nil {
			return err
		}
		err = download(ctx, e, wanted)
		if err == nil {
			err = install(ctx, e, wanted, out)
		}
		return w.failed(wanted, err)
	})
}

// install has the engine install, first what needs no agreement.
func install(ctx context.Context, e provider.Engine, wanted []provider.EngineUpdate, out *outcome) error {
	var errs []error
	for _, agree := range []bool{false, true} {
		group := slices.DeleteFunc(slices.Clone(wanted), func(u provider.EngineUpdate) bool { return u.Agreed == agree })
		if len(group) == 0 {
			continue
		}
		results, err := e.Install(ctx, idsOf(group), agree)
		if err != nil {
			errs = append(errs, explained("installing", err)) // half of it may have happened
			break
		}
		errs = append(errs, ended("installing", group, results, out.say))
	}
	return errors.Join(errs...)
}

// Undo uninstalls exactly the updates of the request, where Windows can.
func (w *Windows) Undo(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	return w.change(ctx, r, func(e provider.Engine, before found, out *outcome) error {
		var wanted []provider.EngineUpdate
		for _, up := range r.Updates {
			id := cmp.Or(up.Source, up.Instance)
			if up.Available != gone || !validID.MatchString(id) || up.Scope != "" || up.Architecture != "" {
				return fmt.Errorf("%w: %.200q cannot be taken back to %.20q: an update of Windows is uninstalled, or it stays", provider.ErrRefused, up.Key().String(), up.Available)
			}
			u, ok := find(before.installed, id)
			switch {
			case !ok, before.leaves(id):
				continue
			case up.Installed != "" && up.Installed != strconv.Itoa(u.ID.Revision):
				return fmt.Errorf("%w: %s is installed in revision %d and not in %.20q", provider.ErrRefused, name(u), u.ID.Revision, up.Installed)
			case !u.Removable:
				return fmt.Errorf("%w: Windows has no way to uninstall %s", provider.ErrRefused, name(u))
			}
			wanted = append(wanted, u)
		}
		if len(wanted) == 0 {
			return nil
		}
		results, err := e.Uninstall(ctx, idsOf(wanted))
		if err != nil {
			return explained("uninstalling", err)
		}
		return ended("uninstalling", wanted, results, out.say)
	})
}

// change reads the machine before and after work, and tells all that is other, also what
// nobody asked for.
func (w *Windows) change(ctx context.Context, r provider.Request, work func(provider.Engine, found, *outcome) error) (provider.Outcome, error) {
	out := outcome{Outcome: provider.Outcome{Reboot: patch.No}}
	err := w.with(ctx, func(e provider.Engine) error {
		if err := ready(ctx, e); err != nil {
			return err
		}
		before, err := w.look(ctx, e)
		if err != nil {
			return err
		}
		err = work(e, before, &out)
		after, unread := w.look(context.WithoutCancel(ctx), e)
		if unread == nil {
			out.Changes = provider.Changes(certain(before.items), certain(after.items), r.Updates)
			state, asked := e.State(context.WithoutCancel(ctx))
			if unread = explained("asking how Windows Update is", asked); state.RebootRequired {
				out.Reboot = patch.Yes
			}
		}
		return errors.Join(err, unread)
	})
	return out.Outcome, err
}

// certain are the items about which the readings agree, without those that are about to leave.
func certain(items []patch.Item) []patch.Item {
	return slices.DeleteFunc(slices.Clone(items), func(i patch.Item) bool { return i.Disputed != "" || i.Leaving })
}

// leaves reports whether the next restart takes an update off.
func (f found) leaves(id string) bool {
	return slices.ContainsFunc(f.items, func(i patch.Item) bool { return i.Leaving && i.Source == id })
}

// failed writes down what a failure calls for, and that an earlier one is over; it gives the
// same error.
func (w *Windows) failed(wanted []provider.EngineUpdate, err error) error {
	rec := w.record()
	var list []applied
	for _, u := range wanted {
		list = append(list, appliedOf(u, w.env.Now()))
	}
	if err == nil {
		rec.over(list)
	} else {
		rec.fail(w.env.Now(), trouble{Updates: list}, err)
	}
	return errors.Join(err, w.env.WriteRecord(recordFile, rec))
}

// outcome collects what an installation says.
type outcome struct{ provider.Outcome }

func (o *outcome) say(line string) {
	o.Messages = append(o.Messages, provider.Clip(line, provider.MaxWords))
	o.Messages = o.Messages[max(0, len(o.Messages)-maxMessages):]
}
