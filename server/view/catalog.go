package view

import (
	"time"

	"patchbay/patch"
)

// PackageKey names a package of the catalogue.
type PackageKey struct{ Provider, ID string }

// String is the key as the API writes it.
func (k PackageKey) String() string { return k.Provider + "/" + k.ID }

// Presence is on how many devices a package is.
type Presence struct {
	Devices int `json:"devices" doc:"Those that have it, silent ones included"`
	Behind  int `json:"behind" doc:"Of these, those that need something newer of it"`
	Unknown int `json:"unknown" doc:"Of these, those of which that is not known: silent, or what is on offer could not be read"`
}

// Catalog is the document that names what may be installed, without its packages.
type Catalog struct {
	Version    int64      `json:"version" doc:"0: there is none"`
	Root       int64      `json:"root" doc:"Version of the root that is held; 0: there is none"`
	IssuedAt   *time.Time `json:"issued_at,omitempty"`
	AgesAt     *time.Time `json:"ages_at,omitempty" doc:"From then on devices no longer say that nothing newer exists"`
	Expires    *time.Time `json:"expires,omitempty" doc:"From then on agents install nothing of it"`
	Signatures int        `json:"signatures" doc:"Keys of the publisher that signed it"`
	Threshold  int        `json:"threshold" doc:"Keys of the publisher that must sign"`
	Packages   int        `json:"packages"`
	Installers int        `json:"installers" doc:"Of releases that are not recalled"`
	Unsigned   int        `json:"unsigned" doc:"Of these, those let through although their maker did not sign them"`
	Missing    int        `json:"missing" doc:"Of these, those whose file is not in the store"`
	MissingIn  int        `json:"missing_in" doc:"Packages that such a file is of"`
	Recalled   int        `json:"recalled" doc:"Releases that are not to be installed any more"`
	Enrolled   int        `json:"enrolled" doc:"Devices there are, whatever they run"`
	AsOf       time.Time  `json:"as_of"`
}

// Package is a program that may be installed.
type Package struct {
	Provider  string       `json:"provider"`
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Publisher string       `json:"publisher,omitempty"`
	Newest    string       `json:"newest,omitempty" doc:"The newest release that is not recalled; left out when there is none"`
	Before    string       `json:"before,omitempty" doc:"The one before it"`
	Released  *time.Time   `json:"released_at,omitempty" doc:"When the newest came out; left out when nothing says so"`
	Security  patch.Answer `json:"security,omitempty" enum:"yes,no" doc:"Whether the newest mends security faults; left out when that is not known"`
	Presence
	Installers int `json:"installers" doc:"Of releases that are not recalled"`
	Missing    int `json:"missing" doc:"Of these, those whose file is not in the store"`
	Unsigned   int `json:"unsigned" doc:"Of these, those that their maker did not sign"`
	Recalled   int `json:"recalled" doc:"Releases that are not to be installed any more"`
}

// PackageDetail is a package with its releases.
type PackageDetail struct {
	Package
	Releases []Release `json:"releases" doc:"The newest first"`
}

// Release is one version of a package.
type Release struct {
	Version    string       `json:"version"`
	Released   *time.Time   `json:"released_at,omitempty"`
	Security   patch.Answer `json:"security,omitempty" enum:"yes,no"`
	Recalled   string       `json:"recalled,omitempty" doc:"Why it is not to be installed any more"`
	Installers []Installer  `json:"installers"`
}

// MissingFile is an installer of the catalogue whose file is not in the store.
type MissingFile struct {
	Provider string `json:"provider"`
	Package  string `json:"package"`
	Name     string `json:"name" doc:"Of the package"`
	Version  string `json:"version"`
	Installer
}

// Installer is one file that installs a release.
type Installer struct {
	SHA256       string              `json:"sha256"`
	Size         int64               `json:"size" doc:"Bytes"`
	File         string              `json:"file,omitempty"`
	URL          string              `json:"url,omitempty" doc:"Where its maker offers it; devices never go there"`
	Kind         patch.InstallerKind `json:"kind"`
	Architecture string              `json:"architecture"`
	Scope        string              `json:"scope,omitempty" enum:"machine,user" doc:"Left out when it serves both"`
	Locale       string              `json:"locale,omitempty"`
	Signer       string              `json:"signer,omitempty" doc:"Whom the certificate names that must have signed it; left out when it was let through unsigned"`
	Certificate  string              `json:"certificate,omitempty" doc:"SHA-256 of that certificate"`
	State        string              `json:"state" enum:"here,missing" doc:"Whether its file is in the store"`
}
