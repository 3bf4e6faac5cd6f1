package store

import (
	"context"
	"time"
)

const customerColumns = `id, name, note, created_at, closed_at`

func scanCustomer(r scanner) (c CustomerRow, err error) {
	err = r.Scan(&c.ID, &c.Name, &c.Note, at(&c.CreatedAt), maybe(&c.ClosedAt))
	return c, err
}

// Customers lists all customers by name, closed ones too.
func (m *MSP) Customers(ctx context.Context) ([]CustomerRow, error) {
	return reading(ctx, m.handle, "customers", func(t *tx) ([]CustomerRow, error) {
		return list(ctx, t, scanCustomer, `SELECT `+customerColumns+` FROM customer ORDER BY name_key`)
	})
}

// CreateCustomer takes a customer with its ID. Its audit chain begins with it.
func (m *MSP) CreateCustomer(ctx context.Context, now time.Time, c CustomerRow) error {
	return doing("creating a customer", m.change(ctx, now, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO customer (id, name, name_key, note, created_at, closed_at) VALUES ($1, $2, $3, $4, $5, NULL)`,
			c.ID, c.Name, fold(c.Name), c.Note, millis(c.CreatedAt))
		if t.s.engine.unique(err) {
			return refuse(ErrExists, "There is a customer named "+c.Name+" already.")
		}
		t.note(note{chain: c.ID, act: "customer.create", object: c.ID, payload: fields{"name": c.Name, "note": c.Note}})
		return err
	}))
}

// UpdateCustomer changes name, note and whether the customer is still looked after.
func (m *MSP) UpdateCustomer(ctx context.Context, now time.Time, c CustomerRow) error {
	return doing("changing a customer", m.change(ctx, now, func(t *tx) error {
		old, err := one(ctx, t, "customer", c.ID, scanCustomer, `SELECT `+customerColumns+` FROM customer WHERE id = $1`, c.ID)
		if err != nil {
			return err
		}
		err = t.must(ctx, "customer", c.ID, `UPDATE customer SET name = $2, name_key = $3, note = $4, closed_at = $5 WHERE id = $1`,
			c.ID, c.Name, fold(c.Name), c.Note, millisOf(c.ClosedAt))
		if t.s.engine.unique(err) {
			return refuse(ErrExists, "There is a customer named "+c.Name+" already.")
		}
		t.note(note{chain: c.ID, act: "customer.update", object: c.ID,
			payload: fields{"name": c.Name, "note": c.Note, "closed_at": c.ClosedAt,
				"was": fields{"name": old.Name, "note": old.Note, "closed_at": old.ClosedAt}}})
		return err
	}))
}

// Get gives the customer itself.
func (c *Customer) Get(ctx context.Context) (CustomerRow, error) {
	return reading(ctx, c.handle, "a customer", func(t *tx) (CustomerRow, error) {
		return one(ctx, t, "customer", c.customer, scanCustomer,
			`SELECT `+customerColumns+` FROM customer WHERE id = $1`, c.customer)
	})
}
