package winget

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// Stage gets installers here ahead, and with them those of the versions that are here now.
func (w *Winget) Stage(ctx context.Context, r provider.Request) error {
	programs, _, err := w.look()
	if err != nil {
		return err
	}
	for _, u := range r.Updates {
		p, _, i, err := w.target(programs, u)
		if err != nil {
			return err
		}
		needs, err := w.needs(programs, p, i)
		if err != nil {
			return err
		}
		if err := errors.Join(w.fetchNeeds(ctx, needs), w.fetch(ctx, p, i)); err != nil {
			return err
		}
	}
	return nil
}

// fetch gets an installer here, and the one that would bring back what is here now.
func (w *Winget) fetch(ctx context.Context, p program, i patch.Installer) error {
	if w.env.Content == nil {
		return fmt.Errorf("%w: this agent has no way to the server's store", provider.ErrRefused)
	}
	if old, ok := back(p, p.item.Version); ok && !p.absent {
		if err := w.env.Content.Fetch(ctx, old.SHA256, old.Size); err != nil {
			return fmt.Errorf("fetching the installer of %s %s, to go back to: %w", p.item.Name, p.item.Version, err)
		}
	}
	if err := w.env.Content.Fetch(ctx, i.SHA256, i.Size); err != nil {
		return fmt.Errorf("fetching the installer of %s: %w", p.item.Name, err)
	}
	return nil
}

// Apply installs exactly the releases in the request, one after the other.
func (w *Winget) Apply(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	return w.each(ctx, r, func(programs []program, u patch.Update, out *provider.Outcome) error {
		p, release, i, err := w.target(programs, u)
		if err != nil {
			return err
		}
		switch to := shown(release, i); {
		case !p.absent && same(to, p.item.Version) && p.item.Broken == "":
			return nil
		case !p.takes(to):
			return fmt.Errorf("%w: %s is %s here, and %s is older", provider.ErrRefused, p.item.Name, p.item.Version, to)
		case release.Recalled != "":
			return fmt.Errorf("%w: %s %s is recalled: %s", provider.ErrRefused, p.item.Name, release.Version, release.Recalled)
		}
		needs, err := w.needs(programs, p, i)
		if err == nil {
			err = w.fetchNeeds(ctx, needs)
		}
		if err == nil {
			err = w.fetch(ctx, p, i)
		}
		if err == nil && len(needs) > 0 {
			if err = w.sound(ctx, p, i); err == nil { // else they would come for nothing
				err = w.installNeeds(ctx, needs, out)
			}
		}
		if err != nil {
			return err
		}
		if p.absent { // there is nothing to go back to
			return w.install(ctx, p, i, out)
		}
		s := step{From: p.item.Version, To: shown(release, i)}
		if p.item.Broken != "" {
			s.From = "" // what is broken is nothing to go back to
		}
		return w.replace(ctx, p, i, s, i.RemoveFirst, out)
	})
}

// Undo brings back the releases that were there before: over the present one, or where that
// is of Windows Installer, which never goes down, after it was removed.
func (w *Winget) Undo(ctx context.Context, r provider.Request) (provider.Outcome, error) {
	return w.each(ctx, r, func(programs []program, u patch.Update, out *provider.Outcome) error {
		p, release, i, err := w.chosen(programs, u)
		if err != nil {
			return err
		}
		past := w.history()[p.item.Key().String()]
		switch {
		case release.Recalled != "":
			return fmt.Errorf("%w: %s %s is recalled: %s", provider.ErrRefused, p.item.Name, release.Version, release.Recalled)
		case same(u.Available, p.item.Version) && p.item.Broken == "":
			return nil
		case !same(past.From, u.Available):
			return fmt.Errorf("%w: %s was not updated from %s by this device", provider.ErrRefused, p.item.Name, u.Available)
		}
		if err := w.fetch(ctx, p, i); err != nil {
			return err
		}
		return w.replace(ctx, p, i, past, p.entry.MSI, out)
	})
}

// replace puts another version in a program's place, with what is about to happen written
// down before. first removes the version that is there: the installer of the other was fetched
// and is checked before anything is removed. Installers do the same by themselves. A program
// that vanished on the way is told as broken until the other version is there.
func (w *Winget) replace(ctx context.Context, p program, i patch.Installer, s step, first bool, out *provider.Outcome) error {
	first = first && p.item.Broken == ""
	if first {
		if err := w.sound(ctx, p, i); err != nil {
			return err
		}
	}
	s.Removed = &p.entry
	if err := w.note(p.item.Key(), s); err != nil {
		return err
	}
	if first {
		if err := w.remove(ctx, p, out); err != nil {
			return err
		}
	}
	if err := w.install(ctx, p, i, out); err != nil || first || p.item.Broken != "" {
		return err
	}
	s.Removed = nil // it had its way: what the list shows now is so
	return w.note(p.item.Key(), s)
}

// sound checks an installer without running it.
func (w *Winget) sound(ctx context.Context, p program, i patch.Installer) error {
	f, err := w.openChecked(ctx, p, i)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = installation(i, f.Path(), p.entry.User)
	return err
}

// openChecked gives what installs: the installer, or the file of the archive that the
// catalogue names, held open and compared with what the publisher signed for.
func (w *Winget) openChecked(ctx context.Context, p program, i patch.Installer) (provider.File, error) {
	f, err := w.env.Content.Open(ctx, i.SHA256, i.Size)
	if err != nil {
		return nil, fmt.Errorf("opening the installer of %s: %w", p.item.Name, err)
	}
	err = sameBytes(f, i)
	if err == nil && i.Kind == patch.ZIP {
		archive := f
		f, err = w.env.Content.Unpack(ctx, archive, i.Nested)
		archive.Close()
		if err != nil {
			return nil, fmt.Errorf("the installer of %s: %w", p.item.Name, err)
		}
	}
	if err == nil {
		err = w.checkSigner(ctx, f, i)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the installer of %s: %w", p.item.Name, err), f.Close())
	}
	return f, nil
}

// each does one update after the other, and says what changed by reading the registry again.
// The first that fails ends it; the agent tries the others alone.
func (w *Winget) each(ctx context.Context, r provider.Request, do func([]program, patch.Update, *provider.Outcome) error) (provider.Outcome, error) {
	var out provider.Outcome
	if err := w.atWork(ctx); err != nil {
		return out, err
	}
	before, _, err := w.look()
	if err != nil {
		return out, err
	}
	var failed error
	for _, u := range r.Updates {
		programs, _, err := w.look()
		if err == nil {
			err = do(programs, u, &out)
		}
		if err != nil {
			failed = err
			break
		}
	}
	after, _, err := w.look()
	if err != nil {
		return out, errors.Join(failed, fmt.Errorf("reading what was done: %w", err))
	}
	out.Changes = provider.Changes(whole(before), whole(after), asked(r.Updates, after))
	return out, failed
}

// chosen finds the program and the installer that an update names: by the program's key, the
// version that it will show, and the file's hash where one was approved.
func (w *Winget) chosen(programs []program, u patch.Update) (program, patch.Release, patch.Installer, error) {
	refuse := func(format string, args ...any) (program, patch.Release, patch.Installer, error) {
		return program{}, patch.Release{}, patch.Installer{}, fmt.Errorf("%w: "+format, append([]any{provider.ErrRefused}, args...)...)
	}
	n := slices.IndexFunc(programs, func(p program) bool { return p.item.Key() == u.Key() })
	if n < 0 {
		return refuse("%s is not installed here", u.Name)
	}
	p := programs[n]
	if p.of == nil {
		return refuse("nothing in the signed catalogue is %s", u.Name)
	}
	if c := w.catalog(); !c.Expires.IsZero() && !w.env.Now().Before(c.Expires) {
		return refuse("the catalogue ended on %s", c.Expires.UTC().Format("2006-01-02"))
	}
	r, i, ok := exactly(p, u.Available)
	switch {
	case !ok:
		return refuse("the signed catalogue has no installer of %s %s for where it is here", u.Name, u.Available)
	case u.SHA256 != "" && !strings.EqualFold(u.SHA256, i.SHA256):
		return refuse("the catalogue now has another installer of %s %s than the one that was approved", u.Name, u.Available)
	}
	return p, r, i, w.mayChange(p)
}

// mayChange says why a person's program cannot be changed from here: its installer writes
// into the folders and the registry of whoever runs it.
func (w *Winget) mayChange(p program) error {
	if p.entry.User == "" {
		return nil
	}
	account := ""
	if m, ok := w.env.Host.(provider.MachineHost); ok {
		account = m.Machine().Account
	}
	people, err := provider.People(w.host)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(people, func(o provider.Person) bool { return o.Name == p.entry.User && o.SID == account }) {
		return nil
	}
	return fmt.Errorf("%w: %s was installed by %s alone, and only an agent that %s runs can change it", provider.ErrRefused, p.item.Name, p.entry.User, p.entry.User)
}

// install checks an installer on the open file and runs it while that is open.
func (w *Winget) install(ctx context.Context, p program, i patch.Installer, out *provider.Outcome) error {
	f, err := w.openChecked(ctx, p, i)
	if err != nil {
		return err
	}
	defer f.Close()
	args, err := installation(i, f.Path(), p.entry.User)
	if err != nil {
		return err
	}
	return w.run(ctx, p, args, i, runs(i), out)
}

// sameBytes compares an open file with the hash that the publisher signed for.
func sameBytes(f provider.File, i patch.Installer) error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.Size())); err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, i.SHA256) || f.Size() != i.Size {
		return fmt.Errorf("%w: it is not the file that the catalogue names", provider.ErrRefused)
	}
	return nil
}

// checkSigner holds an open file to whoever must have signed it. The system has its own word
// on that, which must also be yes.
func (w *Winget) checkSigner(ctx context.Context, f provider.File, i patch.Installer) error {
	if i.Signer == nil {
		return nil
	}
	if err := signedBy(f, *i.Signer); err != nil {
		return fmt.Errorf("%w: %w", provider.ErrRefused, err)
	}
	if system, ok := w.env.Host.(provider.SigningHost); ok {
		if err := system.Trusted(ctx, f); err != nil {
			return fmt.Errorf("%w: %w", provider.ErrRefused, err)
		}
	}
	return nil
}

// remove takes away a program of Windows Installer.
func (w *Winget) remove(ctx context.Context, p program, out *provider.Outcome) error {
	args, err := msiRemoval(p.entry.Key)
	if err != nil {
		return err
	}
	if err := w.run(ctx, p, args, patch.Installer{}, patch.MSI, out); err != nil {
		return fmt.Errorf("removing %s %s: %w", p.item.Name, p.item.Version, err)
	}
	return nil
}

// maxMessages is how many lines of an installer's own words are kept.
const maxMessages = 20

// run runs an installer and says how it ended.
func (w *Winget) run(ctx context.Context, p program, args []string, i patch.Installer, kind patch.InstallerKind, out *provider.Outcome) error {
	res, err := w.env.Host.Run(ctx, provider.Command{Args: args, Began: w.began(p.item)})
	out.Messages = provider.LastLines(strings.Join(out.Messages, "\n")+"\n"+res.Stdout+res.Stderr, maxMessages)
	if err != nil {
		return err
	}
	e := judge(i, kind, res.Code)
	if e.reboot == patch.Yes {
		out.Reboot = patch.Yes
		if err := w.wait(p); err != nil {
			return fmt.Errorf("%s asks for a restart, which could not be written down: %w", p.item.Name, err)
		}
	}
	if err := e.err(res.Code); err != nil {
		return fmt.Errorf("%s: %w", p.item.Name, err)
	}
	return nil
}

// whole are the items of programs that are completely there.
func whole(programs []program) []patch.Item {
	var items []patch.Item
	for _, p := range programs {
		if p.item.Broken == "" {
			items = append(items, p.item)
		}
	}
	return items
}
