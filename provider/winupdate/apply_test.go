package winupdate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/provider"
)

// offering is a machine on which updates are on offer that the component store will show once
// they are installed.
func offering(t testing.TB, list ...provider.EngineUpdate) (*Windows, *machine, *double) {
	t.Helper()
	d := &double{offered: list, state: provider.EngineState{Searched: today}}
	w, m := opened(t, system(22631, 4169), d)
	d.works = func(what string, id provider.EngineID) provider.EngineResult {
		if what == "install" {
			for n := range 10 {
				if plain(n).ID.Update == id.Update {
					m.change(t, stored(packageOf(n), cbsInstalled))
				}
			}
		}
		return provider.EngineResult{ID: id, Result: provider.EngineSucceeded}
	}
	return w, m, d
}

func TestExactlyWhatWasApprovedIsInstalled(t *testing.T) {
	w, _, d := offering(t, plain(1), plain(2), plain(3))
	out, err := w.Apply(t.Context(), approved(plain(2)))
	if err != nil || out.Reboot != patch.No {
		t.Fatalf("%v, %+v", err, out)
	}
	if want := fmt.Sprintf("install [{%s 200}] agree=false", id(2)); !slices.Contains(d.asked, want) || !slices.Contains(d.asked, fmt.Sprintf("download [{%s 200}]", id(2))) {
		t.Errorf("it asked %q", d.asked)
	}
	if len(out.Changes) != 1 || out.Changes[0] != (provider.Change{Name: itemName(plain(2)), Instance: id(2), To: "200", Asked: true}) {
		t.Errorf("%+v", out.Changes)
	}
	items, err := w.Installed(t.Context())
	if i, ok := item(items, id(2)); err != nil || !ok || i.Disputed != "" || i.Previous != patch.Nothing || len(items) != 2 {
		t.Errorf("%v, %+v", err, items)
	}
	asked := len(d.asked)
	if out, err := w.Apply(t.Context(), approved(plain(2))); err != nil || len(out.Changes) != 0 || slices.ContainsFunc(d.asked[asked:], func(a string) bool { return strings.HasPrefix(a, "install") }) {
		t.Errorf("a second time: %v, %+v, %q", err, out, d.asked[asked:])
	}
}

// TestNothingElseIsEverAsked is the law: whatever is on offer, and whatever is asked for, the
// engine is told to install only what was asked, in the very revision, and all of it or nothing.
func TestNothingElseIsEverAsked(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawn(rt)
		d := &double{state: provider.EngineState{Searched: today}}
		for _, u := range list {
			u.Asks = rapid.IntRange(0, 4).Draw(rt, "asks") == 0
			switch rapid.IntRange(0, 2).Draw(rt, "where") {
			case 0:
				d.installed = append(d.installed, u)
			case 1:
				d.hidden = append(d.hidden, u)
			default:
				d.offered = append(d.offered, u)
			}
		}
		w, _ := opened(t, system(22631, 4169), d)
		var r provider.Request
		for _, u := range list {
			if rapid.Bool().Draw(rt, "asked") {
				u.ID.Revision += rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(rt, "revision")
				r.Updates = append(r.Updates, offer(u, today))
			}
		}
		before := slices.Clone(d.offered)
		_, err := w.Apply(t.Context(), r)
		did := d.did("install")
		if err != nil && did {
			rt.Fatalf("refused, and done: %v, %q", err, d.asked)
		}
		for _, u := range before {
			if _, still := find(d.offered, u.ID.Update); still {
				continue
			}
			if !slices.ContainsFunc(r.Updates, func(p patch.Update) bool { return p.Source == u.ID.Update && p.Available == fmt.Sprint(u.ID.Revision) }) {
				rt.Fatalf("%v was installed, and nobody asked for it: %+v", u.ID, r.Updates)
			}
		}
	})
}

// TestRefusals: each way in which an approval no longer fits has a sentence of its own.
func TestRefusals(t *testing.T) {
	newer := plain(1)
	newer.ID.Revision = 201
	successor := plain(2)
	successor.Supersedes = []string{id(1)}
	asks := plain(1)
	asks.Asks = true
	for name, c := range map[string]struct {
		offered, hidden, installed []provider.EngineUpdate
		want                       string
	}{
		"another revision":                 {offered: []provider.EngineUpdate{newer}, want: "approved in revision 200, and Windows Update now offers revision 201"},
		"withdrawn":                        {want: "on offer any more: it was withdrawn"},
		"superseded, both on offer":        {offered: []provider.EngineUpdate{plain(1), successor}, want: "superseded by KB5000002 since it was approved"},
		"superseded, gone":                 {offered: []provider.EngineUpdate{successor}, want: "superseded by KB5000002 since it was approved"},
		"superseded by one that is there":  {installed: []provider.EngineUpdate{successor}, want: "superseded by KB5000002 since it was approved"},
		"hidden by somebody":               {hidden: []provider.EngineUpdate{plain(1)}, want: "somebody hid " + itemName(plain(1)) + " on this device"},
		"hidden, and offered all the same": {hidden: []provider.EngineUpdate{plain(1)}, offered: []provider.EngineUpdate{plain(1)}, want: "somebody hid"},
		"it asks":                          {offered: []provider.EngineUpdate{asks}, want: "may ask a person"},
		"one of two is withdrawn":          {offered: []provider.EngineUpdate{plain(3)}, want: "withdrawn"},
	} {
		d := &double{offered: c.offered, hidden: c.hidden, installed: c.installed, state: provider.EngineState{Searched: today}}
		w, _ := opened(t, system(22631, 4169), d)
		r := approved(plain(1))
		if name == "one of two is withdrawn" {
			r = approved(plain(3), plain(1))
		}
		for what, err := range map[string]error{"apply": second2(w.Apply(t.Context(), r)), "stage": w.Stage(t.Context(), r)} {
			if !errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), c.want) || d.did("install") || d.did("download") {
				t.Errorf("%s, %s: %v, asked %q", name, what, err, d.asked)
			}
		}
	}
	for name, change := range map[string]func(*patch.Update){
		"no ID":          func(u *patch.Update) { u.Source, u.Instance = "", "" },
		"an odd ID":      func(u *patch.Update) { u.Source = "x" },
		"another item's": func(u *patch.Update) { u.Instance = id(9) },
		"no revision":    func(u *patch.Update) { u.Available = "" },
		"not a revision": func(u *patch.Update) { u.Available = "+200" },
		"revision 0":     func(u *patch.Update) { u.Available = "0" },
		"of a person":    func(u *patch.Update) { u.Scope = "anna" },
	} {
		w, _, d := offering(t, plain(1))
		r := approved(plain(1))
		change(&r.Updates[0])
		if _, err := w.Apply(t.Context(), r); !errors.Is(err, provider.ErrRefused) || d.did("install") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second2(_ provider.Outcome, err error) error { return err }

func TestBusyIsNoFailure(t *testing.T) {
	for name, state := range map[string]provider.EngineState{"at work": {Busy: true}, "a restart first": {RebootFirst: true}} {
		w, _, d := offering(t, plain(1))
		d.state = state
		if _, err := w.Apply(t.Context(), approved(plain(1))); !errors.Is(err, provider.ErrBusy) || d.did("install") {
			t.Errorf("%s: %v", name, err)
		}
		d.installed = []provider.EngineUpdate{plain(1)}
		r := approved(plain(1))
		r.Updates[0].Available = gone
		if _, err := w.Undo(t.Context(), r); !errors.Is(err, provider.ErrBusy) || d.did("uninstall") {
			t.Errorf("%s, undo: %v", name, err)
		}
		if err := w.Stage(t.Context(), approved(plain(1))); state.Busy != errors.Is(err, provider.ErrBusy) {
			t.Errorf("%s, stage: %v", name, err)
		}
	}
	w, _, d := offering(t, plain(1))
	d.fails["install"] = fmt.Errorf("%w: somebody else installs", provider.ErrBusy)
	d.works = func(_ string, id provider.EngineID) provider.EngineResult { return provider.EngineResult{ID: id} }
	d.offered[0].Downloaded = true
	if _, err := w.Apply(t.Context(), approved(plain(1))); !errors.Is(err, provider.ErrBusy) {
		t.Error(err)
	}
}

func TestStageDownloadsAndNothingMore(t *testing.T) {
	here := plain(2)
	here.Downloaded = true
	w, _, d := offering(t, plain(1), here, plain(3))
	if err := w.Stage(t.Context(), approved(plain(1), here)); err != nil || d.did("install") || !slices.Contains(d.asked, fmt.Sprintf("download [{%s 200}]", id(1))) {
		t.Errorf("%v, asked %q", err, d.asked)
	}
	d.works = func(_ string, id provider.EngineID) provider.EngineResult {
		return provider.EngineResult{ID: id, Result: provider.EngineFailed, HResult: 0x8024402C}
	}
	if err := w.Stage(t.Context(), approved(plain(3))); !errors.Is(err, provider.ErrOffline) || !strings.Contains(err.Error(), "0x8024402C") {
		t.Error(err)
	}
}

// TestALicenceIsAgreedToWhereThereIsOne and nowhere else.
func TestALicenceIsAgreedToWhereThereIsOne(t *testing.T) {
	licensed := plain(2)
	licensed.Agreed = false
	w, _, d := offering(t, plain(1), licensed)
	o, err := w.Available(t.Context())
	if err != nil || o.Updates[1].Block != patch.Optional || !strings.Contains(o.Updates[1].BlockWhy, "licence") {
		t.Errorf("%v, %+v", err, o.Updates)
	}
	if _, err := w.Apply(t.Context(), approved(plain(1), licensed)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("install [{%s 200}] agree=false", id(1)), fmt.Sprintf("install [{%s 200}] agree=true", id(2))} {
		if !slices.Contains(d.asked, want) {
			t.Errorf("not asked %q, but %q", want, d.asked)
		}
	}
}

// TestTheEngineLies: what it says of its own work is never what is believed.
func TestTheEngineLies(t *testing.T) {
	succeeded := func(_ string, id provider.EngineID) provider.EngineResult {
		return provider.EngineResult{ID: id, Result: provider.EngineSucceeded}
	}
	// It says that it installed, has it among what is installed, and nothing shows it.
	w, _, d := offering(t, plain(1))
	d.works = succeeded
	out, err := w.Apply(t.Context(), approved(plain(1)))
	items, _ := w.Installed(t.Context())
	if i, ok := item(items, id(1)); err != nil || !ok || i.Disputed == "" || len(out.Changes) != 0 {
		t.Errorf("%v, %+v, %+v", err, i, out.Changes)
	}
	// It says so, and offers it as before.
	w, m, d := offering(t, plain(1))
	d.works = func(_ string, id provider.EngineID) provider.EngineResult {
		return provider.EngineResult{ID: id, Result: provider.EngineSucceeded, HResult: 0x00240006}
	}
	out, err = w.Apply(t.Context(), approved(plain(1)))
	items, _ = w.Installed(t.Context())
	if _, ok := item(items, id(1)); err != nil || ok || len(out.Changes) != 0 {
		t.Errorf("%v, %+v, %+v", err, items, out.Changes)
	}
	// It fails, and did it: the scan shows it.
	m.change(t, stored(packageOf(1), cbsInstalled))
	d.works = func(_ string, id provider.EngineID) provider.EngineResult {
		d.move("install", id)
		return provider.EngineResult{ID: id, Result: provider.EngineFailed, HResult: 0x80240022}
	}
	out, err = w.Apply(t.Context(), approved(plain(1)))
	items, _ = w.Installed(t.Context())
	if i, ok := item(items, id(1)); err == nil || !ok || i.Disputed != "" || len(out.Changes) != 1 {
		t.Errorf("%v, %+v, %+v", err, items, out.Changes)
	}
	// It tells of nothing, of another, or of half.
	for name, c := range map[string]struct {
		change func(id provider.EngineID) provider.EngineResult
		want   string
	}{
		"another update": {func(provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: provider.EngineID{Update: id(9), Revision: 1}, Result: provider.EngineSucceeded}
		}, "nobody asked for"},
		"another revision": {func(i provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: provider.EngineID{Update: i.Update, Revision: 7}, Result: provider.EngineSucceeded}
		}, "does not say how it ended"},
		"with errors": {func(i provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: i, Result: provider.EngineSucceededWithErrors}
		}, "no success"},
		"aborted": {func(i provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: i, Result: provider.EngineAborted}
		}, "stopped it"},
		"withdrawn in this moment": {func(i provider.EngineID) provider.EngineResult {
			return provider.EngineResult{ID: i, NotFound: true}
		}, "does not have this revision any more"},
	} {
		w, _, d := offering(t, plain(1))
		d.offered[0].Downloaded = true
		d.works = func(_ string, id provider.EngineID) provider.EngineResult { return c.change(id) }
		if _, err := w.Apply(t.Context(), approved(plain(1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestResultsAreToldOneByOne: of three updates one fails, and the others are told as they are.
func TestResultsAreToldOneByOne(t *testing.T) {
	w, m, d := offering(t, plain(1), plain(2), plain(3))
	inner := d.works
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" && i.Update == id(2) {
			return provider.EngineResult{ID: i, Result: provider.EngineFailed, HResult: 0x80070643}
		}
		r := inner(what, i)
		r.Reboot = true
		return r
	}
	m.engine.state.RebootRequired = true
	out, err := w.Apply(t.Context(), approved(plain(1), plain(2), plain(3)))
	if err == nil || !strings.Contains(err.Error(), "installing KB5000002: ") || strings.Contains(err.Error(), "KB5000001") || errors.Is(err, provider.ErrBusy) {
		t.Error(err)
	}
	if len(out.Changes) != 2 || out.Reboot != patch.Yes || len(out.Messages) != 2 || !strings.Contains(out.Messages[1], "KB5000003") {
		t.Errorf("%+v", out)
	}
}

// TestWhatOthersDidIsToldAsNotAsked: somebody installs and uninstalls meanwhile.
func TestWhatOthersDidIsToldAsNotAsked(t *testing.T) {
	w, m, d := offering(t, plain(1), plain(2))
	d.installed = []provider.EngineUpdate{plain(4)}
	m.change(t, stored(packageOf(4), cbsInstalled))
	inner := d.works
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" {
			d.move("install", provider.EngineID{Update: id(2), Revision: 200})
			d.move("uninstall", provider.EngineID{Update: id(4), Revision: 200})
			m.change(t, stored(packageOf(2), cbsInstalled)+stored(packageOf(4), 0)+system(22631, 4200))
		}
		return inner(what, i)
	}
	out, err := w.Apply(t.Context(), approved(plain(1)))
	want := []provider.Change{
		{Name: itemName(plain(1)), Instance: id(1), To: "200", Asked: true}, {Name: itemName(plain(2)), Instance: id(2), To: "200"},
		{Name: itemName(plain(4)), Instance: id(4), From: "200"}, {Name: "Windows", From: "10.0.22631.4169", To: "10.0.22631.4200"},
	}
	if err != nil || !slices.Equal(out.Changes, want) {
		t.Errorf("%v\n%+v", err, out.Changes)
	}
}

// TestTheEngineGoesAwayInTheMiddle: half of it may have happened, and is told.
func TestTheEngineGoesAwayInTheMiddle(t *testing.T) {
	w, _, d := offering(t, plain(1), plain(2))
	inner := d.works
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" && i.Update == id(2) {
			return provider.EngineResult{ID: i, Result: provider.EngineNotStarted}
		}
		return inner(what, i)
	}
	d.fails["install"] = &provider.EngineError{What: "install", HResult: 0x800706BE}
	out, err := w.Apply(t.Context(), approved(plain(1), plain(2)))
	if !strings.Contains(fmt.Sprint(err), "0x800706BE") || len(out.Changes) != 1 || out.Changes[0].Name != itemName(plain(1)) {
		t.Errorf("%v, %+v", err, out)
	}
	// Also the look after it fails: then what changed is not known, and nothing is made up.
	w, m, d := offering(t, plain(1))
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" {
			m.engine.fails["search"] = &provider.EngineError{What: "search", HResult: 0x80010108}
		}
		return provider.EngineResult{ID: i, Result: provider.EngineSucceeded}
	}
	if out, err := w.Apply(t.Context(), approved(plain(1))); err == nil || len(out.Changes) != 0 {
		t.Errorf("%v, %+v", err, out)
	}
	// A request that is withdrawn meanwhile still has its outcome read.
	w, _, d = offering(t, plain(1))
	ctx, cancel := context.WithCancel(t.Context())
	inner = d.works
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" {
			cancel()
		}
		return inner(what, i)
	}
	if out, err := w.Apply(ctx, approved(plain(1))); err != nil || len(out.Changes) != 1 {
		t.Errorf("%v, %+v", err, out)
	}
}

// TestPendingIsFoundAgain: an update that waits for a restart is there to be waited for, also
// when the agent was killed and the engine tells of it no more, and is complete only after.
func TestPendingIsFoundAgain(t *testing.T) {
	u := cumulativeUpdate(1, 4317)
	w, m, d := offering(t, u)
	waiting := stored("Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.4317.1.3", cbsPending) + waitsForBoot
	d.works = func(what string, i provider.EngineID) provider.EngineResult {
		if what == "install" {
			m.change(t, waiting)
			d.offered, d.state.RebootRequired = nil, true // neither offered nor installed
			return provider.EngineResult{ID: i, Result: provider.EngineSucceeded, Reboot: true, HResult: 0x00240005}
		}
		return provider.EngineResult{ID: i, Result: provider.EngineSucceeded}
	}
	out, err := w.Apply(t.Context(), approved(u))
	if err != nil || out.Reboot != patch.Yes || len(out.Changes) != 1 || !out.Changes[0].Asked {
		t.Fatalf("%v, %+v", err, out)
	}
	again := &Windows{env: w.env, host: w.host} // after the agent was killed
	items, err := again.Installed(t.Context())
	if i, ok := item(items, id(1)); err != nil || !ok || i.Version != "200" || i.Disputed != "" || i.Previous != "" {
		t.Errorf("%v, %+v", err, items)
	}
	// After the restart the build is the new one.
	m.registry, _ = parse(system(22631, 4317) + stored("Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.4317.1.3", cbsInstalled))
	d.installed, d.state = []provider.EngineUpdate{u}, provider.EngineState{Searched: today}
	items, err = again.Installed(t.Context())
	if i, ok := item(items, id(1)); err != nil || !ok || i.Disputed != "" || i.Previous != patch.Nothing {
		t.Errorf("%v, %+v", err, items)
	}
	// The next month's update took its place, and the engine tells of it no more: that is no dispute.
	d.installed = nil
	items, err = again.Installed(t.Context())
	if _, ok := item(items, id(1)); err != nil || ok {
		t.Errorf("%v, %+v", err, items)
	}
	d.installed = []provider.EngineUpdate{u}
	// Or Windows took it back on the way up.
	m.registry, _ = parse(system(22631, 4169) + stored("Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.4317.1.3", 0x40))
	items, err = again.Installed(t.Context())
	if i, ok := item(items, id(1)); err != nil || !ok || !strings.Contains(i.Disputed, "22631.4169") {
		t.Errorf("%v, %+v", err, items)
	}
}

// TestARemovalThatWaitsIsToldAsThat: until the restart the update is there and about to leave,
// whatever the engine says; it is removed once, and not installed over that.
func TestARemovalThatWaitsIsToldAsThat(t *testing.T) {
	for name, u := range map[string]provider.EngineUpdate{"one of its own": plain(1), "a month's": cumulativeUpdate(1, 4169)} {
		w, m, d := offering(t)
		d.installed = []provider.EngineUpdate{u}
		pack := packageOf(1)
		if u.Title != plain(1).Title {
			pack = "Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.4169.1.3"
		}
		m.change(t, stored(pack, cbsInstalled))
		d.works = func(what string, i provider.EngineID) provider.EngineResult {
			if what == "uninstall" {
				m.change(t, stored(pack, cbsLeaving)+waitsForBoot)
				d.state.RebootRequired = true
			}
			return provider.EngineResult{ID: i, Result: provider.EngineSucceeded, Reboot: true}
		}
		r := approved(u)
		r.Updates[0].Available, r.Updates[0].Installed = gone, "200"
		out, err := w.Undo(t.Context(), r)
		if err != nil || out.Reboot != patch.Yes || len(out.Changes) != 1 || out.Changes[0].To != "" {
			t.Errorf("%s: %v, %+v", name, err, out)
		}
		items, err := w.Installed(t.Context())
		if i, ok := item(items, id(1)); err != nil || !ok || !i.Leaving || !i.Restart || i.Disputed != "" || i.Version != "200" {
			t.Errorf("%s: %v, %+v", name, err, items)
		}
		asked := len(d.asked)
		if _, err := w.Undo(t.Context(), r); err != nil || slices.ContainsFunc(d.asked[asked:], func(a string) bool { return strings.HasPrefix(a, "uninstall") }) {
			t.Errorf("%s, a second time: %v, %q", name, err, d.asked[asked:])
		}
		if _, err := w.Apply(t.Context(), approved(u)); !errors.Is(err, provider.ErrBusy) || d.did("install") {
			t.Errorf("%s, installed over it: %v", name, err)
		}
	}
}

func TestUndoUninstallsWhereWindowsCan(t *testing.T) {
	stays := plain(2)
	stays.Removable = false
	ready := func() (*Windows, *double) {
		w, m, d := offering(t)
		d.installed = []provider.EngineUpdate{plain(1), stays}
		m.change(t, stored(packageOf(1), cbsInstalled)+stored(packageOf(2), cbsInstalled))
		return w, d
	}
	back := func(u provider.EngineUpdate, to, from string) provider.Request {
		r := approved(u)
		r.Updates[0].Available, r.Updates[0].Installed = to, from
		return r
	}
	w, d := ready()
	out, err := w.Undo(t.Context(), back(plain(1), gone, "200"))
	if want := fmt.Sprintf("uninstall [{%s 200}]", id(1)); err != nil || !slices.Contains(d.asked, want) || len(out.Changes) != 1 || out.Changes[0].From != "200" || out.Changes[0].To != "" || !out.Changes[0].Asked {
		t.Errorf("%v, %+v, asked %q", err, out, d.asked)
	}
	if out, err := w.Undo(t.Context(), back(plain(1), gone, "")); err != nil || len(out.Changes) != 0 {
		t.Errorf("a second time: %v, %+v", err, out)
	}
	for name, r := range map[string]provider.Request{
		"to an older revision": back(plain(1), "100", "200"), "in another revision": back(plain(1), gone, "199"), "not removable": back(stays, gone, "200"), "to nothing": back(plain(1), "", "200"),
	} {
		w, d := ready()
		if _, err := w.Undo(t.Context(), r); !errors.Is(err, provider.ErrRefused) || d.did("uninstall") {
			t.Errorf("%s: %v", name, err)
		}
	}
	items, err := w.Installed(t.Context())
	if i, ok := item(items, id(2)); err != nil || !ok || i.Previous != "" {
		t.Errorf("%v, %+v", err, items)
	}
}
