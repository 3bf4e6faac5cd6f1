// Package winget reads the manifests of winget's catalogue, which anybody may write, and makes
// packages of them that a publisher may sign for.
//
// A version of a package is one file (a singleton), or one on the version, one on its
// installers and one for each language. Read takes them from a folder, an archive or a mirror
// of the repository; each file is taken whole, or refused with its name, the line and the
// reason. What a manifest says at its root holds for each of its installers that does not say
// otherwise. Build makes a package of all versions that were read: its newest release, and the
// marks of every version, so that old ones are recognised too.
//
// A manifest is a claim. What is taken from here is only proposed: nothing of it is installed
// anywhere before a person has signed for it.
package winget

import "time"

// Provider is the provider that the packages are for.
const Provider = "winget"

// Manifest is all that is said of one version of one package.
type Manifest struct {
	ID, Version string
	Channel     string
	Locale      string   // the language that the names are in
	Names       []Naming // in its own language first, then in the others
	Description string   // one sentence, in its own language
	Installers  []Installer
	Schema      string   // version of the manifest's own form, such as 1.6.0
	Files       []string // that it was read from, sorted
}

// Naming is what a package is called in one language.
type Naming struct {
	Locale, Name, Publisher string
}

// Installer is one installer, with what it has of the manifest's root.
type Installer struct {
	Architecture    string // x64, x86, arm, arm64 or neutral
	Type            string // exe, msi, wix, burn, inno, nullsoft, zip, portable, msix, appx, pwa, font
	NestedType      string // what is in the archive
	NestedFiles     []string
	Scope           string // machine, user or ""
	Locale          string
	URL             string
	SHA256          string // lower-case hex
	SignatureSHA256 string
	Switches        Switches
	SuccessCodes    []int64
	ReturnCodes     []ReturnCode
	ProductCode     string
	FamilyName      string // of an app package
	Entries         []AppEntry
	Upgrade         string // install, uninstallPrevious, deny or ""
	Dependencies    Dependencies
	ReleaseDate     time.Time // zero when it is not said
	MinimumOS       string
	Platforms       []string
	Modes           []string
	Commands        []string
	Elevation       string
	UnsupportedOn   []string // architectures of Windows
	ExplicitUpgrade bool     // it is not to be updated together with everything else
	NoDownload      bool     // its maker does not let it be kept for later
	AbortsTerminal  bool
	NeedsLocation   bool
	Repair          string
	Location        string // where it lies by default
}

// Switches are what an installer is told, as whole command lines.
type Switches struct {
	Silent, SilentWithProgress, Interactive, Location, Log, Upgrade, Custom, Repair string
}

// ReturnCode is an exit code whose meaning is known.
type ReturnCode struct {
	Code     int64
	Response string
}

// AppEntry is what an installer writes into the list of programs, where it is not what the
// manifest says anyway.
type AppEntry struct {
	Name, Publisher, Version, ProductCode, UpgradeCode, Type string
}

// Dependencies are what must be there before.
type Dependencies struct {
	Packages                    []Dependency
	Features, Libraries, Others []string
}

// Dependency is a package that must be there before.
type Dependency struct {
	ID, Minimum string
}

// date is when the version came out, as its installers say; zero when none does.
func (m Manifest) date() time.Time {
	var last time.Time
	for _, i := range m.Installers {
		if i.ReleaseDate.After(last) {
			last = i.ReleaseDate
		}
	}
	return last
}
