package wire

import (
	"time"

	"patchbay/patch"
)

// Catalog names the programs that devices may install beside what their package managers
// verify by themselves, byte for byte: which files, by whom they are signed, and how they are
// called. The publisher signs it, so a server can only select from it. An agent that has none
// installs no such program.
type Catalog struct {
	Version  int64           `json:"version"` // counts up
	Root     int64           `json:"root"`    // the root under which it was made; readers need at least that one
	IssuedAt time.Time       `json:"issued_at"`
	Expires  time.Time       `json:"expires"`  // from then on nothing of it is installed
	Packages []patch.Package `json:"packages"` // sorted by provider and ID
}

// The bounds of a catalogue. It has to fit into a reply, together with what else there is.
const (
	MaxCatalog    = 2 << 20 // bytes of its payload
	MaxPackages   = 2000
	MaxMarks      = 500 // of one package
	MaxReleases   = 10  // of one package
	MaxInstallers = 200 // of one release
)

// CanCatalog is the capability of agents that read a catalogue. Others are not sent one.
const CanCatalog = "catalog"
