package sim

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// Software is what one provider of a device has installed and on offer, both sorted by key.
type Software struct {
	Source  source
	Items   []patch.Item
	Updates []patch.Update
}

// Software is the software of a device before anything was done to it.
func (f *Fleet) Software(d Device) []Software {
	system := f.catalog.Systems[d.System]
	var all []Software
	for i, s := range system.Providers {
		chance := roll(f.Seed, "software "+s.Name, d.Inventory*8+i)
		all = append(all, f.software(s, system, &chance))
	}
	return all
}

func (f *Fleet) software(s source, system system, d *dice) Software {
	few, many, offers := s.Few, s.Many, s.Offers
	if f.Items > 0 {
		few, many, offers = min(few, f.Items), min(many, f.Items), min(offers, max(1, f.Items/8))
	}
	sw := Software{Source: s}
	count := d.between(few, many)
	chosen := d.order(len(s.Items))[:count]
	slices.Sort(chosen)
	for _, n := range chosen {
		item := patch.Item{Provider: s.Name, Name: s.Items[n], Architecture: system.Architecture, Origin: s.Origin, Auto: d.below(3) == 0}
		item.Version = s.version(d.between(1, 24), d.below(20), d.below(40), d.between(1, 9))
		sw.Items = append(sw.Items, item)
	}
	slices.SortFunc(sw.Items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	place := d.order(count)[:min(d.between(1, offers), count)]
	slices.Sort(place)
	for _, n := range place {
		sw.Updates = append(sw.Updates, s.update(sw.Items[n], d))
	}
	return sw
}

func (s source) version(major, minor, patch, revision int) string {
	v := fmt.Sprintf("%d.%d.%d", major, minor, patch)
	if s.Suffix != "" {
		v += fmt.Sprintf("%s%d", s.Suffix, revision)
	}
	return v
}

// released is when the oldest update of a fleet came out. Updates do not age with the
// machine a fleet is grown on.
var released = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s source) update(item patch.Item, d *dice) patch.Update {
	at := released.AddDate(0, 0, d.below(300))
	u := patch.Update{Provider: item.Provider, Name: item.Name, Architecture: item.Architecture, Installed: item.Version,
		Available: newer(item.Version, d.between(1, 5)), Origin: s.Origin, Size: int64(d.between(40_000, 90_000_000)),
		Reboot: patch.No, Classes: []patch.Class{patch.BugFix}, ReleasedAt: &at, ReleasedBy: "index"}
	if slices.Contains(s.Reboots, item.Name) {
		u.Reboot = patch.Yes
	}
	if d.below(3) > 0 {
		u.Classes = []patch.Class{patch.Security}
		u.Severity = []patch.Severity{patch.SeverityLow, patch.SeverityMedium, patch.SeverityHigh, patch.SeverityCritical}[d.below(4)]
	}
	return u
}

// newer raises the third number of a version.
func newer(version string, by int) string {
	var major, minor, third int
	fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &third) // a version that this package made
	head := fmt.Sprintf("%d.%d.%d", major, minor, third)
	return fmt.Sprintf("%d.%d.%d", major, minor, third+by) + strings.TrimPrefix(version, head)
}

// Reading is what a device would find if it looked at itself now.
type Reading struct {
	Changed     map[string]string // versions that differ from those the device began with, by key
	Pending     []string          // items that wait for a reboot
	BootID      string
	BootedAt    time.Time
	ScannedAt   time.Time // all times are by the device's own clock
	RefreshedAt time.Time
}

// Sections are the inventory of a device, sorted by name, as the real agent tells it.
func (f *Fleet) Sections(d Device, number int, r Reading) ([]wire.Section, error) {
	var all []wire.Section
	add := func(name string, body any) error {
		text, err := wire.Canonical(body)
		if err != nil {
			return fmt.Errorf("encoding section %s: %w", name, err)
		}
		all = append(all, wire.Section{Name: name, Hash: wire.Hash(text), State: wire.SectionOK, ScannedAt: r.ScannedAt, Body: text})
		return nil
	}
	for _, sw := range f.Software(d) {
		sw.apply(r.Changed)
		at := r.RefreshedAt
		own := patch.Source{Provider: sw.Source.Name, Name: sw.Source.Source, Origin: sw.Source.Origin, ThirdParty: sw.Source.ThirdParty, RefreshedAt: &at}
		err := cmp.Or(add(sw.Source.Name+"/"+wire.InstalledSection, sw.Items), add(sw.Source.Name+"/"+wire.OfferedSection, sw.Updates),
			add(sw.Source.Name+"/"+wire.SourcesSection, []patch.Source{own}))
		if err != nil {
			return nil, err
		}
	}
	if err := add(wire.HostSection, f.Facts(d, number, r)); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b wire.Section) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// apply makes the list show what was installed since. An update that is installed is no
// longer on offer.
func (sw *Software) apply(changed map[string]string) {
	for i := range sw.Items {
		if v, ok := changed[sw.Items[i].Key().String()]; ok {
			sw.Items[i].Version = v
		}
	}
	sw.Updates = slices.DeleteFunc(sw.Updates, func(u patch.Update) bool { return changed[u.Key().String()] == u.Available })
	if sw.Updates == nil {
		sw.Updates = []patch.Update{}
	}
}

// Facts are what a device says of itself.
func (f *Fleet) Facts(d Device, number int, r Reading) wire.Facts {
	system := f.catalog.Systems[d.System]
	rel := system.Releases[d.Release]
	chance := roll(f.Seed, "machine", number)
	facts := wire.Facts{Hostname: d.Hostname, OS: system.OS, Distro: rel.Distro, Release: rel.Release, OSName: rel.Name, Kernel: rel.Kernel,
		Architecture: system.Architecture, MachineID: chance.hex(16), BootID: r.BootID, Zone: f.Sites[d.Site].Zone,
		Restart: wire.Restart{Machine: len(r.Pending) > 0, Reasons: r.Pending, Services: []string{}}}
	if !r.BootedAt.IsZero() {
		facts.BootedAt = &r.BootedAt
	}
	for _, s := range system.Providers {
		facts.Providers = append(facts.Providers, wire.ProviderFacts{Name: s.Name, Traits: s.Traits})
	}
	return facts
}

// hex is n random bytes in hexadecimal.
func (d *dice) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.next())
	}
	return hex.EncodeToString(b)
}
