package store

import (
	"context"
	"time"
)

const approvalColumns = `customer, id, level, target, provider, name, architecture, version, origin, answer, follow,
	reason, allow_removals, forced_until, by_person, by_name, at, despite, withdrawn_at`

func scanApproval(r scanner) (a Approval, err error) {
	err = r.Scan(&a.Customer, &a.ID, &a.Level, &a.Target, &a.Provider, &a.Name, &a.Architecture, &a.Version, &a.Origin,
		&a.Answer, &a.Follow, &a.Reason, decoded{&a.AllowRemovals}, maybe(&a.ForcedUntil), &a.By, &a.ByName,
		at(&a.At), decoded{&a.Despite}, maybe(&a.WithdrawnAt))
	return a, err
}

// ApprovalFilter says which approvals; the zero value is all.
type ApprovalFilter struct {
	Open    bool     // not withdrawn
	ID      string   //
	Targets []string // IDs of levels: of a device, its site and its customer
	Name    string   // of the item
}

// Approvals lists approvals, newest first.
func (h handle) Approvals(ctx context.Context, f ApprovalFilter) ([]Approval, error) {
	return reading(ctx, h, "approvals", func(t *tx) ([]Approval, error) {
		q := newFilter(t)
		q.text("id", f.ID)
		q.text("name", f.Name)
		q.in("target", f.Targets)
		if f.Open {
			q.only("withdrawn_at IS NULL")
		}
		return list(ctx, t, scanApproval, `SELECT `+approvalColumns+` FROM approval`+q.String()+` ORDER BY at DESC, id`, q.args...)
	})
}

// CreateApprovals writes answers of a person, all or none.
func (c *Customer) CreateApprovals(ctx context.Context, now time.Time, all []Approval) error {
	if len(all) == 0 {
		return nil
	}
	return doing("writing approvals", c.change(ctx, now, func(t *tx) error {
		for _, a := range all {
			if err := t.createApproval(ctx, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (t *tx) createApproval(ctx context.Context, a Approval) error {
	if err := t.knowsTarget(ctx, a.Level, a.Target); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO approval (`+approvalColumns+`) VALUES (`+marks(1, 18)+`, NULL)`,
		t.customer, a.ID, string(a.Level), a.Target, a.Provider, a.Name, a.Architecture, a.Version, a.Origin, string(a.Answer),
		a.Follow, a.Reason, encoded{a.AllowRemovals}, millisOf(a.ForcedUntil), a.By, a.ByName, millis(a.At), encoded{a.Despite})
	if t.s.engine.unique(err) {
		return refuse(ErrExists, "There is an approval "+a.ID+" already.")
	}
	n := note{act: "approval.create", object: a.ID, payload: fields{"level": a.Level, "target": a.Target,
		"provider": a.Provider, "name": a.Name, "architecture": a.Architecture, "version": a.Version, "origin": a.Origin,
		"answer": a.Answer, "follow": a.Follow, "reason": a.Reason, "allow_removals": a.AllowRemovals, "forced_until": a.ForcedUntil, "despite": a.Despite}}
	if a.Level == LevelDevice {
		n.device = a.Target
	}
	t.note(n)
	return err
}

// knowsTarget refuses a target that is not this customer's.
func (t *tx) knowsTarget(ctx context.Context, level Level, id string) error {
	query := ""
	switch level {
	case LevelCustomer:
		query = `SELECT id FROM customer WHERE id = $1 AND id = $2`
	case LevelSite:
		query = `SELECT id FROM site WHERE customer = $1 AND id = $2`
	case LevelDevice:
		query = `SELECT id FROM device WHERE customer = $1 AND id = $2`
	default:
		return missing("level", string(level))
	}
	return absent(t.row(ctx, query, t.customer, id).Scan(&id), missing(string(level), id))
}

// WithdrawApproval takes an answer back. That it was given stays.
func (c *Customer) WithdrawApproval(ctx context.Context, now time.Time, id string) error {
	return doing("withdrawing an approval", c.change(ctx, now, func(t *tx) error {
		a, err := scanApproval(t.row(ctx, `UPDATE approval SET withdrawn_at = COALESCE(withdrawn_at, $3) WHERE customer = $1 AND id = $2
			RETURNING `+approvalColumns, c.customer, id, millis(now)))
		n := note{act: "approval.withdraw", object: id, payload: fields{"level": a.Level, "target": a.Target,
			"name": a.Name, "version": a.Version, "answer": a.Answer, "follow": a.Follow}}
		if a.Level == LevelDevice {
			n.device = a.Target
		}
		t.note(n)
		return absent(err, missing("approval", id))
	}))
}
