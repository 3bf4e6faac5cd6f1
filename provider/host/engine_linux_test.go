package host

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
	"patchbay/test/bed"
)

// The engine of this package is asked in a Windows, by its tests' program, and what it says is judged here.

const (
	idA = "11111111-aaaa-4aaa-8aaa-111111111111"
	idB = "22222222-bbbb-4bbb-8bbb-222222222222"
	idC = "33333333-cccc-4ccc-8ccc-333333333333"

	licenceDeclined = 0x80240023
	buildKey        = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	packageName     = "Package_for_RollupFix~31bf3856ad364e35~amd64~~22631.4317.1.10"
	packageKey      = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\` + packageName
	restartKey      = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired`
)

type engineBed struct {
	*testing.T
	w *bed.WindowsDevice
}

// ask has a program in the Windows ask the engine, which must say something.
func (b engineBed) ask(args ...string) engineAsked {
	b.Helper()
	r, err := b.w.RunWith(b.Context(), []string{"PATCHBAY_TEST_ROLE=engine"}, append([]string{`C:\bed\host.exe`}, args...)...)
	var a engineAsked
	if err == nil {
		err = json.Unmarshal([]byte(r.Stdout), &a)
	}
	if err != nil || r.Code != 0 {
		b.Fatalf("%s: status %#x, %v\n%s%s", args, r.Code, err, r.Stdout, r.Stderr)
	}
	return a
}

// well is ask, and no failure.
func (b engineBed) well(args ...string) engineAsked {
	b.Helper()
	a := b.ask(args...)
	if a.Error != "" {
		b.Fatalf("%s: %s", args, a.Error)
	}
	return a
}

func (b engineBed) ids(args ...string) string {
	b.Helper()
	var all []string
	for _, u := range b.well(args...).Updates {
		all = append(all, u.ID.Update[:1]+":"+strconv.Itoa(u.ID.Revision))
	}
	return strings.Join(all, " ")
}

// results puts them short: the update's first digit, how it ended, the HRESULT, whether it wants a restart or was not found.
func results(all []provider.EngineResult) string {
	var text []string
	for _, r := range all {
		one := fmt.Sprintf("%s=%d", r.ID.Update[:1], r.Result)
		if r.HResult != 0 {
			one += fmt.Sprintf("(%08X)", r.HResult)
		}
		if r.Reboot {
			one += "+reboot"
		}
		if r.NotFound {
			one += "+notfound"
		}
		text = append(text, one)
	}
	return strings.Join(text, " ")
}

func (b engineBed) expect(want string, args ...string) {
	b.Helper()
	if got := results(b.well(args...).Results); got != want {
		b.Errorf("%s: %s, not %s", args, got, want)
	}
}

// number is one of the registry, as its own tool tells it; -1 where there is none.
func (b engineBed) number(key, name string) int64 {
	b.Helper()
	r, err := b.w.Run(b.Context(), "reg", "query", key, "/v", name)
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(r.Stdout)
	if r.Code != 0 || len(fields) == 0 {
		return -1
	}
	n, err := strconv.ParseInt(fields[len(fields)-1], 0, 64)
	if err != nil {
		b.Fatalf("%s: %v", r.Stdout, err)
	}
	return n
}

func TestEngine(t *testing.T) {
	t.Parallel()
	program := bed.GoTest(t, "patchbay/provider/host")
	for name, test := range map[string]func(engineBed){
		"absent": engineIsAbsent, "search": engineSearches, "fields": engineTellsAll, "old": engineMayBeOld, "bounds": engineIsBounded,
		"install": engineInstallsExactly, "licence": engineAgreesWhenTold, "failures": engineFailuresAreEachOnes, "restart": engineRestarts,
		"crash": engineMayCrash, "abandoned": engineIsAbandoned, "state": engineState, "lie": engineMayLie,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := engineBed{t, bed.NewWindows(t, bed.WindowsOptions{})}
			if err := b.w.CopyFile(program, `C:\bed\host.exe`); err != nil {
				t.Fatal(err)
			}
			test(b)
			for _, c := range b.w.EngineCalls(t) {
				if c.What == "left" && name != "abandoned" { // it still has what it works with
					t.Errorf("%s objects were not given back", c.Words)
				}
			}
		})
	}
}

// Until it is asked for, a Windows of the bed has no engine; what wine has of one does nothing.
func engineIsAbsent(b engineBed) {
	if a := b.ask("search", "offered"); !a.Absent {
		b.Errorf("it says %+v", a)
	}
}

func engineSearches(b engineBed) {
	u := bed.Updates{List: []bed.Update{{ID: idA, Revision: 200, Title: "A"}, {ID: idB, Revision: 3, Title: "B", Installed: true}, {ID: idC, Revision: 1, Title: "C", Hidden: true}}}
	u.Put(b.T, b.w)
	for args, want := range map[string]string{"offered": "1:200", "installed": "2:3", "hidden": "3:1"} {
		if got := b.ids("search", args); got != want {
			b.Errorf("%s: %s", args, got)
		}
	}
	if b.ids("search", "offered", "online"); !strings.Contains(fmt.Sprint(b.w.EngineCalls(b.T)), "{search online Patchbay IsInstalled=0 and IsHidden=0}") {
		b.Errorf("it was asked %v", b.w.EngineCalls(b.T))
	}
	u.SearchFails = 0x8024402C
	u.Put(b.T, b.w)
	if a := b.ask("search", "offered", "online"); a.HResult != u.SearchFails || a.Busy || a.Updates != nil {
		b.Errorf("a search that fails: %+v", a)
	}
	if got := b.ids("search", "offered"); got != "1:200" {
		b.Errorf("it no longer knows what it knew: %s", got)
	}
	b.expect("1=2", "download", idA, "200") // what was approved is found without its server
	// what is not in half a list might be there
	u.SearchPartly, u.SearchFails = 0x80240439, 0
	u.Put(b.T, b.w)
	if a := b.ask("search", "offered"); a.HResult != u.SearchPartly || a.Updates != nil {
		b.Errorf("a search that left something out: %+v", a)
	}
	u = bed.Updates{Fails: 0x80070422}
	u.Put(b.T, b.w)
	if a := b.ask("search", "installed"); a.HResult != u.Fails || a.Absent {
		b.Errorf("its service is disabled: %+v", a)
	}
}

func engineTellsAll(b engineBed) {
	at := time.Date(2024, 10, 8, 17, 30, 15, 0, time.UTC)
	full := bed.Update{
		ID: strings.ToUpper(idA), Revision: 201, Title: "2024-10 Cumulative Update für Windows 11", Description: "Install this update", Severity: "Critical",
		KBs: []string{"5044285"}, CVEs: []string{"CVE-2024-43572", "CVE-2024-43573"}, Bulletins: []string{"MS24-001"}, Supersedes: []string{strings.ToUpper(idB), "nonsense"},
		Categories: []bed.Category{{ID: "0FA1201D-4330-4FA8-8AE9-B877473B6441", Type: "UpdateClassification", Name: "Security Updates"}, {ID: "x", Type: "Product", Name: "Windows 11"}},
		Size:       "5368709120", Changed: at, Deadline: at.AddDate(0, 0, 7), Downloaded: true, Mandatory: true, Beta: true, Optional: true, Chosen: true, Removable: true, Asks: true,
		Reboot: 2, Licence: "terms",
		Driver: &bed.Driver{Class: "Net", HardwareID: `PCI\VEN_8086`, Manufacturer: "Maker", Model: "Card", Provider: "Intel", Date: at.Truncate(24 * time.Hour)},
	}
	bed.Updates{List: []bed.Update{full, {ID: idB, Revision: 1}}}.Put(b.T, b.w)
	got := b.well("search", "offered").Updates
	want := []provider.EngineUpdate{{
		ID: provider.EngineID{Update: idA, Revision: 201}, Title: full.Title, Description: full.Description, Severity: "Critical", KBs: full.KBs, CVEs: full.CVEs, Bulletins: full.Bulletins,
		Supersedes: []string{idB}, Categories: []provider.EngineCategory{{ID: "0fa1201d-4330-4fa8-8ae9-b877473b6441", Type: "UpdateClassification", Name: "Security Updates"}, {Type: "Product", Name: "Windows 11"}},
		Size: 5 << 30, Changed: at, Deadline: at.AddDate(0, 0, 7), Downloaded: true, Mandatory: true, Beta: true, Optional: true, Chosen: true, Removable: true, Asks: true, Reboot: provider.RebootMaybe,
		Driver: &provider.EngineDriver{Class: "Net", HardwareID: `PCI\VEN_8086`, Manufacturer: "Maker", Model: "Card", Provider: "Intel", Date: at.Truncate(24 * time.Hour)},
	}, {ID: provider.EngineID{Update: idB, Revision: 1}, Agreed: true}}
	if !reflect.DeepEqual(got, want) {
		b.Errorf("it tells\n%+v\nnot\n%+v", got, want)
	}
}

// An engine from before IUpdate2 tells less, and that is no failure.
func engineMayBeOld(b engineBed) {
	bed.Updates{Old: true, Managed: true, List: []bed.Update{{ID: idA, Revision: 1, CVEs: []string{"CVE-2024-1"}, Optional: true, Chosen: true, Downloaded: true}}}.Put(b.T, b.w)
	got := b.well("search", "offered").Updates
	want := []provider.EngineUpdate{{ID: provider.EngineID{Update: idA, Revision: 1}, Agreed: true, Chosen: true, Downloaded: true}}
	if !reflect.DeepEqual(got, want) {
		b.Errorf("it tells %+v", got)
	}
	if !b.well("state").State.Managed {
		b.Error("its WSUS is not seen")
	}
	b.expect("1=2", "install", idA, "1")
}

func engineIsBounded(b engineBed) {
	long := bed.Update{ID: idA, Revision: 1, Title: strings.Repeat("ü", 5000), Size: "79228162514264337593543950335"}
	for i := range 600 {
		long.KBs = append(long.KBs, strconv.Itoa(5000000+i))
		long.Categories = append(long.Categories, bed.Category{ID: idB, Type: "Product", Name: "P"})
	}
	u := bed.Updates{List: []bed.Update{long}}
	u.Put(b.T, b.w)
	got := b.well("search", "offered").Updates
	if len(got) != 1 || len(got[0].Title) > 4<<10 || len(got[0].Title) < 4<<10-8 || len(got[0].KBs) != 500 || len(got[0].Categories) != 500 || got[0].Size != 0 {
		b.Errorf("%d updates, the first %.100v", len(got), got)
	}
	u.List = []bed.Update{{ID: "no-guid", Revision: 1, Title: "odd"}}
	u.Put(b.T, b.w)
	if a := b.ask("search", "offered"); !strings.Contains(a.Error, `without an ID: "odd"`) {
		b.Errorf("an update without an ID: %+v", a)
	}
	u.List = nil
	for i := range 10_001 {
		u.List = append(u.List, bed.Update{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), Revision: 1})
	}
	u.Put(b.T, b.w)
	if a := b.ask("search", "offered"); !strings.Contains(a.Error, "10001, 10000 are the most") {
		b.Errorf("too many updates: %.200v", a)
	}
	if a := b.ask("install", "' or IsInstalled=0 or UpdateID='", "1"); !strings.Contains(a.Error, "names no update") {
		b.Errorf("an ID that is none: %+v", a)
	}
}

// Of three, the one is installed that was asked for, in the revision that was asked for.
func engineInstallsExactly(b engineBed) {
	u := bed.Updates{List: []bed.Update{{ID: idA, Revision: 1, Title: "A"}, {ID: idB, Revision: 7, Title: "B", Removable: true, UBR: 4317, Packages: []string{packageName}}, {ID: idC, Revision: 1, Title: "C"}}}
	u.Put(b.T, b.w)
	b.w.Must(b.T, "reg", "add", buildKey, "/v", "UBR", "/t", "REG_DWORD", "/d", "4169", "/f")
	b.expect("2=0+notfound", "download", idB, "6")
	b.expect("2=2", "download", idB, "7")
	b.expect("2=2", "download", idB, "7") // again is harmless
	b.expect("2=0+notfound", "install", idB, "6")
	u.Loose = true // also where the engine gives another one than was asked for
	u.Put(b.T, b.w)
	b.expect("2=0+notfound", "install", idB, "6")
	if got := b.ids("search", "installed"); got != "" || b.number(buildKey, "UBR") != 4169 {
		b.Errorf("a revision that is not there installed %s", got)
	}
	b.expect("2=2 3=4(80246007) 2=2", "install", idB, "7", idC, "1", idB, "7") // C was not downloaded
	if got := b.ids("search", "installed"); got != "2:7" || b.number(buildKey, "UBR") != 4317 || b.number(packageKey, "CurrentState") != 0x70 {
		b.Errorf("installed is %s, the build is %d, the package %#x", got, b.number(buildKey, "UBR"), b.number(packageKey, "CurrentState"))
	}
	b.expect("2=2", "install", idB, "7")
	installs := 0
	for _, c := range b.w.EngineCalls(b.T) {
		if c.What == "install" {
			installs++
			if c.Client != "Patchbay" || c.Words != "quiet=1 prompts=0 forced=0 "+idB+" "+idC {
				b.Errorf("it was asked %+v", c)
			}
		}
	}
	if installs != 1 {
		b.Errorf("it was asked to install %d times", installs)
	}
	b.expect("1=2 2=2", "uninstall", idA, "1", idB, "7")
	if got := b.ids("search", "installed"); got != "" || b.number(buildKey, "UBR") != 4169 || b.number(packageKey, "CurrentState") != -1 {
		b.Errorf("after its removal %s, the build is %d, the package %#x", got, b.number(buildKey, "UBR"), b.number(packageKey, "CurrentState"))
	}
	events := b.well("history", "2").Events
	if len(events) != 2 || !events[0].Removal || events[0].ID != (provider.EngineID{Update: idB, Revision: 7}) || events[0].Title != "B" || events[0].ByClient != "Patchbay" ||
		events[0].Result != provider.EngineSucceeded || time.Since(events[0].At).Abs() > time.Hour || events[1].Result != provider.EngineFailed || events[1].HResult != 0x80246007 || events[1].ID.Update != idC {
		b.Errorf("its history is %+v", events)
	}
	if all := b.well("history", "100").Events; len(all) != 3 {
		b.Errorf("all of its history is %+v", all)
	}
	if none := b.well("history", "0").Events; len(none) != 0 {
		b.Errorf("none of its history is %+v", none)
	}
}

func engineAgreesWhenTold(b engineBed) {
	bed.Updates{List: []bed.Update{{ID: idA, Revision: 1, Downloaded: true, Licence: "terms"}, {ID: idB, Revision: 1, Downloaded: true}}}.Put(b.T, b.w)
	b.expect(fmt.Sprintf("1=4(%08X) 2=2", licenceDeclined), "install", idA, "1", idB, "1")
	if got := b.ids("search", "installed"); got != "2:1" || b.w.EngineState(b.T, idA) != nil {
		b.Errorf("installed is %s, of the other it has %v", got, b.w.EngineState(b.T, idA))
	}
	b.expect("1=2", "agree", idA, "1")
	if got := b.ids("search", "installed"); got != "1:1 2:1" {
		b.Errorf("installed is %s", got)
	}
}

func engineFailuresAreEachOnes(b engineBed) {
	u := bed.Updates{List: []bed.Update{
		{ID: idA, Revision: 1, Downloaded: true}, {ID: idB, Revision: 1, Downloaded: true, InstallFails: 0x800F0922, DownloadFails: 0x80240438}, {ID: idC, Revision: 1, Downloaded: true, Partly: 0x80070643},
	}}
	u.Put(b.T, b.w)
	b.expect("2=4(800F0922) 1=2 3=3(80070643)", "install", idB, "1", idA, "1", idC, "1")
	if got := b.ids("search", "installed"); got != "1:1" {
		b.Errorf("installed is %s", got)
	}
	u.List[0].UninstallFails, u.List[0].Removable, u.List[1].Downloaded = 0x80070005, true, false
	u.Put(b.T, b.w)
	b.expect("1=4(80070005)", "uninstall", idA, "1")
	b.expect("2=4(80240438) 3=2", "download", idB, "1", idC, "1")
	u.List[0].Removable = false
	u.Put(b.T, b.w)
	b.expect("1=4(80240028)", "uninstall", idA, "1")
	u.Busy = true
	u.Put(b.T, b.w)
	before := len(b.w.EngineCalls(b.T))
	if a := b.ask("install", idC, "1"); !a.Busy || len(b.w.EngineCalls(b.T)) != before+1 {
		b.Errorf("busy, it says %+v", a)
	}
	u.Busy, u.Fails = false, 0x80240009
	u.Put(b.T, b.w)
	if a := b.ask("search", "offered"); !a.Busy || a.HResult != u.Fails {
		b.Errorf("something is in progress: %+v", a)
	}
}

func engineRestarts(b engineBed) {
	bed.Updates{List: []bed.Update{
		{ID: idA, Revision: 1, Downloaded: true, Removable: true, Reboot: 1, UBR: 4317, Packages: []string{packageName}},
		{ID: idB, Revision: 1, Downloaded: true, Reboot: 2, Restarts: true, Misdeed: bed.Undoes}, {ID: idC, Revision: 1, Downloaded: true, Reboot: 1, Late: true},
	}}.Put(b.T, b.w)
	b.w.Must(b.T, "reg", "add", buildKey, "/v", "UBR", "/t", "REG_DWORD", "/d", "4169", "/f")
	b.expect("1=2+reboot 2=2+reboot 3=2+reboot", "install", idA, "1", idB, "1", idC, "1")
	shows := func(when string, required bool, installed string, build, state int64) {
		b.Helper()
		if s := b.well("state").State; s.RebootRequired != required || (b.number(restartKey, idA) == 1) != required {
			b.Errorf("%s: it says %+v", when, s)
		}
		if got := b.ids("search", "installed"); got != installed || b.number(buildKey, "UBR") != build || b.number(packageKey, "CurrentState") != state {
			b.Errorf("%s: installed is %s, the build %d, the package %#x", when, got, b.number(buildKey, "UBR"), b.number(packageKey, "CurrentState"))
		}
	}
	shows("before the restart", true, "1:1 2:1", 4169, 0x60)
	b.expect("1=2+reboot", "install", idA, "1") // it was done, and still waits
	if err := b.w.Reboot(b.Context()); err != nil {
		b.Fatal(err)
	}
	shows("after it", false, "1:1 3:1", 4317, 0x70)
	b.expect("1=2+reboot", "uninstall", idA, "1")
	shows("before the next", true, "3:1", 4317, 0x05) // it is there, and is to be taken off
	if err := b.w.Reboot(b.Context()); err != nil {
		b.Fatal(err)
	}
	shows("after that", false, "3:1", 4169, -1)
}

// The engine works in the process that asks it: what brings it down brings that down.
func engineMayCrash(b engineBed) {
	bed.Updates{List: []bed.Update{{ID: idA, Revision: 1, Downloaded: true, Packages: []string{packageName}, Misdeed: bed.Crashes}}}.Put(b.T, b.w)
	r, err := b.w.RunWith(b.Context(), []string{"PATCHBAY_TEST_ROLE=engine"}, `C:\bed\host.exe`, "install", idA, "1")
	if err != nil || r.Code != 0xC0000005 {
		b.Errorf("it ended with %#x, %v", r.Code, err)
	}
	if got := b.ids("search", "installed"); got != "" || b.number(packageKey, "CurrentState") != 0x40 {
		b.Errorf("installed is %s, the package %#x", got, b.number(packageKey, "CurrentState"))
	}
	if events := b.well("history", "9").Events; len(events) != 1 || events[0].Result != provider.EngineInProgress {
		b.Errorf("its history is %+v", events)
	}
	if s := b.well("state").State; s.Busy {
		b.Errorf("it is still busy: %+v", s)
	}
}

// Who stops waiting for an installation may close the engine, which goes on with it.
func engineIsAbandoned(b engineBed) {
	bed.Updates{List: []bed.Update{{ID: idA, Revision: 1, Downloaded: true, Misdeed: bed.Hangs}}}.Put(b.T, b.w)
	b.well("abandon", idA, "1")
	// that process ended; another one that hangs is seen by all
	if err := b.w.PutFile(`C:\bed\run.cmd`, "set PATCHBAY_TEST_ROLE=engine\r\nC:\\bed\\host.exe install "+idA+" 1 > C:\\bed\\said\r\n"); err != nil {
		b.Fatal(err)
	}
	b.w.Must(b.T, "cmd", "/c", "del", `C:\bed\started`)
	p := b.w.Spawn(b.T, "cmd", "/c", `C:\bed\run.cmd`)
	if err := b.w.WaitFile(b.Context(), bed.HangStarted); err != nil {
		b.Fatal(err)
	}
	if s := b.well("state").State; !s.Busy {
		b.Errorf("while another installs it says %+v", s)
	}
	if a := b.ask("install", idA, "1"); !a.Busy {
		b.Errorf("a second installation: %+v", a)
	}
	if err := b.w.PutFile(bed.HangRelease, ""); err != nil {
		b.Fatal(err)
	}
	p.Code()
	if got := b.ids("search", "installed"); got != "1:1" {
		text, _ := b.w.ReadFile(`C:\bed\said`)
		b.Errorf("installed is %s: %s", got, text)
	}
}

func engineState(b engineBed) {
	at := time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC)
	u := bed.Updates{PastSearch: at, PastInstalled: at.Add(time.Hour), Managed: true, RebootFirst: true, Busy: true}
	u.Put(b.T, b.w)
	want := provider.EngineState{RebootFirst: true, Busy: true, Searched: at, Installed: at.Add(time.Hour), Managed: true, Client: "10.0.22631.1"}
	if s := b.well("state").State; s != want {
		b.Errorf("it says %+v", s)
	}
	bed.Updates{}.Put(b.T, b.w)
	if s := b.well("state").State; s != (provider.EngineState{Client: want.Client}) {
		b.Errorf("it says %+v", s)
	}
	b.well("search", "offered", "online")
	if s := b.well("state").State; time.Since(s.Searched).Abs() > time.Hour || !s.Installed.IsZero() {
		b.Errorf("it says %+v", s)
	}
}

// A lie is for those who ask twice: the engine says installed, and nothing else moved.
func engineMayLie(b engineBed) {
	bed.Updates{List: []bed.Update{{ID: idA, Revision: 1, Downloaded: true, UBR: 4317, Packages: []string{packageName}, Misdeed: bed.Lies}}}.Put(b.T, b.w)
	b.expect("1=2", "install", idA, "1")
	if got := b.ids("search", "installed"); got != "1:1" || b.number(buildKey, "UBR") == 4317 || b.number(packageKey, "CurrentState") != -1 {
		b.Errorf("installed is %s, the build %d, the package %#x", got, b.number(buildKey, "UBR"), b.number(packageKey, "CurrentState"))
	}
}
