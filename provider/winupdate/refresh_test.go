package winupdate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// TestScansStayOffline is the law: only a refresh asks the server.
func TestScansStayOffline(t *testing.T) {
	w, _, d := offering(t, plain(1))
	if _, err := w.Installed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Available(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Apply(t.Context(), approved(plain(1))); err != nil {
		t.Fatal(err)
	}
	online := func(a string) bool { return strings.HasSuffix(a, "online=true") }
	if slices.ContainsFunc(d.asked, online) {
		t.Errorf("asked %q", d.asked)
	}
	if _, err := w.Refresh(t.Context()); err != nil || !slices.ContainsFunc(d.asked, online) {
		t.Errorf("%v, asked %q", err, d.asked)
	}
}

func TestTheSourceSaysHowOldItIs(t *testing.T) {
	yesterday := today.AddDate(0, 0, -1)
	d := &double{state: provider.EngineState{Searched: yesterday}}
	w, m := opened(t, system(22631, 4169), d)
	o, err := w.Available(t.Context())
	if err != nil || len(o.Sources) != 1 || o.Sources[0].Name != "Windows Update" || !o.Sources[0].RefreshedAt.Equal(yesterday) || o.Sources[0].Error != "" {
		t.Errorf("%v, %+v", err, o.Sources)
	}
	m.change(t, "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate]\n\"WUServer\"=\"https://user:secret@wsus.example.com:8531/x\"\n")
	d.state.Managed = true
	if o, err = w.Available(t.Context()); err != nil || o.Sources[0].Name != "WSUS at wsus.example.com:8531" {
		t.Errorf("%v, %+v", err, o.Sources)
	}
	// A refresh that fails keeps the time of the last one that did not, and says why.
	d.fails["online"] = &provider.EngineError{What: "search", HResult: 0x80072EE2}
	sources, err := w.Refresh(t.Context())
	if err != nil || len(sources) != 1 || !strings.Contains(sources[0].Error, "0x80072EE2") || !strings.Contains(sources[0].Error, "did not answer in time") {
		t.Errorf("%v, %+v", err, sources)
	}
	if o, err = w.Available(t.Context()); err != nil || !o.Sources[0].RefreshedAt.Equal(yesterday) || o.Sources[0].Error == "" {
		t.Errorf("%v, %+v", err, o.Sources)
	}
	delete(d.fails, "online")
	if sources, err = w.Refresh(t.Context()); err != nil || sources[0].Error != "" || !sources[0].RefreshedAt.Equal(today) {
		t.Errorf("%v, %+v", err, sources)
	}
	// Somebody who installs just now is no failure of the source.
	d.fails["online"] = &provider.EngineError{What: "search", HResult: 0x80240009}
	if _, err = w.Refresh(t.Context()); !errors.Is(err, provider.ErrBusy) {
		t.Error(err)
	}
}

func TestNeverAskedIsNotNothing(t *testing.T) {
	for name, searched := range map[string]time.Time{"never": {}, "in the future": today.AddDate(0, 1, 0)} {
		w, _ := opened(t, system(22631, 4169), &double{state: provider.EngineState{Searched: searched}})
		if o, err := w.Available(t.Context()); err == nil || o.Sources[0].RefreshedAt != nil || o.Sources[0].Error == "" {
			t.Errorf("%s: %v, %+v", name, err, o)
		}
	}
}

func TestHiddenOnesAreToldAsHeld(t *testing.T) {
	w, _ := opened(t, system(22631, 4169), &double{offered: []provider.EngineUpdate{plain(1)}, hidden: []provider.EngineUpdate{plain(2)}, state: provider.EngineState{Searched: today}})
	o, err := w.Available(t.Context())
	if err != nil || len(o.Updates) != 2 || o.Updates[0].Block != "" || o.Updates[1].Block != patch.Held {
		t.Errorf("%v, %+v", err, o.Updates)
	}
}

// TestAFailingEngineIsAFailedScan: nothing is empty because it could not be read.
func TestAFailingEngineIsAFailedScan(t *testing.T) {
	for _, what := range []string{"search", "state"} {
		w, _, d := offering(t, plain(1))
		d.fails[what] = &provider.EngineError{What: what, HResult: 0x80248001}
		if o, err := w.Available(t.Context()); err == nil || len(o.Updates) != 0 {
			t.Errorf("%s: %+v", what, o)
		}
		if items, err := w.Installed(t.Context()); what == "search" && err == nil {
			t.Errorf("%s: %+v", what, items)
		}
	}
}

// TestANewerRevisionIsAnUpdateOfWhatIsThere: it is not taken for what was never there, and what
// the engine calls installed and missing at once is neither.
func TestANewerRevisionIsAnUpdateOfWhatIsThere(t *testing.T) {
	newer := plain(1)
	newer.ID.Revision = 201
	newer.KBs, newer.Title = nil, "Renamed"
	d := &double{installed: []provider.EngineUpdate{plain(1)}, offered: []provider.EngineUpdate{newer}, state: provider.EngineState{Searched: today}}
	w, _ := opened(t, system(22631, 4169)+stored(packageOf(1), cbsInstalled), d)
	o, err := w.Available(t.Context())
	items, unread := w.Installed(t.Context())
	i, ok := item(items, id(1))
	if err != nil || unread != nil || !ok || i.Disputed != "" || len(o.Updates) != 1 || o.Updates[0].Key() != i.Key() || o.Updates[0].Installed != "200" || o.Updates[0].Available != "201" {
		t.Errorf("%v, %+v, %+v", err, o.Updates, items)
	}
	if _, err := w.Apply(t.Context(), provider.Request{Updates: o.Updates}); err != nil || !d.did("install") {
		t.Errorf("%v, %q", err, d.asked)
	}
	d.installed, d.offered = []provider.EngineUpdate{plain(1)}, []provider.EngineUpdate{plain(1)}
	items, _ = w.Installed(t.Context())
	if i, ok := item(items, id(1)); !ok || i.Disputed == "" || i.Previous != "" {
		t.Errorf("%+v", items)
	}
}
