// Package assess says what a device needs: it joins what is installed with what is, or
// lately was, on offer.
//
// The one idea: what cannot be read is a need too. A provider whose sections are missing,
// failed or too old yields a need for the provider as a whole, so that a device nobody can
// look into never passes for one with nothing to do.
package assess

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// The ages after which a reading is no longer believed.
const (
	// ScanAge is how old an inventory may be. Agents scan every quarter of an hour.
	ScanAge = 24 * time.Hour
	// ListsAge is how old what a package manager knows of its sources may be.
	ListsAge = 7 * 24 * time.Hour
	// Remember is how long a need that was met, or whose offer vanished, is still told.
	Remember = 30 * 24 * time.Hour
	// Ahead is how far ahead of now a device's record of a time may be and still be believed.
	Ahead = time.Hour
)

// Device is what is held of one device.
type Device struct {
	EnrolledAt time.Time
	Facts      wire.Facts
	Host       Section // where Facts are from
	Providers  []Provider
	Wanted     []Wish
	Findings   map[patch.Key]*Found // what advisories say of what is installed
	Recalls    *Recalls             // what is not to be installed now; nil says nothing
}

// Wish is a program that a rule wants installed on the device, whether it is there or not.
type Wish struct {
	Provider, Package string
	At                time.Time // since when
}

// Provider is one provider's view of the device.
type Provider struct {
	Name      string
	Versions  string // the scheme of its version order
	Adds      bool   // each of its updates is an item of its own, which is not there before
	ReadOnly  bool   // it shows what is there, and has nothing to offer by its nature
	Installed Section
	Offered   Section
	Items     []patch.Item // the body of Installed, any order
	Sources   []patch.Source
	Offers    []Offer // everything on offer now, and what lately was
}

// Section is the state of one inventory section.
type Section struct {
	State     wire.SectionState // "" when it never arrived
	Error     string
	ScannedAt time.Time  // when its body was read
	FailedAt  *time.Time // since when it has been failing
}

// Offer is one version on offer, from when to when.
type Offer struct {
	Update    patch.Update
	FirstSeen time.Time
	GoneAt    *time.Time // nil while it is on offer
}

// Need is one item on one device with something to do, or done lately.
type Need struct {
	Key       patch.Key
	Update    patch.Update // on offer, or last on offer
	Installed string       // by the last reading; "" when the item is not there
	Offered   bool         // on offer now
	Absent    bool         // it is not installed, and is to be: a rule wants it here, or its provider adds items
	Exposed   bool         // nothing is on offer, and an advisory affects what is installed
	Findings  []Finding    // what advisories say of what is installed, also what is not open
	Replaced  string       // the update that took the place of this one, which is no longer on offer; "" when none did
	Disputed  string       // a sentence, when two readings of the item do not agree
	Leaving   bool         // it is there until the machine restarts, which takes it off
	Since     time.Time    // when the offer was first seen here
	GoneAt    *time.Time   // when it vanished
	Previous  string       // the version before Installed that the device can bring back; "" when none
	Reached   bool         // the last reading shows the offered version or a newer one
	ScannedAt time.Time    // of the reading this rests on
	Broken    string       // the manager's word when the item is not completely installed, such as "half-configured"
	Restart   string       // why what runs may still be old; "" when nothing says so
	Running   []string     // services that still use its old files, sorted
	Unsure    string       // why it is not known whether what runs is old; "" when it is known
	Held      []Recall     // that the version on offer is not to be installed now
	Recalled  []Recall     // that the version that is installed should not have been
	Blind     *Blind       // set on the need of a provider as a whole
}

// Blind says why a provider's view cannot be believed.
type Blind struct {
	Sentence string
	Since    time.Time
	Aged     bool // it was read once, too long ago
}

// Needs says what the device needs, sorted by key. The order of the input is irrelevant.
func Needs(d Device, now time.Time) []Need {
	var needs []Need
	if b := blindDevice(d); b != nil {
		needs = append(needs, Need{Blind: b, Since: b.Since, ScannedAt: d.Host.ScannedAt})
	}
	for _, p := range d.Providers {
		if p.Installed.State == wire.SectionAbsent {
			continue
		}
		if b := blind(p, d.EnrolledAt, now); b != nil {
			needs = append(needs, Need{Key: patch.Key{Provider: p.Name}, Blind: b, Since: b.Since, ScannedAt: p.Installed.ScannedAt})
		}
		needs = append(needs, ofProvider(p, d, now)...)
	}
	slices.SortFunc(needs, func(a, b Need) int { return a.Key.Compare(b.Key) })
	return needs
}

// ofProvider makes one need per item from the offers for it.
func ofProvider(p Provider, d Device, now time.Time) []Need {
	installed := map[patch.Key]patch.Item{}
	for _, item := range p.Items {
		installed[item.Key()] = item
	}
	telling := map[patch.Key]Offer{}
	for _, o := range p.Offers {
		if o.GoneAt != nil && now.Sub(*o.GoneAt) > Remember {
			continue
		}
		o, ok := arrived(o, p, d.Wanted)
		if !ok {
			continue
		}
		k := o.Update.Key()
		if old, ok := telling[k]; !ok || tellsMore(p.Versions, o, old) {
			telling[k] = o
		}
	}
	var needs []Need
	for k, item := range installed {
		if _, told := telling[k]; !told && (item.Broken != "" || item.Disputed != "") {
			needs = append(needs, brokenNeed(item, p.Installed.ScannedAt))
		}
	}
	for k, o := range telling {
		item, there := installed[k]
		n := Need{Key: k, Update: o.Update, Installed: item.Version, Previous: item.Previous, Broken: item.Broken, Offered: o.GoneAt == nil,
			Since: o.FirstSeen, GoneAt: o.GoneAt, ScannedAt: p.Installed.ScannedAt}
		n.Absent, n.Disputed, n.Leaving = !there && absent(o.Update), item.Disputed, item.Leaving
		n.Replaced = replaced(o, p)
		n.Reached = n.Installed != "" && n.Broken == "" && n.Disputed == "" && !n.Leaving && reached(p.Versions, n.Installed, o.Update.Available)
		if n.Reached {
			n.Restart, n.Unsure = runs(n, item, d)
			n.Running = d.Facts.Restart.Using(n.Key.Name)
		}
		needs = append(needs, n)
	}
	needs = append(needs, missing(p, d.Wanted, needs)...)
	return recalled(p, d.Recalls, exposed(p, d, needs), now)
}

// runs says why what runs is not, or may not be, what a need that is reached shows as installed.
func runs(n Need, item patch.Item, d Device) (restart, unsure string) {
	r := d.Facts.Restart
	switch {
	case item.Restart, slices.Contains(r.Reasons, n.Key.Name):
		return fmt.Sprintf("the machine has to reboot for %s, which has not happened yet", n.Key.Name), ""
	case r.Machine && len(r.Reasons) == 0: // any of them may be why
		return "the machine has to reboot, does not say for what, and has not yet", ""
	case d.Host.State != wire.SectionOK && (n.GoneAt == nil || n.GoneAt.After(d.Host.ScannedAt)):
		return "", fmt.Sprintf("whether the machine has to reboot for %s could not be read since it was installed", n.Key.Name)
	case r.Doubts(n.Key.Name): // only of what was unpacked since began what nobody may look into
		return "", fmt.Sprintf("whether everything runs with it is not known: %s", r.Unknown[0])
	}
	return "", ""
}

// brokenNeed is the need of an item that is not completely installed, or of which nobody knows
// whether it is, and that has nothing on offer: to be finished in the version it has.
func brokenNeed(item patch.Item, read time.Time) Need {
	return Need{Key: item.Key(), Installed: item.Version, Broken: item.Broken, Disputed: item.Disputed, Since: read, ScannedAt: read,
		Update: patch.Update{Provider: item.Provider, Scope: item.Scope, Name: item.Name, Title: item.Title, Architecture: item.Architecture,
			Instance: item.Instance, Installed: item.Version, Available: item.Version, Origin: item.Origin}}
}

// tellsMore reports whether offer a says more about an item than b: what is on offer beats
// what was, then the newer version.
func tellsMore(scheme string, a, b Offer) bool {
	if (a.GoneAt == nil) != (b.GoneAt == nil) {
		return a.GoneAt == nil
	}
	order, err := patch.CompareVersions(scheme, a.Update.Available, b.Update.Available)
	if err != nil || order == 0 {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Update.Available, b.Update.Available)) > 0
	}
	return order > 0
}

// reached reports whether installed is wanted or newer. Versions that cannot be compared
// count as reached only when they are the same text.
func reached(scheme, installed, wanted string) bool {
	order, err := patch.CompareVersions(scheme, installed, wanted)
	if err != nil {
		return installed == wanted
	}
	return order >= 0
}

// blindDevice says why nothing, or not all, can be known of the device; nil when it can.
func blindDevice(d Device) *Blind {
	there := func(p Provider) bool { return p.Installed.State != wire.SectionAbsent && !p.ReadOnly }
	switch {
	case !slices.ContainsFunc(d.Providers, there):
		return &Blind{Sentence: "no package manager is known on this device", Since: d.EnrolledAt}
	case d.Host.State != wire.SectionOK && d.Host.State != "":
		b := &Blind{Sentence: "the device cannot tell what runs on it: " + d.Host.Error, Since: d.Host.ScannedAt}
		if d.Host.FailedAt != nil {
			b.Since = *d.Host.FailedAt
		}
		return b
	}
	return nil
}

// blind says why the provider's view cannot be believed, nil when it can.
func blind(p Provider, enrolled, now time.Time) *Blind {
	for _, s := range []struct {
		what string
		Section
	}{{"what is installed", p.Installed}, {"what is on offer", p.Offered}} {
		switch {
		case s.State == "":
			return &Blind{Sentence: fmt.Sprintf("%s has never told %s on this device", p.Name, s.what), Since: enrolled}
		case s.State == wire.SectionFailed:
			since := s.ScannedAt
			if s.FailedAt != nil {
				since = *s.FailedAt
			}
			return &Blind{Sentence: fmt.Sprintf("%s cannot tell %s: %s", p.Name, s.what, s.Error), Since: since}
		case s.State == wire.SectionAbsent: // of what is on offer: without what is installed there is no provider
			return &Blind{Sentence: fmt.Sprintf("%s no longer tells %s", p.Name, s.what), Since: s.ScannedAt}
		case now.Sub(s.ScannedAt) > ScanAge:
			return &Blind{Sentence: fmt.Sprintf("%s last told %s too long ago to be believed", p.Name, s.what), Since: s.ScannedAt, Aged: true}
		}
	}
	if p.ReadOnly || len(p.Items) == 0 && len(p.Sources) == 0 {
		return nil // nothing is offered for what is not there, nor by what only shows it
	}
	return oldLists(p, now)
}

// oldLists says which sources keep a manager from knowing what is on offer.
func oldLists(p Provider, now time.Time) *Blind {
	var newest time.Time
	own := slices.ContainsFunc(p.Sources, func(s patch.Source) bool { return !s.ThirdParty })
	for _, s := range p.Sources {
		known := known(s, now)
		if s.Error != "" {
			since := known
			if since.IsZero() {
				since = p.Offered.ScannedAt
			}
			return &Blind{Sentence: fmt.Sprintf("the source %s cannot be read: %s", s.Name, s.Error), Since: since}
		}
		// A third party's fresh list says nothing of how old the system's own are.
		if known.After(newest) && (!own || !s.ThirdParty) {
			newest = known
		}
	}
	switch {
	case len(p.Sources) == 0:
		return &Blind{Sentence: fmt.Sprintf("%s has no source that could offer anything", p.Name), Since: p.Offered.ScannedAt}
	case newest.IsZero():
		return &Blind{Sentence: fmt.Sprintf("nothing says how old what %s knows of its sources is", p.Name), Since: p.Offered.ScannedAt}
	case now.Sub(newest) > ListsAge:
		return &Blind{Sentence: fmt.Sprintf("what %s knows of its sources is more than %d days old", p.Name, int(ListsAge.Hours()/24)), Since: newest, Aged: true}
	}
	return nil
}

// known is the last moment at which what is known of a source was surely current. A moment
// that has not come yet was written by a clock that is wrong.
func known(s patch.Source, now time.Time) time.Time {
	var t time.Time
	for _, at := range []*time.Time{s.SignedAt, s.RefreshedAt} {
		if at != nil && at.After(t) && !at.After(now.Add(Ahead)) {
			t = *at
		}
	}
	return t
}

// Until is the next moment at which Needs may answer differently by the clock alone; zero
// when there is none.
func Until(d Device, now time.Time) time.Time {
	var next time.Time
	soonest := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, p := range d.Providers {
		soonest(p.Installed.ScannedAt.Add(ScanAge + time.Second))
		soonest(p.Offered.ScannedAt.Add(ScanAge + time.Second))
		for _, s := range p.Sources {
			soonest(known(s, now).Add(ListsAge + time.Second))
			for _, at := range []*time.Time{s.SignedAt, s.RefreshedAt} {
				if at != nil { // one that has not come yet is believed then
					soonest(at.Add(-Ahead))
				}
			}
		}
		for _, o := range p.Offers {
			if o.GoneAt != nil {
				soonest(o.GoneAt.Add(Remember + time.Second))
			}
		}
	}
	return next
}
