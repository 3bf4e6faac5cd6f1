package store

import (
	"context"
	"crypto"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"patchbay/wire"
)

const agentColumns = `customer, id, site, public_key, build, mode, capabilities, token, enrolled_at, revoked_at,
	last_seen, clock_off, seen_epoch, seen_version, acknowledged, held_root, held_limits`

func scanAgent(r scanner) (a Agent, err error) {
	var off int64
	var root, limits *int64
	err = r.Scan(&a.Customer, &a.ID, &a.Site, &a.PublicKey, &a.Build, &a.Mode, decoded{&a.Capabilities}, &a.Token,
		at(&a.EnrolledAt), maybe(&a.RevokedAt), at(&a.LastSeen), &off, &a.Seen.Epoch, &a.Seen.Version, &a.Acknowledged, &root, &limits)
	a.ClockOff = time.Duration(off) * time.Millisecond
	if root != nil && limits != nil {
		a.Held = &Held{*root, *limits}
	}
	return a, err
}

// Key is the agent's public key.
func (a Agent) Key() (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(a.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("reading the key of agent %s: %w", a.ID, err)
	}
	return key, nil
}

// KeyName is how documents call the agent's key.
func (a Agent) KeyName() (string, error) {
	key, err := a.Key()
	if err != nil {
		return "", err
	}
	return wire.KeyName(key)
}

// absent turns "no row" into the refusal.
func absent(err, refusal error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return refusal
	}
	return err
}

// Agents lists the agents with these IDs, or all when none is given; revoked ones too.
func (h handle) Agents(ctx context.Context, ids ...string) ([]Agent, error) {
	return reading(ctx, h, "agents", func(t *tx) ([]Agent, error) {
		q := newFilter(t)
		q.in("id", ids)
		return list(ctx, t, scanAgent, `SELECT `+agentColumns+` FROM agent`+q.String()+` ORDER BY customer, id`, q.args...)
	})
}

// Agent gives one agent.
func (c *Customer) Agent(ctx context.Context, id string) (Agent, error) {
	return reading(ctx, c.handle, "an agent", func(t *tx) (Agent, error) {
		return one(ctx, t, "agent", id, scanAgent,
			`SELECT `+agentColumns+` FROM agent WHERE customer = $1 AND id = $2`, c.customer, id)
	})
}

// AgentCustomer says whose an agent is: what is asked before there can be a handle.
func (m *MSP) AgentCustomer(ctx context.Context, agent string) (string, error) {
	return reading(ctx, m.handle, "an agent", func(t *tx) (customer string, err error) {
		err = t.row(ctx, `SELECT customer FROM agent WHERE id = $1`, agent).Scan(&customer)
		return customer, absent(err, missing("agent", agent))
	})
}

// Touch is what an unchanged check-in leaves behind.
type Touch struct {
	Agent    string
	LastSeen time.Time
	// Known is when the agent was last heard, as far as the server knows whose memory answered
	// it. Zero when that is gone; then nothing is compared.
	Known     time.Time
	Device    string    // "" when it spoke of none
	Digest    string    // over the sections that were found unchanged
	ScannedAt time.Time // by the server's clock (ServerTime)
}

// touchBatch is how many touches go into one statement.
const touchBatch = 200

// TouchAgents writes when agents were last heard and their devices last scanned, for many
// at once. Times only go forward; an unknown agent or device is passed over.
//
// Where other servers may be at work, a scan counts for the sections it was of, and is passed
// over when others are held by now; and TouchAgents gives the agents of whom the server knows less than is stored: each was heard by
// another server since, or revoked.
func (m *MSP) TouchAgents(ctx context.Context, now time.Time, touches []Touch) (strange []string, err error) {
	seen, scanned := map[string]Touch{}, map[string]Touch{}
	for _, t := range touches {
		if t.LastSeen.Before(t.Known) {
			t.LastSeen = t.Known
		}
		if !seen[t.Agent].LastSeen.After(t.LastSeen) {
			seen[t.Agent] = t
		}
		if t.Device != "" && !t.ScannedAt.IsZero() && !scanned[t.Device].ScannedAt.After(t.ScannedAt) {
			scanned[t.Device] = t
		}
	}
	err = m.record(ctx, now, func(t *tx) (err error) {
		if !t.s.Shared() { // comparing costs as much as writing, and nobody else writes
			if err := t.forward(ctx, "agent", "last_seen", seen, func(t Touch) time.Time { return t.LastSeen }); err != nil {
				return err
			}
			return t.forward(ctx, "device", "scanned_at", scanned, func(t Touch) time.Time { return t.ScannedAt })
		}
		if strange, err = t.seen(ctx, seen); err != nil {
			return err
		}
		return t.scanned(ctx, scanned)
	})
	return strange, doing("noting who was heard", err)
}

// seen moves the time when agents were last heard, of each only from the time that is known.
func (t *tx) seen(ctx context.Context, touches map[string]Touch) (strange []string, err error) {
	for chunk := range inOrder(touches) {
		var values []string
		var args []any
		for i, id := range chunk {
			values = append(values, fmt.Sprintf("($%d, CAST($%d AS BIGINT), CAST($%d AS BIGINT))", 3*i+1, 3*i+2, 3*i+3))
			args = append(args, id, millis(touches[id].LastSeen), millis(touches[id].Known))
		}
		moved, err := list(ctx, t, func(r scanner) (id string, err error) { return id, r.Scan(&id) },
			`UPDATE agent SET last_seen = v.column2 FROM (VALUES `+strings.Join(values, ", ")+`) AS v
			WHERE id = v.column1 AND revoked_at IS NULL
			AND (last_seen = v.column3 OR v.column3 IS NULL AND (last_seen IS NULL OR last_seen < v.column2)) RETURNING id`, args...)
		if err != nil {
			return nil, err
		}
		slices.Sort(moved)
		for _, id := range chunk {
			if _, ok := slices.BinarySearch(moved, id); !ok && !touches[id].Known.IsZero() {
				strange = append(strange, id)
			}
		}
	}
	return strange, nil
}

// forward moves a time column of the rows named by ID forward, whatever else they hold.
func (t *tx) forward(ctx context.Context, table, column string, touches map[string]Touch, time func(Touch) time.Time) error {
	for chunk := range inOrder(touches) {
		var values []string
		var args []any
		for i, id := range chunk {
			values = append(values, fmt.Sprintf("($%d, CAST($%d AS BIGINT))", 2*i+1, 2*i+2))
			args = append(args, id, millis(time(touches[id])))
		}
		_, err := t.exec(ctx, `UPDATE `+table+` SET `+column+` = v.column2 FROM (VALUES `+strings.Join(values, ", ")+`) AS v
			WHERE id = v.column1 AND (`+column+` IS NULL OR `+column+` < v.column2)`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// scanned moves the time of the last scan of devices that hold what was scanned.
func (t *tx) scanned(ctx context.Context, touches map[string]Touch) error {
	for chunk := range inOrder(touches) {
		var values []string
		var args []any
		for i, id := range chunk {
			values = append(values, fmt.Sprintf("($%d, CAST($%d AS BIGINT), $%d)", 3*i+1, 3*i+2, 3*i+3))
			args = append(args, id, millis(touches[id].ScannedAt), touches[id].Digest)
		}
		_, err := t.exec(ctx, `UPDATE device SET scanned_at = v.column2 FROM (VALUES `+strings.Join(values, ", ")+`) AS v
			WHERE id = v.column1 AND digest = v.column3 AND (scanned_at IS NULL OR scanned_at < v.column2)`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Heard is when a device's agent was last heard.
type Heard struct {
	Device string
	At     time.Time
}

// HeardSince lists the devices whose agents were heard since a time, by any server.
func (m *MSP) HeardSince(ctx context.Context, since time.Time) ([]Heard, error) {
	return reading(ctx, m.handle, "who was heard", func(t *tx) ([]Heard, error) {
		return list(ctx, t, func(r scanner) (h Heard, err error) {
			err = r.Scan(&h.Device, at(&h.At))
			return h, err
		}, `SELECT d.id, a.last_seen FROM agent a JOIN device d ON d.customer = a.customer AND d.agent = a.id
			WHERE a.last_seen >= $1 AND d.retired_at IS NULL ORDER BY d.id`, millis(since))
	})
}

// Stands reports whether an agent is still wanted, and the machine of that boot the one on
// record.
func (c *Customer) Stands(ctx context.Context, agent, boot string) (bool, error) {
	return reading(ctx, c.handle, "an agent", func(t *tx) (stands bool, err error) {
		err = t.row(ctx, `SELECT revoked_at IS NULL AND boot = $3 FROM agent WHERE customer = $1 AND id = $2`, c.customer, agent, boot).Scan(&stands)
		return stands, absent(err, missing("agent", agent))
	})
}

// inOrder gives the IDs a statement at a time, always locked in one order.
func inOrder(touches map[string]Touch) iter.Seq[[]string] {
	return slices.Chunk(slices.Sorted(maps.Keys(touches)), touchBatch)
}

// ServerTime is a time of an agent's clock by the server's, given when the agent spoke by
// both. It is never after now.
func ServerTime(t, sent, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	if !sent.IsZero() {
		t = t.Add(now.Sub(sent))
	}
	if t.After(now) {
		return now
	}
	return t
}
