// Package patch holds the words of Patchbay: the nouns that cross from a provider to the
// agent, over the wire, into the store and out to a page. A thing has the same name in all
// of these places, so a reader who knows this package can read the others.
//
// The package imports no other folder and does no I/O.
package patch

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Item is one installed thing as its package manager records it. Several versions of one
// name may be installed at once (kernels); Instance tells them apart.
type Item struct {
	Provider      string `json:"provider"`
	Scope         string `json:"scope,omitempty"` // "" is the machine, otherwise a user's name
	Name          string `json:"name"`            // without the architecture
	Title         string `json:"title,omitempty"` // what its publisher calls it, where Name is a number
	Architecture  string `json:"architecture,omitempty"`
	Instance      string `json:"instance,omitempty"`
	Version       string `json:"version"`
	Source        string `json:"source,omitempty"`         // source package, when it differs from Name
	SourceVersion string `json:"source_version,omitempty"` // when it differs from Version
	Origin        string `json:"origin,omitempty"`         // who publishes this very version, as its signed index says; "" means no known source has it
	Orphan        bool   `json:"orphan,omitempty"`         // no configured source offers any version of this item: nobody updates it
	Updater       string `json:"updater,omitempty"`        // who updates this by itself, without the provider, such as "Google Update"; "" when nobody is known
	Auto          bool   `json:"auto,omitempty"`           // installed only because something else needed it
	Held          bool   `json:"held,omitempty"`           // a person told the package manager to leave it alone
	Restart       bool   `json:"restart,omitempty"`        // it is in place and becomes active only when the machine restarts
	Leaving       bool   `json:"leaving,omitempty"`        // with Restart: it is there until the machine restarts, which takes it off
	Disputed      string `json:"disputed,omitempty"`       // a sentence, when two readings of it do not agree: then it counts as neither there nor absent
	Broken        string `json:"broken,omitempty"`         // the manager's own word when the item is not completely installed, such as "half-configured"
	Previous      string `json:"previous,omitempty"`       // the version before this one that the provider can bring back; "" when it cannot
}

// Class says what an update is for. An update may have several.
type Class string

// The classes. A provider gives only those its source states.
const (
	Security    Class = "security"
	BugFix      Class = "bugfix"
	Critical    Class = "critical" // mends a grave fault that is none of security; not a severity
	Feature     Class = "feature"
	Definition  Class = "definition" // what a scanner looks for
	Rollup      Class = "rollup"     // many mends in one
	ServicePack Class = "service_pack"
	Driver      Class = "driver"
	Tool        Class = "tool"
	Preview     Class = "preview" // not finished: never by itself
	Other       Class = "other"   // the source does not say
)

// Classes are all of them.
func Classes() []Class {
	return []Class{Security, BugFix, Critical, Feature, Definition, Rollup, ServicePack, Driver, Tool, Preview, Other}
}

// Severity is the one scale that vendor words and scores are mapped to.
type Severity string

// The severities. Unknown is a class of its own and is never read as low.
const (
	SeverityUnknown  Severity = "unknown"
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// Severities are all of them, the least grave first.
func Severities() []Severity {
	return []Severity{SeverityUnknown, SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}
}

// Rank orders severities, the graver the greater. What is none is before all, as "" is.
func (s Severity) Rank() int { return slices.Index(Severities(), s) }

// Graver is the graver of two, the first where neither is.
func (s Severity) Graver(o Severity) Severity {
	if o.Rank() > s.Rank() {
		return o
	}
	return s
}

// Reversibility says how an update can be taken back. It is known before the update is made.
type Reversibility string

// The classes of reversibility, the easiest first.
const (
	ByManager  Reversibility = "A" // the manager takes it back by itself, from its sources or its own history
	ByKept     Reversibility = "B" // the old version is kept before, and can be installed again
	BySnapshot Reversibility = "C" // only a snapshot or an image of the machine brings it back
	NotAtAll   Reversibility = "D" // nothing brings it back
)

// Block says why the package manager would not make an update by itself today.
type Block string

// The blocks.
const (
	NotBlocked Block = ""
	Held       Block = "held"      // a person marked the item as held
	Pinned     Block = "pinned"    // local preferences choose another version
	Phased     Block = "phased"    // the publisher has not offered it to this machine yet
	KeptBack   Block = "kept_back" // its dependencies cannot be met as things are
	Optional   Block = "optional"  // its publisher leaves it to people to choose it: never by itself
)

// Keeps reports whether the update cannot be made as things are, whatever a person says.
func (b Block) Keeps() bool { return b != NotBlocked && b != Optional }

// Answer is yes, no or not known. The zero value is not known.
type Answer string

// The answers.
const (
	Unknown Answer = ""
	Yes     Answer = "yes"
	No      Answer = "no"
)

// Update is an installed item with another version on offer.
type Update struct {
	Provider     string   `json:"provider"`
	Scope        string   `json:"scope,omitempty"`
	Name         string   `json:"name"`
	Title        string   `json:"title,omitempty"` // what its publisher calls it, where Name is a number
	Architecture string   `json:"architecture,omitempty"`
	Instance     string   `json:"instance,omitempty"`
	Installed    string   `json:"installed"`
	Available    string   `json:"available"`
	Source       string   `json:"source,omitempty"`     // source package, when it differs from Name
	Origin       string   `json:"origin,omitempty"`     // the Origin of the signed index that offers it
	Suite        string   `json:"suite,omitempty"`      // the suite or codename of that index, such as "bookworm-security"
	Classes      []Class  `json:"classes,omitempty"`    // sorted
	Severity     Severity `json:"severity,omitempty"`   // "" is SeverityUnknown
	Advisories   []string `json:"advisories,omitempty"` // what it mends, such as CVE-2026-0001, sorted
	Size         int64    `json:"size,omitempty"`       // bytes to download; 0 is not known
	SHA256       string   `json:"sha256,omitempty"`     // of the package file, lower-case hex
	Reboot       Answer   `json:"reboot,omitempty"`     // whether it asks for a reboot
	Block        Block    `json:"block,omitempty"`
	BlockWhy     string   `json:"block_why,omitempty"` // a sentence, when Block is set
	Licence      bool     `json:"licence,omitempty"`   // it is optional only for one that nobody agreed to: whoever approves it agrees

	Reversibility    Reversibility `json:"reversibility,omitempty"`     // "" is not known
	ReversibilityWhy string        `json:"reversibility_why,omitempty"` // a sentence on how, or why not

	// ReleasedAt is when the version came out, nil when nothing says so; ReleasedBy names
	// the fact it comes from: advisory, changelog, index or first-seen.
	ReleasedAt *time.Time `json:"released_at,omitempty"`
	ReleasedBy string     `json:"released_by,omitempty"`
	// FirstAt is when the first update came out that carried what this one mends here; nil when
	// that is this one, or not known. The age of a fix counts from it.
	FirstAt *time.Time `json:"first_at,omitempty"`
	// Supersedes are the Sources of updates that this one takes the place of, sorted.
	Supersedes []string `json:"supersedes,omitempty"`
}

// Nothing is the version before an item that was not there: what an undo of it goes back to.
const Nothing = "none"

// Is reports whether the update has the class.
func (u Update) Is(c Class) bool { return slices.Contains(u.Classes, c) }

// Key names the item the update is for.
func (u Update) Key() Key {
	return Key{u.Provider, u.Scope, u.Name, u.Architecture, u.Instance}
}

// Key names the item.
func (i Item) Key() Key {
	return Key{i.Provider, i.Scope, i.Name, i.Architecture, i.Instance}
}

// Key names one item on a device: what a need, a job and a verdict are about. It is
// comparable and says nothing of versions.
type Key struct {
	Provider, Scope, Name, Architecture, Instance string
}

// String gives the key in the form people read and URLs carry: provider/name:architecture,
// then #instance and @scope where there are any.
func (k Key) String() string {
	var b strings.Builder
	b.WriteString(k.Provider + "/" + k.Name)
	if k.Architecture != "" {
		b.WriteString(":" + k.Architecture)
	}
	if k.Instance != "" {
		b.WriteString("#" + k.Instance)
	}
	if k.Scope != "" {
		b.WriteString("@" + k.Scope)
	}
	return b.String()
}

// Compare orders keys by name first, as lists show them.
func (k Key) Compare(o Key) int {
	return cmp.Or(
		strings.Compare(k.Name, o.Name), strings.Compare(k.Architecture, o.Architecture),
		strings.Compare(k.Provider, o.Provider), strings.Compare(k.Instance, o.Instance),
		strings.Compare(k.Scope, o.Scope))
}

// Source is one place a provider takes updates from, and how old what it knows of it is.
type Source struct {
	Provider    string     `json:"provider"`
	Name        string     `json:"name"`             // host and suite, as the manager names it; never credentials
	Origin      string     `json:"origin,omitempty"` // as its signed index says
	Suite       string     `json:"suite,omitempty"`
	ThirdParty  bool       `json:"third_party,omitempty"`  // not of the system's own publisher
	SignedAt    *time.Time `json:"signed_at,omitempty"`    // the index's own signed date
	ValidUntil  *time.Time `json:"valid_until,omitempty"`  // the index's own expiry
	RefreshedAt *time.Time `json:"refreshed_at,omitempty"` // the agent's own record of the last refresh that succeeded for this source
	Error       string     `json:"error,omitempty"`        // why the last refresh failed, in the manager's words; "" when it did not
	Repair      *Repair    `json:"repair,omitempty"`       // of a manager that can be mended: what is wrong with it and what was done
}

// Offer is what a provider has on offer for what is installed, and what that rests on.
type Offer struct {
	Updates []Update `json:"updates"`         // sorted by key; blocked ones included
	Sources []Source `json:"sources"`         // sorted by name
	Notes   []string `json:"notes,omitempty"` // what was odd, a sentence each
}
