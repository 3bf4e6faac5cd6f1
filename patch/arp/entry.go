// Package arp reads what Windows keeps of its installed programs: the entries of the list
// from which programs are added and removed.
//
// Every installer writes its entry as it likes: the version in the name, the name in another
// language, a new key for each release. The package tidies names and publishers (Name,
// Publisher), gives each entry a code that outlives its versions (Entry.Instance), says which
// entries are programs (Entry.Program), and finds the package of a catalogue that an entry is
// of (Match). It decides from values alone and asks nobody.
package arp

import (
	"regexp"
	"strings"

	"patchbay/patch"
)

// Entry is one installed program as its uninstall key says.
type Entry struct {
	Key       string // the name of the key
	Name      string // DisplayName, as it is written
	Version   string // DisplayVersion
	Publisher string
	// UpgradeCode is what all versions of the product share, where Windows Installer or a
	// bundle wrote one down.
	UpgradeCode string
	MSI         bool   // Windows Installer installed it, and the key's name is its product code
	View        int    // 64 or 32: the registry that it stands in; 0 where there is only one
	User        string // whose it is; "" is the machine's

	Location       string // where it lies
	Icon           string // the file its icon is in
	Uninstall      string // how it is removed, as it is written; never to be run as it stands
	QuietUninstall string
	Modify         string
	Date           string // of installation, as it is written: mostly 20240131
	Size           int64  // in bytes, as estimated by its installer

	SystemComponent bool   // it is a part of another program, and hidden
	Parent          string // the key's name of the program that it updates
	ReleaseType     string // such as "Security Update"
}

// Values are the values of a key by their names. Each gives nothing for one that is not there
// or is of another kind.
type Values struct {
	Text   func(name string) string
	Number func(name string) uint64
	List   func(name string) []string
}

// maxValue is the most of any one text that is looked at, in bytes.
const maxValue = 4 << 10

// Read takes up an entry from the values of its key. What stands outside of them, such as the
// view, the user and an upgrade code kept elsewhere, is the caller's to add.
func Read(key string, v Values) Entry {
	text := func(name string) string { return cut(v.Text(name), maxValue) }
	e := Entry{
		Key: cut(key, maxValue), Name: text("DisplayName"), Version: strings.TrimSpace(text("DisplayVersion")), Publisher: text("Publisher"),
		MSI:      v.Number("WindowsInstaller") == 1 && IsCode(key),
		Location: text("InstallLocation"), Icon: text("DisplayIcon"), Uninstall: text("UninstallString"), QuietUninstall: text("QuietUninstallString"), Modify: text("ModifyPath"),
		Date: text("InstallDate"), Size: int64(min(v.Number("EstimatedSize"), 1<<40) << 10),
		SystemComponent: v.Number("SystemComponent") == 1, Parent: text("ParentKeyName"), ReleaseType: text("ReleaseType"),
	}
	if codes := v.List("BundleUpgradeCode"); len(codes) > 0 && IsCode(codes[0]) {
		e.UpgradeCode = codes[0]
	} else if code := text("BundleUpgradeCode"); IsCode(code) {
		e.UpgradeCode = code
	}
	return e
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

var (
	code      = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$`)
	bulletin  = regexp.MustCompile(`(?i)^(\{.*\}\.)?KB[0-9]{6,8}(_|$)`)
	published = regexp.MustCompile(`(?i)\bKB[0-9]{6,8}\b`)
)

// IsCode reports whether a text is a product or upgrade code: a GUID in braces.
func IsCode(s string) bool { return code.MatchString(s) }

// releases are the types of entries that change a program and are none.
var releases = []string{"Hotfix", "Security Update", "Software Update", "Update", "Update Rollup", "Critical Update", "Feature Pack", "Service Pack", "ServicePack"}

// Program reports whether the entry is a program, and why not in a sentence where it is none:
// a part of another, an update of one, or nothing that a person could name.
func (e Entry) Program() (ok bool, why string) {
	switch {
	case e.SystemComponent:
		return false, "It is a part of another program."
	case Name(e.Name) == "":
		return false, "It has no name."
	case e.Parent != "":
		return false, "It is an update of another program."
	case bulletin.MatchString(e.Key), published.MatchString(e.Name) && Fold(Publisher(e.Publisher)) == "microsoft":
		return false, "It is an update of Windows or of another program of Microsoft."
	}
	for _, r := range releases {
		if strings.EqualFold(strings.TrimSpace(e.ReleaseType), r) {
			return false, "It is an update of another program."
		}
	}
	return true, ""
}

// Instance is a code for the entry that is the same for all its versions: the upgrade code,
// else the name of its key without what is of a version. It is "" where the key is a product
// code, which is another one for each version, and there is no upgrade code.
func (e Entry) Instance() string {
	switch {
	case IsCode(e.UpgradeCode):
		return strings.ToUpper(e.UpgradeCode)
	case IsCode(e.Key) && e.MSI:
		return ""
	case IsCode(e.Key):
		return strings.ToUpper(e.Key)
	}
	key := withoutVersion(plain(e.Key))
	for range maxPasses {
		next := withoutVersion(key)
		if next == key {
			break
		}
		key = next
	}
	return cut(key, 200)
}

// Architecture is what the entry's name says, or the registry that it stands in: x64, x86,
// arm64, or "" when neither says.
func (e Entry) Architecture() string {
	if a := ArchitectureOf(e.Name); a != "" {
		return a
	}
	if a := ArchitectureOf(e.Key); a != "" && !IsCode(e.Key) {
		return a
	}
	if e.View == 32 {
		return "x86"
	}
	return ""
}

// Item is the entry as an inventory has it, of a provider.
func (e Entry) Item(provider string) patch.Item {
	return patch.Item{Provider: provider, Scope: e.User, Name: Name(e.Name), Architecture: e.Architecture(), Instance: e.Instance(), Version: e.Version}
}
