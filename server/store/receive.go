package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// Taken is what a check-in left in the store.
type Taken struct {
	Acknowledged int64          // outcomes through this number are stored
	Outcomes     []wire.Outcome // the ones that were new
	Devices      []TakenDevice  // in the order reported
}

// TakenDevice is what a check-in changed of one device.
type TakenDevice struct {
	Device   string
	Sections []string  // names of those that changed, in body or in state
	Jobs     bool      // a job stands elsewhere than before
	Held     wire.Held // all that is held now; Digest is over it
	Odd      []string  // what could not be taken as it came, a sentence each
	behind   bool      // something held in good state is not what the device has now
}

// Changed reports whether the device should be stepped.
func (d TakenDevice) Changed() bool { return len(d.Sections) > 0 || d.Jobs }

// Receive takes a check-in whole or not at all, so that nothing is acknowledged that is
// not on disk. Taking it again changes nothing.
//
// A section that failed keeps its last body; only its state, error and the time since when
// it fails are written. So does one whose body does not fit its hash or cannot be read: it
// is not held, and the agent will send it again. An agent that is revoked, speaks for a
// device that is not its own or is retired, or whose customer is closed is refused.
func (c *Customer) Receive(ctx context.Context, now time.Time, in wire.CheckIn) (Taken, error) {
	var taken Taken
	err := c.record(ctx, now, func(t *tx) error {
		taken = Taken{}
		acknowledged, err := t.hear(ctx, now, in)
		if err != nil {
			return err
		}
		for _, report := range in.Devices {
			d, err := t.report(ctx, now, in, report)
			if err != nil {
				return err
			}
			taken.Devices = append(taken.Devices, d)
		}
		return t.outcomes(ctx, now, in, acknowledged, &taken)
	})
	return taken, doing("receiving a check-in", err)
}

// hear writes what the agent says of itself, and locks its row, so that two check-ins of
// one agent come one after the other. It returns what was acknowledged so far.
func (t *tx) hear(ctx context.Context, now time.Time, in wire.CheckIn) (acknowledged int64, err error) {
	var revoked *time.Time
	off := time.Duration(0)
	if !in.Sent.IsZero() {
		off = in.Sent.Sub(now)
	}
	err = t.row(ctx, `UPDATE agent SET build = $3, capabilities = $5, last_seen = $6, clock_off = $7, seen_epoch = $8, seen_version = $9,
			held_root = $10, held_limits = $11,
			mode = CASE WHEN max_mode = 'manage' THEN $4 ELSE 'observe' END
		WHERE customer = $1 AND id = $2 RETURNING acknowledged, revoked_at`,
		t.customer, in.Agent, in.Build, string(in.Mode), encoded{in.Capabilities}, millis(now), off.Milliseconds(),
		in.Seen.Epoch, in.Seen.Version, in.Documents.Root, in.Documents.Limits).Scan(&acknowledged, maybe(&revoked))
	if err != nil {
		return 0, absent(err, missing("agent", in.Agent))
	}
	if revoked != nil {
		return 0, refuse(ErrRefused, "This agent was revoked. Enrol it again if it should be looked after.")
	}
	owner, err := one(ctx, t, "customer", t.customer, scanCustomer, `SELECT `+customerColumns+` FROM customer WHERE id = $1`, t.customer)
	if err == nil && owner.ClosedAt != nil {
		err = refuse(ErrRefused, "This agent's customer is no longer looked after.")
	}
	return acknowledged, err
}

// report takes what is said of one device.
func (t *tx) report(ctx context.Context, now time.Time, in wire.CheckIn, r wire.DeviceReport) (TakenDevice, error) {
	d := TakenDevice{Device: r.Device}
	var retired *time.Time
	err := t.row(ctx, `SELECT retired_at FROM device WHERE customer = $1 AND id = $2 AND agent = $3`,
		t.customer, r.Device, in.Agent).Scan(maybe(&retired))
	if errors.Is(err, sql.ErrNoRows) {
		return d, refuse(ErrRefused, "This agent does not speak for device "+r.Device+".")
	}
	if err == nil && retired != nil {
		err = refuse(ErrRefused, "Device "+r.Device+" was retired. Enrol it again if it should be looked after.")
	}
	if err != nil {
		return d, err
	}
	if err := t.sections(ctx, now, in.Sent, r, &d); err != nil {
		return d, err
	}
	for _, s := range r.Jobs {
		moved, err := t.standing(ctx, r.Device, s, ServerTime(s.Since, in.Sent, now))
		if err != nil {
			return d, err
		}
		d.Jobs = d.Jobs || moved
	}
	var scanned time.Time // what is held was not read again when the device has another now
	if !d.behind {
		scanned = ServerTime(r.ScannedAt, in.Sent, now)
	}
	_, err = t.exec(ctx, `UPDATE device SET digest = $3, scanned_at = CASE
			WHEN CAST($4 AS BIGINT) IS NULL OR scanned_at > $4 THEN scanned_at ELSE $4 END
		WHERE customer = $1 AND id = $2`, t.customer, r.Device, d.Held.Digest, millis(scanned))
	return d, err
}

// sections takes the sections of a report. When the report names all the device has, what
// it no longer names is gone.
func (t *tx) sections(ctx context.Context, now, sent time.Time, r wire.DeviceReport, d *TakenDevice) error {
	heads, err := t.heads(ctx, r.Device)
	if err != nil {
		return err
	}
	held := make(map[string]SectionRow, len(heads))
	for _, h := range heads {
		held[h.Name] = h
	}
	for _, s := range r.Sections {
		if why := tooMuch(s.Name, held); why != "" {
			d.Odd = append(d.Odd, fmt.Sprintf("Section %.40q: %s", s.Name, why))
			continue
		}
		s.Name, s.Error, s.ScannedAt = cleanText(s.Name), cleanText(s.Error), ServerTime(s.ScannedAt, sent, now)
		row, changed, err := t.section(ctx, now, r.Device, s, held[s.Name], d)
		if err != nil {
			return err
		}
		if changed {
			held[s.Name] = row
			d.Sections = append(d.Sections, s.Name)
		}
		d.behind = d.behind || row.State == wire.SectionOK && row.Hash != s.Hash
	}
	whole := complete(r)
	for _, h := range heads {
		if slices.ContainsFunc(r.Sections, func(s wire.Section) bool { return s.Name == h.Name }) {
			continue
		}
		if !whole {
			d.behind = d.behind || len(r.Sections) > 0
			continue
		}
		if err := t.drop(ctx, now, r.Device, h.Name); err != nil {
			return err
		}
		delete(held, h.Name)
		d.Sections = append(d.Sections, h.Name)
	}
	heads = heads[:0]
	for _, h := range held {
		heads = append(heads, h)
	}
	slices.SortFunc(heads, func(a, b SectionRow) int { return strings.Compare(a.Name, b.Name) })
	d.Held = wire.Held{Device: r.Device, Digest: digest(heads), Sections: hashes(heads)}
	d.behind = d.behind || len(r.Sections) == 0 && d.Held.Digest != r.Digest
	return nil
}

// What a device may make the store keep as names: both databases limit what an index holds.
const (
	maxSections = 100  // of one device
	maxName     = 200  // bytes of the name of a section, and of an ID an agent tells
	maxKey      = 1000 // bytes of all that names an update
	// maxHistory is for what a manager says it did, which nothing is decided by.
	maxHistory = 512 << 10
)

func tooMuch(name string, held map[string]SectionRow) string {
	if _, ok := held[name]; !ok && len(held) >= maxSections {
		return fmt.Sprintf("the device has %d sections already", maxSections)
	}
	if len(name) > maxName {
		return "its name is too long"
	}
	return ""
}

// clip cuts what should be an ID and is too long for one; it names nothing here either way.
func clip(id string) string { return id[:min(len(id), maxName)] }

// complete reports whether the sections of a report are all the device has: its digest is
// over exactly these.
func complete(r wire.DeviceReport) bool {
	if len(r.Sections) == 0 {
		return false
	}
	all := slices.Clone(r.Sections)
	slices.SortFunc(all, func(a, b wire.Section) int { return strings.Compare(a.Name, b.Name) })
	return wire.Digest(all) == r.Digest
}

// section takes one section. It gives the row as it is afterwards and whether it changed.
func (t *tx) section(ctx context.Context, now time.Time, device string, s wire.Section, old SectionRow, d *TakenDevice) (SectionRow, bool, error) {
	row, body, why := settle(now, s, old)
	if why != "" {
		d.Odd = append(d.Odd, fmt.Sprintf("Section %s: %s", s.Name, why))
	}
	var content content
	if body != nil {
		var err error
		if content, err = read(s.Name, body); err != nil {
			why := "its content cannot be read: " + err.Error()
			d.Odd = append(d.Odd, fmt.Sprintf("Section %s: %s", s.Name, why))
			body, row = nil, unreadable(now, s, old, why)
		}
	}
	if body == nil && sameHead(row, old) {
		return old, false, nil
	}
	_, err := t.exec(ctx, `INSERT INTO section (customer, device, name, hash, state, error, scanned_at, failed_at, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (customer, device, name) DO UPDATE SET hash = $4, state = $5, error = $6, scanned_at = $7, failed_at = $8,
			body = CASE WHEN $4 = '' THEN NULL ELSE COALESCE($9, section.body) END`,
		t.customer, device, s.Name, row.Hash, string(row.State), row.Error, millis(row.ScannedAt), millisOf(row.FailedAt), blob(body))
	if err != nil {
		return row, false, err
	}
	return row, true, t.apply(ctx, now, device, s.Name, row, body, content)
}

// settle decides what is held of a section after it was reported: the new head, the body to
// store (nil keeps the stored one) and what was odd.
func settle(now time.Time, s wire.Section, old SectionRow) (row SectionRow, body json.RawMessage, odd string) {
	row = SectionRow{Name: s.Name, Hash: s.Hash, State: s.State, Error: s.Error, ScannedAt: s.ScannedAt}
	switch {
	case s.State == wire.SectionAbsent:
		row.Hash = ""
		return row, nil, ""
	case s.State == wire.SectionFailed:
		row.FailedAt = cmp.Or(old.FailedAt, &now)
	case s.State != wire.SectionOK:
		why := fmt.Sprintf("its state %.20q is not known here", s.State)
		return unreadable(now, s, old, why), nil, why
	}
	switch {
	case len(s.Body) > 0 && wire.Hash(s.Body) != s.Hash:
		why := "its content does not fit its hash"
		return unreadable(now, s, old, why), nil, why
	case s.Hash == old.Hash && s.Hash != "":
		return row, nil, ""
	case len(s.Body) > 0:
		return row, s.Body, ""
	case s.State == wire.SectionFailed: // its last body is not the one held here, or there never was one
		row.Hash, row.ScannedAt = old.Hash, old.ScannedAt
		return row, nil, ""
	}
	return old, nil, "" // not held: the agent will send it
}

// unreadable is a section that came and cannot be used: what is held stays and ages.
func unreadable(now time.Time, s wire.Section, old SectionRow, why string) SectionRow {
	return SectionRow{Name: s.Name, Hash: old.Hash, State: wire.SectionFailed, Error: "The server could not take it: " + why,
		ScannedAt: old.ScannedAt, FailedAt: cmp.Or(old.FailedAt, &now)}
}

// sameHead compares all but the time of reading: that a section was read again with the same
// result is told by the time of the device's last scan.
func sameHead(a, b SectionRow) bool {
	return a.Hash == b.Hash && a.State == b.State && a.Error == b.Error && (a.FailedAt == nil) == (b.FailedAt == nil)
}

// content is a section's body, read.
type content struct {
	facts   wire.Facts
	updates []patch.Update
}

// read reads a body, and keeps what the store itself looks into.
func read(name string, body json.RawMessage) (c content, err error) {
	provider, kind, _ := strings.Cut(name, "/")
	switch {
	case name == wire.HostSection:
		return c, json.Unmarshal(body, &c.facts)
	case kind == wire.OfferedSection:
		if err := json.Unmarshal(body, &c.updates); err != nil {
			return c, err
		}
		for _, u := range c.updates {
			if u.Provider != provider {
				return c, fmt.Errorf("it has an update of provider %.40q", u.Provider)
			}
			if len(u.Scope)+len(u.Name)+len(u.Architecture)+len(u.Instance)+len(u.Available) > maxKey {
				return c, fmt.Errorf("the name and version of %.40q are too long", u.Name)
			}
		}
		return c, nil
	}
	// Nobody after this should have to deal with a list that is none.
	switch kind {
	case wire.InstalledSection:
		var items []patch.Item
		err := json.Unmarshal(body, &items)
		for _, i := range items {
			if i.Provider != provider {
				return c, fmt.Errorf("it has an item of provider %.40q", i.Provider)
			}
		}
		return c, err
	case wire.SourcesSection:
		return c, json.Unmarshal(body, &[]patch.Source{})
	case wire.HistorySection:
		var events []patch.Event
		err := json.Unmarshal(body, &events)
		if len(events) > patch.MaxHistory || len(body) > maxHistory {
			return c, fmt.Errorf("it has %d events in %d bytes, which is too much", len(events), len(body))
		}
		return c, err
	}
	return c, json.Unmarshal(body, new(json.RawMessage))
}

// apply writes what follows from a section: the facts of the device, or its offers.
func (t *tx) apply(ctx context.Context, now time.Time, device, name string, row SectionRow, body json.RawMessage, c content) error {
	provider, kind, _ := strings.Cut(name, "/")
	switch {
	case name == wire.HostSection && body != nil:
		_, err := t.exec(ctx, `UPDATE device SET facts = $3, name = CASE WHEN named OR $4 = '' THEN name ELSE $4 END
			WHERE customer = $1 AND id = $2`, t.customer, device, encoded{c.facts}, c.facts.Hostname)
		return err
	case kind == wire.OfferedSection && (body != nil || row.State == wire.SectionAbsent):
		return t.offered(ctx, now, device, provider, c.updates)
	}
	return nil
}

// drop forgets a section the device no longer has, a provider that was removed with its
// sections. What it had on offer is gone and stays on record.
func (t *tx) drop(ctx context.Context, now time.Time, device, name string) error {
	if _, err := t.exec(ctx, `DELETE FROM section WHERE customer = $1 AND device = $2 AND name = $3`, t.customer, device, name); err != nil {
		return err
	}
	return t.apply(ctx, now, device, name, SectionRow{State: wire.SectionAbsent}, nil, content{})
}

// outcomes takes the outcomes that are new. What is acknowledged moves only over numbers
// that follow without a gap: the agent sends the rest again. What it says is gone leaves no
// gap: waiting for it would leave all that follows unacknowledged for ever.
func (t *tx) outcomes(ctx context.Context, now time.Time, in wire.CheckIn, acknowledged int64, taken *Taken) error {
	sorted := slices.Clone(in.Outcomes)
	slices.SortStableFunc(sorted, func(a, b wire.Outcome) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, o := range sorted {
		if o.Seq <= acknowledged {
			continue
		}
		fresh, err := t.outcome(ctx, now, in.Agent, o)
		if err != nil {
			return err
		}
		if fresh {
			taken.Outcomes = append(taken.Outcomes, o)
		}
	}
	if len(sorted) == 0 {
		taken.Acknowledged = acknowledged
		return nil
	}
	stored, err := list(ctx, t, func(r scanner) (n int64, err error) {
		err = r.Scan(&n)
		return n, err
	}, `SELECT seq FROM outcome WHERE customer = $1 AND agent = $2 AND seq > $3 ORDER BY seq`, t.customer, in.Agent, acknowledged)
	if err != nil {
		return err
	}
	through := max(acknowledged, in.Gone)
	for _, n := range stored {
		if n > through+1 {
			break
		}
		through = max(through, n)
	}
	taken.Acknowledged = through
	_, err = t.exec(ctx, `UPDATE agent SET acknowledged = $3 WHERE customer = $1 AND id = $2 AND acknowledged < $3`,
		t.customer, in.Agent, through)
	return err
}
