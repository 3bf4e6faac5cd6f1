// Package audit says what is wrong with one machine, without a server and without setting
// anything up.
//
// It reads the machine as the agent would, then puts a report together in one pure step:
// the same facts always give the same report, as text, as JSON (docs/audit.schema.json) or
// as one page that can be handed on. What could not be read is named and never counted as
// good.
package audit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// Schema names the form of the JSON report. Fields are only ever added to it.
const Schema = "patchbay-audit/1"

// Report is one audit. Its lists are never null.
type Report struct {
	Schema       string         `json:"schema"`
	TakenAt      time.Time      `json:"taken_at"`
	Build        string         `json:"build,omitempty"` // the version of the program that took it
	Device       Device         `json:"device"`
	Summary      Summary        `json:"summary"`
	Findings     []Finding      `json:"findings"` // worst first
	Updates      []Update       `json:"updates"`  // what an upgrade of everything would install, and held ones
	NotOffered   []Update       `json:"not_offered"`
	Restart      Restart        `json:"restart"`
	Lists        Lists          `json:"lists"`
	Sources      []patch.Source `json:"sources"`
	Orphans      []Package      `json:"orphans"`       // installed, and no source updates them
	SelfUpdating []Package      `json:"self_updating"` // updated by somebody other than Patchbay's providers; State is empty
	Unsupported  []Ended        `json:"unsupported"`   // their makers mend them no longer
	Broken       []Package      `json:"broken"`        // not completely installed
	Patchers     []string       `json:"patchers"`
	Notes        []string       `json:"notes"`
	CouldNotTell []string       `json:"could_not_tell"`

	updatesUnknown bool
}

// Device is the machine.
type Device struct {
	Hostname     string     `json:"hostname"`
	OS           string     `json:"os"`
	Distro       string     `json:"distro,omitempty"`
	Release      string     `json:"release,omitempty"`
	OSName       string     `json:"os_name,omitempty"`
	SupportEnds  string     `json:"support_ends,omitempty"` // YYYY-MM-DD
	Kernel       string     `json:"kernel,omitempty"`
	Architecture string     `json:"architecture,omitempty"`
	Container    bool       `json:"container"`
	BootID       string     `json:"boot_id,omitempty"`
	BootedAt     *time.Time `json:"booted_at,omitempty"`
	Zone         string     `json:"zone,omitempty"`
}

// Summary counts. Held updates are counted apart, not among Security and Other.
type Summary struct {
	Installed    int   `json:"installed"`
	Security     int   `json:"security"`
	Other        int   `json:"other"`
	Held         int   `json:"held"`
	HeldSecurity int   `json:"held_security"`
	NotOffered   int   `json:"not_offered"`
	Download     int64 `json:"download_bytes"` // of what is not held
}

// Update is an installed item with another version on offer.
type Update struct {
	Provider     string        `json:"provider"`
	Name         string        `json:"name"`            // without the architecture
	Title        string        `json:"title,omitempty"` // what its publisher calls it, where the name is a number
	Architecture string        `json:"architecture"`
	Installed    string        `json:"installed"`
	Available    string        `json:"available"`
	Security     bool          `json:"security"`
	Classes      []patch.Class `json:"classes"`
	Origin       string        `json:"origin"`
	Suite        string        `json:"suite"`
	Source       string        `json:"source,omitempty"` // source package, when it has another name
	Size         int64         `json:"size"`             // bytes to download; 0 is not known
	SHA256       string        `json:"sha256,omitempty"`
	Held         bool          `json:"held"`
	HeldWhy      string        `json:"held_why"`
	Block        patch.Block   `json:"block,omitempty"` // of what is not offered
	Why          string        `json:"why,omitempty"`
}

// Restart is what still runs in an old version.
type Restart struct {
	Machine  bool     `json:"machine"`
	Reasons  []string `json:"reasons"`
	Services []string `json:"services"`
	Unknown  []string `json:"unknown"`
}

// Lists says how old the package lists are.
type Lists struct {
	NewestSignedAt    *time.Time `json:"newest_signed_at,omitempty"`    // the lists are at least this fresh
	OldestRefreshedAt *time.Time `json:"oldest_refreshed_at,omitempty"` // by the agent's own record; absent when one source has none
}

// Package is an installed package.
type Package struct {
	Provider     string `json:"provider"`
	Name         string `json:"name"`
	Architecture string `json:"architecture,omitempty"`
	Version      string `json:"version"`
	State        string `json:"state,omitempty"`   // of broken ones, in the manager's word
	Updater      string `json:"updater,omitempty"` // who updates it by itself
}

// Input is what an audit rests on.
type Input struct {
	Now      time.Time
	Build    string
	Facts    wire.Facts
	FactsErr error
	Parts    []Part // one for each package manager on the machine
}

// Part is what one provider said.
type Part struct {
	Provider string
	Items    []patch.Item
	ItemsErr error
	Offer    patch.Offer
	OfferErr error  // what Offer holds is true, and not all
	Blind    string // why nobody knows of newer versions, a sentence; "" when somebody does
}

// New puts the report together.
func New(in Input) Report {
	f := in.Facts
	r := Report{
		Schema: Schema, TakenAt: in.Now.UTC().Truncate(time.Second), Build: in.Build,
		Device: Device{
			Hostname: f.Hostname, OS: f.OS, Distro: f.Distro, Release: f.Release, OSName: f.OSName, SupportEnds: f.SupportEnds,
			Kernel: f.Kernel, Architecture: f.Architecture, Container: f.Container, BootID: f.BootID, BootedAt: f.BootedAt, Zone: f.Zone,
		},
		Findings: []Finding{}, Updates: []Update{}, NotOffered: []Update{}, Sources: []patch.Source{}, Orphans: []Package{}, SelfUpdating: []Package{}, Unsupported: []Ended{}, Broken: []Package{},
		Notes: []string{}, CouldNotTell: []string{}, Patchers: list(f.Patchers),
		Restart: Restart{Machine: f.Restart.Machine, Reasons: list(f.Restart.Reasons), Services: list(f.Restart.Services), Unknown: list(f.Restart.Unknown)},
	}
	for _, p := range in.Parts {
		r.addItems(p)
		r.addOffer(p)
	}
	r.sort()
	r.sum()
	r.Lists = listsOf(r.Sources)
	r.doubt(in)
	r.findEnded(in.Parts, in.Now)
	r.find(in.Now)
	return r
}

func list(s []string) []string { return append([]string{}, s...) }

func (r *Report) addItems(p Part) {
	r.Summary.Installed += len(p.Items)
	for _, i := range p.Items {
		pkg := Package{Provider: i.Provider, Name: i.Name, Architecture: i.Architecture, Version: i.Version, Updater: i.Updater}
		switch {
		case i.Updater != "":
			r.SelfUpdating = append(r.SelfUpdating, pkg)
		case i.Orphan:
			r.Orphans = append(r.Orphans, pkg)
		}
		if i.Broken != "" {
			pkg.State = i.Broken
			r.Broken = append(r.Broken, pkg)
		}
	}
}

func (r *Report) addOffer(p Part) {
	r.Sources = append(r.Sources, p.Offer.Sources...)
	r.Notes = append(r.Notes, p.Offer.Notes...)
	for _, u := range p.Offer.Updates {
		a := Update{
			Provider: u.Provider, Name: u.Name, Title: u.Title, Architecture: u.Architecture, Installed: u.Installed, Available: u.Available,
			Security: u.Is(patch.Security), Classes: append([]patch.Class{}, u.Classes...), Origin: u.Origin, Suite: u.Suite,
			Source: u.Source, Size: u.Size, SHA256: u.SHA256,
		}
		switch u.Block {
		case patch.NotBlocked:
			r.Updates = append(r.Updates, a)
		case patch.Held:
			a.Held, a.HeldWhy = true, u.BlockWhy
			r.Updates = append(r.Updates, a)
		default:
			a.Block, a.Why = u.Block, u.BlockWhy
			r.NotOffered = append(r.NotOffered, a)
		}
	}
}

func (r *Report) sort() {
	byName := func(a, b Update) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Architecture, b.Architecture), strings.Compare(a.Provider, b.Provider))
	}
	slices.SortFunc(r.Updates, byName)
	slices.SortFunc(r.NotOffered, byName)
	slices.SortFunc(r.Sources, func(a, b patch.Source) int { return strings.Compare(a.Name, b.Name) })
}

func (r *Report) sum() {
	r.Summary.NotOffered = len(r.NotOffered)
	for _, u := range r.Updates {
		switch {
		case u.Held:
			r.Summary.Held++
			if u.Security {
				r.Summary.HeldSecurity++
			}
			continue
		case u.Security:
			r.Summary.Security++
		default:
			r.Summary.Other++
		}
		r.Summary.Download += u.Size
	}
}

// listsOf takes the newest signature: no list is older than the last refresh, and the
// index of a stable release is signed months apart.
func listsOf(sources []patch.Source) Lists {
	var l Lists
	all := len(sources) > 0
	for _, s := range sources {
		if s.SignedAt != nil && (l.NewestSignedAt == nil || s.SignedAt.After(*l.NewestSignedAt)) {
			l.NewestSignedAt = s.SignedAt
		}
		if s.RefreshedAt == nil {
			all = false
		} else if l.OldestRefreshedAt == nil || s.RefreshedAt.Before(*l.OldestRefreshedAt) {
			l.OldestRefreshedAt = s.RefreshedAt
		}
	}
	if !all {
		l.OldestRefreshedAt = nil
	}
	return l
}

// doubt collects what could not be read.
func (r *Report) doubt(in Input) {
	say := func(s string) { r.CouldNotTell = append(r.CouldNotTell, s) }
	if len(in.Parts) == 0 {
		r.updatesUnknown = true
		say("No package manager that Patchbay knows was found, so nothing is known of updates.")
	}
	for _, p := range in.Parts {
		if p.ItemsErr != nil {
			r.updatesUnknown = true
			say("What " + p.Provider + " has installed could not be read: " + p.ItemsErr.Error() + ".")
		}
		if p.OfferErr != nil {
			r.updatesUnknown = true
			say("What is missing could not be read in full from " + p.Provider + ": " + p.OfferErr.Error() + ".")
		}
		if p.Blind != "" {
			r.updatesUnknown = true
			say(p.Blind)
		}
	}
	if in.FactsErr != nil {
		say("The machine itself could not be read: " + in.FactsErr.Error() + ".")
	}
	if in.Facts.Distro != "" && in.Facts.SupportEnds == "" {
		say("How long this release is supported is not known here.")
	}
	r.CouldNotTell = append(r.CouldNotTell, r.Restart.Unknown...)
}

// The exit codes.
const (
	ExitClean    = 0
	ExitFindings = 1
	ExitUnknown  = 2
)

// ExitCode says the report in one number. Clean is only said when everything could be read.
func (r Report) ExitCode() int {
	switch {
	case r.updatesUnknown:
		return ExitUnknown
	case slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity != Info }):
		return ExitFindings
	case len(r.CouldNotTell) > 0:
		return ExitUnknown
	}
	return ExitClean
}
