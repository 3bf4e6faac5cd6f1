package store

import (
	"context"
	"time"
)

const siteColumns = `customer, id, name, zone, policy, created_at, changed_at`

func scanSite(r scanner) (s Site, err error) {
	err = r.Scan(&s.Customer, &s.ID, &s.Name, &s.Zone, decoded{&s.Policy}, at(&s.CreatedAt), at(&s.ChangedAt))
	return s, err
}

// Sites lists the sites by name.
func (h handle) Sites(ctx context.Context) ([]Site, error) {
	return reading(ctx, h, "sites", func(t *tx) ([]Site, error) {
		return list(ctx, t, scanSite,
			`SELECT `+siteColumns+` FROM site WHERE `+t.mine()+` ORDER BY customer, name_key`, t.scope())
	})
}

// Site gives one site.
func (c *Customer) Site(ctx context.Context, id string) (Site, error) {
	return reading(ctx, c.handle, "a site", func(t *tx) (Site, error) {
		return one(ctx, t, "site", id, scanSite,
			`SELECT `+siteColumns+` FROM site WHERE customer = $1 AND id = $2`, c.customer, id)
	})
}

// CreateSite takes a site with its ID.
func (c *Customer) CreateSite(ctx context.Context, now time.Time, s Site) error {
	return doing("creating a site", c.change(ctx, now, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO site (customer, id, name, name_key, zone, policy, created_at, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.customer, s.ID, s.Name, fold(s.Name), s.Zone, encoded{s.Policy}, millis(s.CreatedAt), millis(s.ChangedAt))
		t.note(note{act: "site.create", object: s.ID, payload: fields{"name": s.Name, "zone": s.Zone, "policy": s.Policy}})
		return c.siteError(err, s)
	}))
}

// UpdateSite changes name, zone and policy. ChangedAt is the caller's to move.
func (c *Customer) UpdateSite(ctx context.Context, now time.Time, s Site) error {
	return doing("changing a site", c.change(ctx, now, func(t *tx) error {
		old, err := one(ctx, t, "site", s.ID, scanSite, `SELECT `+siteColumns+` FROM site WHERE customer = $1 AND id = $2`, c.customer, s.ID)
		if err != nil {
			return err
		}
		err = t.must(ctx, "site", s.ID, `UPDATE site SET name = $3, name_key = $4, zone = $5, policy = $6, changed_at = $7
			WHERE customer = $1 AND id = $2`,
			c.customer, s.ID, s.Name, fold(s.Name), s.Zone, encoded{s.Policy}, millis(s.ChangedAt))
		t.note(note{act: "site.update", object: s.ID, payload: fields{"name": s.Name, "zone": s.Zone, "policy": s.Policy,
			"was": fields{"name": old.Name, "zone": old.Zone, "policy": old.Policy}}})
		return c.siteError(err, s)
	}))
}

func (c *Customer) siteError(err error, s Site) error {
	switch {
	case c.s.engine.unique(err):
		return refuse(ErrExists, "The customer has a site named "+s.Name+" already.")
	case c.s.engine.foreign(err):
		return missing("customer", c.customer)
	}
	return err
}
