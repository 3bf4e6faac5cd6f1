package store

import (
	"context"
	"slices"
	"time"
)

// Group is a named set of devices of one customer. A device may be in several.
type Group struct {
	Customer  string
	ID        string
	Name      string
	Rank      int // from 1, without gaps; the first one decides where two would
	Devices   int // that are not retired; the store's to fill in
	CreatedAt time.Time
}

func scanGroup(r scanner) (g Group, err error) {
	err = r.Scan(&g.Customer, &g.ID, &g.Name, &g.Rank, &g.Devices, at(&g.CreatedAt))
	return g, err
}

const groupQuery = `SELECT customer, id, name, rank, (SELECT COUNT(*) FROM group_device m JOIN device d ON d.customer = m.customer AND d.id = m.device
	WHERE m.customer = device_group.customer AND m.device_group = device_group.id AND d.retired_at IS NULL), created_at FROM device_group`

// Groups lists groups by customer and rank.
func (h handle) Groups(ctx context.Context) ([]Group, error) {
	return reading(ctx, h, "groups", func(t *tx) ([]Group, error) {
		return list(ctx, t, scanGroup, groupQuery+` WHERE `+t.mine()+` ORDER BY customer, rank`, t.scope())
	})
}

// Membership is one device in one group.
type Membership struct{ Group, Device string }

// Memberships says in which groups devices are, those of the first rank first.
func (c *Customer) Memberships(ctx context.Context, devices ...string) ([]Membership, error) {
	return reading(ctx, c.handle, "groups", func(t *tx) ([]Membership, error) {
		q := &filter{where: []string{"m.customer = $1"}, args: []any{c.customer}}
		q.in("m.device", devices)
		return list(ctx, t, func(r scanner) (m Membership, err error) { return m, r.Scan(&m.Group, &m.Device) },
			`SELECT m.device_group, m.device FROM group_device m JOIN device_group g ON g.customer = m.customer AND g.id = m.device_group`+q.String()+` ORDER BY m.device, g.rank`, q.args...)
	})
}

// CreateGroup takes a group with its ID, and ranks it last.
func (c *Customer) CreateGroup(ctx context.Context, now time.Time, g Group) error {
	return doing("creating a group", c.change(ctx, now, func(t *tx) error {
		held, err := t.groups(ctx)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO device_group (customer, id, name, name_key, rank, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			c.customer, g.ID, g.Name, fold(g.Name), len(held)+1, millis(g.CreatedAt))
		t.note(note{act: "group.create", object: g.ID, payload: fields{"name": g.Name}})
		return c.groupError(err, g.Name)
	}))
}

// UpdateGroup changes a group's name and its rank; those between make room.
func (c *Customer) UpdateGroup(ctx context.Context, now time.Time, id, name string, rank int) error {
	return doing("changing a group", c.change(ctx, now, func(t *tx) error {
		held, err := t.groups(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(held, func(g Group) bool { return g.ID == id })
		if i < 0 {
			return missing("group", id)
		}
		old := held[i]
		rank = min(max(rank, 1), len(held))
		t.note(note{act: "group.update", object: id, payload: fields{"name": name, "rank": rank, "was": fields{"name": old.Name, "rank": old.Rank}}})
		err = t.must(ctx, "group", id, `UPDATE device_group SET name = $3, name_key = $4 WHERE customer = $1 AND id = $2`, c.customer, id, name, fold(name))
		if err != nil {
			return c.groupError(err, name)
		}
		return t.rankGroups(ctx, slices.Insert(slices.Delete(held, i, i+1), rank-1, old))
	}))
}

// DeleteGroup takes a group away. Its devices stay.
func (c *Customer) DeleteGroup(ctx context.Context, now time.Time, id string) error {
	return doing("deleting a group", c.change(ctx, now, func(t *tx) error {
		held, err := t.groups(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(held, func(g Group) bool { return g.ID == id })
		if i < 0 {
			return missing("group", id)
		}
		t.note(note{act: "group.delete", object: id, payload: fields{"name": held[i].Name, "devices": held[i].Devices}})
		for _, query := range []string{`DELETE FROM group_device WHERE customer = $1 AND device_group = $2`, `DELETE FROM device_group WHERE customer = $1 AND id = $2`} {
			if _, err := t.exec(ctx, query, c.customer, id); err != nil {
				return err
			}
		}
		return t.rankGroups(ctx, slices.Delete(held, i, i+1))
	}))
}

// groups reads the groups by rank, and locks them: ranks are given anew as a whole.
func (t *tx) groups(ctx context.Context) ([]Group, error) {
	if _, err := t.exec(ctx, `UPDATE customer SET note = note WHERE id = $1`, t.customer); err != nil {
		return nil, err
	}
	return list(ctx, t, scanGroup, groupQuery+` WHERE customer = $1 ORDER BY rank`, t.customer)
}

// rankGroups ranks groups in their order. No rank is ever given twice: all go out of the way first.
func (t *tx) rankGroups(ctx context.Context, order []Group) error {
	if _, err := t.exec(ctx, `UPDATE device_group SET rank = -rank WHERE customer = $1`, t.customer); err != nil {
		return err
	}
	for i, g := range order {
		if _, err := t.exec(ctx, `UPDATE device_group SET rank = $3 WHERE customer = $1 AND id = $2`, t.customer, g.ID, i+1); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) groupNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := t.each(ctx, func(r scanner) error {
		var id, name string
		err := r.Scan(&id, &name)
		names[id] = name
		return err
	}, `SELECT id, name FROM device_group WHERE customer = $1`, t.customer)
	return names, err
}

func (c *Customer) groupError(err error, name string) error {
	switch {
	case c.s.engine.unique(err):
		return refuse(ErrExists, "The customer has a group named "+name+" already.")
	case c.s.engine.foreign(err):
		return missing("customer", c.customer)
	}
	return err
}
