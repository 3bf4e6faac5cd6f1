package facts

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
	"patchbay/provider/providertest"
	"patchbay/wire"
)

// pc is a recorded Windows that also tells what stands in no registry.
type pc struct {
	providertest.WindowsHost
	machine provider.Machine
	denied  string // a key that may not be read
}

func (p pc) Machine() provider.Machine { return p.machine }

func (p pc) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	if p.denied != "" && strings.EqualFold(path, p.denied) {
		return provider.RegistryKey{}, errors.New("denied")
	}
	return p.WindowsHost.Registry(path, view)
}

func recorded(t *testing.T) pc {
	t.Helper()
	return pc{WindowsHost: providertest.OpenWindows(t, "testdata/windows"), machine: provider.Machine{
		Boot: "b1", BootedAt: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), People: true, Cards: []string{"00:11:22:33:44:55"}}}
}

// with is the same PC with more in its registry.
func (p pc) with(t *testing.T, export string) pc {
	t.Helper()
	more, err := providertest.ParseExport([]byte(export))
	if err != nil {
		t.Fatal(err)
	}
	p.Export = p.Export.With(more)
	return p
}

func factsOf(t *testing.T, h provider.Host) wire.Facts {
	t.Helper()
	f, err := Collect(context.Background(), h)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWindowsTellsItself(t *testing.T) {
	h := recorded(t)
	f := factsOf(t, h)
	booted := h.machine.BootedAt
	want := wire.Facts{
		Hostname: "Ada-PC", OS: "windows", Distro: "windows", Release: "23H2", OSName: "Windows 11 Pro 23H2", Edition: "Professional", SupportEnds: "2025-11-11", Kernel: "10.0.22631.3682", Channel: wire.ChannelGAC,
		Architecture: "amd64", MachineID: f.MachineID, BootID: "b1", BootedAt: &booted, Zone: "Europe/Berlin",
		Restart: wire.Restart{Reasons: []string{"2 files to be replaced or removed at the next start (weak)"}, Services: []string{}, Sources: []wire.RestartSource{
			{Kind: wire.RestartByUpdate, State: wire.RestartQuiet}, {Kind: wire.RestartByStore, State: wire.RestartQuiet}, {Kind: wire.RestartByInstaller, State: wire.RestartQuiet},
			{Kind: wire.RestartByName, State: wire.RestartQuiet}, {Kind: wire.RestartByRenames, State: wire.RestartWaits, Count: 2}}},
		Masters: []wire.Master{{Name: "Atera", Programs: true, System: true}, {Name: "Intune", Programs: true, System: true}, {Name: "WSUS (https://wsus.example:8531)", System: true},
			{Name: "Windows Update (automatic)", System: true}, {Name: "Windows Update for Business", System: true}},
		Patchers: []string{"Atera", "Intune", "WSUS (https://wsus.example:8531)", "Windows Update (automatic)", "Windows Update for Business"},
	}
	if !reflect.DeepEqual(f, want) {
		got, _ := json.MarshalIndent(f, "", " ")
		t.Errorf("got %s", got)
	}
	if len(f.MachineID) != 32 || strings.Contains(f.MachineID, "0f2c7d4e") {
		t.Errorf("the machine's ID is told as %s", f.MachineID)
	}
	if !LoggedIn(h) || BootID(h) != "b1" || !slices.Equal(Hardware(h), []string{"board:{11111111-2222-3333-4444-555555555555}", "card:00:11:22:33:44:55"}) {
		t.Errorf("people %v, boot %s, hardware %v", LoggedIn(h), BootID(h), Hardware(h))
	}
}

// Each reason for a restart is shown; what programs leave behind for years is none.
func TestWindowsSaysWhyItWaitsForARestart(t *testing.T) {
	const local = `[HKEY_LOCAL_MACHINE\`
	for export, reason := range map[string]string{
		local + `SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending]`:                                               "Windows component servicing",
		local + `SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired]`:                                              "Windows Update",
		local + "SOFTWARE\\Microsoft\\Updates]\n\"UpdateExeVolatile\"=dword:00000002":                                                              "an update's own installer",
		local + "SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"NEW\"":                                        "a new computer name",
		local + "SYSTEM\\CurrentControlSet\\Control\\Session Manager]\n\"PendingFileRenameOperations\"=hex(7):5c,00,3f,00,3f,00,5c,00,61,00,00,00": "",
	} {
		r := factsOf(t, recorded(t).with(t, export)).Restart
		if r.Machine != (reason != "") || reason != "" && !slices.Contains(r.Reasons, reason) || !strings.Contains(strings.Join(r.Reasons, " "), "(weak)") {
			t.Errorf("%q: %+v", reason, r)
		}
	}
	h := recorded(t)
	h.denied = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`
	if r := factsOf(t, h).Restart; len(r.Unknown) == 0 {
		t.Error("what may not be read is taken for good")
	}
}

// TestEachPlaceOfARestartSpeaksForItself: one that cannot be read is neither quiet nor asks.
func TestEachPlaceOfARestartSpeaksForItself(t *testing.T) {
	const path = `SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired`
	h := recorded(t).with(t, `[HKEY_LOCAL_MACHINE\`+path+"]\n; changed 2026-02-28T21:10:00.5Z")
	h.denied = `HKLM\SOFTWARE\Microsoft\Updates`
	at := time.Date(2026, 2, 28, 21, 10, 0, 0, time.UTC)
	got := map[string]wire.RestartSource{}
	r := factsOf(t, h).Restart
	for _, s := range r.Sources {
		got[s.Kind] = s
	}
	if s := got[wire.RestartByUpdate]; s.State != wire.RestartAsks || s.At == nil || !s.At.Equal(at) {
		t.Errorf("Windows Update says %+v", s)
	}
	if s := got[wire.RestartByInstaller]; s.State != wire.RestartUnknown || s.Why == "" || len(r.Unknown) != 1 {
		t.Errorf("what may not be read says %+v, and the whole %q", s, r.Unknown)
	}
	if s := got[wire.RestartByStore]; s.State != wire.RestartQuiet || s.At != nil || len(got) != 5 {
		t.Errorf("the component store says %+v, of %d", s, len(got))
	}
}

// A program that began before its entry was written may run what was there before.
func TestWindowsDoubtsWhatBeganBeforeAnInstallation(t *testing.T) {
	installed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		program string
		began   time.Time
		doubt   []string
	}{
		{`C:\Program Files\Mozilla Firefox\firefox.exe`, installed.Add(-time.Second), []string{"Mozilla Firefox"}},
		{`c:\PROGRAM FILES\mozilla firefox\sub\firefox.exe`, installed.Add(-time.Hour), []string{"Mozilla Firefox"}},
		{`C:\Program Files\Mozilla Firefox\firefox.exe`, installed, nil},
		{`C:\Program Files\Mozilla Firefox 2\firefox.exe`, installed.Add(-time.Second), nil},
		{`C:\Program Files (x86)\Tool\helper.exe`, installed.Add(-time.Second), []string{"Tool"}},
		{`C:\Elsewhere\x.exe`, installed.Add(-time.Second), nil},
		{"", time.Time{}, nil},
	} {
		h := recorded(t)
		h.machine.Processes = []provider.Process{{Program: c.program, Began: c.began}}
		r := factsOf(t, h).Restart
		if !slices.Equal(r.Doubt, c.doubt) || (len(r.Unknown) > 0) != (c.doubt != nil) {
			t.Errorf("%s from %s: %+v", c.program, c.began, r)
		}
	}
	h := recorded(t)
	h.denied = uninstallList
	if r := factsOf(t, h).Restart; !r.Doubts("Mozilla Firefox") {
		t.Error("a list that may not be read doubts nothing")
	}
}

func TestWindowsPatchersAreThoseThatPatch(t *testing.T) {
	const policy = `[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`
	for export, without := range map[string]string{
		policy + "\\AU]\n\"UseWUServer\"=dword:00000000":                                                                 "WSUS (https://wsus.example:8531)",
		policy + "\\AU]\n\"NoAutoUpdate\"=dword:00000001":                                                                "Windows Update (automatic)",
		policy + "\\AU]\n\"AUOptions\"=dword:00000002":                                                                   "Windows Update (automatic)",
		"[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\wuauserv]\n\"Start\"=dword:00000004":                  "Windows Update (automatic)",
		"[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\AteraAgent]\n\"Start\"=dword:00000004":                "Atera",
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Enrollments\\0A]\n\"EnrollmentState\"=dword:00000003":                 "Intune",
		"[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation]\n\"TimeZoneKeyName\"=\"Nowhere\"": "",
	} {
		f := factsOf(t, recorded(t).with(t, export))
		if slices.Contains(f.Patchers, without) {
			t.Errorf("%s: still %v", export, f.Patchers)
		}
		if without == "" && f.Zone != "" {
			t.Errorf("an unknown zone is %s", f.Zone)
		}
	}
}

func TestEveryWindowsZoneIsAZone(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(windowsZones())) {
		if zone := windowsZones()[name]; !isZone(zone) {
			t.Errorf("%s is %s, which is none", name, zone)
		}
	}
}

// Whatever is in a registry, the facts stay within bounds and can be sent.
func FuzzWindowsFacts(f *testing.F) {
	f.Add([]byte("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"ProductName\"=\"\xff\"\n\"UBR\"=dword:ffffffff"), `C:\Program Files\x\y.exe`)
	f.Add([]byte("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\x]\n; changed 2026-03-01T12:00:00Z\n\"DisplayName\"=\"x\"\n\"InstallLocation\"=\"C:\\\\Program Files\\\\x\""), `C:\Program Files\x\y.exe`)
	f.Fuzz(func(t *testing.T, export []byte, program string) {
		r, err := providertest.ParseExport(export)
		if err != nil {
			return
		}
		h := pc{WindowsHost: providertest.WindowsHost{Export: r}, machine: provider.Machine{Processes: []provider.Process{{Program: program, Began: time.Unix(1, 0)}}}}
		facts := onWindows(h)
		if b, err := json.Marshal(facts); err != nil || len(b) > 1<<20 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		for _, s := range []string{facts.OSName, facts.Kernel, facts.Hostname, facts.Zone} {
			if len(s) > 4*maxWord {
				t.Errorf("%d bytes in one word", len(s))
			}
		}
	})
}
