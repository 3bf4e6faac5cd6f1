package main

import (
	"context"
	"time"

	"patchbay/patch"
	"patchbay/server/roles"
	"patchbay/server/store"
)

// stand lets the person say of devices what they are for, and makes groups.
func (w *world) stand(ctx context.Context, places []place, now time.Time) error {
	said := func(p place, level store.Level, target string, values map[string]string) error {
		return w.store.Customer(w.by, p.customer).SetAttributes(ctx, now, level, target, values)
	}
	if err := said(places[0], store.LevelSite, places[0].site, map[string]string{roles.Exposure: "controlled"}); err != nil {
		return err
	}
	if err := said(places[2], store.LevelCustomer, places[2].customer, map[string]string{roles.Criticality: "high"}); err != nil {
		return err
	}
	groups := map[string][]string{} // by customer
	for _, p := range []place{places[0], places[2]} {
		for _, name := range []string{"Servers", "Reachable from outside", "Machines in the hall that stand still when they restart, and must not before the end of the shift"} {
			g := store.Group{ID: patch.NewID(patch.GroupID), Customer: p.customer, Name: name, CreatedAt: now}
			if err := w.store.Customer(w.by, p.customer).CreateGroup(ctx, now, g); err != nil {
				return err
			}
			groups[p.customer] = append(groups[p.customer], g.ID)
		}
	}
	for _, d := range w.devices {
		change, ok := map[string]store.DeviceChange{
			"web-01":        {Values: map[string]string{roles.Exposure: "open", roles.Criticality: "very_high", roles.RoleName(roles.SQL): roles.No}},
			"praxis-server": {Values: map[string]string{roles.RoleName(roles.File): roles.Yes}},
			"dc-01":         {Values: map[string]string{roles.Exposure: "small"}},
		}[d.facts.Hostname]
		if !ok {
			continue
		}
		if in := groups[d.customer]; in != nil {
			change.Join = in[:2]
		}
		if err := w.store.Customer(w.by, d.customer).ChangeDevices(ctx, now, []string{d.id}, change); err != nil {
			return err
		}
		if err := w.engine.Step(ctx, d.id); err != nil {
			return err
		}
	}
	w.engine.DueCustomer(places[0].customer)
	w.engine.DueCustomer(places[2].customer)
	return nil
}
