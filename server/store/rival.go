package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"patchbay/server/rival"
	"patchbay/wire"
)

// Spoken is what came of a message: the decision, and the word with which a copy asks for an
// identity of its own.
type Spoken struct {
	rival.Decision
	Word string
}

// Speak lets decide say which machine a message is from, by what is on record of the agent,
// and stores the record as it is from then on. nonce and word are random ones, for when they
// are needed. All of it is one step: of two messages at once one is decided after the other.
func (c *Customer) Speak(ctx context.Context, now time.Time, agent, boot, nonce, word string, decide func(rival.Record) rival.Decision) (Spoken, error) {
	var out Spoken
	err := c.record(ctx, now, func(t *tx) error {
		record, err := t.rivals(ctx, agent, boot)
		if err != nil {
			return err
		}
		out = Spoken{Decision: decide(record)}
		if !out.Changed {
			return nil
		}
		if out.Renew {
			out.Record = out.Record.Give(nonce, now)
		}
		if err := t.saveRivals(ctx, agent, word, record.Others, out.Record); err != nil {
			return err
		}
		if out.Answer == rival.Become {
			err = t.row(ctx, `SELECT word FROM rival WHERE customer = $1 AND agent = $2 AND boot = $3`, c.customer, agent, boot).Scan(&out.Word)
		}
		if err == nil {
			err = t.noteSign(ctx, now, agent, out.Decision)
		}
		return err
	})
	return out, doing("finding out which machine speaks", err)
}

// rivals reads the record of an agent, and locks it. Copies that have an identity of their own
// are left out, except one that speaks with this one still: it never got the answer, and is
// told again.
func (t *tx) rivals(ctx context.Context, agent, boot string) (r rival.Record, err error) {
	err = t.row(ctx, `UPDATE agent SET boot = boot WHERE customer = $1 AND id = $2
		RETURNING boot, nonce, former_nonce, nonce_at, last_seen`, t.customer, agent).Scan(&r.Boot, &r.Nonce, &r.Former, at(&r.Given), at(&r.Heard))
	if err != nil {
		return r, absent(err, missing("agent", agent))
	}
	r.Others, err = list(ctx, t, func(row scanner) (o rival.Other, err error) {
		err = row.Scan(&o.Boot, at(&o.First), at(&o.Last), at(&o.Marked), &o.Turns, &o.Behind, &o.Copy)
		return o, err
	}, `SELECT boot, first_at, last_at, marked_at, turns, behind, certain FROM rival
		WHERE customer = $1 AND agent = $2 AND (became = '' OR boot = $3) ORDER BY first_at, boot`, t.customer, agent, boot)
	return r, err
}

// saveRivals writes the record. A machine of which it became certain that it is a copy gets
// a word; one that is no longer among the others is the one on record now.
func (t *tx) saveRivals(ctx context.Context, agent, word string, before []rival.Other, r rival.Record) error {
	_, err := t.exec(ctx, `UPDATE agent SET boot = $3, nonce = $4, former_nonce = $5, nonce_at = $6 WHERE customer = $1 AND id = $2`,
		t.customer, agent, r.Boot, r.Nonce, r.Former, millis(r.Given))
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM rival WHERE customer = $1 AND agent = $2 AND boot = $3`, t.customer, agent, r.Boot); err != nil {
		return err
	}
	for i, o := range r.Others {
		if slices.Contains(before, o) {
			continue
		}
		own := ""
		if o.Copy {
			own = fmt.Sprintf("%s-%d", word, i)
		}
		_, err := t.exec(ctx, `INSERT INTO rival (customer, agent, boot, first_at, last_at, marked_at, turns, behind, certain, word, became)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '')
			ON CONFLICT (customer, agent, boot) DO UPDATE SET first_at = $4, last_at = $5, marked_at = $6, turns = $7, behind = $8,
				certain = $9, word = CASE WHEN rival.word <> '' THEN rival.word ELSE $10 END`,
			t.customer, agent, o.Boot, millis(o.First), millis(o.Last), millis(o.Marked), o.Turns, o.Behind, o.Copy, own)
		if err != nil {
			return err
		}
	}
	return nil
}

// noteSign writes what people should know into the audit chain, and has a machine whose
// state was set back read anew.
func (t *tx) noteSign(ctx context.Context, now time.Time, agent string, d rival.Decision) error {
	if d.Sign != rival.Restored && d.Sign != rival.Copied {
		return nil
	}
	devices, err := list(ctx, t, func(r scanner) (id string, err error) { return id, r.Scan(&id) },
		`SELECT id FROM device WHERE customer = $1 AND agent = $2 ORDER BY id`, t.customer, agent)
	if err != nil {
		return err
	}
	for _, id := range devices {
		if d.Sign == rival.Copied {
			t.note(note{act: "agent.copied", object: agent, device: id, payload: fields{"boots": len(d.Record.Others) + 1}})
		} else {
			t.note(note{act: "agent.restored", object: agent, device: id})
		}
	}
	if d.Sign == rival.Restored {
		_, err = t.exec(ctx, `UPDATE device SET fresh_after = $3 WHERE customer = $1 AND agent = $2`, t.customer, agent, millis(now))
	}
	return err
}

// Become gives a machine that is a copy an agent and a device of its own, at the place of
// the one it was copied from. Asking again with the same word and key gives the same.
func (c *Customer) Become(ctx context.Context, now time.Time, original, word string, a Agent, d Device) (Agent, Device, error) {
	err := c.record(ctx, now, func(t *tx) error {
		var became, boot string
		err := t.row(ctx, `UPDATE rival SET word = word WHERE customer = $1 AND agent = $2 AND word = $3 AND certain RETURNING became, boot`,
			c.customer, original, word).Scan(&became, &boot)
		if err != nil {
			return absent(err, refuse(ErrRefused, "This machine is not known as a copy here. Enrol it with a token."))
		}
		if became != "" {
			return t.again(ctx, became, &a, &d)
		}
		return t.copied(ctx, now, original, boot, a, d)
	})
	return a, d, doing("giving a copy its own identity", err)
}

// again gives what a copy got already, to the one that has its key.
func (t *tx) again(ctx context.Context, became string, a *Agent, d *Device) error {
	held, err := one(ctx, t, "agent", became, scanAgent, `SELECT `+agentColumns+` FROM agent WHERE customer = $1 AND id = $2`, t.customer, became)
	if err != nil {
		return err
	}
	if string(held.PublicKey) != string(a.PublicKey) {
		return refuse(ErrRefused, "This copy has an identity of its own already, with another key.")
	}
	*a = held
	*d, err = one(ctx, t, "device", became, scanDevice, `SELECT `+deviceColumns+` FROM device WHERE customer = $1 AND agent = $2`, t.customer, became)
	return err
}

// copied writes the rows of a copy: the rights are its original's, the history is not.
func (t *tx) copied(ctx context.Context, now time.Time, original, boot string, a Agent, d Device) error {
	var of, name string
	err := t.row(ctx, `SELECT id, name FROM device WHERE customer = $1 AND agent = $2 ORDER BY enrolled_at, id LIMIT 1`, t.customer, original).Scan(&of, &name)
	if err != nil {
		return absent(err, missing("device", ""))
	}
	_, err = t.exec(ctx, `INSERT INTO agent (customer, id, site, public_key, build, mode, max_mode, capabilities, token,
			enrolled_at, revoked_at, last_seen, clock_off, seen_epoch, seen_version, acknowledged, orders_epoch, orders_version, orders_hash, boot)
		SELECT customer, $3, site, $4, build, mode, max_mode, capabilities, token, $5, NULL, $5, 0, 0, 0, 0, 0, 0, '', $6
		FROM agent WHERE customer = $1 AND id = $2`, t.customer, original, a.ID, a.PublicKey, millis(now), boot)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO device (customer, id, site, agent, name, named, facts, scanned_at, digest, enrolled_at, retired_at, copy_of)
		SELECT customer, $3, site, $4, $5, FALSE, $6, NULL, '', $7, NULL, $2 FROM device WHERE customer = $1 AND id = $2`,
		t.customer, of, d.ID, a.ID, d.Facts.Hostname, encoded{d.Facts}, millis(now))
	if err != nil {
		return err
	}
	t.note(note{act: "agent.become", object: a.ID, device: d.ID, payload: fields{"copy_of": of, "copy_of_name": name, "name": d.Facts.Hostname}})
	_, err = t.exec(ctx, `UPDATE rival SET became = $4 WHERE customer = $1 AND agent = $2 AND boot = $3`, t.customer, original, boot, a.ID)
	return err
}

// setBoot notes on which boot an agent was let in.
func (t *tx) setBoot(ctx context.Context, agent string, f wire.Facts) error {
	_, err := t.exec(ctx, `UPDATE agent SET boot = $3 WHERE customer = $1 AND id = $2`, t.customer, agent, f.BootID)
	return err
}
