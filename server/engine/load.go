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
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// errRetired means that a device is no longer looked after.
var errRetired = errors.New("the device is retired")

// load reads all that bears on one device.
func (e *Engine) load(ctx context.Context, customer, device string) (Facts, error) {
	f := Facts{Silent: e.Silent}
	err := e.Store.Customer(who, customer).Snapshot(ctx, func(h *store.Customer) error {
		return f.load(ctx, h, device, e.Now())
	})
	return f, err
}

func (f *Facts) load(ctx context.Context, h *store.Customer, device string, now time.Time) (err error) {
	if f.Device, err = h.Device(ctx, device); err != nil {
		return err
	}
	if f.Device.RetiredAt != nil {
		return errRetired
	}
	if f.Customer, err = h.Get(ctx); err != nil {
		return err
	}
	if f.Customer.ClosedAt != nil {
		return errRetired
	}
	if f.Site, err = h.Site(ctx, f.Device.Site); err != nil {
		return err
	}
	if f.Agent, err = h.Agent(ctx, f.Device.Agent); err != nil {
		return err
	}
	if f.Jobs, err = h.Jobs(ctx, store.JobFilter{Device: device}); err != nil {
		return err
	}
	approvals, err := h.Approvals(ctx, store.ApprovalFilter{Open: true,
		Targets: []string{device, f.Device.Site, f.Device.Customer}})
	if err != nil {
		return err
	}
	for _, a := range approvals {
		f.Answers = append(f.Answers, answerOf(a))
	}
	sections, err := h.Sections(ctx, device)
	if err != nil {
		return err
	}
	offers, err := h.Offers(ctx, now, device)
	if err != nil {
		return err
	}
	f.read(sections, offers)
	return nil
}

// mostProviders is how many of the providers that a device names are looked for.
const mostProviders = 50

// read fills the inventory in from what is held.
func (f *Facts) read(sections []store.SectionRow, offers []store.Offer) {
	f.Inventory = assess.Device{EnrolledAt: f.Device.EnrolledAt, Facts: f.Device.Facts}
	providers := map[string]*assess.Provider{}
	named := f.Device.Facts.Providers
	for _, p := range named[:min(len(named), mostProviders)] {
		providers[p.Name] = &assess.Provider{Name: p.Name, Versions: p.Traits.Versions}
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
