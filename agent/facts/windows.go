package facts

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"patchbay/provider"
	"patchbay/wire"
)

const (
	control      = `HKLM\SYSTEM\CurrentControlSet\Control`
	services     = `HKLM\SYSTEM\CurrentControlSet\Services`
	updatePolicy = `HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`
)

// hive reads a Windows' registry, of which any key may be missing.
type hive struct{ host provider.RegistryHost }

func (h hive) key(path string) provider.RegistryKey {
	k, _ := h.look(path)
	return k
}

// look tells a key that is not there from one that cannot be read.
func (h hive) look(path string) (provider.RegistryKey, error) {
	k, err := h.host.Registry(path, provider.View64)
	return k, err
}

// textOf is a value's text, bounded; "" when there is none.
func textOf(k provider.RegistryKey, name string) string {
	v := k.Value(name).Text
	v, _, _ = strings.Cut(v, "\n")
	return strings.ToValidUTF8(strings.TrimSpace(v[:min(len(v), maxWord)]), "")
}

func number(k provider.RegistryKey, name string) uint64 { return k.Value(name).Number }

func has(k provider.RegistryKey, name string) bool {
	_, ok := k.Find(name)
	return ok
}

// onWindows reads the facts of a Windows.
func onWindows(host provider.RegistryHost) wire.Facts {
	h := hive{host}
	version := h.key(provider.WindowsKey)
	f := wire.Facts{
		OS: "windows", Distro: "windows", Edition: textOf(version, "EditionID"),
		Release: cmp.Or(textOf(version, "DisplayVersion"), textOf(version, "ReleaseId")),
		Kernel:  provider.WindowsVersion(version), OSName: provider.WindowsName(version), Channel: windowsChannel(h, version),
		Hostname:     cmp.Or(textOf(h.key(`HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`), "Hostname"), textOf(h.key(control+`\ComputerName\ActiveComputerName`), "ComputerName")),
		Architecture: processor(textOf(h.key(control+`\Session Manager\Environment`), "PROCESSOR_ARCHITECTURE")),
		MachineID:    hashedID(textOf(h.key(`HKLM\SOFTWARE\Microsoft\Cryptography`), "MachineGuid")),
		Zone:         windowsZone(h.key(control + `\TimeZoneInformation`)),
		Restart:      windowsRestart(h),
	}
	f.Masters = windowsMasters(h)
	for _, m := range f.Masters {
		f.Patchers = append(f.Patchers, m.Name)
	}
	if strings.HasPrefix(strings.ToLower(textOf(version, "InstallationType")), "server") {
		f.Distro = "windows-server"
	}
	f.Services = windowsServices(h, f.Distro == "windows-server")
	f.SupportEnds = windowsSupport(f.Distro == "windows-server", f.Edition, textOf(version, "CurrentBuildNumber"))
	if m, ok := host.(provider.MachineHost); ok {
		machine := m.Machine()
		f.BootID = machine.Boot
		if !machine.BootedAt.IsZero() {
			at := machine.BootedAt.UTC()
			f.BootedAt = &at
		}
		windowsDoubt(h, machine.Processes, &f.Restart)
	} else {
		f.Restart.Unknown = append(f.Restart.Unknown, "What still runs in an old version cannot be read of this device.")
	}
	return f
}

// processor names an architecture as Go does.
func processor(name string) string {
	switch strings.ToUpper(name) {
	case "AMD64":
		return "amd64"
	case "X86":
		return "386"
	}
	return strings.ToLower(name)
}

// hashedID is a keyed hash of the ID that a Windows was given when it was installed.
func hashedID(guid string) string {
	if len(guid) != 36 {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(strings.ToLower(guid)))
	mac.Write([]byte("patchbay device"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// windowsZone is the IANA name of the zone. Where daylight saving is switched off by hand no
// zone is like it, and none is told.
func windowsZone(k provider.RegistryKey) string {
	name := windowsZones()[textOf(k, "TimeZoneKeyName")]
	if name == "" || number(k, "DynamicDaylightTimeDisabled") != 0 && name != "Etc/UTC" {
		return ""
	}
	return name
}

// agents are services of other tools that install updates.
func agents() map[string]string {
	return map[string]string{
		"Action1Agent": "Action1", "AteraAgent": "Atera", "amagent": "Automox", "CagService": "Datto RMM", "CcmExec": "Configuration Manager",
		"chocolatey-agent": "Chocolatey", "LTService": "ConnectWise Automate", "ManageEngine UEMS - Agent": "ManageEngine", "NinjaRMMAgent": "NinjaOne",
		"PDQConnectAgent": "PDQ Connect", "Windows Agent Service": "N-able", "BESClient": "BigFix", "salt-minion": "Salt", "puppet": "Puppet",
	}
}

// windowsMasters lists what else installs updates, sorted by name. Whether a tool that may
// install programs does so stands nowhere on the device.
func windowsMasters(h hive) []wire.Master {
	var found []wire.Master
	system := func(name string) { found = append(found, wire.Master{Name: name, System: true}) }
	both := func(name string) { found = append(found, wire.Master{Name: name, Programs: true, System: true}) }
	policy, auto := h.key(updatePolicy), h.key(updatePolicy+`\AU`)
	if server := textOf(policy, "WUServer"); server != "" && number(auto, "UseWUServer") == 1 {
		system("WSUS (" + server + ")")
	}
	if automatic(h, auto) {
		system("Windows Update (automatic)")
	}
	if defers(policy) || defers(h.key(`HKLM\SOFTWARE\Microsoft\PolicyManager\current\device\Update`)) {
		system("Windows Update for Business")
	}
	for _, name := range enrolments(h) {
		both(name)
	}
	for name, tool := range agents() {
		if s, err := h.look(services + `\` + name); err == nil && number(s, "Start") != disabled {
			both(tool)
		}
	}
	slices.SortFunc(found, func(a, b wire.Master) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(found, func(a, b wire.Master) bool { return a.Name == b.Name })
}

const disabled = 4 // of a service's Start

// automatic reports whether Windows installs its own updates by itself, as it does unless a
// policy says otherwise.
func automatic(h hive, auto provider.RegistryKey) bool {
	s, err := h.look(services + `\wuauserv`)
	if err != nil || number(s, "Start") == disabled || number(auto, "NoAutoUpdate") == 1 {
		return false
	}
	option := number(auto, "AUOptions")
	return option != 2 && option != 3 // asks before it downloads, before it installs
}

func defers(k provider.RegistryKey) bool {
	return slices.ContainsFunc([]string{"DeferQualityUpdates", "DeferQualityUpdatesPeriodInDays", "DeferFeatureUpdates", "DeferFeatureUpdatesPeriodInDays",
		"TargetReleaseVersion", "TargetReleaseVersionInfo", "BranchReadinessLevel", "ConfigureDeadlineForQualityUpdates"}, func(name string) bool { return has(k, name) })
}

// enrolments names who manages the device over MDM.
func enrolments(h hive) []string {
	const path, enrolled, most = `HKLM\SOFTWARE\Microsoft\Enrollments`, 1, 100
	var found []string
	for i, name := range h.key(path).Keys {
		k := h.key(path + `\` + name)
		by := textOf(k, "ProviderID")
		switch {
		case i >= most || by == "" || number(k, "EnrollmentState") != enrolled:
		case by == "MS DM Server":
			found = append(found, "Intune")
		default:
			found = append(found, "MDM ("+by+")")
		}
	}
	return found
}

// windowsBoard is the ID that a board's maker gave it, as Windows keeps it of the machine it
// last ran on.
func windowsBoard(host provider.RegistryHost) string {
	return textOf(hive{host}.key(`HKLM\SYSTEM\HardwareConfig`), "LastConfig")
}
