package store

import (
	"context"
	"time"
)

// FactFilter says which daily facts; the zero value is all.
type FactFilter struct {
	From  string // YYYY-MM-DD, inclusive
	Until string // YYYY-MM-DD, inclusive
}

// DailyFacts lists the daily facts by day.
func (h handle) DailyFacts(ctx context.Context, f FactFilter) ([]DailyFact, error) {
	return reading(ctx, h, "daily facts", func(t *tx) ([]DailyFact, error) {
		q := newFilter(t)
		if f.From != "" {
			q.add("day >= %s", f.From)
		}
		if f.Until != "" {
			q.add("day <= %s", f.Until)
		}
		return list(ctx, t, func(r scanner) (d DailyFact, err error) {
			err = r.Scan(&d.Customer, &d.Day, &d.Verdict, &d.Class, &d.Needs, &d.Devices, &d.Silent)
			return d, err
		}, `SELECT customer, day, verdict, class, needs, devices, silent FROM daily_fact`+q.String()+
			` ORDER BY day, customer, verdict, class`, q.args...)
	})
}

// RecordDaily writes the daily facts of this customer, all of one day, unless that day has
// some: of servers that count at once the first one's counts stand whole.
func (c *Customer) RecordDaily(ctx context.Context, now time.Time, all []DailyFact) error {
	if len(all) == 0 {
		return nil
	}
	return doing("recording daily facts", c.record(ctx, now, func(t *tx) error {
		// Locks the row until the commit.
		if err := t.must(ctx, "customer", c.customer, `UPDATE customer SET note = note WHERE id = $1`, c.customer); err != nil {
			return err
		}
		var held int
		if err := t.row(ctx, `SELECT COUNT(*) FROM daily_fact WHERE customer = $1 AND day = $2`, c.customer, all[0].Day).Scan(&held); err != nil || held > 0 {
			return err
		}
		for _, d := range all {
			_, err := t.exec(ctx, `INSERT INTO daily_fact (customer, day, verdict, class, needs, devices, silent)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`, c.customer, all[0].Day, d.Verdict, d.Class, d.Needs, d.Devices, d.Silent)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}
