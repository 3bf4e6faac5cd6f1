package store

import (
	"context"
	"time"
)

const personColumns = `id, email, name, password_hash, totp_secret, totp_at, totp_last, created_at, disabled_at`

func scanPerson(r scanner) (p Person, err error) {
	err = r.Scan(&p.ID, &p.Email, &p.Name, &p.PasswordHash, &p.TOTPSecret, maybe(&p.TOTPAt), &p.TOTPLast,
		at(&p.CreatedAt), maybe(&p.DisabledAt))
	return p, err
}

// Persons lists everybody by e-mail address, disabled ones too.
func (m *MSP) Persons(ctx context.Context) ([]Person, error) {
	return reading(ctx, m.handle, "people", func(t *tx) ([]Person, error) {
		return list(ctx, t, scanPerson, `SELECT `+personColumns+` FROM person ORDER BY email_key`)
	})
}

// Person gives one person.
func (m *MSP) Person(ctx context.Context, id string) (Person, error) {
	return reading(ctx, m.handle, "a person", func(t *tx) (Person, error) {
		return one(ctx, t, "person", id, scanPerson, `SELECT `+personColumns+` FROM person WHERE id = $1`, id)
	})
}

// PersonByEmail finds a person, whatever the case of the letters.
func (m *MSP) PersonByEmail(ctx context.Context, email string) (Person, error) {
	return reading(ctx, m.handle, "a person", func(t *tx) (Person, error) {
		return one(ctx, t, "person", email, scanPerson, `SELECT `+personColumns+` FROM person WHERE email_key = $1`, fold(email))
	})
}

// CreateFirstPerson lets the first person in, and nobody when there is one already.
func (m *MSP) CreateFirstPerson(ctx context.Context, now time.Time, p Person) error {
	return doing("creating the first person", m.change(ctx, now, func(t *tx) error {
		// Both of two that come at once write this row, so one waits for the other.
		_, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ('first_person', $1)
			ON CONFLICT (name) DO UPDATE SET value = setting.value`, []byte(p.ID))
		if err != nil {
			return err
		}
		var n int
		if err := t.row(ctx, `SELECT COUNT(*) FROM person`).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return refuse(ErrExists, "The first person has signed up already.")
		}
		return t.createPerson(ctx, p)
	}))
}

// CreatePerson lets one more person in.
func (m *MSP) CreatePerson(ctx context.Context, now time.Time, p Person) error {
	return doing("creating a person", m.change(ctx, now, func(t *tx) error { return t.createPerson(ctx, p) }))
}

func (t *tx) createPerson(ctx context.Context, p Person) error {
	_, err := t.exec(ctx, `INSERT INTO person (id, email, email_key, name, password_hash, totp_secret, totp_at, totp_last, created_at, disabled_at)
		VALUES (`+marks(1, 10)+`)`,
		p.ID, p.Email, fold(p.Email), p.Name, p.PasswordHash, p.TOTPSecret, millisOf(p.TOTPAt), p.TOTPLast,
		millis(p.CreatedAt), millisOf(p.DisabledAt))
	if t.s.engine.unique(err) {
		return refuse(ErrExists, "There is a person with the address "+p.Email+" already.")
	}
	t.note(note{act: "person.create", object: p.ID, payload: fields{"email": p.Email, "name": p.Name}})
	return err
}

// UpdatePerson writes all of a person but the TOTP step last used, which only UseTOTP
// moves. A person who is disabled, or whose password or confirmed second factor is another,
// is signed out everywhere; the caller opens a new session where one is meant to go on.
func (m *MSP) UpdatePerson(ctx context.Context, now time.Time, p Person) error {
	return doing("changing a person", m.change(ctx, now, func(t *tx) error {
		old, err := one(ctx, t, "person", p.ID, scanPerson, `SELECT `+personColumns+` FROM person WHERE id = $1`, p.ID)
		if err != nil {
			return err
		}
		err = t.must(ctx, "person", p.ID, `UPDATE person SET email = $2, email_key = $3, name = $4, password_hash = $5,
				totp_secret = $6, totp_at = $7, disabled_at = $8 WHERE id = $1`,
			p.ID, p.Email, fold(p.Email), p.Name, p.PasswordHash, p.TOTPSecret, millisOf(p.TOTPAt), millisOf(p.DisabledAt))
		if t.s.engine.unique(err) {
			return refuse(ErrExists, "There is a person with the address "+p.Email+" already.")
		}
		if err != nil {
			return err
		}
		t.note(note{act: "person.update", object: p.ID, payload: fields{"email": p.Email, "name": p.Name,
			"password_changed": old.PasswordHash != p.PasswordHash, "totp_at": p.TOTPAt, "disabled_at": p.DisabledAt,
			"was": fields{"email": old.Email, "name": old.Name, "totp_at": old.TOTPAt, "disabled_at": old.DisabledAt}}})
		factor := old.TOTPAt == nil || string(old.TOTPSecret) == string(p.TOTPSecret)
		if p.DisabledAt == nil && old.PasswordHash == p.PasswordHash && factor {
			return nil
		}
		_, err = t.exec(ctx, `DELETE FROM session WHERE person = $1`, p.ID)
		return err
	}))
}

// ConfirmTOTP ends the enrolment of a second factor: the sealed secret, and the time step of
// the code that proved it. One that is there already is never written over.
func (m *MSP) ConfirmTOTP(ctx context.Context, now time.Time, person string, secret []byte, step int64) error {
	return doing("confirming a second factor", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "person.confirm_totp", object: person})
		return t.must(ctx, "person without a second factor", person,
			`UPDATE person SET totp_secret = $2, totp_at = $3, totp_last = $4 WHERE id = $1 AND totp_at IS NULL`, person, secret, millis(now), step)
	}))
}

// UseTOTP uses the code of a time step up. It reports false when that code, or a later one,
// was used before: a code works once.
func (m *MSP) UseTOTP(ctx context.Context, now time.Time, person string, step int64) (fresh bool, err error) {
	err = m.record(ctx, now, func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE person SET totp_last = $2 WHERE id = $1 AND totp_last < $2`, person, step)
		fresh = n > 0
		return err
	})
	return fresh && err == nil, doing("using a second factor", err)
}

// SetPassword gives a person another password, which signs the person out everywhere.
func (m *MSP) SetPassword(ctx context.Context, now time.Time, person, hash string) error {
	return doing("setting a password", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "person.set_password", object: person})
		if err := t.must(ctx, "person", person, `UPDATE person SET password_hash = $2 WHERE id = $1`, person, hash); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM session WHERE person = $1`, person)
		return err
	}))
}

// ResetTOTP takes a person's second factor away, which signs the person out everywhere. The
// step last used stays: an old code never works again.
func (m *MSP) ResetTOTP(ctx context.Context, now time.Time, person string) error {
	return doing("taking a second factor away", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "person.reset_totp", object: person})
		err := t.must(ctx, "person with a second factor", person,
			`UPDATE person SET totp_secret = $2, totp_at = NULL WHERE id = $1 AND totp_at IS NOT NULL`, person, []byte{})
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `DELETE FROM session WHERE person = $1`, person)
		return err
	}))
}
