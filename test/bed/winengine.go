package bed

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"
)

// Updates are what the stand-in for the update engine of a Windows offers, and how it is.
type Updates struct {
	List []Update

	Fails         uint32 // the HRESULT of whatever is asked of it, such as 0x80070422 (its service is disabled)
	SearchFails   uint32 // the HRESULT of a search that goes online, such as 0x8024402C
	SearchPartly  uint32 // searches succeed with errors, with this as their first warning
	Busy          bool   // another program installs
	RebootFirst   bool   // it installs nothing before a restart
	Managed       bool   // its default service is a WSUS
	Old           bool   // it knows nothing of IUpdate2 and later
	Loose         bool   // it does not look at the revision in a criterion
	PastSearch    time.Time
	PastInstalled time.Time
}

// Update is one update of the stand-in. Its fields have the engine's own numbers.
type Update struct {
	ID       string // a GUID
	Revision int

	Title, Description, Severity      string
	KBs, CVEs, Bulletins, Supersedes  []string
	Categories                        []Category
	Size                              string // decimal
	Changed, Deadline                 time.Time
	Downloaded, Installed, Hidden     bool // before anything was done with it
	Mandatory, Beta, Optional, Chosen bool
	Removable, Asks                   bool
	Licence                           string // to be agreed to
	Reboot                            int    // 0 never, 1 always, 2 where Restarts
	Restarts                          bool
	Late                              bool // it counts as installed only after the restart
	Driver                            *Driver
	DownloadFails, InstallFails       uint32 // HRESULTs
	UninstallFails                    uint32
	Partly                            uint32  // its installation "succeeds with errors", with this HRESULT, and changes nothing
	Misdeed                           Misdeed // Lies, Hangs, Crashes, CrashesOnce, HangsDownload, Undoes

	// What an installation changes in the registry, at once or, where it restarts, at the restart;
	// a removal takes it back.
	UBR      uint32   // of the build
	Packages []string // of the component store: pending while a restart is
	Values   []Value  // such as the version of definitions or a driver
}

// The misdeeds of an update beside those of an installer. One that Lies reports success, and nothing in the
// registry moves; one that Hangs makes HangStarted and waits for HangRelease in its installation; one that Crashes
// ends the process in the middle of it.
const (
	HangsDownload Misdeed = "hang download"
	CrashesOnce   Misdeed = "crash once"
	Undoes        Misdeed = "undo" // the restart takes it back, with 0x800F0922
)

// Category is what an update is sorted under: Type "UpdateClassification", "Product" or another.
type Category struct{ ID, Type, Name string }

// Driver is what an update says of its driver.
type Driver struct {
	Class, HardwareID, Manufacturer, Model, Provider string
	Date                                             time.Time
}

// Value is one of the registry, below HKLM: a text, or where there is none a number.
type Value struct {
	Key, Name, Text string
	Number          uint32
}

const engineFolder = `C:\bed\engine\`

const currentVersion = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`

// Put makes a Windows have the stand-in for its update engine, and that offer these updates. In which state
// those are, and its history, stay as they were before.
func (u Updates) Put(t T, d *WindowsDevice) {
	t.Helper()
	if err := d.PutFile(engineFolder+"offer", u.text()); err != nil {
		t.Fatalf("bed: %v", err)
	}
	d.Must(t, "regsvr32", "/s", `C:\bed\engine.dll`)
}

// PutMended makes the stand-in have these updates, and be like this, once somebody repairs the component store.
func (u Updates) PutMended(t T, d *WindowsDevice) {
	t.Helper()
	if err := d.PutFile(engineFolder+"mended", u.text()); err != nil {
		t.Fatalf("bed: %v", err)
	}
}

// Repairs are how the program that repairs the component store was asked so far.
func (d *WindowsDevice) Repairs(t T) []string {
	t.Helper()
	text, err := d.ReadFile(`C:\bed\repairs`)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("bed: %v", err)
	}
	return strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' || c == '\r' })
}

// EngineDone is one line of the stand-in's own history: what it really did, or began and was ended in.
type EngineDone struct {
	ID       string
	Revision int
	Removal  bool
	Result   int // the engine's own number: 2 succeeded
	At       time.Time
}

// Keep writes the updates, and a history of what was done, the oldest first, into a folder: for
// a program in the Windows that puts them where the stand-in looks for them.
func (u Updates) Keep(t T, d *WindowsDevice, folder string, history []EngineDone) {
	t.Helper()
	var r record
	for _, h := range history {
		r.text("id", h.ID)
		r.text("revision", strconv.Itoa(h.Revision))
		r.date("at", h.At)
		r.number("operation", map[bool]uint32{false: 1, true: 2}[h.Removal])
		r.number("result", uint32(h.Result))
		r.WriteString("\n")
	}
	for name, text := range map[string]string{"offer": u.text(), "history": r.String()} {
		if err := d.PutFile(folder+`\`+name, text); err != nil {
			t.Fatalf("bed: %v", err)
		}
	}
}

// EngineHistory is all that the stand-in did so far.
func (d *WindowsDevice) EngineHistory(t T) []EngineDone {
	t.Helper()
	var all []EngineDone
	for _, r := range d.engineRecords(t, "history") {
		revision, _ := strconv.Atoi(r["revision"])
		result, _ := strconv.Atoi(r["result"])
		all = append(all, EngineDone{ID: strings.ToLower(r["id"]), Revision: revision, Removal: r["operation"] == "2", Result: result})
	}
	return all
}

// EngineCall is what the stand-in was asked: "search", "search online", "download", "install" or "uninstall"; or
// "left", with how many objects a program had not given back when it ended.
type EngineCall struct{ What, Client, Words string }

// EngineCalls are all calls of the stand-in so far.
func (d *WindowsDevice) EngineCalls(t T) []EngineCall {
	t.Helper()
	var all []EngineCall
	for _, r := range d.engineRecords(t, "calls") {
		all = append(all, EngineCall{What: r["what"], Client: r["client"], Words: r["words"]})
	}
	return all
}

// EngineState is what the stand-in keeps of an update by its ID: "installed", "downloaded", "agreed", "pending", …
// It is nil where nothing was done with it.
func (d *WindowsDevice) EngineState(t T, id string) map[string]string {
	t.Helper()
	for _, r := range d.engineRecords(t, "state") {
		if strings.EqualFold(r["id"], id) {
			return r
		}
	}
	return nil
}

func (d *WindowsDevice) engineRecords(t T, name string) []map[string]string {
	t.Helper()
	text, err := d.ReadFile(engineFolder + name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("bed: %v", err)
	}
	var all []map[string]string
	for record := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		r := map[string]string{}
		for line := range strings.Lines(record) {
			if key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
				r[key] = value
			}
		}
		if len(r) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// record is one of the stand-in's files: lines of key and value.
type record struct{ bytes.Buffer }

func (r *record) text(key string, values ...string) {
	for _, v := range values {
		if v != "" {
			fmt.Fprintf(r, "%s\t%s\n", key, strings.Map(func(c rune) rune {
				if c == '\n' || c == '\r' {
					return ' '
				}
				return c
			}, v))
		}
	}
}

func (r *record) flag(key string, is bool) {
	if is {
		r.text(key, "1")
	}
}

func (r *record) number(key string, n uint32) {
	if n != 0 {
		r.text(key, strconv.FormatUint(uint64(n), 10))
	}
}

// date writes a time as days since the end of 1899, as Windows counts them.
func (r *record) date(key string, at time.Time) {
	if !at.IsZero() {
		days := at.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
		r.text(key, strconv.FormatFloat(math.Round(days*1e8)/1e8, 'f', 8, 64))
	}
}

func (u Updates) text() string {
	var r record
	r.text("id", "engine")
	r.number("fails", u.Fails)
	r.number("search.fails", u.SearchFails)
	r.number("search.partly", u.SearchPartly)
	r.flag("busy", u.Busy)
	r.flag("restart.first", u.RebootFirst)
	r.flag("managed", u.Managed)
	r.flag("old", u.Old)
	r.flag("loose", u.Loose)
	r.date("searched", u.PastSearch)
	r.date("installed", u.PastInstalled)
	for _, one := range u.List {
		r.WriteString("\n")
		one.write(&r)
	}
	return r.String()
}

func (u Update) write(r *record) {
	r.text("id", u.ID)
	r.text("revision", strconv.Itoa(u.Revision))
	for key, values := range map[string][]string{
		"title": {u.Title}, "description": {u.Description}, "severity": {u.Severity}, "kb": u.KBs, "cve": u.CVEs, "bulletin": u.Bulletins,
		"supersedes": u.Supersedes, "size": {u.Size}, "eula": {u.Licence}, "does": {string(u.Misdeed)}, "package": u.Packages,
	} {
		r.text(key, values...)
	}
	for key, is := range map[string]bool{
		"downloaded": u.Downloaded, "installed": u.Installed, "hidden": u.Hidden, "mandatory": u.Mandatory, "beta": u.Beta, "optional": u.Optional,
		"chosen": u.Chosen, "removable": u.Removable, "asks": u.Asks, "restarts": u.Restarts, "late": u.Late,
	} {
		r.flag(key, is)
	}
	for key, n := range map[string]uint32{
		"reboot": uint32(u.Reboot), "download": u.DownloadFails, "install": u.InstallFails, "uninstall": u.UninstallFails, "partly": u.Partly,
	} {
		r.number(key, n)
	}
	r.date("changed", u.Changed)
	r.date("deadline", u.Deadline)
	for _, c := range u.Categories {
		r.text("category", c.ID+"|"+c.Type+"|"+c.Name)
	}
	if u.UBR != 0 {
		r.text("set", Value{Key: currentVersion, Name: "UBR", Number: u.UBR}.text())
	}
	for _, v := range u.Values {
		r.text("set", v.text())
	}
	if d := u.Driver; d != nil {
		r.flag("driver", true)
		r.text("driver.class", d.Class)
		r.text("driver.hardware", d.HardwareID)
		r.text("driver.manufacturer", d.Manufacturer)
		r.text("driver.model", d.Model)
		r.text("driver.provider", d.Provider)
		r.date("driver.date", d.Date)
	}
}

func (v Value) text() string {
	if v.Text != "" {
		return v.Key + "|" + v.Name + "|sz|" + v.Text
	}
	return fmt.Sprintf("%s|%s|dword|%d", v.Key, v.Name, v.Number)
}
