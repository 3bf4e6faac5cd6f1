package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Mended is an item of a device that a scan has shown in a version which vulnerabilities that
// affected it before do not.
type Mended struct {
	Customer string
	Device   string
	Item     string // its name
	From, To string // versions; To is "" when it was taken off
	CVEs     []string
	At       time.Time // of the scan that showed it
}

// mend is what the change mends, wherever it is made.
func (m Mended) mend() (id string, err error) {
	text, err := json.Marshal([]any{m.Item, m.From, m.To, m.CVEs})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// RecordMended keeps what was mended. What is kept already stays as it is.
func (c *Customer) RecordMended(ctx context.Context, now time.Time, all []Mended) error {
	if len(all) == 0 {
		return nil
	}
	return doing("recording what was mended", c.record(ctx, now, func(t *tx) error {
		for _, m := range all {
			if err := t.mended(ctx, m); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (t *tx) mended(ctx context.Context, m Mended) error {
	slices.Sort(m.CVEs)
	m.CVEs = slices.Compact(m.CVEs)
	id, err := m.mend()
	if err != nil {
		return err
	}
	held, err := t.exec(ctx, `INSERT INTO mend (customer, id, item, from_version, to_version) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, t.customer, id, m.Item, m.From, m.To)
	if err != nil {
		return err
	}
	if held > 0 {
		for _, cve := range m.CVEs {
			if _, err := t.exec(ctx, `INSERT INTO mend_cve (customer, cve, mend) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.customer, cve, id); err != nil {
				return err
			}
		}
	}
	_, err = t.exec(ctx, `INSERT INTO device_mend (customer, device, mend, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, t.customer, m.Device, id, m.At.UnixMilli())
	return err
}

// MendedCount is on how many devices a CVE was mended, and when first and last.
type MendedCount struct {
	Devices     int
	First, Last time.Time // zero where it was on none
}

// CountMended counts where a CVE was mended; customer "" is all.
func (h handle) CountMended(ctx context.Context, cve, customer string) (MendedCount, error) {
	return reading(ctx, h, "what was mended", func(t *tx) (n MendedCount, err error) {
		q := newFilter(t)
		q.text("customer", customer)
		q.add("cve = %s", cve)
		var first, last *time.Time
		err = t.row(ctx, `SELECT COUNT(DISTINCT d.device), MIN(d.at), MAX(d.at) FROM (SELECT customer, mend FROM mend_cve`+q.String()+`) c
			JOIN device_mend d ON d.customer = c.customer AND d.mend = c.mend`, q.args...).Scan(&n.Devices, maybe(&first), maybe(&last))
		if first != nil && last != nil {
			n.First, n.Last = *first, *last
		}
		return n, err
	})
}

// Mended lists where a CVE was mended, the newest first and without the CVEs; customer "" is
// all, and limit 0 is no limit.
func (h handle) Mended(ctx context.Context, cve, customer string, most int) ([]Mended, error) {
	return reading(ctx, h, "what was mended", func(t *tx) ([]Mended, error) {
		q := newFilter(t)
		q.text("customer", customer)
		q.add("cve = %s", cve)
		return list(ctx, t, func(r scanner) (m Mended, err error) {
			err = r.Scan(&m.Customer, &m.Device, &m.Item, &m.From, &m.To, at(&m.At))
			return m, err
		}, `SELECT d.customer, d.device, m.item, m.from_version, m.to_version, d.at FROM (SELECT customer, mend FROM mend_cve`+q.String()+`) c
			JOIN mend m ON m.customer = c.customer AND m.id = c.mend
			JOIN device_mend d ON d.customer = c.customer AND d.mend = c.mend
			ORDER BY d.at DESC, d.device, m.item, m.id`+limit(most), q.args...)
	})
}
