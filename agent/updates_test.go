package agent

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/winupdate"
	"patchbay/wire"
)

// updates is the machine as a Windows with its update engine: the real provider on a double of
// the engine, which changes the registry as an installation does, takes its time, and goes on
// when the agent is stopped. What is so (fix.is) stands apart from what the engine says of it
// (fix.says): verdicts are held to the first.
type updates struct {
	w     *world
	takes time.Duration // for one update
	opens time.Time     // nothing may be begun before

	mu      sync.Mutex
	list    []*fix
	busy    string // the boot under which something is at work; "" when nothing is
	history []provider.EngineEvent
	repairs int
	wrong   []string // what should never happen
}

// being is what is so of an update on the machine.
type being int

const (
	missing being = iota
	waiting       // until the restart
	there
	leaving // with the restart
)

// fix is one update.
type fix struct {
	provider.EngineUpdate
	build    uint64 // of Windows that it brings, as UBR; 0 where it has a package of its own
	restarts bool
	fails    uint32 // its installation ends so, until something is repaired where mends is set
	mends    bool
	lies     bool   // nothing happens, and the engine calls that a success
	reverts  bool   // the restart takes it back
	gone     bool   // the engine has it no more
	hook     func() // before its installation begins, once

	is        being
	says      bool // the engine has it among what is installed
	installed int  // how often it was really put there
	removed   int
}

const (
	oldBuild       = 4169
	securityUpdate = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
)

// fixOf is the nth update, with a package of its own.
func fixOf(n int, change ...func(*fix)) *fix {
	kb := fmt.Sprintf("50%05d", n)
	f := &fix{EngineUpdate: provider.EngineUpdate{ID: provider.EngineID{Update: fmt.Sprintf("00000000-0000-4000-8000-%012x", n), Revision: 200},
		Title: "Security Update for Windows 11 (KB" + kb + ")", KBs: []string{kb}, Agreed: true, Removable: true, Changed: time.Now().AddDate(0, 0, -9),
		Categories: []provider.EngineCategory{{ID: securityUpdate, Type: "UpdateClassification"}}, Severity: "Important"}}
	for _, c := range change {
		c(f)
	}
	return f
}

// monthly makes it one of Windows itself, which brings a build and wants a restart.
func monthly(build uint64) func(*fix) {
	return func(f *fix) {
		f.build, f.restarts, f.Reboot = build, true, provider.RebootAlways
		f.Title = fmt.Sprintf("2026-11 Cumulative Update for Windows 11, version 23H2 for x64-based Systems (KB%s) (22631.%d)", f.KBs[0], build)
	}
}

func onBoard(f *fix) { f.is, f.says = there, true }

// name is the item's.
func (f *fix) name() string {
	return fmt.Sprintf("KB%s (%.4x)", f.KBs[0], sha256.Sum256([]byte(f.ID.Update)))
}

func (f *fix) packageName() string {
	if f.build > 0 {
		return fmt.Sprintf("Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.%d.1.3", f.build)
	}
	return "Package_for_KB" + f.KBs[0] + "~31bf3856ad364e35~amd64~~22621.1.1.0"
}

// onUpdates makes the machine a Windows with these updates.
func (w *world) onUpdates(takes time.Duration, list ...*fix) *updates {
	h := &updates{w: w, takes: takes, list: list}
	w.updates = h
	w.adapt = func(o *Options) {
		o.Host, o.Kinds = h, []provider.Kind{winupdate.Kind()}
		o.Facts = func(context.Context) (wire.Facts, error) {
			f := wire.Facts{Hostname: "pc1", OS: "windows", BootID: h.boot()}
			if h.waits() {
				f.Restart = wire.Restart{Machine: true, Reasons: []string{"Windows Update"}}
			}
			return f, nil
		}
	}
	return h
}

// fixes are the jobs that install updates, each as it was approved.
func fixes(list ...*fix) []wire.Job {
	var jobs []wire.Job
	for _, f := range list {
		jobs = append(jobs, f.job())
	}
	return jobs
}

func (f *fix) job(change ...func(*wire.Job)) wire.Job {
	return job(f.name(), "", "200", append([]func(*wire.Job){func(j *wire.Job) {
		j.Target.Provider, j.Target.Architecture, j.Target.Instance, j.Target.Source = winupdate.Name, "", f.ID.Update, f.ID.Update
	}}, change...)...)
}

// takenOff is the job that takes an update off.
func (f *fix) takenOff() wire.Job {
	return f.job(func(j *wire.Job) {
		j.Verb, j.Target.Source, j.Target.From, j.Target.To = wire.VerbUndo, "", "200", patch.Nothing
	})
}

func (h *updates) boot() string {
	h.w.machine.mu.Lock()
	defer h.w.machine.mu.Unlock()
	return h.w.machine.boot
}

// waits reports whether Windows waits for a restart.
func (h *updates) waits() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.list, func(f *fix) bool { return f.is == waiting || f.is == leaving })
}

// boots is the machine coming up again: what waited is put in place or taken off.
func (h *updates) boots() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy = ""
	for _, f := range h.list {
		switch {
		case f.is == waiting && f.reverts:
			f.is, f.says = missing, true // the engine believes what it said
		case f.is == waiting:
			f.is, f.says = there, true
		case f.is == leaving:
			f.is, f.says = missing, false
		}
	}
}

// Registry gives what Windows itself shows.
func (h *updates) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	key := provider.RegistryKey{Values: map[string]provider.RegistryValue{}}
	const servicing = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing`
	waits := h.waits()
	h.mu.Lock()
	defer h.mu.Unlock()
	build := uint64(oldBuild)
	states := map[string]uint64{}
	for _, f := range h.list {
		if f.is == there || f.is == leaving {
			build = max(build, f.build)
		}
		if s := map[being]uint64{waiting: 0x60, there: 0x70, leaving: 5}[f.is]; s != 0 {
			states[f.packageName()] = s
		}
	}
	own, below := strings.CutPrefix(path, servicing+`\Packages`)
	switch {
	case view != provider.View64:
		return key, fs.ErrNotExist
	case path == provider.WindowsKey:
		for name, text := range map[string]string{"CurrentBuildNumber": "22631", "ProductName": "Windows 10 Pro", "DisplayVersion": "23H2", "SystemRoot": `C:\Windows`} {
			key.Values[name] = provider.RegistryValue{Text: text}
		}
		key.Values["CurrentMajorVersionNumber"] = provider.RegistryValue{Number: 10}
		key.Values["UBR"] = provider.RegistryValue{Number: build}
	case path == servicing+`\RebootPending` && waits:
	case below && own == "":
		for name := range states {
			key.Keys = append(key.Keys, name)
		}
	case below && states[own[1:]] != 0:
		key.Values["CurrentState"] = provider.RegistryValue{Number: states[own[1:]]}
	default:
		return key, fs.ErrNotExist
	}
	return key, nil
}

func (h *updates) Files() fs.FS { return fstest.MapFS{} }

// Run is a repair: its first moment and its last are crash points too.
func (h *updates) Run(_ context.Context, c provider.Command) (provider.Result, error) {
	if _, err := h.w.disk.moment(); err != nil {
		return provider.Result{Code: -1}, err
	}
	h.mu.Lock()
	if c.Args[0] != "dism.exe" {
		h.wrong = append(h.wrong, strings.Join(c.Args, " ")+" ran")
	}
	h.repairs++
	for _, f := range h.list {
		if f.mends {
			f.fails = 0
		}
	}
	h.mu.Unlock()
	_, err := h.w.disk.moment()
	return provider.Result{}, err
}

// Engine reaches the double.
func (h *updates) Engine(context.Context) (provider.Engine, error) { return doubleEngine{h}, nil }

// doubleEngine answers as the engine would.
type doubleEngine struct{ *updates }

func (doubleEngine) Close() {}

func (e doubleEngine) Search(ctx context.Context, q provider.EngineSearch, _ bool) ([]provider.EngineUpdate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []provider.EngineUpdate
	for _, f := range e.list {
		if !f.gone && (f.says && q == provider.EngineInstalled || !f.says && f.is != waiting && q == provider.EngineOffered) {
			all = append(all, f.EngineUpdate)
		}
	}
	return all, ctx.Err()
}

func (e doubleEngine) History(_ context.Context, most int) ([]provider.EngineEvent, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := slices.Clone(e.history)
	slices.Reverse(all)
	return all[:min(len(all), most)], nil
}

func (e doubleEngine) State(context.Context) (provider.EngineState, error) {
	waits, boot := e.waits(), e.boot()
	e.mu.Lock()
	defer e.mu.Unlock()
	return provider.EngineState{RebootRequired: waits, Busy: e.busy == boot, Searched: time.Now()}, nil
}

func (e doubleEngine) Download(_ context.Context, ids []provider.EngineID) ([]provider.EngineResult, error) {
	return e.works(ids, func(f *fix) uint32 {
		f.Downloaded = true
		return 0
	})
}

func (e doubleEngine) Install(_ context.Context, ids []provider.EngineID, agree bool) ([]provider.EngineResult, error) {
	e.begins()
	return e.works(ids, func(f *fix) uint32 {
		switch {
		case !f.Agreed && !agree:
			return 0x80240023
		case !f.Downloaded:
			return 0x80246007
		case f.fails != 0:
			e.history = append(e.history, provider.EngineEvent{ID: f.ID, Result: provider.EngineFailed, HResult: f.fails})
			return f.fails
		}
		f.says = !f.restarts // until the restart the engine tells of it no more
		e.history = append(e.history, provider.EngineEvent{ID: f.ID, Result: provider.EngineSucceeded})
		if f.lies {
			f.says = true
			return 0
		}
		if f.is == there {
			e.wrong = append(e.wrong, f.name()+" was installed where it was")
		}
		f.installed++
		if f.is = there; f.restarts {
			f.is = waiting
		}
		return 0
	})
}

func (e doubleEngine) Uninstall(_ context.Context, ids []provider.EngineID) ([]provider.EngineResult, error) {
	e.begins()
	return e.works(ids, func(f *fix) uint32 {
		if f.is != there {
			e.wrong = append(e.wrong, f.name()+" was removed where it was not")
		}
		f.removed++
		f.says = false
		if f.is = missing; f.restarts {
			f.is = leaving
		}
		e.history = append(e.history, provider.EngineEvent{ID: f.ID, Removal: true, Result: provider.EngineSucceeded})
		return 0
	})
}

// begins holds a change to the window.
func (e doubleEngine) begins() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.opens) {
		e.wrong = append(e.wrong, "something was begun outside of the window")
	}
}

// works does one thing with each update after the other. Where the agent is stopped meanwhile
// it goes on by itself, unless the power is gone. The moments between are crash points too.
func (e doubleEngine) works(ids []provider.EngineID, do func(*fix) uint32) ([]provider.EngineResult, error) {
	disk, boot := e.w.disk, e.boot()
	here, err := disk.moment()
	if err != nil && !(here && disk.how == after) { // it was never asked
		return nil, err
	}
	e.mu.Lock()
	if e.busy == boot {
		e.mu.Unlock()
		return nil, &provider.EngineError{What: "install", HResult: 0x80240016}
	}
	e.busy = boot
	e.mu.Unlock()
	results, ended := []provider.EngineResult{}, make(chan struct{})
	go func() {
		defer close(ended)
		for _, id := range ids {
			<-time.After(e.takes)
			if disk.powerless() || e.boot() != boot {
				return
			}
			results = append(results, e.work(id, do))
			_, _ = disk.moment() // it goes on whether or not
		}
		if !disk.powerless() && e.boot() == boot {
			e.mu.Lock()
			e.busy = ""
			e.mu.Unlock()
		}
	}()
	select {
	case <-ended:
	case <-disk.gone():
		return nil, errCut
	}
	_, err = disk.moment()
	return results, err
}

// work does it with one update, as the engine knows it now.
func (e doubleEngine) work(id provider.EngineID, do func(*fix) uint32) provider.EngineResult {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := provider.EngineResult{ID: id, NotFound: true}
	i := slices.IndexFunc(e.list, func(f *fix) bool { return f.ID.Update == id.Update })
	if i < 0 {
		return r
	}
	f := e.list[i]
	if hook := f.hook; hook != nil {
		f.hook = nil
		hook()
	}
	if f.gone || f.ID != id {
		return r
	}
	r.NotFound, r.Result = false, provider.EngineSucceeded
	if r.HResult = do(f); r.HResult != 0 {
		r.Result = provider.EngineFailed
	}
	r.Reboot = f.is == waiting || f.is == leaving
	return r
}

// powerless reports whether the machine went down with the agent.
func (m *memory) powerless() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead && m.how.powerCut()
}

// version is what there is of an item: that of an update which lies in wait, too.
func (h *updates) version(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.list {
		if f.name() == name && f.is != missing {
			return "200"
		}
	}
	return ""
}

// truth holds the engine's doings, and the receipts, to what was approved and to what is so.
func (h *updates) truth(s scene, when string) {
	t := h.w.t
	t.Helper()
	installs, removals := map[string]bool{}, map[string]bool{}
	for _, j := range s.jobs {
		installs[j.Target.Name] = installs[j.Target.Name] || j.Verb == wire.VerbInstall
		removals[j.Target.Name] = removals[j.Target.Name] || j.Verb == wire.VerbUndo
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.list {
		name := f.name()
		if f.installed > 1 || f.installed > 0 && !installs[name] || f.removed > 1 || f.removed > 0 && !removals[name] {
			t.Errorf("%s: %s was installed %d times and removed %d times", when, name, f.installed, f.removed)
		}
		if f.mends && f.fails == 0 && f.installed == 0 {
			t.Errorf("%s: what kept %s away was mended, and it was not tried again", when, name)
		}
		for _, o := range h.w.server.told() {
			if o.Receipt == nil {
				continue
			}
			r := h.w.receipt(o)
			want := there
			if r.Target.To == patch.Nothing {
				want = missing
			}
			if r.Target.Name == name && r.Verified && f.is != want {
				t.Errorf("%s: %s is verified, and it is %d: %s", when, name, f.is, o.Message)
			}
		}
	}
	for _, what := range h.wrong {
		t.Errorf("%s: %s", when, what)
	}
	if h.repairs > 1 {
		t.Errorf("%s: repaired %d times within a day", when, h.repairs)
	}
}
