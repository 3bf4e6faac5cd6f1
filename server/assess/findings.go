package assess

import (
	"slices"
	"strings"
	"time"

	"patchbay/patch"
)

// FindingStatus is what an advisory means for an item.
type FindingStatus string

// The statuses. The first two are open: they make a need. The others are told and counted
// apart, since nothing shows that they do harm here.
const (
	Affected     FindingStatus = "affected"     // and a version that mends it is published, or may be
	NoFix        FindingStatus = "no-fix"       // and nothing that this device may have mends it
	HeadersOnly  FindingStatus = "headers-only" // of the kernel's source, and no kernel
	NotRunning   FindingStatus = "not-running"  // a kernel that is there while another runs
	Unimportant  FindingStatus = "unimportant"  // it does no harm as its publisher builds it
	Undetermined FindingStatus = "undetermined" // nobody can say
	NotCompared  FindingStatus = "not-compared" // of a publisher whose advisories are not known
)

// Open reports whether it is to be mended.
func (s FindingStatus) Open() bool { return s == Affected || s == NoFix }

// Finding is an advisory that affects an item, or that may.
type Finding struct {
	Advisory  string         // "DSA-5724-1"; "" with NotCompared
	CVEs      []string       // that it stands for
	Status    FindingStatus  //
	Fixed     string         // the version that mends it, of the source package where that counts; "" when nothing does
	Last      string         // with no Fixed: the last version that is affected, where that is known
	Severity  patch.Severity // the gravest that anybody says
	Exploited time.Time      // since when it is known to be used by attackers; zero when that is not known
	Published time.Time      // zero when nothing says
	Source    string         // the feed that says so
	Step      string         // how soon it is to be mended: defer, scheduled, out-of-cycle or immediate
	Place     uint64         // in the queue of all findings: the greater one goes first
	Why       string         // a sentence on its place, with what it rests on and the days of that
	Note      string         // a sentence
	// Unconfirmed says that it is so by a product's name in a record of others, and that the
	// publisher of the item does not say so itself.
	Unconfirmed bool
	Updates     []string // names of the updates that mend it, such as KB5044285, where these are items of their own
}

// Found is what advisories say of one item of one release: one value for all devices that have
// the item. It does not change.
type Found struct {
	Release string // as advisories name it, such as "Debian:12"
	Name    string // of the package
	Version string
	List    []Finding // what is open first, then by gravity
}

// exposed joins what advisories say to what is on offer. Items that are affected and have
// nothing on offer get a need of their own, so that they are never silently well.
func exposed(p Provider, d Device, needs []Need) []Need {
	if p.Installed.State == "" {
		return needs
	}
	at := map[patch.Key]int{}
	for i := range needs {
		at[needs[i].Key] = i
	}
	for _, item := range p.Items {
		of := d.Findings[item.Key()]
		if of == nil {
			continue
		}
		found := of.List
		open := false
		for _, f := range found { // all of them: each is told of what mends it
			mended := mendedBy(f, needs)
			open = open || f.Status.Open() && !mended
		}
		i, told := at[item.Key()]
		if !told && open {
			needs = append(needs, Need{Key: item.Key(), Installed: item.Version, Exposed: true, ScannedAt: p.Installed.ScannedAt, Since: firstPublished(found, p.Installed.ScannedAt),
				Update: patch.Update{Provider: item.Provider, Scope: item.Scope, Name: item.Name, Title: item.Title, Architecture: item.Architecture,
					Instance: item.Instance, Installed: item.Version, Source: item.Source, Origin: item.Origin, Classes: []patch.Class{patch.Security}}})
			i, told = len(needs)-1, true
		}
		if told {
			needs[i].weigh(found, item, p.Versions)
		}
	}
	for i := range needs {
		u := &needs[i].Update
		slices.Sort(u.Advisories)
		u.Advisories = slices.Compact(u.Advisories)
	}
	return needs
}

// mendedBy reports whether an update that is an item of its own mends a finding, and is on
// offer. What it mends is told of it.
func mendedBy(f Finding, needs []Need) bool {
	if len(f.Updates) == 0 || !f.Status.Open() {
		return false
	}
	found := false
	for i := range needs {
		n := &needs[i]
		name, _, _ := strings.Cut(n.Key.Name, " ")
		if !n.Offered || n.Reached || !slices.Contains(f.Updates, name) {
			continue
		}
		add(&n.Update, f)
		found = true
	}
	return found
}

// firstPublished is since when something that is open is known to the world.
func firstPublished(found []Finding, otherwise time.Time) time.Time {
	var first time.Time
	for _, f := range found {
		if f.Status.Open() && !f.Published.IsZero() && (first.IsZero() || f.Published.Before(first)) {
			first = f.Published
		}
	}
	if first.IsZero() || first.After(otherwise) {
		return otherwise
	}
	return first
}

// weigh gives a need its findings, and its update what they say of it: how grave what it mends
// is, and which CVEs these are. They only add to what the update says itself.
func (n *Need) weigh(found []Finding, item patch.Item, scheme string) {
	n.Findings = found
	u := &n.Update
	for _, f := range found {
		if !f.Status.Open() || !n.Exposed && !mends(f, *u, item, scheme) {
			continue
		}
		if n.Exposed { // nothing on offer mends anything
			u.Severity = u.Severity.Graver(f.Severity)
			continue
		}
		add(u, f)
	}
}

// add tells of an update that it mends a finding; whoever adds the last one puts them in order.
func add(u *patch.Update, f Finding) {
	u.Severity = u.Severity.Graver(f.Severity)
	if !slices.Contains(u.Classes, patch.Security) {
		u.Classes = append(slices.Clone(u.Classes), patch.Security)
		slices.Sort(u.Classes)
	}
	names := f.CVEs
	if len(names) == 0 {
		names = []string{f.Advisory}
	}
	u.Advisories = append(slices.Clip(u.Advisories), names...)
	announced(u, f)
}

// announced takes from an advisory when the version on offer came out: it announces that very
// version, and the earliest of all that is known counts. A CVE's own record announces none.
func announced(u *patch.Update, f Finding) {
	if f.Fixed != u.Available || f.Published.IsZero() || f.Advisory == "" || strings.Contains(f.Advisory, "CVE-") || u.ReleasedAt != nil && !f.Published.Before(*u.ReleasedAt) {
		return
	}
	at := f.Published
	u.ReleasedAt, u.ReleasedBy = &at, "advisory"
}

// mends reports whether the version on offer is known to mend it. Where the source package has
// versions of its own, the package's version says nothing of that.
func mends(f Finding, u patch.Update, item patch.Item, scheme string) bool {
	if item.SourceVersion != "" && item.SourceVersion != item.Version {
		return false
	}
	if f.Fixed == "" {
		c, err := patch.CompareVersions(scheme, u.Available, f.Last)
		return f.Last != "" && err == nil && c > 0
	}
	c, err := patch.CompareVersions(scheme, u.Available, f.Fixed)
	return err == nil && c >= 0
}
