package winupdate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/provider"
)

// TestNothingIsThereByOneReading is the law, over all that can be read: an update counts as
// there only where the engine and what Windows itself shows agree, and where its kind leaves
// nothing to be shown, only with the engine's own history. It is pending only while Windows
// waits for a restart. What is disputed says why in a sentence, and nothing else has one.
func TestNothingIsThereByOneReading(t *testing.T) {
	yes := []bool{false, true}
	for _, told := range []told{toldNothing, toldOffered, toldInstalled} {
		for _, m := range []mark{markNone, markNever, markThere, markWaiting, markLeaving, markAbsent} {
			for _, restart := range yes {
				for _, logged := range yes {
					got, why := judge(told, second{m, "the build is 1.2"}, restart, logged)
					at := fmt.Sprintf("told %d, mark %d, restart %t, logged %t", told, m, restart, logged)
					agree := told == toldInstalled && (m == markThere || m == markNever && logged)
					if (got == stateThere) != agree {
						t.Errorf("%s: it is %d", at, got)
					}
					if (got == statePending) != (m == markWaiting && restart) {
						t.Errorf("%s: it is %d", at, got)
					}
					if (got == stateLeaving) != (m == markLeaving && restart) {
						t.Errorf("%s: it is %d", at, got)
					}
					if got == stateAbsent && (told == toldInstalled || m == markThere || m == markWaiting || m == markLeaving) {
						t.Errorf("%s: something says that it is there, and it is absent", at)
					}
					if (got == stateDisputed) != (why != "") || why != "" && (!strings.HasSuffix(why, ".") || len(why) < 30) {
						t.Errorf("%s: %q", at, why)
					}
				}
			}
		}
	}
}

// What machines can be like, and what is true of the update on them.
const (
	defenderIs = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender\\Signature Updates]\n\"AVSignatureVersion\"=\"%s\"\n"
	platformIs = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows Defender]\n\"InstallLocation\"=\"C:\\\\ProgramData\\\\Microsoft\\\\Windows Defender\\\\Platform\\\\%s-0\\\\\"\n"
	wuBoot     = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired]\n"
	office     = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\%sMicrosoft\\Windows\\CurrentVersion\\Uninstall\\{90160000}_Office16.STANDARD_{1}]\n\"DisplayName\"=\"Security Update for Office 2016 (KB5000001) 64-Bit Edition\"\n"
)

// inUse is the class key of a network card that is driven by a driver.
func inUse(n int, hardware, version, date string) string {
	return fmt.Sprintf("[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}\\%04d]\n\"MatchingDeviceId\"=\"%s\"\n\"DriverVersion\"=\"%s\"\n\"DriverDate\"=\"%s\"\n",
		n, strings.ReplaceAll(hardware, `\`, `\\`), version, date)
}

const card = `PCI\VEN_8086&DEV_15BB`

func driverUpdate(title string, date time.Time) provider.EngineUpdate {
	return provider.EngineUpdate{ID: provider.EngineID{Update: id(1), Revision: 200}, Title: title, Agreed: true, Categories: []provider.EngineCategory{classID(patch.Driver)},
		Driver: &provider.EngineDriver{Class: "Net", HardwareID: strings.ToLower(card), Date: date}}
}

func definition(kb, title string) provider.EngineUpdate {
	return provider.EngineUpdate{ID: provider.EngineID{Update: id(1), Revision: 200}, Title: title, KBs: []string{kb}, Agreed: true, Categories: []provider.EngineCategory{classID(patch.Definition)}}
}

func tool() provider.EngineUpdate {
	return provider.EngineUpdate{ID: provider.EngineID{Update: id(1), Revision: 200}, Title: "Windows Malicious Software Removal Tool x64 - v5.129 (KB890830)", KBs: []string{"890830"}, Agreed: true,
		Categories: []provider.EngineCategory{classID(patch.Rollup)}}
}

func log(list ...provider.EngineCode) []provider.EngineEvent {
	var all []provider.EngineEvent
	for _, c := range list {
		all = append(all, provider.EngineEvent{ID: provider.EngineID{Update: id(1), Revision: 200}, Result: c})
	}
	return all
}

type machineState struct {
	name     string
	u        provider.EngineUpdate
	told     told
	registry string
	history  []provider.EngineEvent
	want     state
	why      string // part of the sentence
}

func machineStates() []machineState {
	lcu := cumulativeUpdate(1, 4317)
	kb := plain(1)
	defs := definition("2267602", "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.445.476.0) - Current Channel (Broad)")
	platform := definition("4052623", "Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version 4.18.25010.11)")
	net := driverUpdate("Intel Corporation - Net - 12.19.2.45", time.Time{})
	dated := driverUpdate("Intel net driver update", time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC))
	bare := driverUpdate("Intel net driver update", time.Time{})
	const rollup = "Package_for_RollupFix~31bf3856ad364e35~amd64~~"
	noNumber := kb
	noNumber.KBs, noNumber.Title = nil, "An update"
	other := lcu
	other.Title = "2026-11 Cumulative Update for Windows 10 (KB5000001) (19045.5011)"
	two := plain(1)
	two.KBs = []string{"5000001", "5000002"}
	return []machineState{
		// Windows itself: the build.
		{"installed, the build is it", lcu, toldInstalled, system(22631, 4317), nil, stateThere, ""},
		{"installed, the build is newer", lcu, toldInstalled, system(22631, 4460), nil, stateThere, ""},
		{"installed, the build is it, another waits", lcu, toldInstalled, system(22631, 4317) + waitsForBoot, nil, stateThere, ""},
		{"installed, the old build runs: rolled back", lcu, toldInstalled, system(22631, 4169), nil, stateDisputed, "the build is 22631.4169 and not 22631.4317"},
		{"installed, the old build runs, a restart is pending for something else", lcu, toldInstalled, system(22631, 4169) + waitsForBoot, nil, stateDisputed, "22631.4169"},
		{"installed, the store has it waiting, a restart is pending", lcu, toldInstalled, system(22631, 4169) + waitsForBoot + stored(rollup+"22621.4317.1.3", cbsPending), nil, statePending, ""},
		{"offered, the store has it waiting, a restart is pending", lcu, toldOffered, system(22631, 4169) + wuBoot + stored(rollup+"22631.4317.1.3", cbsPending), nil, statePending, ""},
		{"told of no more, the store has it waiting, a restart is pending", lcu, toldNothing, system(22631, 4169) + waitsForBoot + stored(rollup+"22621.4317.1.3", cbsPending), nil, statePending, ""},
		{"installed, the store has it waiting, no restart is pending", lcu, toldInstalled, system(22631, 4169) + stored(rollup+"22621.4317.1.3", cbsPending), nil, stateDisputed, "does not wait for a restart"},
		{"offered, the store has another build waiting", lcu, toldOffered, system(22631, 4169) + waitsForBoot + stored(rollup+"22621.4169.1.3", cbsPending), nil, stateAbsent, ""},
		{"offered, the store says it is installed, the build does not", lcu, toldOffered, system(22631, 4169) + stored(rollup+"22621.4317.1.3", cbsInstalled), nil, stateAbsent, ""},
		{"installed, the store says so too, the build does not", lcu, toldInstalled, system(22631, 4169) + stored(rollup+"22621.4317.1.3", cbsInstalled), nil, stateDisputed, "the build is 22631.4169"},
		{"offered, the old build runs", lcu, toldOffered, system(22631, 4169), nil, stateAbsent, ""},
		{"offered, the build is it already", lcu, toldOffered, system(22631, 4317), nil, stateDisputed, "says that it is missing, but the build is 22631.4317"},
		{"told nothing, the old build runs", lcu, toldNothing, system(22631, 4169), nil, stateAbsent, ""},
		{"installed, its build is of another Windows", other, toldInstalled, system(22631, 4317), nil, stateDisputed, "nothing else shows it"},
		{"installed, history says failed, the build is it", lcu, toldInstalled, system(22631, 4317), log(provider.EngineFailed), stateThere, ""},
		{"installed, history says so, the build is old", lcu, toldInstalled, system(22631, 4169), log(provider.EngineSucceeded), stateDisputed, "22631.4169"},
		{"installed, the build is it until the restart takes it off", lcu, toldInstalled, system(22631, 4317) + waitsForBoot + stored(rollup+"22621.4317.1.3", cbsLeaving), nil, stateLeaving, ""},
		{"offered again, the build is it until the restart takes it off", lcu, toldOffered, system(22631, 4317) + wuBoot + stored(rollup+"22631.4317.1.3", cbsLeaving), nil, stateLeaving, ""},
		{"offered again, the store is to uninstall it, no restart is pending", lcu, toldOffered, system(22631, 4317) + stored(rollup+"22621.4317.1.3", cbsLeaving), nil, stateDisputed, "says that it is missing"},
		{"installed, the next build runs, its own package is to go", lcu, toldInstalled, system(22631, 4460) + waitsForBoot + stored(rollup+"22621.4317.1.3", cbsLeaving), nil, stateThere, ""},
		// The component store.
		{"installed, the store has it", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsInstalled), nil, stateThere, ""},
		{"installed, the store has it for good", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsPermanent), nil, stateThere, ""},
		{"installed, the store has a newer one in its place", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsSuperseded), nil, stateThere, ""},
		{"installed, the store has it staged", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), 0x40), nil, stateDisputed, "state 0x40"},
		{"installed, the store has it staged, a restart is pending", kb, toldInstalled, system(22631, 1) + waitsForBoot + stored(packageOf(1), 0x40), nil, stateDisputed, "state 0x40"},
		{"installed, the store has it resolved", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), 0x20), nil, stateDisputed, "state 0x20"},
		{"installed, the store says absent", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), 0), nil, stateDisputed, "state 0x00"},
		{"installed, the store has it in part", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsPartial), nil, stateDisputed, "state 0x65"},
		{"installed, the store is to uninstall it, a restart is pending", kb, toldInstalled, system(22631, 1) + waitsForBoot + stored(packageOf(1), cbsLeaving), nil, stateLeaving, ""},
		{"offered again, the store is to uninstall it, a restart is pending", kb, toldOffered, system(22631, 1) + wuBoot + stored(packageOf(1), cbsLeaving), nil, stateLeaving, ""},
		{"told of no more, the store is to uninstall it, a restart is pending", kb, toldNothing, system(22631, 1) + wuBoot + stored(packageOf(1), cbsLeaving), nil, stateLeaving, ""},
		{"installed, the store is to uninstall it, no restart is pending", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsLeaving), nil, stateDisputed, "does not wait for a restart"},
		{"offered, the store uninstalled it", kb, toldOffered, system(22631, 1) + stored(packageOf(1), 0), nil, stateAbsent, ""},
		{"installed, the store says broken", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), 0xFFFFFF90), nil, stateDisputed, "state 0xFFFFFF90"},
		{"installed, the store has it waiting, a restart is pending", kb, toldInstalled, system(22631, 1) + waitsForBoot + stored(packageOf(1), cbsPending), nil, statePending, ""},
		{"installed, the store has it waiting, no restart is pending", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsPending), nil, stateDisputed, "does not wait for a restart"},
		{"offered, the store has it waiting, a restart is pending", kb, toldOffered, system(22631, 1) + wuBoot + stored(packageOf(1), cbsPending), nil, statePending, ""},
		{"offered, the store has it", kb, toldOffered, system(22631, 1) + stored(packageOf(1), cbsInstalled), nil, stateDisputed, "says that it is missing"},
		{"offered, the store has it staged", kb, toldOffered, system(22631, 1) + stored(packageOf(1), 0x40), nil, stateAbsent, ""},
		{"offered, the store does not know it", kb, toldOffered, system(22631, 1), nil, stateAbsent, ""},
		{"installed, the store does not know it", kb, toldInstalled, system(22631, 1), nil, stateDisputed, "neither in the component store nor"},
		{"installed, the store has no state for it", kb, toldInstalled, system(22631, 1) + "[" + cbs + "\\Packages\\" + packageOf(1) + "]\n", nil, stateDisputed, "does not say in which state"},
		{"installed, the store has a number that only begins so", kb, toldInstalled, system(22631, 1) + stored("Package_for_KB50000010~31bf3856ad364e35~amd64~~1.1", cbsInstalled), nil, stateDisputed, "neither"},
		{"installed, the store names it by the place it came from", kb, toldInstalled, system(22631, 1) + stored("Package_for_DotNetRollup_481~31bf3856ad364e35~amd64~~10.0.9277.2", cbsInstalled) + "\"InstallLocation\"=\"C:\\\\x\\\\Windows11.0-KB5000001-x64-NDP481.cab\"\n", nil, stateThere, ""},
		{"installed, the store has an older one for good and the new one staged", kb, toldInstalled, system(22631, 1) + stored("Package_for_KB5000001~31bf3856ad364e35~amd64~~10.1.1.0", 0x40) + stored("Package_for_KB5000001~31bf3856ad364e35~amd64~~9.1.1.0", cbsInstalled), nil, stateDisputed, "state 0x40"},
		{"installed, a part of it is for a feature that is off", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsInstalled) + stored("Package_1_for_KB5000001~31bf3856ad364e35~amd64~~1.1", 0x40), nil, stateThere, ""},
		{"installed, it is staged, a part of it is there", kb, toldInstalled, system(22631, 1) + stored(packageOf(1), 0x40) + stored("Package_1_for_KB5000001~31bf3856ad364e35~amd64~~1.1", cbsInstalled), nil, stateDisputed, "state 0x40"},
		{"installed, only parts, one is missing", kb, toldInstalled, system(22631, 1) + stored("Package_2_for_KB5000001~31bf3856ad364e35~amd64~~1.1", cbsInstalled) + stored("Package_1_for_KB5000001~31bf3856ad364e35~amd64~~1.1", 0x40), nil, stateDisputed, "state 0x40"},
		{"installed, only what is no update came from its file", kb, toldInstalled, system(22631, 1) + stored("Microsoft-Windows-Foo-Package~31bf3856ad364e35~amd64~~1.1", cbsInstalled) + "\"InstallLocation\"=\"C:\\\\x\\\\Windows11.0-KB5000001-x64.cab\"\n", nil, stateDisputed, "neither"},
		{"installed, of two from its file one is missing", kb, toldInstalled, system(22631, 1) + stored("Package_for_A~31bf3856ad364e35~amd64~~1.1", cbsInstalled) + "\"InstallLocation\"=\"C:\\\\KB5000001.cab\"\n" + stored("Package_for_B~31bf3856ad364e35~amd64~~1.1", 0) + "\"InstallLocation\"=\"C:\\\\KB5000001.cab\"\n", nil, stateDisputed, "state 0x00"},
		{"installed, it has two numbers, both are there", two, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsInstalled) + stored(packageOf(2), cbsInstalled), nil, stateThere, ""},
		{"installed, it has two numbers, one is staged", two, toldInstalled, system(22631, 1) + stored(packageOf(1), cbsInstalled) + stored(packageOf(2), 0x40), nil, stateDisputed, "state 0x40"},
		{"installed, it has no number", noNumber, toldInstalled, system(22631, 1), log(provider.EngineSucceeded), stateDisputed, "no number"},
		{"told nothing, the store has it", kb, toldNothing, system(22631, 1) + stored(packageOf(1), cbsInstalled), nil, stateDisputed, "does not know it"},
		{"told nothing, the store does not know it, history says installed", kb, toldNothing, system(22631, 1), log(provider.EngineSucceeded), stateAbsent, ""},
		{"installed, of Office, in the list of programs", kb, toldInstalled, system(22631, 1) + fmt.Sprintf(office, ""), nil, stateThere, ""},
		{"installed, of a 32-bit Office, in the list of programs", kb, toldInstalled, system(22631, 1) + fmt.Sprintf(office, "WOW6432Node\\"), nil, stateThere, ""},
		// Defender.
		{"installed, the definitions are these", defs, toldInstalled, system(22631, 1) + fmt.Sprintf(defenderIs, "1.445.476.0"), nil, stateThere, ""},
		{"installed, the definitions are newer", defs, toldInstalled, system(22631, 1) + fmt.Sprintf(defenderIs, "1.447.2.0"), nil, stateThere, ""},
		{"installed, the definitions are older", defs, toldInstalled, system(22631, 1) + fmt.Sprintf(defenderIs, "1.445.99.0"), log(provider.EngineSucceeded), stateDisputed, "1.445.99.0 and not 1.445.476.0"},
		{"offered, the definitions are older", defs, toldOffered, system(22631, 1) + fmt.Sprintf(defenderIs, "1.445.99.0"), nil, stateAbsent, ""},
		{"offered, the definitions are newer: they came another way", defs, toldOffered, system(22631, 1) + fmt.Sprintf(defenderIs, "1.447.2.0"), nil, stateDisputed, "missing"},
		{"installed, Defender is switched off", defs, toldInstalled, system(22631, 1), nil, stateDisputed, "does not say"},
		{"installed, Defender's version is nonsense", defs, toldInstalled, system(22631, 1) + fmt.Sprintf(defenderIs, "new"), nil, stateDisputed, "does not say"},
		{"installed, the title names no version", definition("2267602", "Definitions"), toldInstalled, system(22631, 1) + fmt.Sprintf(defenderIs, "1.447.2.0"), nil, stateDisputed, "no version"},
		{"installed, the platform is this", platform, toldInstalled, system(22631, 1) + fmt.Sprintf(platformIs, "4.18.25010.11"), nil, stateThere, ""},
		{"installed, the platform is older", platform, toldInstalled, system(22631, 1) + fmt.Sprintf(platformIs, "4.18.24090.11"), nil, stateDisputed, "4.18.24090.11"},
		// Drivers.
		{"installed, the driver in use is it", net, toldInstalled, system(22631, 1) + inUse(1, card, "12.19.2.45", "8-1-2026"), nil, stateThere, ""},
		{"installed, the driver in use is newer", net, toldInstalled, system(22631, 1) + inUse(1, card, "12.20.0.1", "8-1-2026"), nil, stateThere, ""},
		{"installed, the driver in use is older", net, toldInstalled, system(22631, 1) + inUse(1, card, "12.18.9.23", "8-1-2026"), nil, stateDisputed, "12.18.9.23 and not 12.19.2.45"},
		{"installed, of two cards one has the old driver", net, toldInstalled, system(22631, 1) + inUse(1, card, "12.19.2.45", "") + inUse(2, card, "12.18.9.23", ""), nil, stateDisputed, "12.18.9.23"},
		{"installed, of two cards the first one has the old driver", net, toldInstalled, system(22631, 1) + inUse(1, card, "12.18.9.23", "") + inUse(2, card, "12.19.2.45", ""), nil, stateDisputed, "12.18.9.23"},
		{"installed, another card has the new driver", net, toldInstalled, system(22631, 1) + inUse(1, `PCI\VEN_10EC`, "12.19.2.45", ""), nil, stateDisputed, "no device"},
		{"offered, the driver in use is older", net, toldOffered, system(22631, 1) + inUse(1, card, "12.18.9.23", ""), nil, stateAbsent, ""},
		{"installed, the day is the driver's", dated, toldInstalled, system(22631, 1) + inUse(1, card, "1.2.3.4", "8-1-2026"), nil, stateThere, ""},
		{"installed, the driver in use is of an earlier day", dated, toldInstalled, system(22631, 1) + inUse(1, card, "1.2.3.4", "12-31-2025"), nil, stateDisputed, "2025.12.31 and not 2026.08.01"},
		{"installed, a driver without version, history agrees", bare, toldInstalled, system(22631, 1), log(provider.EngineSucceeded), stateThere, ""},
		{"installed, a driver without version, history is silent", bare, toldInstalled, system(22631, 1), nil, stateDisputed, "no other mark"},
		// Tools.
		{"installed, a tool, history agrees", tool(), toldInstalled, system(22631, 1), log(provider.EngineSucceeded), stateThere, ""},
		{"installed, a tool, the last try failed", tool(), toldInstalled, system(22631, 1), log(provider.EngineFailed, provider.EngineSucceeded), stateDisputed, "history does not"},
		{"installed, a tool, with errors", tool(), toldInstalled, system(22631, 1), log(provider.EngineSucceededWithErrors), stateDisputed, "history does not"},
		{"installed, a tool, history says uninstalled", tool(), toldInstalled, system(22631, 1), []provider.EngineEvent{{ID: provider.EngineID{Update: id(1)}, Removal: true, Result: provider.EngineSucceeded}}, stateDisputed, "history does not"},
		{"offered, a tool, history says installed", tool(), toldOffered, system(22631, 1), log(provider.EngineSucceeded), stateAbsent, ""},
	}
}

func TestMachineStates(t *testing.T) {
	list := machineStates()
	if len(list) < 40 {
		t.Errorf("only %d", len(list))
	}
	for _, c := range list {
		d := &double{history: c.history}
		switch c.told {
		case toldInstalled:
			d.installed = []provider.EngineUpdate{c.u}
		case toldOffered:
			d.offered = []provider.EngineUpdate{c.u}
		}
		w, m := opened(t, c.registry, d)
		marks, err := readMarks(m)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		s, err := marks.of(c.u)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, why := judge(c.told, s, marks.restart, w.logged(t.Context(), d)()[c.u.ID.Update])
		if got != c.want || c.why != "" && !strings.Contains(why, c.why) {
			t.Errorf("%s: it is %d and not %d: %q", c.name, got, c.want, why)
		}
		if c.told == toldNothing {
			continue
		}
		// The same by way of what the provider tells of the machine.
		items, err := w.Installed(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		i, ok := item(items, c.u.ID.Update)
		if ok != (c.want != stateAbsent) || ok && (i.Version != "200" || (i.Disputed != "") != (c.want == stateDisputed) || i.Leaving != (c.want == stateLeaving) || i.Restart != (i.Leaving || c.want == statePending) || i.Name != itemName(c.u)) {
			t.Errorf("%s: the item is %t, %+v", c.name, ok, i)
		}
		if i.Previous != "" && c.want != stateThere && c.want != stateLeaving {
			t.Errorf("%s: it can be taken back and is not there", c.name)
		}
	}
}

// TestReadingsOfAnything is the law on real registries and real titles: whatever the build, the
// state of the package and the engine's word are, an update of Windows itself counts as there
// only when the build is at least the one that it names.
func TestReadingsOfAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		has, brings := rapid.IntRange(1, 6).Draw(rt, "has"), rapid.IntRange(1, 6).Draw(rt, "brings")
		package_, state := rapid.IntRange(1, 6).Draw(rt, "package"), rapid.SampledFrom([]uint32{0, 5, 0x20, 0x40, 0x50, 0x60, 0x65, 0x70, 0x80}).Draw(rt, "state")
		text := system(22631, has) + stored(fmt.Sprintf("Package_for_RollupFix~31bf3856ad364e35~amd64~~22621.%d.1.0", package_), state)
		restart := rapid.Bool().Draw(rt, "restart")
		if restart {
			text += waitsForBoot
		}
		u := cumulativeUpdate(1, brings)
		d := &double{history: log(provider.EngineSucceeded)}
		installed := rapid.Bool().Draw(rt, "installed")
		if installed {
			d.installed = []provider.EngineUpdate{u}
		} else {
			d.offered = []provider.EngineUpdate{u}
		}
		w, _ := opened(t, text, d)
		items, err := w.Installed(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		i, ok := item(items, id(1))
		clean := ok && i.Disputed == "" && !i.Leaving
		pending := restart && has < brings && package_ == brings && state == 0x60
		leaving := restart && has == brings && package_ == brings && state == cbsLeaving
		if leaving != i.Leaving {
			rt.Fatalf("it is about to leave: %t, but should: %t; %+v", i.Leaving, leaving, i)
		}
		if want := installed && has >= brings && !leaving || pending; clean != want {
			rt.Fatalf("it counts: %t, but should: %t; %+v", clean, want, i)
		}
	})
}

func TestWindowsIsAnItem(t *testing.T) {
	w, m := opened(t, system(22631, 4317), &double{})
	items, err := w.Installed(t.Context())
	want := patch.Item{Provider: Name, Name: "Windows", Title: "Windows 11 Pro 23H2", Version: "10.0.22631.4317", Origin: "Windows Update"}
	if err != nil || len(items) != 1 || items[0] != want {
		t.Errorf("%v, %+v", err, items)
	}
	if _, err := patch.CompareVersions(patch.SchemeRevision, items[0].Version, "10.0.22631.4318"); err != nil {
		t.Error(err)
	}
	m.registry, err = parse("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"ProductName\"=\"x\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if items, err := w.Installed(t.Context()); err == nil {
		t.Errorf("a Windows without a build is %+v", items)
	}
}
