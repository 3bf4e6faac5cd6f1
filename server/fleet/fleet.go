// Package fleet is the index of what is derived: devices with their counts, needs with
// their verdicts, updates over all customers.
//
// The one idea: an entry per device, made by the engine each time it steps the device and
// replaced whole. Lists filter, sort and page over entries in memory and build what a page
// shows for the rows of that page alone. Nothing here is the only copy of anything; the
// index is filled again when the server starts.
package fleet

import (
	"maps"
	"slices"
	"sync"
	"time"
	"unique"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/purpose"
	"patchbay/server/catalog/support"
	"patchbay/server/policy"
	"patchbay/server/roles"
	"patchbay/server/rollout"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/window"
)

// Entry is all the index knows of one device. It is not changed after Put.
type Entry struct {
	Device   store.Device
	Agent    store.Agent
	Site     store.Site
	Customer view.Ref
	Windows  window.Set
	Needs    []Need
	Sections []view.Section
	Sources  []patch.Source
	Programs []Program // of the signed catalogue
	Found    []Held    // the items that advisories affect, sorted by key
	Stocks   []Stock   // what is installed, by provider, where advisories speak of it
	Standing roles.Standing
	Groups   []view.Ref // by rank
	Lives    Lives      // what of it has an end of support
	Software Software   // what of it stands out

	needs   view.Posture // counts of Needs alone; set by Put
	notBack bool         // its machine was told to restart and did not come back; set by Put
	folded  string       // its name, as names are ordered; set by Put
}

// Need is a need with what was decided and its verdict at the time of the step.
type Need struct {
	assess.Need
	Decision policy.Decision
	Work     verdict.Work
	Verdict  verdict.Verdict

	id, update string          // of the need and of the update it waits for; set by Put
	first      *assess.Finding // of those that it waits to have mended, the one that goes first in the queue; nil is none; set by Put
}

// Index is the index. It is safe for many callers at once.
type Index struct {
	silent time.Duration

	mu       sync.RWMutex
	entries  map[string]*Entry
	seen     map[string]time.Time // when a device was last heard of, newer than its entry
	exposure *exposure
	living   sets[unique.Handle[support.Named]]
	loose    sets[unique.Handle[Loose]]
	purposes sets[unique.Handle[purpose.Program]]
}

// New makes an empty index. A device that says nothing for silent counts as silent.
func New(silent time.Duration) *Index {
	return &Index{silent: silent, entries: map[string]*Entry{}, seen: map[string]time.Time{}, exposure: newExposure(), living: sets[unique.Handle[support.Named]]{},
		loose: sets[unique.Handle[Loose]]{}, purposes: sets[unique.Handle[purpose.Program]]{}}
}

// Put replaces a device's entry.
func (x *Index) Put(e *Entry) {
	e.needs, e.notBack, e.folded = view.Posture{}, false, view.Fold(e.Device.Name)
	for i := range e.Needs {
		n := &e.Needs[i]
		e.needs.Count(n.Verdict.State, n.Update.Is(patch.Security), 1)
		e.notBack = e.notBack || verdict.IsNotBack(n.Verdict)
		n.id = view.NeedID(e.Device.ID, n.Key)
		if n.Update.Available != "" { // otherwise nothing is on offer that could be one
			n.update = view.UpdateID(n.Key.Provider, n.Key.Name, n.Update.Available, n.Update.Origin)
		}
	}
	e.queue()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.reset(e.Device.ID, x.entries[e.Device.ID], e)
	x.exposure.replace(e.Device.ID, x.entries[e.Device.ID], e)
	x.entries[e.Device.ID] = e
}

// reset puts what a device has in the place of what it had; nil is nothing.
func (x *Index) reset(device string, old, new *Entry) {
	n := x.exposure.number(device)
	x.living.replace(n, old.lives(), new.lives())
	x.loose.replace(n, old.loose(), new.loose())
	x.purposes.replace(n, old.purposes(), new.purposes())
}

// Remove forgets a device.
func (x *Index) Remove(device string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.entries[device]; e != nil {
		x.reset(device, e, nil)
		x.exposure.replace(device, e, nil)
	}
	delete(x.entries, device)
	delete(x.seen, device)
}

// Heard notes that a device was heard of, without a step, and gives when it was heard of
// before. Of a device that has no entry nothing is noted, and the time is zero.
func (x *Index) Heard(device string, at time.Time) (before time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.entries[device]
	if !ok {
		return time.Time{}
	}
	before = x.lastSeen(e)
	if at.After(before) {
		x.seen[device] = at
	}
	return before
}

// Entry gives a device's entry.
func (x *Index) Entry(device string) (*Entry, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e, ok := x.entries[device]
	return e, ok
}

// Len is how many devices the index holds.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.entries)
}

// lastSeen is when the device was last heard of; the caller holds the lock.
func (x *Index) lastSeen(e *Entry) time.Time {
	if at := x.seen[e.Device.ID]; at.After(e.Agent.LastSeen) {
		return at
	}
	return e.Agent.LastSeen
}

// isSilent reports whether the device counts as silent; the caller holds the lock.
func (x *Index) isSilent(e *Entry, now time.Time) bool {
	return now.Sub(x.lastSeen(e)) > x.silent
}

// within gives the entries a filter's customer, site and device leave; the caller holds
// the lock.
func (x *Index) within(f view.Filter) []*Entry {
	if f.Device != "" {
		if e, ok := x.entries[f.Device]; ok && (f.Customer == "" || e.Device.Customer == f.Customer) {
			return []*Entry{e}
		}
		return nil
	}
	entries := make([]*Entry, 0, len(x.entries))
	for _, e := range x.entries {
		if (f.Customer == "" || e.Device.Customer == f.Customer) && (f.Site == "" || e.Device.Site == f.Site) {
			entries = append(entries, e)
		}
	}
	return entries
}

// posture counts one device's needs; the caller holds the lock.
func (x *Index) posture(e *Entry, now time.Time) view.Posture {
	p := e.needs
	p.Devices, p.Enrolled = 1, 1
	if x.isSilent(e, now) {
		p.Silent = 1
	}
	if neverRead(e) {
		p.NeverScanned = 1
	}
	return p
}

// Postures counts per customer, site or device, by ID.
func (x *Index) Postures(now time.Time, level store.Level) map[string]view.Posture {
	x.mu.RLock()
	defer x.mu.RUnlock()
	postures := map[string]view.Posture{}
	for id, e := range x.entries {
		switch level {
		case store.LevelCustomer:
			id = e.Device.Customer
		case store.LevelSite:
			id = e.Device.Site
		}
		postures[id] = postures[id].Plus(x.posture(e, now))
	}
	return postures
}

// Masters counts the other programs that may install updates on the devices of a site, sorted
// by name.
func (x *Index) Masters(site string) []view.Master {
	x.mu.RLock()
	defer x.mu.RUnlock()
	on := map[string]int{}
	for _, e := range x.within(view.Filter{Site: site}) {
		for _, m := range e.Device.Facts.Masters {
			on[m.Name]++
		}
	}
	var masters []view.Master
	for _, name := range slices.Sorted(maps.Keys(on)) {
		masters = append(masters, view.Master{Name: name, Devices: on[name]})
	}
	return masters
}

// Holding counts the agents that said they hold a root and limits of these versions, or newer
// ones; of version 0 there are none to hold.
func (x *Index) Holding(root, limits int64) view.Holding {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var h view.Holding
	seen := make(map[string]bool, len(x.entries))
	for _, e := range x.entries {
		if seen[e.Agent.ID] {
			continue
		}
		seen[e.Agent.ID] = true
		h.Agents++
		switch held := e.Agent.Held; {
		case held == nil:
			h.Unknown++
		default:
			h.Root += one(root > 0 && held.Root >= root)
			h.Limits += one(limits > 0 && held.Limits >= limits)
		}
	}
	return h
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Ages counts open security needs by age.
func (x *Index) Ages(now time.Time, customer string) []view.AgeCount {
	x.mu.RLock()
	defer x.mu.RUnlock()
	counts := map[string]int{}
	for _, e := range x.within(view.Filter{Customer: customer}) {
		for i := range e.Needs {
			n := &e.Needs[i]
			if !n.Update.Is(patch.Security) || n.Verdict.State == verdict.Good || !verdict.Counted(n.Verdict.Name) {
				continue
			}
			since := n.Since
			for _, at := range []*time.Time{n.Update.ReleasedAt, n.Update.FirstAt} {
				if at != nil && at.Before(since) {
					since = *at
				}
			}
			counts[view.AgeBucket(now.Sub(since))]++
		}
	}
	var ages []view.AgeCount
	for _, b := range []string{view.Under3Days, view.Days3To14, view.Days14To30, view.Over30Days} {
		ages = append(ages, view.AgeCount{Bucket: b, Count: counts[b]})
	}
	return ages
}

// target is the change a need asks for, empty when it asks for none.
func (n *Need) target() string {
	if n.Blind != nil {
		return ""
	}
	return rollout.Target(n.Need).To
}
