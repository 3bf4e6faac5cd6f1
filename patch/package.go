package patch

import "time"

// Package is a program as a catalogue knows it: how it is recognised on a device, and the
// releases of it that may be installed, byte for byte. An installation's publisher signs for
// packages; where nobody signed, there are none and nothing of them is on offer.
type Package struct {
	Provider  string    `json:"provider"`            // that recognises and installs it, such as winget
	ID        string    `json:"id"`                  // the catalogue's own name, such as "7zip.7zip"
	Name      string    `json:"name"`                // as people call it
	Publisher string    `json:"publisher,omitempty"` // who makes it
	Marks     []Mark    `json:"marks"`               // how it is recognised; any one suffices
	Releases  []Release `json:"releases,omitempty"`  // the newest first
}

// Mark is one way in which a package is recognised where it is installed. All that a mark
// says must hold. A name is never believed without its publisher.
type Mark struct {
	ProductCode string `json:"product_code,omitempty"` // the name of its key among the programs to be removed, in whatever case
	UpgradeCode string `json:"upgrade_code,omitempty"` // what all versions of one Windows Installer product share
	Name        string `json:"name,omitempty"`         // as arp.Name writes it
	Publisher   string `json:"publisher,omitempty"`    // as arp.Publisher writes it
	// Architecture and Line tell packages apart that share a name: what the entry is for, and
	// what its version begins with, such as 3.12 where 3.11 is a package of its own.
	Architecture string `json:"architecture,omitempty"`
	Line         string `json:"line,omitempty"`
}

// Release is one version of a package.
type Release struct {
	Version    string     `json:"version"`
	ReleasedAt *time.Time `json:"released_at,omitempty"` // when it came out, nil when nothing says so
	// Security says that the release mends security faults, as far as the catalogue knows.
	Security Answer `json:"security,omitempty"`
	// Recalled says why the release is not to be installed any more; "" when it may be.
	Recalled   string      `json:"recalled,omitempty"`
	Installers []Installer `json:"installers"`
}

// InstallerKind is what made an installer, and so how it wants to be spoken to.
type InstallerKind string

// The kinds of installers.
const (
	MSI      InstallerKind = "msi"      // a Windows Installer database, run by msiexec
	WiX      InstallerKind = "wix"      // the same, made by WiX
	Burn     InstallerKind = "burn"     // a WiX bundle
	Inno     InstallerKind = "inno"     // Inno Setup
	NSIS     InstallerKind = "nullsoft" // Nullsoft's
	EXE      InstallerKind = "exe"      // any other program, with switches of its own
	ZIP      InstallerKind = "zip"      // an archive with files to put in place
	Portable InstallerKind = "portable" // the program itself
)

// Installer is one file that installs a release.
type Installer struct {
	SHA256       string        `json:"sha256"`         // of the file, lower-case hex
	Size         int64         `json:"size"`           // of the file, in bytes
	URL          string        `json:"url,omitempty"`  // where its maker offers it; devices never go there
	File         string        `json:"file,omitempty"` // the name of the file, without folders
	Kind         InstallerKind `json:"kind"`
	Architecture string        `json:"architecture"`    // x64, x86, arm64 or neutral
	Scope        string        `json:"scope,omitempty"` // machine, user, or "" when it serves both
	Locale       string        `json:"locale,omitempty"`
	// Signer is whose signature the file must have beside its hash. nil is a file that nobody
	// signed, which the publisher let through.
	Signer *Signer `json:"signer,omitempty"`
	// Switches are the arguments of a silent installation, beside those that the kind always
	// takes. Each is one argument: none is split, none reaches a shell.
	Switches []string `json:"switches,omitempty"`
	// Remove are the arguments of a silent removal, where the device's own entry has none.
	Remove []string `json:"remove,omitempty"`
	// Shown is the version that the device shows once this is installed; "" is the release's.
	Shown       string `json:"shown,omitempty"`
	ProductCode string `json:"product_code,omitempty"` // of the entry that it makes
	UpgradeCode string `json:"upgrade_code,omitempty"`
	// RemoveFirst says that the version that is there must be removed before.
	RemoveFirst bool `json:"remove_first,omitempty"`
	// MinimumOS is the lowest version of Windows that it is for, such as 10.0.17763.0.
	MinimumOS string `json:"minimum_os,omitempty"`
	// Success are further exit codes after which it is done, Reboot those after which it asks
	// for a reboot. Neither is believed: the device is read again.
	Success []int64 `json:"success,omitempty"`
	Reboot  []int64 `json:"reboot,omitempty"`
	// Needs are the IDs of packages that must be there before.
	Needs []string `json:"needs,omitempty"`
	// Asks is what must be there besides and no package is, such as a feature of Windows, in
	// words. Nothing installs it; whoever knows that it is there everywhere takes it out.
	Asks []string `json:"asks,omitempty"`
	// Nested is the file inside of an archive that installs, with slashes, and NestedKind its kind.
	Nested     string        `json:"nested,omitempty"`
	NestedKind InstallerKind `json:"nested_kind,omitempty"`
}

// Signer is whose signature a file has, by the certificate it was made with.
type Signer struct {
	Name        string `json:"name"`        // whom the certificate names, for people
	Certificate string `json:"certificate"` // SHA-256 of the certificate, lower-case hex
}
