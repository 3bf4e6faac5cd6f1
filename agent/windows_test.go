package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/winget"
	"patchbay/wire"
)

// windows is the machine as a Windows: the real provider for its programs on a registry of
// what is installed, and installers that take their time and go on when the agent is stopped.
// It stands in for wine, on which thousands of cuts would take days.
type windows struct {
	w       *world
	takes   time.Duration
	at      []atWork
	started uint32
	clashes int // installers that ran beside another
	msi     map[string]bool
}

// atWork is an installer that runs, under the boot that it began in.
type atWork struct {
	provider.Process
	boot string
}

const listOfPrograms = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`

// productOf is the code of a version of Windows Installer's: each version has its own.
func productOf(name, version string) string {
	hash := sha256.Sum256([]byte(name + version))
	sum := hex.EncodeToString(hash[:16])
	return strings.ToUpper("{" + sum[:8] + "-" + sum[8:12] + "-" + sum[12:16] + "-" + sum[16:20] + "-" + sum[20:] + "}")
}

func (h *windows) keyOf(name, version string) string {
	if h.msi[name] {
		return productOf(name, version)
	}
	return name
}

// Registry gives the list of programs and what each says, and nothing else.
func (h *windows) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	m := h.w.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	key := provider.RegistryKey{Values: map[string]provider.RegistryValue{}}
	rest, below := strings.CutPrefix(path, listOfPrograms)
	switch {
	case path == "HKU":
		return key, nil
	case !below || view != provider.View64:
		return key, fs.ErrNotExist
	}
	for _, name := range slices.Sorted(maps.Keys(m.installed)) {
		own := h.keyOf(name, m.installed[name])
		if rest == "" {
			key.Keys = append(key.Keys, own)
			continue
		}
		if rest[1:] == own {
			key.Values["DisplayName"], key.Values["DisplayVersion"] = provider.RegistryValue{Text: name}, provider.RegistryValue{Text: m.installed[name]}
			key.Values["Publisher"] = provider.RegistryValue{Text: "Maker"}
			if h.msi[name] {
				key.Values["WindowsInstaller"] = provider.RegistryValue{Number: 1}
			}
			return key, nil
		}
	}
	if rest != "" {
		return key, fs.ErrNotExist
	}
	return key, nil
}

func (h *windows) Files() fs.FS { return fstest.MapFS{} }

// Machine names the installers that are at work.
func (h *windows) Machine() provider.Machine {
	h.w.machine.mu.Lock()
	defer h.w.machine.mu.Unlock()
	var m provider.Machine
	for _, p := range h.running() {
		m.Processes = append(m.Processes, p.Process)
	}
	return m
}

// running are the installers that no restart of the machine ended.
func (h *windows) running() []atWork {
	return slices.DeleteFunc(slices.Clone(h.at), func(p atWork) bool { return p.boot != h.w.machine.boot })
}

// Run is an installer. Where the agent is stopped meanwhile it goes on by itself, unless the
// machine went down. Its first moment and its last are crash points too.
func (h *windows) Run(ctx context.Context, c provider.Command) (provider.Result, error) {
	m, disk := h.w.machine, h.w.disk
	m.mu.Lock()
	h.started++
	p := atWork{provider.Process{ID: h.started, Program: c.Args[0], Began: time.Now()}, m.boot}
	m.mu.Unlock()
	if err := c.Began(p.Process); err != nil {
		return provider.Result{Code: -1}, err
	}
	here, err := disk.moment()
	if lets := here && (disk.how == after); err != nil && !lets { // it ends with the agent until it is let run
		return provider.Result{Code: -1}, err
	}
	m.mu.Lock()
	if len(h.running()) > 0 {
		h.clashes++
	}
	h.at = append(h.at, p)
	m.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-time.After(h.takes / 2)
		m.mu.Lock()
		if m.boot == p.boot {
			h.begins(c.Args)
		}
		m.mu.Unlock()
		<-time.After(h.takes / 2)
		m.mu.Lock()
		defer m.mu.Unlock()
		h.at = slices.DeleteFunc(h.at, func(o atWork) bool { return o == p })
		if m.boot == p.boot { // else the power was cut
			h.does(c.Args)
		}
	}()
	select {
	case <-ended:
	case <-disk.gone():
		return provider.Result{Code: -1}, errCut
	}
	_, err = disk.moment()
	return provider.Result{}, err
}

// begins takes away what is there, as installers of Windows Installer do on their way.
func (h *windows) begins(args []string) {
	if !slices.Contains(args, "/i") {
		return
	}
	name, _, _ := strings.Cut(args[2][strings.LastIndexByte(args[2], '\\')+1:], " ")
	delete(h.w.machine.installed, name)
}

// does what an installer is there for. Files are named NAME VERSION.
func (h *windows) does(args []string) {
	m := h.w.machine
	if n := slices.Index(args, "/x"); n >= 0 {
		for name, v := range m.installed {
			if h.keyOf(name, v) == args[n+1] {
				delete(m.installed, name)
			}
		}
		return
	}
	path := args[0]
	if path == "msiexec" {
		path = args[2]
	}
	name, version, _ := strings.Cut(path[strings.LastIndexByte(path, '\\')+1:], " ")
	if m.installed[name] == version {
		h.clashes++ // what is there was installed again
	}
	m.installed[name] = version
}

// installer is the file that installs a version, as the catalogue names it.
func installer(name, version string, kind patch.InstallerKind) patch.Installer {
	text := name + " " + version
	sum := sha256.Sum256([]byte(text))
	return patch.Installer{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text)), Kind: kind, Architecture: "x64", Scope: "machine"}
}

// shelf has every file; the agent's own cache has crash points of its own (agent/content).
type shelf map[string]string

type lying struct {
	*bytes.Reader
	name string
}

func (f lying) Close() error { return nil }
func (f lying) Path() string { return `C:\content\` + f.name }
func (f lying) Fd() uintptr  { return 0 }

func (s shelf) Fetch(context.Context, string, int64) error { return nil }
func (s shelf) Holds(string) bool                          { return true }
func (s shelf) Unpack(context.Context, provider.File, string) (provider.File, error) {
	return nil, errors.ErrUnsupported
}
func (s shelf) Open(_ context.Context, sum string, _ int64) (provider.File, error) {
	return lying{bytes.NewReader([]byte(s[sum])), s[sum]}, nil
}

// onWindows makes the machine a Windows with these programs, each with the releases that the
// publisher signed for.
func (w *world) onWindows(takes time.Duration, msi map[string]bool, releases map[string][]string) {
	h := &windows{w: w, takes: takes, msi: msi}
	c, files := provider.Catalog{Version: 1, SignedAt: time.Now(), Expires: time.Now().Add(dayLong)}, shelf{}
	w.machine.installed = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(releases)) {
		kind := patch.NSIS
		p := patch.Package{Provider: "winget", ID: "Maker." + name, Name: name, Publisher: "Maker", Marks: []patch.Mark{{Name: name, Publisher: "Maker"}}}
		if msi[name] {
			kind = patch.MSI
		}
		for _, v := range releases[name] {
			i := installer(name, v, kind)
			files[i.SHA256] = name + " " + v
			p.Releases = append(p.Releases, patch.Release{Version: v, Installers: []patch.Installer{i}})
		}
		c.Packages = append(c.Packages, p)
		w.machine.installed[name] = releases[name][0]
	}
	w.windows = h
	w.adapt = func(o *Options) {
		o.Host, o.Content, o.Kinds = h, files, []provider.Kind{winget.Kind()}
		o.Catalog = func(string) provider.Catalog { return c }
	}
}

// program is a job for a program of a Windows.
func program(name, from, to string, msi bool, change ...func(*wire.Job)) wire.Job {
	return job(name, from, to, append([]func(*wire.Job){func(j *wire.Job) {
		j.Target.Provider, j.Target.Architecture, j.Target.Instance = "winget", "", name
		if msi {
			j.Target.Instance = ""
		}
	}}, change...)...)
}

// updatedBefore lets the device have made the updates that the jobs take back.
func (w *world) updatedBefore(jobs []wire.Job) {
	past := map[string]map[string]string{}
	for _, j := range jobs {
		past[j.Target.Key().String()] = map[string]string{"from": j.Target.To, "to": j.Target.From}
	}
	b, err := json.Marshal(past)
	if err != nil {
		w.t.Fatal(err)
	}
	w.disk.files["winget-history.json"] = b
}
