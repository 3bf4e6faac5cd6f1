package store

import (
	"context"
	"fmt"
	"time"

	"patchbay/wire"
)

const tokenColumns = `customer, id, site, note, mode, max_uses, used, created_at, created_by, expires_at, revoked_at`

func scanToken(r scanner) (k Token, err error) {
	err = r.Scan(&k.Customer, &k.ID, &k.Site, &k.Note, &k.Mode, &k.MaxUses, &k.Used,
		at(&k.CreatedAt), &k.CreatedBy, at(&k.ExpiresAt), maybe(&k.RevokedAt))
	return k, err
}

// Tokens lists the enrolment tokens, newest first; used up, expired and revoked ones too.
func (h handle) Tokens(ctx context.Context) ([]Token, error) {
	return reading(ctx, h, "tokens", func(t *tx) ([]Token, error) {
		return list(ctx, t, scanToken,
			`SELECT `+tokenColumns+` FROM token WHERE `+t.mine()+` ORDER BY created_at DESC, id`, t.scope())
	})
}

// TokenBySecret finds a token, whether it can be used or not, by the hash of its secret.
func (m *MSP) TokenBySecret(ctx context.Context, hash string) (Token, error) {
	return reading(ctx, m.handle, "a token", func(t *tx) (Token, error) {
		k, err := scanToken(t.row(ctx, `SELECT `+tokenColumns+` FROM token WHERE secret_hash = $1`, hash))
		return k, absent(err, refuse(ErrToken, "This enrolment token is not known here."))
	})
}

// CreateToken takes a token with its ID and the hash of its secret.
func (c *Customer) CreateToken(ctx context.Context, now time.Time, k Token, secretHash string) error {
	return doing("creating a token", c.change(ctx, now, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO token (customer, id, site, secret_hash, note, mode, max_uses, used,
				created_at, created_by, expires_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, NULL)`,
			c.customer, k.ID, k.Site, secretHash, k.Note, k.Mode, k.MaxUses, millis(k.CreatedAt), k.CreatedBy, millis(k.ExpiresAt))
		if t.s.engine.foreign(err) {
			return missing("site", k.Site)
		}
		t.note(note{act: "token.create", object: k.ID, payload: fields{"site": k.Site, "note": k.Note, "mode": k.Mode,
			"max_uses": k.MaxUses, "expires_at": k.ExpiresAt}})
		return err
	}))
}

// RevokeToken ends a token. Agents that used it stay.
func (c *Customer) RevokeToken(ctx context.Context, now time.Time, id string) error {
	return doing("revoking a token", c.change(ctx, now, func(t *tx) error {
		k, err := scanToken(t.row(ctx, `UPDATE token SET revoked_at = COALESCE(revoked_at, $3) WHERE customer = $1 AND id = $2
			RETURNING `+tokenColumns, c.customer, id, millis(now)))
		t.note(note{act: "token.revoke", object: id, payload: fields{"site": k.Site, "note": k.Note}})
		return absent(err, missing("token", id))
	}))
}

// Enroll lets an agent and its first device in, in one step: the token is open and not
// expired, one more of its uses is gone, and both rows are there. Customer, site, token
// and the limit of the mode come from the token, whatever the rows say.
func (c *Customer) Enroll(ctx context.Context, now time.Time, tokenHash string, a Agent, d Device) error {
	return doing("enrolling an agent", c.change(ctx, now, func(t *tx) error {
		k, err := t.use(ctx, now, tokenHash)
		if err != nil {
			return err
		}
		if k.Mode == wire.Observe {
			a.Mode = wire.Observe
		}
		_, err = t.exec(ctx, `INSERT INTO agent (customer, id, site, public_key, build, mode, max_mode, capabilities, token,
				enrolled_at, revoked_at, last_seen, clock_off, seen_epoch, seen_version, acknowledged,
				orders_epoch, orders_version, orders_hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, $11, $12, 0, 0, 0, 0, 0, '')`,
			c.customer, a.ID, k.Site, a.PublicKey, a.Build, string(a.Mode), string(k.Mode), encoded{a.Capabilities}, k.ID,
			millis(now), millis(a.LastSeen), a.ClockOff.Milliseconds())
		if err != nil {
			return err
		}
		if d.Name == "" {
			d.Name = d.Facts.Hostname
		}
		_, err = t.exec(ctx, `INSERT INTO device (customer, id, site, agent, name, named, facts, scanned_at, digest, enrolled_at, retired_at)
			VALUES ($1, $2, $3, $4, $5, FALSE, $6, NULL, '', $7, NULL)`,
			c.customer, d.ID, k.Site, a.ID, d.Name, encoded{d.Facts}, millis(now))
		if err == nil {
			err = t.setBoot(ctx, a.ID, d.Facts)
		}
		t.note(note{act: "agent.enroll", object: a.ID, device: d.ID, payload: fields{"token": k.ID, "token_by": k.CreatedBy, "site": k.Site,
			"name": d.Name, "mode": a.Mode, "build": a.Build}})
		return err
	}))
}

// EnrolledBefore finds the agent and the device that a key was let in as with this token, when
// that agent never spoke: the machine asks again because it did not get the answer. Both are ""
// when there is none, or the token was revoked or has expired since.
func (c *Customer) EnrolledBefore(ctx context.Context, now time.Time, tokenHash string, publicKey []byte) (agent, device string, err error) {
	err = doing("reading an agent", c.read(ctx, func(t *tx) error {
		return absent(t.row(ctx, `SELECT a.id, d.id FROM agent a
				JOIN token k ON k.customer = a.customer AND k.id = a.token
				JOIN device d ON d.customer = a.customer AND d.agent = a.id
			WHERE a.customer = $1 AND k.secret_hash = $2 AND k.revoked_at IS NULL AND k.expires_at > $3
				AND a.public_key = $4 AND a.revoked_at IS NULL AND d.retired_at IS NULL AND a.last_seen = a.enrolled_at AND d.digest = ''`,
			c.customer, tokenHash, millis(now), publicKey).Scan(&agent, &device), nil)
	}))
	return agent, device, err
}

// use counts one use of a token, or says why it cannot be used.
func (t *tx) use(ctx context.Context, now time.Time, hash string) (Token, error) {
	// The update comes first: it locks the row, so that two agents cannot share the last use.
	k, err := scanToken(t.row(ctx, `UPDATE token SET used = used + 1 WHERE customer = $1 AND secret_hash = $2
		RETURNING `+tokenColumns, t.customer, hash))
	if err != nil {
		return k, absent(err, refuse(ErrToken, "This enrolment token is not known here."))
	}
	switch {
	case k.RevokedAt != nil:
		err = refuse(ErrToken, "This enrolment token was revoked. Make a new one.")
	case !now.Before(k.ExpiresAt):
		err = refuse(ErrToken, "This enrolment token expired at "+k.ExpiresAt.Format(time.RFC3339)+". Make a new one.")
	case k.Used > k.MaxUses:
		err = refuse(ErrToken, fmt.Sprintf("This enrolment token was for %d uses, which are gone. Make a new one.", k.MaxUses))
	}
	if err != nil {
		return k, err
	}
	owner, err := one(ctx, t, "customer", t.customer, scanCustomer, `SELECT `+customerColumns+` FROM customer WHERE id = $1`, t.customer)
	if err == nil && owner.ClosedAt != nil {
		err = refuse(ErrToken, "This enrolment token is of a customer that is no longer looked after.")
	}
	return k, err
}
