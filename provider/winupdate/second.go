package winupdate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Where Windows keeps what it is, apart from the engine.
const (
	servicing   = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing`
	packagesKey = servicing + `\Packages`
	classKey    = `HKLM\SYSTEM\CurrentControlSet\Control\Class`
	defender    = `HKLM\SOFTWARE\Microsoft\Windows Defender`
	programs    = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	autoUpdate  = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update`
	policyKey   = `HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`
)

// marks reads what Windows itself shows. What costs much is read when it is first asked for,
// and once.
type marks struct {
	host    provider.RegistryHost
	build   build
	restart bool // Windows waits for one

	packages *[]provider.NamedKey
	drivers  *[]driver
	entries  *[]string
}

// readMarks reads the build and whether Windows waits for a restart, by the same keys from
// which the device's facts tell it.
func readMarks(host provider.RegistryHost) (*marks, error) {
	m := &marks{host: host}
	v, err := keyOf(host, provider.WindowsKey)
	if err != nil {
		return nil, err
	}
	m.build.major, _ = strconv.Atoi(v.Value("CurrentBuildNumber").Text)
	if m.build.major <= 0 {
		return nil, errors.New("the registry does not say which build of Windows this is")
	}
	m.build.revision = int(min(v.Value("UBR").Number, 1<<31-1))
	for _, key := range []string{servicing + `\RebootPending`, autoUpdate + `\RebootRequired`} {
		switch _, err := host.Registry(key, provider.View64); {
		case err == nil:
			m.restart = true
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("reading whether Windows waits for a restart: %w", err)
		}
	}
	return m, nil
}

func keyOf(host provider.RegistryHost, path string) (provider.RegistryKey, error) {
	k, err := host.Registry(path, provider.View64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return k, fmt.Errorf("reading the registry: %w", err)
	}
	return k, nil
}

// of reads the mark of one update. Which kind of mark it is goes by what the update itself is.
func (m *marks) of(u provider.EngineUpdate) (second, error) {
	list := classify(u)
	is := func(c patch.Class) bool { return slices.Contains(list, c) }
	numbers := kbs(u)
	named, ok := namedBuild(u.Title)
	switch {
	case is(patch.Driver):
		return m.driver(u)
	case slices.Contains(numbers, "2267602"):
		return m.version(u, "Defender's definitions are", defender+`\Signature Updates`, "AVSignatureVersion")
	case slices.Contains(numbers, "4052623"):
		return m.version(u, "Defender's platform is in", defender, "InstallLocation")
	case is(patch.Tool), slices.Contains(numbers, "890830"): // the removal tool runs once and is gone
		return second{markNever, "it leaves no mark"}, nil
	case ok && (named.major == m.build.major || is(patch.Feature)):
		return m.byBuild(named)
	}
	return m.byPackages(numbers)
}

// byBuild holds the build that a title names to the one that runs. Until the restart it is the
// old one, and the component store says what waits.
func (m *marks) byBuild(named build) (second, error) {
	if m.build.major > named.major || m.build.major == named.major && m.build.revision >= named.revision {
		if m.restart && m.build == named { // what is taken off runs until then
			if waits, err := m.monthly(named); err != nil || waits == markLeaving {
				return second{markLeaving, fmt.Sprintf("the component store takes build %s off at a restart", named)}, err
			}
		}
		return second{markThere, fmt.Sprintf("the build is %s", m.build)}, nil
	}
	waits, err := m.monthly(named)
	if err != nil || waits == markWaiting {
		return second{markWaiting, fmt.Sprintf("the component store has build %s waiting for a restart", named)}, err
	}
	return second{markAbsent, fmt.Sprintf("the build is %s and not %s", m.build, named)}, nil
}

// monthly is the mark of the package that brings a build, which more than one Windows share:
// of those that differ by a switch only the last number is equal.
func (m *marks) monthly(named build) (mark, error) {
	packages, err := m.readPackages()
	if err != nil {
		return markNone, err
	}
	found := markNone
	for _, p := range packages {
		name, version := splitPackage(p.Name)
		parts := strings.Split(version, ".")
		if !strings.EqualFold(name, "Package_for_RollupFix") || len(parts) < 2 || parts[1] != strconv.Itoa(named.revision) {
			continue
		}
		if s := packageState(p); s == markWaiting || s == markLeaving {
			found = s
		}
	}
	return found, nil
}

// splitPackage takes a package's name apart: name~key~architecture~language~version.
func splitPackage(s string) (name, version string) {
	parts := strings.Split(s, "~")
	return parts[0], parts[len(parts)-1]
}

// The states of packages in the component store.
const (
	cbsLeaving    = 0x05 // to be uninstalled
	cbsSuperseded = 0x50 // a newer one took its place, and carries what it brought
	cbsPending    = 0x60
	cbsPartial    = 0x65
	cbsInstalled  = 0x70
	cbsPermanent  = 0x80
)

// packageState reads a package's state. What is installed in part is not there.
func packageState(p provider.NamedKey) mark {
	v, ok := p.Find("CurrentState")
	switch {
	case p.Err != nil || !ok:
		return markNone
	case v.Number == cbsInstalled || v.Number == cbsPermanent || v.Number == cbsSuperseded:
		return markThere
	case v.Number == cbsPending:
		return markWaiting
	case v.Number == cbsLeaving:
		return markLeaving
	}
	return markAbsent
}

// byPackages looks for the update's number in the component store, and after that in the list
// of programs, where updates of other programs have their entries.
func (m *marks) byPackages(numbers []string) (second, error) {
	if len(numbers) == 0 {
		return second{markNone, "it has no number to look for"}, nil
	}
	packages, err := m.readPackages()
	if err != nil {
		return second{}, err
	}
	number := "KB" + numbers[0]
	if s, ok := inStore(packages, numbers); ok {
		return s, nil
	}
	entries, err := m.readEntries()
	if err != nil {
		return second{}, err
	}
	for _, e := range entries {
		if slices.ContainsFunc(numbers, func(n string) bool { return carries(e, n) }) {
			return second{markThere, fmt.Sprintf("%s is in the list of programs", number)}, nil
		}
	}
	return second{markNone, fmt.Sprintf("%s is neither in the component store nor in the list of programs", number)}, nil
}

// inStore is what the component store says of an update's numbers. The package of the update
// itself decides; where there is none its parts do, and else those that came from a file of
// that number: all of them must be there. Parts of features that are switched off are only
// staged. Of several versions of one package the newest counts.
func inStore(packages []provider.NamedKey, numbers []string) (second, bool) {
	ways := []func(p provider.NamedKey, name, number string) bool{
		func(_ provider.NamedKey, name, number string) bool {
			return strings.EqualFold(name, "Package_for_KB"+number)
		},
		func(_ provider.NamedKey, name, number string) bool { return carries(name, number) },
		func(p provider.NamedKey, name, number string) bool {
			v := p.RegistryKey
			return len(name) > 12 && strings.EqualFold(name[:12], "Package_for_") && (carries(v.Value("InstallName").Text, number) || carries(v.Value("InstallLocation").Text, number))
		},
	}
	for _, way := range ways {
		newest := map[string]provider.NamedKey{}
		for _, p := range packages {
			name, version := splitPackage(p.Name)
			if !slices.ContainsFunc(numbers, func(n string) bool { return way(p, name, n) }) {
				continue
			}
			was, ok := newest[strings.ToLower(name)]
			_, before := splitPackage(was.Name)
			if c, err := patch.CompareVersions(patch.SchemeRevision, version, before); !ok || err != nil || c > 0 {
				newest[strings.ToLower(name)] = p
			}
		}
		if len(newest) > 0 {
			return worst(slices.Collect(maps.Values(newest))), true
		}
	}
	return second{}, false
}

// worst is the mark of the package that is the least there.
func worst(packages []provider.NamedKey) second {
	var found second
	for _, p := range packages {
		s := second{packageState(p), fmt.Sprintf("the component store has %s in state 0x%02X", provider.Calm(p.Name, maxName), p.Value("CurrentState").Number)}
		if s.mark == markNone {
			s.words = fmt.Sprintf("the component store does not say in which state %s is", provider.Calm(p.Name, maxName))
		}
		if found.words == "" || rank[s.mark] > rank[found.mark] || s.mark == found.mark && s.words < found.words {
			found = s
		}
	}
	return found
}

// rank puts the marks in the order in which one of several counts: the worst first.
var rank = map[mark]int{markAbsent: 4, markNone: 3, markLeaving: 2, markWaiting: 1, markThere: 0}

// carries reports whether a text has KB and just this number in it.
func carries(text, number string) bool {
	text = strings.ToUpper(text)
	for {
		_, rest, ok := strings.Cut(text, "KB"+number)
		if !ok {
			return false
		}
		if rest == "" || rest[0] < '0' || rest[0] > '9' {
			return true
		}
		text = rest
	}
}

func (m *marks) readPackages() ([]provider.NamedKey, error) {
	if m.packages != nil {
		return *m.packages, nil
	}
	all, err := m.below(packagesKey, provider.View64)
	if err != nil {
		return nil, fmt.Errorf("reading the component store: %w", err)
	}
	m.packages = &all
	return all, nil
}

// below reads the keys right below one; one that is not there has none.
func (m *marks) below(path string, view provider.View) ([]provider.NamedKey, error) {
	all, err := provider.RegistryBelow(m.host, path, view)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// readEntries reads what the list of programs of the machine says.
func (m *marks) readEntries() ([]string, error) {
	if m.entries != nil {
		return *m.entries, nil
	}
	var list []string
	for _, view := range []provider.View{provider.View64, provider.View32} {
		all, err := m.below(programs, view)
		if err != nil {
			return nil, fmt.Errorf("reading the list of programs: %w", err)
		}
		for _, k := range all {
			list = append(list, k.Name+" "+k.Value("DisplayName").Text)
		}
	}
	m.entries = &list
	return list, nil
}

// fourNumbers is a version as drivers and Defender have it.
var fourNumbers = regexp.MustCompile(`\b[0-9]{1,5}(?:\.[0-9]{1,5}){2,3}\b`)

// lastVersion is the last version in a text; "" where there is none.
func lastVersion(text string) string {
	all := fourNumbers.FindAllString(text, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// version holds the version in an update's title to one in the registry.
func (m *marks) version(u provider.EngineUpdate, what, key, value string) (second, error) {
	wanted := lastVersion(u.Title)
	if wanted == "" {
		return second{markNone, "its title names no version"}, nil
	}
	v, err := keyOf(m.host, key)
	if err != nil {
		return second{}, err
	}
	has := lastVersion(v.Value(value).Text)
	if has == "" {
		return second{markNone, "the registry does not say what " + what}, nil
	}
	return compared(what, has, wanted), nil
}

// compared makes a mark of the version that is here and the one that an update brings.
func compared(what, has, wanted string) second {
	c, err := patch.CompareVersions(patch.SchemeRevision, has, wanted)
	switch {
	case err != nil:
		return second{markNone, fmt.Sprintf("%s %.40s, which cannot be compared", what, has)}
	case c < 0:
		return second{markAbsent, fmt.Sprintf("%s %s and not %s", what, has, wanted)}
	}
	return second{markThere, fmt.Sprintf("%s %s", what, has)}
}

// driver is one that is in use, as its device's class key tells.
type driver struct {
	hardware, version string
	date              time.Time
}

// driver holds what an update brings to what drives that very hardware. The title's version
// counts, else the day; a driver that has neither leaves no mark.
func (m *marks) driver(u provider.EngineUpdate) (second, error) {
	var d provider.EngineDriver
	if u.Driver != nil {
		d = *u.Driver
	}
	wanted := lastVersion(u.Title)
	if wanted == "" && d.Date.IsZero() {
		return second{markNever, "it has no version"}, nil
	}
	all, err := m.readDrivers()
	if err != nil {
		return second{}, err
	}
	found := second{markNone, fmt.Sprintf("no device here is driven by what %.80q names", provider.Calm(d.HardwareID, maxName))}
	for _, has := range all {
		if d.HardwareID == "" || !strings.EqualFold(has.hardware, d.HardwareID) {
			continue
		}
		s := second{markNone, "the driver in use has no version"}
		switch {
		case wanted != "" && has.version != "":
			s = compared("the driver in use is", has.version, wanted)
		case wanted == "" && !has.date.IsZero():
			s = compared("the driver in use is of", dayOf(has.date), dayOf(d.Date))
		}
		if found.mark == markNone || rank[s.mark] > rank[found.mark] { // of two devices the older one counts
			found = s
		}
	}
	return found, nil
}

func dayOf(t time.Time) string { return t.UTC().Format("2006.01.02") }

// readDrivers reads what drives the devices. An INF writes its day as month-day-year.
func (m *marks) readDrivers() ([]driver, error) {
	if m.drivers != nil {
		return *m.drivers, nil
	}
	all, err := m.below(classKey, provider.View64)
	if err != nil {
		return nil, fmt.Errorf("reading the devices' drivers: %w", err)
	}
	list := []driver{}
	for _, class := range all {
		devices, err := m.below(classKey+`\`+class.Name, provider.View64)
		if err != nil {
			continue // some classes are closed to everybody
		}
		for _, k := range devices {
			v := k.RegistryKey
			d := driver{hardware: v.Value("MatchingDeviceId").Text, version: lastVersion(v.Value("DriverVersion").Text)}
			d.date, _ = time.Parse("1-2-2006", v.Value("DriverDate").Text) // zero: it has none
			if d.hardware != "" {
				list = append(list, d)
			}
		}
	}
	m.drivers = &list
	return list, nil
}

// windows is the item that is Windows itself, in its full build.
func (m *marks) windows() (patch.Item, error) {
	v, err := keyOf(m.host, provider.WindowsKey)
	if err != nil {
		return patch.Item{}, err
	}
	name := cmp.Or(provider.WindowsName(v), windowsName)
	return patch.Item{Provider: Name, Name: windowsName, Title: name, Origin: origin, Version: provider.WindowsVersion(v)}, nil
}
