package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/fleet"
	"patchbay/server/knowledge"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// load reads all that bears on each of the devices that are looked after.
func (e *Engine) load(ctx context.Context, customer string, devices []string) (all []Facts, err error) {
	err = e.Store.Customer(who, customer).Snapshot(ctx, func(h *store.Customer) error {
		all, err = loadFacts(ctx, h, devices, e.Now())
		return err
	})
	for i := range all {
		all[i].Silent = e.Silent
		all[i].stand()
		all[i].Inventory.Recalls = e.held()
		all[i].name(e.Names)
		all[i].sort(e.Purposes)
		if e.Knowledge != nil {
			all[i].Know(e.Knowledge())
		}
	}
	return all, err
}

// Know fills in what advisories say of what is installed.
func (f *Facts) Know(s *knowledge.Snapshot) {
	if s == nil {
		return
	}
	f.Inventory.Findings = map[patch.Key]*assess.Found{}
	for _, p := range f.Inventory.Providers {
		if p.Installed.State == "" {
			continue
		}
		c := s.Compare(f.Device.Facts, p.Name, f.hashes[p.Name], p.Items, f.Standing.Priority())
		if c.Release == "" {
			continue
		}
		f.Stocks = append(f.Stocks, fleet.Stock{Provider: p.Name, Hash: f.hashes[p.Name], Release: c.Release, Names: c.Names, Items: c.Items})
		maps.Copy(f.Inventory.Findings, c.Found)
	}
}

// loadFacts reads everything of one kind at once, and then deals it out.
func loadFacts(ctx context.Context, h *store.Customer, ids []string, now time.Time) ([]Facts, error) {
	customer, err := h.Get(ctx)
	if errors.Is(err, store.ErrNotFound) || err == nil && customer.ClosedAt != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	devices, err := h.Devices(ctx, store.DeviceFilter{IDs: ids})
	if err != nil {
		return nil, err
	}
	devices = slices.DeleteFunc(devices, func(d store.Device) bool { return d.RetiredAt != nil })
	if len(devices) == 0 {
		return nil, nil
	}
	rows, err := readRows(ctx, h, devices, now)
	if err != nil {
		return nil, err
	}
	all := make([]Facts, 0, len(devices))
	for _, d := range devices {
		f := Facts{Customer: customer, Device: d, Site: rows.sites[d.Site], Agent: rows.agents[d.Agent], Jobs: rows.jobs[d.ID]}
		for _, a := range rows.approvals {
			if a.Target == d.ID || a.Target == d.Site || a.Target == d.Customer {
				f.Answers = append(f.Answers, answerOf(a))
			}
		}
		f.read(rows.sections[d.ID], rows.offers[d.ID])
		f.belong(rows)
		all = append(all, f)
	}
	return all, nil
}

// rows is what is stored of several devices of one customer, by device or by its own ID.
type rows struct {
	sites     map[string]store.Site
	agents    map[string]store.Agent
	jobs      map[string][]store.Job
	approvals []store.Approval
	sections  map[string][]store.SectionRow
	offers    map[string][]store.Offer

	attributes []store.Attribute
	groups     map[string]store.Group
	members    map[string][]store.Membership
}

func readRows(ctx context.Context, h *store.Customer, devices []store.Device, now time.Time) (all rows, err error) {
	ids, agents, targets := make([]string, 0, len(devices)), []string{}, []string{devices[0].Customer}
	for _, d := range devices {
		ids, agents, targets = append(ids, d.ID), append(agents, d.Agent), append(targets, d.ID, d.Site)
	}
	slices.Sort(targets)
	sites, err := h.Sites(ctx)
	if err != nil {
		return all, err
	}
	speaking, err := h.Agents(ctx, agents...)
	if err != nil {
		return all, err
	}
	all.sites, all.agents = map[string]store.Site{}, map[string]store.Agent{}
	for _, s := range sites {
		all.sites[s.ID] = s
	}
	for _, a := range speaking {
		all.agents[a.ID] = a
	}
	jobs, err := h.Jobs(ctx, store.JobFilter{Devices: ids})
	if err != nil {
		return all, err
	}
	if all.approvals, err = h.Approvals(ctx, store.ApprovalFilter{Open: true, Targets: slices.Compact(targets)}); err != nil {
		return all, err
	}
	sections, err := h.Sections(ctx, ids)
	if err != nil {
		return all, err
	}
	if err := all.readStanding(ctx, h, ids, slices.Compact(targets)); err != nil {
		return all, err
	}
	offers, err := h.Offers(ctx, now, ids...)
	all.jobs = byDevice(jobs, func(j store.Job) string { return j.Device })
	all.sections = byDevice(sections, func(s store.SectionRow) string { return s.Device })
	all.offers = byDevice(offers, func(o store.Offer) string { return o.Device })
	return all, err
}

// byDevice deals rows out to their devices, in the order they have.
func byDevice[T any](rows []T, device func(T) string) map[string][]T {
	by := map[string][]T{}
	for _, r := range rows {
		by[device(r)] = append(by[device(r)], r)
	}
	return by
}

// mostProviders is how many of the providers that a device names are looked for.
const mostProviders = 50

// read fills the inventory in from what is held.
func (f *Facts) read(sections []store.SectionRow, offers []store.Offer) {
	f.Inventory = assess.Device{EnrolledAt: f.Device.EnrolledAt, Facts: f.Device.Facts}
	providers := map[string]*assess.Provider{}
	named := f.Device.Facts.Providers
	for _, p := range named[:min(len(named), mostProviders)] {
		providers[p.Name] = &assess.Provider{Name: p.Name, Versions: p.Traits.Versions, ReadOnly: p.Traits.ReadOnly, Adds: p.Traits.Adds}
	}
	for _, row := range sections {
		shown := view.Section{Name: row.Name, State: row.State, Error: row.Error, ScannedAt: f.readAt(row), FailedAt: row.FailedAt}
		name, kind, ok := strings.Cut(row.Name, "/")
		if row.Name == wire.HostSection {
			f.Inventory.Host = f.stateOf(row)
		}
		lists := kind == wire.InstalledSection || kind == wire.OfferedSection
		if lists && providers[name] == nil && row.State != wire.SectionAbsent { // one that cannot be opened is not among the facts
			providers[name] = &assess.Provider{Name: name}
		}
		if ok && providers[name] != nil {
			shown.Items = f.section(providers[name], kind, row)
		}
		f.Sections = append(f.Sections, shown)
	}
	for _, o := range offers {
		if p := providers[o.Update.Provider]; p != nil {
			p.Offers = append(p.Offers, assess.Offer{Update: o.Update, FirstSeen: o.FirstSeen, GoneAt: o.GoneAt})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		f.Inventory.Providers = append(f.Inventory.Providers, *providers[name])
	}
}

// section reads one section into its provider and says how many things it lists.
func (f *Facts) section(p *assess.Provider, kind string, row store.SectionRow) int {
	state := f.stateOf(row)
	switch kind {
	case wire.InstalledSection:
		if f.hashes == nil {
			f.hashes = map[string]string{}
		}
		f.hashes[p.Name] = row.Hash
		p.Items = unpack[patch.Item](row.Body, &state)
		p.Installed = state
		return len(p.Items)
	case wire.OfferedSection:
		updates := unpack[patch.Update](row.Body, &state) // what they say is in the offers
		p.Offered = state
		return len(updates)
	case wire.SourcesSection:
		p.Sources = unpack[patch.Source](row.Body, &state) // without any nothing counts as known
		f.Sources = append(f.Sources, p.Sources...)
		return len(p.Sources)
	}
	return 0
}

func (f *Facts) stateOf(row store.SectionRow) assess.Section {
	return assess.Section{State: row.State, Error: row.Error, ScannedAt: f.readAt(row), FailedAt: row.FailedAt}
}

// readAt is when a section was last known to be as it is held: a complete scan that found
// it unchanged reads it again without sending it.
func (f *Facts) readAt(row store.SectionRow) time.Time {
	if row.State == wire.SectionOK && f.Device.ScannedAt != nil && f.Device.ScannedAt.After(row.ScannedAt) {
		return *f.Device.ScannedAt
	}
	return row.ScannedAt
}

// unpack reads the list in a body. One that cannot be read makes the section a failed one:
// a device of which not all can be read is still counted.
func unpack[T any](body json.RawMessage, state *assess.Section) []T {
	var list []T
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, &list); err != nil {
		state.State, state.Error = wire.SectionFailed, fmt.Sprintf("what is held of it cannot be read: %v", err)
		return nil
	}
	return list
}
