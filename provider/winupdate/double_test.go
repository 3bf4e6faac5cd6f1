package winupdate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
)

var today = time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)

// double stands in for Windows' update engine. It is none: it does what a test tells it, lies
// included, and writes down what it was asked.
type double struct {
	installed, offered, hidden []provider.EngineUpdate
	history                    []provider.EngineEvent
	state                      provider.EngineState
	fails                      map[string]error // by what it is asked: "search", "online", "download", "install", "uninstall", "state", "history"
	works                      func(what string, id provider.EngineID) provider.EngineResult
	asked                      []string
	open                       int
}

var _ provider.Engine = (*double)(nil)

func (d *double) ask(format string, args ...any) {
	d.asked = append(d.asked, fmt.Sprintf(format, args...))
}

func (d *double) Close() { d.open-- }

func (d *double) Search(ctx context.Context, q provider.EngineSearch, online bool) ([]provider.EngineUpdate, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.ask("search %s online=%t", q, online)
	if err := d.fails["online"]; online && err != nil {
		return nil, err
	}
	if online {
		d.state.Searched = today
	}
	list := map[provider.EngineSearch][]provider.EngineUpdate{provider.EngineInstalled: d.installed, provider.EngineOffered: d.offered, provider.EngineHidden: d.hidden}[q]
	return slices.Clone(list), d.fails["search"]
}

func (d *double) History(context.Context, int) ([]provider.EngineEvent, error) {
	return d.history, d.fails["history"]
}

func (d *double) State(context.Context) (provider.EngineState, error) {
	return d.state, d.fails["state"]
}

// each does one thing with all updates, as works says: without it, all of it succeeds.
func (d *double) each(what string, list []provider.EngineID) ([]provider.EngineResult, error) {
	var all []provider.EngineResult
	for _, id := range list {
		r := provider.EngineResult{ID: id, Result: provider.EngineSucceeded}
		if d.works != nil {
			r = d.works(what, id)
		}
		if r.Result == provider.EngineSucceeded && r.HResult == 0 && !r.NotFound {
			d.move(what, id)
		}
		all = append(all, r)
	}
	return all, d.fails[what]
}

func (d *double) move(what string, id provider.EngineID) {
	is := func(u provider.EngineUpdate) bool { return u.ID == id }
	switch what {
	case "install":
		if i := slices.IndexFunc(d.offered, is); i >= 0 {
			d.installed = append(d.installed, d.offered[i])
			d.offered = slices.Delete(d.offered, i, i+1)
		}
	case "uninstall":
		if i := slices.IndexFunc(d.installed, is); i >= 0 {
			d.offered = append(d.offered, d.installed[i])
			d.installed = slices.Delete(d.installed, i, i+1)
		}
	}
}

func (d *double) Download(_ context.Context, list []provider.EngineID) ([]provider.EngineResult, error) {
	d.ask("download %v", list)
	return d.each("download", list)
}

func (d *double) Install(_ context.Context, list []provider.EngineID, agree bool) ([]provider.EngineResult, error) {
	d.ask("install %v agree=%t", list, agree)
	return d.each("install", list)
}

func (d *double) Uninstall(_ context.Context, list []provider.EngineID) ([]provider.EngineResult, error) {
	d.ask("uninstall %v", list)
	return d.each("uninstall", list)
}

// did reports whether the double was asked for something that begins so.
func (d *double) did(what string) bool {
	return slices.ContainsFunc(d.asked, func(a string) bool { return strings.HasPrefix(a, what) })
}

// machine is a recorded registry with the double for its engine.
type machine struct {
	*providertest.Host
	registry *providertest.Export
	engine   *double
	err      error // instead of the engine
}

var _ provider.EngineHost = (*machine)(nil)

func (m *machine) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	return m.registry.Registry(path, view)
}

func (m *machine) Engine(context.Context) (provider.Engine, error) {
	if m.err != nil {
		return nil, m.err
	}
	m.engine.open++
	return m.engine, nil
}

// change puts more over the registry.
func (m *machine) change(t testing.TB, text string) {
	t.Helper()
	over, err := providertest.ParseExport([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m.registry = m.registry.With(over)
}

// system is the registry of a Windows 11 in a build.
func system(major, revision int) string {
	return fmt.Sprintf("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"CurrentBuildNumber\"=\"%d\"\n\"UBR\"=dword:%08x\n"+
		"\"CurrentMajorVersionNumber\"=dword:0000000a\n\"CurrentMinorVersionNumber\"=dword:00000000\n\"ProductName\"=\"Windows 10 Pro\"\n\"DisplayVersion\"=\"23H2\"\n\"SystemRoot\"=\"C:\\\\Windows\"\n", major, revision)
}

const (
	cbs          = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"
	waitsForBoot = "[" + cbs + "\\RebootPending]\n"
)

// stored is a package in the component store.
func stored(name string, state uint32) string {
	return fmt.Sprintf("[%s\\Packages\\%s]\n\"CurrentState\"=dword:%08x\n", cbs, name, state)
}

// opened opens the provider on a machine with the registry and the double.
func opened(t testing.TB, registry string, d *double) (*Windows, *machine) {
	t.Helper()
	export, err := providertest.ParseExport([]byte(registry))
	if err != nil {
		t.Fatal(err)
	}
	host, err := providertest.New(strings.NewReader(""), os.DirFS(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if d.fails == nil {
		d.fails = map[string]error{}
	}
	m := &machine{Host: host, registry: export, engine: d}
	p, err := open(t.Context(), provider.Env{Host: m, Log: slog.New(slog.DiscardHandler), Records: providertest.Records{}, Now: func() time.Time { return today }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.open != 0 {
			t.Errorf("%d engines were left open", d.open)
		}
	})
	return p.(*Windows), m
}

// id is the ID of the nth update.
func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

// classID is the ID of a class.
func classID(c patch.Class) provider.EngineCategory {
	for guid, class := range classes {
		if class == c {
			return provider.EngineCategory{ID: guid, Type: "UpdateClassification"}
		}
	}
	panic("no such class")
}

// cumulativeUpdate is one of Windows itself, that brings build 22631.revision.
func cumulativeUpdate(n, revision int) provider.EngineUpdate {
	return provider.EngineUpdate{
		ID: provider.EngineID{Update: id(n), Revision: 200}, Title: fmt.Sprintf("2026-11 Cumulative Update for Windows 11, version 23H2 for x64-based Systems (KB50%05d) (22631.%d)", n, revision),
		KBs: []string{fmt.Sprintf("50%05d", n)}, Categories: []provider.EngineCategory{classID(patch.Security)}, Severity: "Important",
		Changed: today.AddDate(0, 0, -10), Agreed: true, Removable: true, Reboot: provider.RebootMaybe, Size: 700 << 20,
	}
}

// plain is an update that has a number and a package in the component store.
func plain(n int) provider.EngineUpdate {
	return provider.EngineUpdate{
		ID: provider.EngineID{Update: id(n), Revision: 200}, Title: fmt.Sprintf("Update for Windows 11 (KB50%05d)", n), KBs: []string{fmt.Sprintf("50%05d", n)},
		Categories: []provider.EngineCategory{classID(patch.BugFix)}, Changed: today.AddDate(0, 0, -10), Agreed: true, Removable: true,
	}
}

func packageOf(n int) string {
	return fmt.Sprintf("Package_for_KB50%05d~31bf3856ad364e35~amd64~~22621.1.1.0", n)
}

// approved is the request for updates as they are.
func approved(list ...provider.EngineUpdate) provider.Request {
	var r provider.Request
	for _, u := range list {
		r.Updates = append(r.Updates, offer(u, today))
	}
	return r
}

func item(items []patch.Item, source string) (patch.Item, bool) {
	i := slices.IndexFunc(items, func(i patch.Item) bool { return i.Source == source })
	if i < 0 {
		return patch.Item{}, false
	}
	return items[i], true
}

func TestWithoutAnEngineItIsAbsent(t *testing.T) {
	host, err := providertest.New(strings.NewReader(""), os.DirFS(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := providertest.ParseExport([]byte(system(22631, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]provider.Host{"another system": host, "a Windows without one": &machine{Host: host, registry: registry, err: fmt.Errorf("none: %w", provider.ErrAbsent)}} {
		if _, err := open(t.Context(), provider.Env{Host: h}); !errors.Is(err, provider.ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One that does not answer is there, and what is missing is not known.
	p, err := open(t.Context(), provider.Env{Host: &machine{Host: host, registry: registry, err: &provider.EngineError{What: "x", HResult: 0x80080005}}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return today }})
	if err != nil {
		t.Fatal(err)
	}
	if items, err := p.Installed(t.Context()); err == nil || !errors.Is(err, provider.ErrBusy) || !strings.Contains(err.Error(), "0x80080005") {
		t.Errorf("%v, %v", items, err)
	}
	if o, err := p.Available(t.Context()); err == nil || len(o.Sources) != 1 || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v, %v", o, err)
	}
}

func parse(text string) (*providertest.Export, error) { return providertest.ParseExport([]byte(text)) }
