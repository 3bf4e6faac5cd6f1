package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// back says how a release could be taken back on the device, as its agent would.
func (d *device) back(r release, from string) (patch.Reversibility, string) {
	switch {
	case r.provider == winget && from == r.from:
		return patch.ByKept, fmt.Sprintf("The catalogue has the installer of %s, which is fetched before the update.", from)
	case r.provider == winget:
		return patch.NotAtAll, fmt.Sprintf("The catalogue has no installer of %s, which is here now.", from)
	case r.provider == brew:
		return patch.NotAtAll, "Homebrew installs only the newest version that it knows."
	case r.provider == apple:
		return patch.NotAtAll, "Apple offers no way back to an older version."
	case r.provider == flatpak:
		return patch.ByManager, "flatpak installs the commit before it again, as long as the remote keeps that."
	case d.old || r.name == "snapd":
		return "", ""
	case r.back == patch.NotAtAll && len(d.facts.Hostname)%3 > 0:
		return r.back, fmt.Sprintf("No source has %s any more, and it cannot be packed again as its publisher made it: /etc/%s.conf was changed on this device.", r.from, r.name)
	case r.back != "":
		return patch.ByKept, fmt.Sprintf("No source has %s any more; the device keeps it before the update, packed again from its own files.", r.from)
	}
	return patch.ByManager, fmt.Sprintf("deb.example.test bookworm still has %s: apt installs it again from there.", r.from)
}

// of reports whether the release is of what a job is to change.
func (r release) of(t wire.Target) bool {
	return r.manager() == t.Provider && r.name == t.Name && r.scope == t.Scope
}

// keeps is the version that the device can bring back after a job.
func (d *device) keeps(j wire.Job) string {
	i := slices.IndexFunc(releases(), func(r release) bool { return r.of(j.Target) && r.to == j.Target.To })
	if i < 0 || j.Verb == wire.VerbUndo {
		return ""
	}
	if class, _ := d.back(releases()[i], j.Target.From); class == "" || class == patch.NotAtAll {
		return ""
	}
	return j.Target.From
}

// afterUndoing is the step that follows. What an undo needs is on the device.
func afterUndoing(s wire.Step) wire.Step {
	return map[wire.Step]wire.Step{"": wire.StepWaiting, wire.StepWaiting: wire.StepApplying, wire.StepApplying: wire.StepDone}[s]
}

// offerAgain puts on offer what was taken back: its source still has it.
func (d *device) offerAgain(t wire.Target) {
	for _, r := range releases() {
		if r.of(t) && r.to == t.From {
			u := r.update(t.To, time.Now().Add(-r.age))
			u.Reversibility, u.ReversibilityWhy = d.back(r, t.To)
			d.offered = append(slices.Clone(d.offered), u)
		}
	}
	slices.SortFunc(d.offered, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
}

// story is an update that a person takes back.
type story struct {
	device, item, reason string
	stuck                string // why that cannot be done
	turns                int    // how far it gets
}

func stories() []story {
	return []story{
		{"praxis-server", "nginx", "The portal for patients shows an empty page since.", "", 7},
		{"roentgen-pc", "curl", "The viewer does not load pictures.", "dicom-viewer depends on curl (>= 7.88.1-10+deb12u8), which would no longer be met", 7},
		{"web-01", "libc6", "The shop's payment module crashes since.", "", 2},
		{"laptop-außendienst", "VLC media player", "Films of the endoscope show green stripes since.", "", 7},
	}
}

// told reports whether there is a story of the item on the device: it is always approved.
func told(device, item string) bool {
	return slices.ContainsFunc(stories(), func(s story) bool { return s.device == device && s.item == item })
}

// undone has a person take updates back: one is done, one fails, and one waits for its window.
func (w *world) undone(ctx context.Context, now time.Time) error {
	w.now = func() time.Time { return now }
	for _, s := range stories() {
		i := slices.IndexFunc(w.devices, func(d *device) bool { return d.facts.Hostname == s.device })
		if i < 0 {
			continue
		}
		d := w.devices[i]
		d.stuck = map[string]string{s.item: s.stuck}
		if err := w.takeBack(ctx, d, s.item, s.reason, now); err != nil {
			return err
		}
		for range s.turns {
			if err := w.work(ctx, d, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBack asks for an undo where the item is verified and the device has something to go back to.
func (w *world) takeBack(ctx context.Context, d *device, item, reason string, now time.Time) error {
	entry, ok := w.index.Entry(d.id)
	if !ok {
		return nil
	}
	for i := range entry.Needs {
		n := &entry.Needs[i]
		if n.Key.Name != item || n.Previous == "" || n.Verdict.Name != verdict.VERIFIED {
			continue // what a device has by now hangs on the day of the week, because of its windows
		}
		row := store.Approval{ID: patch.NewID(patch.ApprovalID), Customer: d.customer, Level: store.LevelDevice, Target: d.id,
			Provider: n.Key.Provider, Name: item, Architecture: n.Key.Architecture, Version: n.Update.Available, Origin: n.Update.Origin,
			Answer: store.Undo, Reason: reason, By: w.by.ID, ByName: w.by.Name, At: now}
		if err := w.store.Customer(w.by, d.customer).CreateApprovals(ctx, now, []store.Approval{row}); err != nil {
			return err
		}
		return w.engine.Step(ctx, d.id)
	}
	return nil
}
