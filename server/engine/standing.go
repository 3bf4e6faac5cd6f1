package engine

import (
	"context"

	"patchbay/patch"
	"patchbay/server/roles"
	"patchbay/server/store"
	"patchbay/server/view"
)

// readStanding reads what people said of devices, and their groups.
func (all *rows) readStanding(ctx context.Context, h *store.Customer, devices, targets []string) (err error) {
	if all.attributes, err = h.Attributes(ctx, targets...); err != nil {
		return err
	}
	groups, err := h.Groups(ctx)
	if err != nil || len(groups) == 0 {
		return err
	}
	all.groups = map[string]store.Group{}
	for _, g := range groups {
		all.groups[g.ID] = g
	}
	members, err := h.Memberships(ctx, devices...)
	all.members = byDevice(members, func(m store.Membership) string { return m.Device })
	return err
}

// belong deals out to a device what was said of it and of where it is.
func (f *Facts) belong(all rows) {
	for _, a := range all.attributes {
		if a.Target == f.Device.ID || a.Target == f.Device.Site || a.Target == f.Device.Customer {
			f.Said = append(f.Said, roles.Said{Level: roles.Level(a.Level), Name: a.Name, Value: a.Value, By: a.ByName, At: a.At})
		}
	}
	for _, m := range all.members[f.Device.ID] {
		f.Groups = append(f.Groups, view.Ref{ID: m.Group, Name: all.groups[m.Group].Name})
	}
}

// stand says where the device stands, by what it shows and what was said.
func (f *Facts) stand() {
	items := make([][]patch.Item, 0, len(f.Inventory.Providers))
	for _, p := range f.Inventory.Providers {
		items = append(items, p.Items)
	}
	f.Standing = roles.Of(roles.Detect(f.Device.Facts, items...), f.Said)
}
