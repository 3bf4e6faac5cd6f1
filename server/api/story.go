package api

import (
	"context"
	"slices"
	"time"

	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// story is the whole timeline with all receipts.
func (s *Server) story(ctx context.Context, in *DevicePath) (*Out[view.Story], error) {
	d, h, err := s.found(ctx, in.Device)
	t := view.Story{AsOf: s.Now()}
	if err != nil {
		if d, h, t.RetiredAt, err = s.foundRetired(ctx, in.Device); err != nil {
			return nil, err
		}
	}
	t.Device, t.Customer, t.Site = view.Ref{ID: d.ID, Name: d.Name}, d.Customer, d.Site
	if t.Entries, err = s.entries(ctx, d, h, allRows); err != nil {
		return nil, err
	}
	outcomes, err := h.Outcomes(ctx, store.OutcomeFilter{Device: d.ID})
	if err != nil {
		return nil, err
	}
	t.Receipts, err = signedReceipts(ctx, h, outcomes)
	return out(t), err
}

// foundRetired is a device that is no longer looked after: its story stays.
func (s *Server) foundRetired(ctx context.Context, id string) (d view.Device, h *store.Customer, at *time.Time, err error) {
	rows, err := s.Store.MSP(who(ctx)).Devices(ctx, store.DeviceFilter{IDs: []string{id}})
	if err != nil {
		return d, nil, nil, err
	}
	if len(rows) == 0 || rows[0].RetiredAt == nil {
		return d, nil, nil, notFound()
	}
	names, err := s.names(ctx)
	if err != nil {
		return d, nil, nil, err
	}
	row := rows[0]
	d = view.Device{ID: row.ID, Name: row.Name, Customer: names.customer(row.Customer), Site: names.site(row.Site),
		ScannedAt: row.ScannedAt}
	d.Agent.EnrolledAt = row.EnrolledAt
	return d, s.Store.Customer(who(ctx), row.Customer), row.RetiredAt, nil
}

// updateStory is all that happened around one update, over all devices.
func (s *Server) updateStory(ctx context.Context, in *UpdatePath) (*Out[view.UpdateStory], error) {
	now := s.Now()
	u, ok := s.Fleet.Update(now, in.Update)
	if !ok {
		return nil, notFound()
	}
	teller, err := s.teller(ctx)
	if err != nil {
		return nil, err
	}
	t := view.UpdateStory{Update: u.Update, AsOf: now, Devices: []view.UpdateDevice{}, Entries: []view.TimelineEntry{}, Receipts: []wire.SignedReceipt{}}
	needs := map[string][]view.Need{} // by customer
	for _, n := range s.Fleet.Needs(now, view.Filter{Update: in.Update}).Items {
		t.Devices = append(t.Devices, view.UpdateDevice{Device: n.Device, Customer: n.Customer, Site: n.Site, Installed: n.Installed, Verdict: n.Verdict})
		needs[n.Customer.ID] = append(needs[n.Customer.ID], n)
	}
	for customer, of := range needs {
		if err := tellUpdate(ctx, teller, s.Store.Customer(who(ctx), customer), of, &t); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(t.Entries, func(a, b view.TimelineEntry) int { return b.At.Compare(a.At) })
	return out(t), nil
}

// tellUpdate adds what happened around an update at one customer; needs are those for it.
func tellUpdate(ctx context.Context, teller *teller, h *store.Customer, needs []view.Need, t *view.UpdateStory) error {
	devices, places := map[string]view.Ref{}, []string{}
	for _, n := range needs {
		devices[n.Device.ID] = n.Device
		places = append(places, n.Device.ID, n.Site.ID, n.Customer.ID)
	}
	slices.Sort(places)
	answers, err := h.Approvals(ctx, store.ApprovalFilter{Name: t.Update.Name, Targets: slices.Compact(places)})
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.Provider == t.Update.Provider && (a.Version == t.Update.Available || a.Follow) {
			t.Entries = append(t.Entries, onDevice(teller.answerEntry(a), devices, a.Target))
		}
	}
	for device := range devices {
		jobs, err := h.Jobs(ctx, store.JobFilter{Devices: []string{device}})
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if about(j.Target, t.Update) {
				if err := tellJob(ctx, teller, h, j, devices, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// about reports whether a job installs the update, or takes it back.
func about(target wire.Target, u view.Update) bool {
	return target.Provider == u.Provider && target.Name == u.Name && (target.To == u.Available || target.From == u.Available)
}

func tellJob(ctx context.Context, teller *teller, h *store.Customer, j store.Job, devices map[string]view.Ref, t *view.UpdateStory) error {
	t.Entries = append(t.Entries, onDevice(teller.jobEntry(j), devices, j.Device))
	outcomes, err := h.Outcomes(ctx, store.OutcomeFilter{Job: j.ID})
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		t.Entries = append(t.Entries, onDevice(outcomeEntry(o, j.Job), devices, j.Device))
	}
	signed, err := signedReceipts(ctx, h, outcomes)
	t.Receipts = append(t.Receipts, signed...)
	return err
}

// onDevice says which device an entry is about, where it is about one.
func onDevice(e view.TimelineEntry, devices map[string]view.Ref, id string) view.TimelineEntry {
	if d, ok := devices[id]; ok {
		e.Device = &d
	}
	return e
}
