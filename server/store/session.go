package store

import (
	"context"
	"time"
)

const sessionColumns = `id, person, created_at, seen_at, expires_at, second_factor, remote`

func scanSession(r scanner) (s Session, err error) {
	err = r.Scan(&s.ID, &s.Person, at(&s.CreatedAt), at(&s.SeenAt), at(&s.ExpiresAt), &s.SecondFactor, &s.Remote)
	return s, err
}

// CreateSession signs a person in; hash is that of the session's secret. Sessions that
// expired go.
func (m *MSP) CreateSession(ctx context.Context, now time.Time, s Session, hash string) error {
	return doing("signing in", m.change(ctx, now, func(t *tx) error {
		if _, err := t.exec(ctx, `DELETE FROM session WHERE expires_at <= $1`, millis(now)); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO session (secret_hash, `+sessionColumns+`) VALUES (`+marks(1, 8)+`)`,
			hash, s.ID, s.Person, millis(s.CreatedAt), millis(s.SeenAt), millis(s.ExpiresAt), s.SecondFactor, s.Remote)
		if t.s.engine.foreign(err) {
			return missing("person", s.Person)
		}
		t.note(note{act: "session.create", object: s.ID, payload: fields{"person": s.Person,
			"second_factor": s.SecondFactor, "remote": s.Remote}})
		return err
	}))
}

// SessionByHash finds an open session of a person who is not disabled.
func (m *MSP) SessionByHash(ctx context.Context, now time.Time, hash string) (Session, error) {
	return reading(ctx, m.handle, "a session", func(t *tx) (Session, error) {
		s, err := scanSession(t.row(ctx, `SELECT `+sessionColumns+` FROM session
			WHERE secret_hash = $1 AND expires_at > $2
			AND EXISTS (SELECT 1 FROM person p WHERE p.id = session.person AND p.disabled_at IS NULL)`, hash, millis(now)))
		return s, absent(err, refuse(ErrNotFound, "You are signed out. Sign in again."))
	})
}

// TouchSession moves when a session was last used and when it ends.
func (m *MSP) TouchSession(ctx context.Context, now time.Time, id string, seen, expires time.Time) error {
	return doing("keeping a session", m.record(ctx, now, func(t *tx) error {
		return t.must(ctx, "session", id, `UPDATE session SET seen_at = $2, expires_at = $3 WHERE id = $1`,
			id, millis(seen), millis(expires))
	}))
}

// DeleteSession signs out.
func (m *MSP) DeleteSession(ctx context.Context, now time.Time, id string) error {
	return doing("signing out", m.change(ctx, now, func(t *tx) error {
		var person string
		err := t.row(ctx, `DELETE FROM session WHERE id = $1 RETURNING person`, id).Scan(&person)
		t.note(note{act: "session.delete", object: id, payload: fields{"person": person}})
		return absent(err, missing("session", id))
	}))
}

const keyColumns = `id, person, name, created_at, seen_at, expires_at, revoked_at`

func scanKey(r scanner) (k APIKey, err error) {
	err = r.Scan(&k.ID, &k.Person, &k.Name, at(&k.CreatedAt), maybe(&k.SeenAt), at(&k.ExpiresAt), maybe(&k.RevokedAt))
	return k, err
}

// Keys lists the API keys of a person, or of everybody for "", newest first.
func (m *MSP) Keys(ctx context.Context, person string) ([]APIKey, error) {
	return reading(ctx, m.handle, "API keys", func(t *tx) ([]APIKey, error) {
		return list(ctx, t, scanKey, `SELECT `+keyColumns+` FROM api_key WHERE $1 = '' OR person = $1 ORDER BY created_at DESC, id`, person)
	})
}

// CreateKey takes an API key and the hash of its secret.
func (m *MSP) CreateKey(ctx context.Context, now time.Time, k APIKey, hash string) error {
	return doing("creating an API key", m.change(ctx, now, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO api_key (secret_hash, id, person, name, created_at, seen_at, expires_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, NULL, $6, NULL)`, hash, k.ID, k.Person, k.Name, millis(k.CreatedAt), millis(k.ExpiresAt))
		if t.s.engine.foreign(err) {
			return missing("person", k.Person)
		}
		t.note(note{act: "key.create", object: k.ID, payload: fields{"person": k.Person, "name": k.Name, "expires_at": k.ExpiresAt}})
		return err
	}))
}

// KeyByHash finds an API key that can be used: not revoked, not expired, its person not
// disabled.
func (m *MSP) KeyByHash(ctx context.Context, now time.Time, hash string) (APIKey, error) {
	return reading(ctx, m.handle, "an API key", func(t *tx) (APIKey, error) {
		k, err := scanKey(t.row(ctx, `SELECT `+keyColumns+` FROM api_key
			WHERE secret_hash = $1 AND revoked_at IS NULL AND expires_at > $2
			AND EXISTS (SELECT 1 FROM person p WHERE p.id = api_key.person AND p.disabled_at IS NULL)`, hash, millis(now)))
		return k, absent(err, refuse(ErrNotFound, "This API key is not known here, has expired or was revoked."))
	})
}

// TouchKey notes that an API key was used.
func (m *MSP) TouchKey(ctx context.Context, now time.Time, id string) error {
	return doing("noting an API key", m.record(ctx, now, func(t *tx) error {
		return t.must(ctx, "API key", id, `UPDATE api_key SET seen_at = $2 WHERE id = $1`, id, millis(now))
	}))
}

// RevokeKey ends an API key.
func (m *MSP) RevokeKey(ctx context.Context, now time.Time, id string) error {
	return doing("revoking an API key", m.change(ctx, now, func(t *tx) error {
		k, err := scanKey(t.row(ctx, `UPDATE api_key SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1
			RETURNING `+keyColumns, id, millis(now)))
		t.note(note{act: "key.revoke", object: id, payload: fields{"person": k.Person, "name": k.Name}})
		return absent(err, missing("API key", id))
	}))
}
