package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"patchbay/wire"
)

const deviceColumns = `customer, id, site, agent, name, facts, scanned_at, fresh_after, digest, enrolled_at, retired_at, copy_of`

func scanDevice(r scanner) (d Device, err error) {
	err = r.Scan(&d.Customer, &d.ID, &d.Site, &d.Agent, &d.Name, decoded{&d.Facts}, maybe(&d.ScannedAt), maybe(&d.FreshAfter), &d.Digest,
		at(&d.EnrolledAt), maybe(&d.RetiredAt), &d.CopyOf)
	return d, err
}

// DeviceFilter says which devices; the zero value is all.
type DeviceFilter struct {
	IDs    []string
	Agents []string // that speak for them
	CopyOf string   // the device whose disk they began with
}

// Devices lists devices, retired ones too.
func (h handle) Devices(ctx context.Context, f DeviceFilter) ([]Device, error) {
	return reading(ctx, h, "devices", func(t *tx) ([]Device, error) {
		q := newFilter(t)
		q.in("id", f.IDs)
		q.in("agent", f.Agents)
		q.text("copy_of", f.CopyOf)
		return list(ctx, t, scanDevice, `SELECT `+deviceColumns+` FROM device`+q.String()+` ORDER BY customer, name, id`, q.args...)
	})
}

// Device gives one device.
func (c *Customer) Device(ctx context.Context, id string) (Device, error) {
	return reading(ctx, c.handle, "a device", func(t *tx) (Device, error) {
		return one(ctx, t, "device", id, scanDevice,
			`SELECT `+deviceColumns+` FROM device WHERE customer = $1 AND id = $2`, c.customer, id)
	})
}

// RenameDevice gives a device a name of a person's choice; "" gives it its host name back.
func (c *Customer) RenameDevice(ctx context.Context, now time.Time, id, name string) error {
	return doing("renaming a device", c.change(ctx, now, func(t *tx) error {
		d, err := one(ctx, t, "device", id, scanDevice,
			`SELECT `+deviceColumns+` FROM device WHERE customer = $1 AND id = $2`, c.customer, id)
		if err != nil {
			return err
		}
		named := name != ""
		if !named {
			name = d.Facts.Hostname
		}
		t.note(note{act: "device.rename", object: id, device: id, payload: fields{"from": d.Name, "to": name}})
		return t.must(ctx, "device", id, `UPDATE device SET name = $3, named = $4 WHERE customer = $1 AND id = $2`,
			c.customer, id, name, named)
	}))
}

// WantFresh says that a person wants the device read anew, its sources too.
func (c *Customer) WantFresh(ctx context.Context, now time.Time, id string) error {
	return doing("asking a device", c.change(ctx, now, func(t *tx) error {
		t.note(note{act: "device.ask", object: id, device: id})
		return t.must(ctx, "device", id, `UPDATE device SET fresh_after = $3 WHERE customer = $1 AND id = $2`, c.customer, id, millis(now))
	}))
}

// RetireDevice says that a device is gone, and revokes its agent for good. Its rows stay.
func (c *Customer) RetireDevice(ctx context.Context, now time.Time, id string) error {
	return doing("retiring a device", c.change(ctx, now, func(t *tx) error {
		var name, agent string
		err := t.row(ctx, `UPDATE device SET retired_at = COALESCE(retired_at, $3) WHERE customer = $1 AND id = $2
			RETURNING name, agent`, c.customer, id, millis(now)).Scan(&name, &agent)
		if err != nil {
			return absent(err, missing("device", id))
		}
		t.note(note{act: "device.retire", object: id, device: id, payload: fields{"name": name}})
		_, err = t.exec(ctx, `UPDATE agent SET revoked_at = COALESCE(revoked_at, $3) WHERE customer = $1 AND id = $2
			AND NOT EXISTS (SELECT 1 FROM device d WHERE d.customer = agent.customer AND d.agent = agent.id AND d.retired_at IS NULL)`,
			c.customer, agent, millis(now))
		return err
	}))
}

// Sections gives the named sections of devices with their bodies, or all when none is named,
// by device and name. A section read again with the same result is not written again, so a
// good one is as fresh as the last complete scan of its device. What managers say they did
// decides nothing and is long: its body comes only where it is named.
func (c *Customer) Sections(ctx context.Context, devices []string, names ...string) ([]SectionRow, error) {
	return reading(ctx, c.handle, "sections", func(t *tx) ([]SectionRow, error) {
		q := &filter{where: []string{"s.customer = $1"}, args: []any{c.customer}}
		q.in("s.device", devices)
		q.in("s.name", names)
		body := "s.body"
		if len(names) == 0 {
			body = "CASE WHEN s.name LIKE '%/" + wire.HistorySection + "' THEN NULL ELSE s.body END"
		}
		return list(ctx, t, func(r scanner) (s SectionRow, err error) {
			var body []byte
			err = r.Scan(&s.Device, &s.Name, &s.Hash, &s.State, &s.Error, at(&s.ScannedAt), maybe(&s.FailedAt), &body)
			s.Body = body
			return s, err
		}, `SELECT s.device, s.name, s.hash, s.state, s.error,
			CASE WHEN s.state = 'ok' AND d.scanned_at > s.scanned_at THEN d.scanned_at ELSE s.scanned_at END, s.failed_at, `+body+`
			FROM section s JOIN device d ON d.customer = s.customer AND d.id = s.device`+q.String()+` ORDER BY s.device, s.name`, q.args...)
	})
}

// SectionHashes says what is held of a device: by section, the hash of its body.
func (c *Customer) SectionHashes(ctx context.Context, device string) (map[string]string, error) {
	return reading(ctx, c.handle, "sections", func(t *tx) (map[string]string, error) {
		heads, err := t.heads(ctx, device)
		return hashes(heads), err
	})
}

func hashes(heads []SectionRow) map[string]string {
	held := make(map[string]string, len(heads))
	for _, h := range heads {
		held[h.Name] = h.Hash
	}
	return held
}

// heads gives the sections of a device without bodies and with the times as stored, in the
// order of a digest.
func (t *tx) heads(ctx context.Context, device string) ([]SectionRow, error) {
	heads, err := list(ctx, t, func(r scanner) (s SectionRow, err error) {
		err = r.Scan(&s.Name, &s.Hash, &s.State, &s.Error, at(&s.ScannedAt), maybe(&s.FailedAt))
		return s, err
	}, `SELECT name, hash, state, error, scanned_at, failed_at FROM section WHERE customer = $1 AND device = $2`, t.customer, device)
	slices.SortFunc(heads, func(a, b SectionRow) int { // not by the database: collations differ
		return strings.Compare(a.Name, b.Name)
	})
	return heads, err
}

// digest is the hash over what is held, as the agent makes it over what it has.
func digest(heads []SectionRow) string {
	all := make([]wire.Section, len(heads))
	for i, h := range heads {
		all[i] = wire.Section{Name: h.Name, Hash: h.Hash, State: h.State, Error: h.Error}
	}
	return wire.Digest(all)
}
