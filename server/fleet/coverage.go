package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/server/assess"
	"patchbay/server/catalog/feeds"
	"patchbay/server/knowledge"
	"patchbay/server/view"
	"patchbay/wire"
)

// Looked answers what is looked at, and what is not.
type Looked struct {
	Index *Index
	// Speakers are the feeds that hold and whose advisories are for a release.
	Speakers func(release string) []string
	// Feeds are all feeds there are, also those that do not hold.
	Feeds func() []feeds.Status
}

// seen is what of one provider, on all devices of one system, is looked at.
type seen struct {
	view.Coverage
	why  []string // of devices that could not be read
	name string   // of the release whose advisories could be for it, whoever speaks of it
}

// look takes in one device's view of one provider.
func (s *seen) look(v part, silent bool) {
	s.Devices++
	s.Silent += one(silent)
	if v.unread {
		s.Unread++
		earliest(&s.Since, v.since)
		if v.why != "" && len(s.why) < mostItems && !slices.Contains(s.why, v.why) {
			s.why = append(s.why, v.why)
		}
	}
	s.Items += v.items
	s.Compared += v.compared
	s.Foreign += v.foreign
	s.Unmapped += v.items - v.compared - v.foreign
	s.Release, s.name = cmp.Or(s.Release, v.release), cmp.Or(s.name, v.name)
}

// part is one device's view of one provider.
type part struct {
	provider          string
	release, name     string // that it was compared with, and that it could be
	items             int
	compared, foreign int // of these: held against advisories, and of other publishers
	unread            bool
	since             *time.Time
	why               string
}

// partsOf are a device's views: of each provider that it has, and one of nothing where it has
// none. What is installed and could not be read counts as it was when it last could.
func partsOf(e *Entry) []part {
	foreign, stocks := foreignOf(e), map[string]Stock{}
	for _, s := range e.Stocks {
		stocks[s.Provider] = s
	}
	var parts []part
	for _, p := range providersOf(e) {
		v := part{provider: p, release: stocks[p].Release, name: knowledge.ReleaseOf(e.Device.Facts, p), foreign: foreign[p], unread: true, since: at(&e.Agent.EnrolledAt), why: "it was never read"}
		if i := slices.IndexFunc(e.Sections, func(s view.Section) bool { return s.Name == p+"/"+wire.InstalledSection }); i >= 0 {
			s := e.Sections[i]
			if s.State == wire.SectionAbsent {
				continue
			}
			v.items, v.unread, v.since, v.why = s.Items, s.State != wire.SectionOK, s.FailedAt, s.Error
		}
		v.foreign = min(v.foreign, v.items)
		v.compared = max(0, min(stocks[p].Items, v.items-v.foreign))
		parts = append(parts, v)
	}
	if len(parts) == 0 {
		parts = append(parts, part{unread: true, since: at(&e.Agent.EnrolledAt), why: "no package manager is known there"})
	}
	return parts
}

// providersOf are those that a device names, and those of which it says that they cannot be
// opened.
func providersOf(e *Entry) []string {
	var names []string
	for _, p := range e.Device.Facts.Providers {
		names = append(names, p.Name)
	}
	for _, s := range e.Sections {
		if name, kind, _ := strings.Cut(s.Name, "/"); kind == wire.InstalledSection && s.State != wire.SectionAbsent {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// foreignOf counts a device's items of other publishers, by provider.
func foreignOf(e *Entry) map[string]int {
	count := map[string]int{}
	for _, h := range e.Found {
		if l := h.Found.List; len(l) > 0 && l[0].Status == assess.NotCompared {
			count[h.Key.Provider]++
		}
	}
	return count
}

// Coverage lists what is looked at by system and provider, what is looked at least first.
func (l Looked) Coverage(f view.Filter, now time.Time) view.Page[view.Coverage] {
	rows := map[string]*seen{}
	l.each(f, now, func(e *Entry, parts []part, silent bool) {
		for _, v := range parts {
			system := systemName(e)
			id := system + "/" + v.provider
			if rows[id] == nil {
				rows[id] = &seen{Coverage: view.Coverage{ID: id, System: system, Provider: v.provider}}
			}
			rows[id].look(v, silent)
		}
	})
	status := map[string]feeds.Status{}
	var all []feeds.Status
	if l.Feeds != nil {
		all = l.Feeds()
	}
	for _, s := range all {
		status[s.Name] = s
	}
	var list []view.Coverage
	for _, s := range rows {
		if f.Q != "" && !contains(f.Q, s.System, s.Provider, s.Release) {
			continue
		}
		l.tell(s, status, all, now)
		if f.State == "" || (f.State == "whole") == (len(s.Why) == 0) {
			list = append(list, s.Coverage)
		}
	}
	return view.Paginate(list, f, true, func(c view.Coverage) string {
		return view.Number(c.Items-c.Compared+c.Unread) + view.Number(c.Devices)
	}, func(c view.Coverage) string { return c.ID })
}

// each walks through devices under the lock.
func (l Looked) each(f view.Filter, now time.Time, do func(e *Entry, parts []part, silent bool)) {
	x := l.Index
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, e := range x.within(f) {
		do(e, partsOf(e), x.isSilent(e, now))
	}
}

// systemName is what a device calls its system.
func systemName(e *Entry) string {
	f := &e.Device.Facts
	return cmp.Or(f.OSName, strings.TrimSpace(cmp.Or(f.Distro, f.OS)+" "+f.Release), "not known")
}

// tell fills in which feeds speak, and why something is not looked at.
func (l Looked) tell(s *seen, status map[string]feeds.Status, all []feeds.Status, now time.Time) {
	if s.Release != "" && l.Speakers != nil {
		for _, name := range l.Speakers(s.Release) {
			s.Feeds = append(s.Feeds, coverageFeed(status[name], name, now))
		}
	}
	for _, f := range s.Feeds {
		switch {
		case f.Standing == feeds.Old && f.FreshAt != nil:
			s.Why = append(s.Why, fmt.Sprintf("What the feed %s says is of %s: what came out since is not known.", f.Name, f.FreshAt.Format(time.DateOnly)))
		case f.Standing == feeds.Held:
			s.Why = append(s.Why, fmt.Sprintf("A newer version of the feed %s waits for a person.", f.Name))
		}
	}
	if s.Unmapped > 0 {
		s.Why = append(s.Why, unmapped(s, all, now))
	}
	if s.Foreign > 0 {
		s.Why = append(s.Why, fmt.Sprintf("%s of publishers whose advisories are not known.", counted(s.Foreign, "item is", "items are")))
	}
	if s.Unread > 0 {
		s.Why = append(s.Why, fmt.Sprintf("%s not be read%s: %s.", counted(s.Unread, "device could", "devices could"), sinceText(s.Since), strings.TrimSuffix(strings.Join(s.why, "; "), ".")))
	}
	if s.Silent > 0 {
		s.Why = append(s.Why, fmt.Sprintf("%s silent, and may have something else by now.", counted(s.Silent, "device is", "devices are")))
	}
}

// unmapped says why no feed speaks of a provider's items.
func unmapped(s *seen, all []feeds.Status, now time.Time) string {
	switch {
	case s.Compared > 0:
		return fmt.Sprintf("%s not joined to what advisories call them.", counted(s.Unmapped, "item is", "items are"))
	case s.name == "":
		return fmt.Sprintf("What %s has is not joined to what advisories call it.", s.Provider)
	}
	why := fmt.Sprintf("No feed that holds here speaks of %s.", s.name)
	for _, f := range all {
		if !slices.Contains([]string{"osv", "debian", "msrc", "csaf"}, f.Kind) || f.Current != nil {
			continue
		}
		why += " Of those that may, " + f.Name + " is not here"
		if f.Trouble != nil {
			why += fmt.Sprintf(" since %s: %s", f.Trouble.Since.UTC().Format(time.DateOnly), f.Trouble.Text)
			break
		}
		why += " yet."
		break
	}
	return why
}

func coverageFeed(f feeds.Status, name string, now time.Time) view.CoverageFeed {
	v := view.CoverageFeed{Name: name, Standing: feeds.Missing}
	if f.Name == "" {
		return v
	}
	v.Standing, v.FreshAt = f.Standing(now), at(&f.FreshAt)
	if f.Trouble != nil {
		v.Trouble, v.Since = f.Trouble.Text, at(&f.Trouble.Since)
	}
	return v
}

func sinceText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return ", the longest since " + t.UTC().Format(time.DateOnly)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// CoverageSummary counts how much of everything is looked at.
func (l Looked) CoverageSummary(f view.Filter, now time.Time) view.CoverageSummary {
	var v view.CoverageSummary
	l.each(f, now, func(_ *Entry, parts []part, silent bool) {
		compared := 0
		for _, p := range parts {
			compared += p.compared
			v.Items += p.items
			v.Compared += p.compared
			v.Foreign += p.foreign
			v.Unmapped += p.items - p.compared - p.foreign
		}
		v.Devices++
		v.Looked += one(compared > 0)
		v.Blind += one(compared == 0)
		v.Silent += one(compared > 0 && silent)
	})
	return v
}
