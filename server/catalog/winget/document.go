package winget

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

const maxInstallers = 5000

// The kinds of files.
const (
	kindVersion   = "version"
	kindInstaller = "installer"
	kindDefault   = "defaultLocale"
	kindLocale    = "locale"
	kindSingleton = "singleton"
)

// document is one file, read.
type document struct {
	file, kind, schema string
	id, version        string
	channel            string
	defaultLocale      string // of a version file
	naming             Naming
	description        string
	installers         []Installer
}

var (
	idForm      = regexp.MustCompile(`^[^.\s\\/:*?"<>|\x00-\x1f]{1,64}(\.[^.\s\\/:*?"<>|\x00-\x1f]{1,64}){1,7}$`)
	versionForm = regexp.MustCompile(`^[^\\/:*?"<>|\x00-\x1f]{1,128}$`)
	schemaForm  = regexp.MustCompile(`^1\.(\d|[1-9]\d)\.\d{1,3}$`)
	urlForm     = regexp.MustCompile(`(?i)^https?://[^/\s]+/?\S*$`)
)

// readDocument reads one file. It gives nil for one that is no manifest at all.
func readDocument(file string, data []byte) (*document, *Refusal) {
	f, wrong := readFields(file, data)
	if wrong != nil {
		return nil, wrong
	}
	if !f.has("PackageIdentifier") && !f.has("ManifestType") && !f.has("ManifestVersion") {
		return nil, nil
	}
	d := &document{file: file, id: f.text("PackageIdentifier"), version: f.text("PackageVersion"), channel: f.text("Channel"), schema: f.text("ManifestVersion")}
	switch {
	case !schemaForm.MatchString(d.schema):
		f.fail(f.lineOf("ManifestVersion"), "ManifestVersion is %.40q; 1.0.0 and later ones of 1 are read", d.schema)
	case !idForm.MatchString(d.id):
		f.fail(f.lineOf("PackageIdentifier"), "PackageIdentifier %.80q is none", d.id)
	case !versionForm.MatchString(d.version):
		f.fail(f.lineOf("PackageVersion"), "PackageVersion %.80q is none", d.version)
	}
	f.one(&d.kind, "ManifestType", kindVersion, kindInstaller, kindDefault, kindLocale, kindSingleton)
	d.naming = Naming{f.text("PackageLocale"), f.text("PackageName"), f.text("Publisher")}
	d.description = f.text("ShortDescription")
	switch d.kind {
	case "":
		f.fail(f.lineOf("ManifestType"), "it does not say what kind of manifest it is")
	case kindVersion:
		d.defaultLocale = f.text("DefaultLocale")
	case kindDefault, kindSingleton:
		if d.naming.Name == "" || d.naming.Publisher == "" {
			f.fail(f.line, "it names no program or no publisher")
		}
	}
	if d.kind == kindInstaller || d.kind == kindSingleton {
		d.installers = f.installers()
	}
	return d, f.failure()
}

// installers reads the installers, each with what the root says.
func (f fields) installers() []Installer {
	root := Installer{}
	f.installer(&root)
	rest := root
	rest.ProductCode, rest.FamilyName, rest.Entries = "", "", nil
	list := f.each("Installers", maxInstallers)
	if len(list) == 0 {
		f.fail(f.lineOf("Installers"), "it has no installer")
	}
	var all []Installer
	for _, g := range list {
		i := rest
		g.installer(&i)
		inherit(&i, root)
		g.check(i)
		all = append(all, i)
	}
	return all
}

// inherit adds what of the root holds only for installers that can have it.
func inherit(i *Installer, root Installer) {
	kind := i.Type
	if kind == "zip" {
		kind = i.NestedType
	}
	app := slices.Contains([]string{"msix", "appx", "pwa"}, kind)
	if i.FamilyName == "" && app {
		i.FamilyName = root.FamilyName
	}
	if app || kind == "font" {
		return
	}
	if i.ProductCode == "" {
		i.ProductCode = root.ProductCode
	}
	if len(i.Entries) == 0 {
		i.Entries = root.Entries
	}
}

var installerTypes = []string{"exe", "msi", "wix", "burn", "inno", "nullsoft", "zip", "portable", "msix", "appx", "pwa", "font"}

// installer reads what is said of installers over what was said before.
func (f fields) installer(i *Installer) {
	f.into(&i.Locale, "InstallerLocale")
	f.into(&i.MinimumOS, "MinimumOSVersion")
	f.one(&i.Architecture, "Architecture", "x64", "x86", "arm", "arm64", "neutral")
	f.one(&i.Type, "InstallerType", installerTypes...)
	f.one(&i.NestedType, "NestedInstallerType", installerTypes...)
	f.one(&i.Scope, "Scope", "user", "machine")
	f.one(&i.Upgrade, "UpgradeBehavior", "install", "uninstallPrevious", "deny")
	f.into(&i.URL, "InstallerUrl")
	f.sum(&i.SHA256, "InstallerSha256")
	f.sum(&i.SignatureSHA256, "SignatureSha256")
	f.into(&i.ProductCode, "ProductCode")
	f.into(&i.FamilyName, "PackageFamilyName")
	f.into(&i.Elevation, "ElevationRequirement")
	f.into(&i.Repair, "RepairBehavior")
	f.texts(&i.Platforms, "Platform", 16)
	f.texts(&i.Modes, "InstallModes", 16)
	f.texts(&i.Commands, "Commands", 1024)
	f.texts(&i.UnsupportedOn, "UnsupportedOSArchitectures", 16)
	f.numbers(&i.SuccessCodes, "InstallerSuccessCodes", 64)
	f.yes(&i.AbortsTerminal, "InstallerAbortsTerminal")
	f.yes(&i.NeedsLocation, "InstallLocationRequired")
	f.yes(&i.ExplicitUpgrade, "RequireExplicitUpgrade")
	f.yes(&i.NoDownload, "DownloadCommandProhibited")
	if f.has("ReleaseDate") {
		day, _, _ := strings.Cut(f.text("ReleaseDate"), "T")
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			f.fail(f.lineOf("ReleaseDate"), "ReleaseDate is not a day such as 2024-01-31")
		}
		i.ReleaseDate = t
	}
	f.nested(i)
}

// nested reads the fields that have fields of their own.
func (f fields) nested(i *Installer) {
	if s := f.by["InstallerSwitches"]; s != nil {
		g := f.of(s)
		for key, to := range map[string]*string{"Silent": &i.Switches.Silent, "SilentWithProgress": &i.Switches.SilentWithProgress, "Interactive": &i.Switches.Interactive,
			"InstallLocation": &i.Switches.Location, "Log": &i.Switches.Log, "Upgrade": &i.Switches.Upgrade, "Custom": &i.Switches.Custom, "Repair": &i.Switches.Repair} {
			g.into(to, key)
		}
	}
	if m := f.by["InstallationMetadata"]; m != nil {
		f.of(m).into(&i.Location, "DefaultInstallLocation")
	}
	if d := f.by["Dependencies"]; d != nil {
		i.Dependencies = f.of(d).dependencies()
	}
	if f.has("NestedInstallerFiles") {
		i.NestedFiles = nil
		for _, g := range f.each("NestedInstallerFiles", 1024) {
			i.NestedFiles = append(i.NestedFiles, g.text("RelativeFilePath"))
		}
	}
	if f.has("ExpectedReturnCodes") {
		i.ReturnCodes = nil
		for _, g := range f.each("ExpectedReturnCodes", 256) {
			i.ReturnCodes = append(i.ReturnCodes, ReturnCode{g.number("InstallerReturnCode"), g.text("ReturnResponse")})
		}
	}
	if f.has("AppsAndFeaturesEntries") {
		i.Entries = nil
		for _, g := range f.each("AppsAndFeaturesEntries", 256) {
			e := AppEntry{g.text("DisplayName"), g.text("Publisher"), g.text("DisplayVersion"), g.text("ProductCode"), g.text("UpgradeCode"), ""}
			g.one(&e.Type, "InstallerType", installerTypes...)
			i.Entries = append(i.Entries, e)
		}
	}
}

func (f fields) dependencies() Dependencies {
	var d Dependencies
	f.texts(&d.Features, "WindowsFeatures", 64)
	f.texts(&d.Libraries, "WindowsLibraries", 64)
	f.texts(&d.Others, "ExternalDependencies", 64)
	for _, g := range f.each("PackageDependencies", 64) {
		p := Dependency{g.text("PackageIdentifier"), g.text("MinimumVersion")}
		if !idForm.MatchString(p.ID) {
			g.fail(g.line, "a dependency names no package")
		}
		d.Packages = append(d.Packages, p)
	}
	return d
}

// check looks at an installer that has all that is said of it.
func (f fields) check(i Installer) {
	switch {
	case i.Architecture == "":
		f.fail(f.line, "an installer does not say for which architecture it is")
	case i.Type == "":
		f.fail(f.line, "an installer does not say of which type it is")
	case i.SHA256 == "":
		f.fail(f.line, "an installer has no InstallerSha256")
	case len(i.URL) > 2048 || !urlForm.MatchString(i.URL):
		f.fail(f.lineOf("InstallerUrl"), "InstallerUrl is not an address that begins with http:// or https://")
	case i.Type == "zip" && i.NestedType == "":
		f.fail(f.line, "an archive does not say what is in it")
	case len(i.ProductCode) > 255:
		f.fail(f.lineOf("ProductCode"), "ProductCode has more than 255 bytes")
	}
}
