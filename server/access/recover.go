package access

import (
	"context"
	"errors"

	"patchbay/server/store"
)

// ChangePassword gives the caller another password. All of the person's sessions end, and
// one begins that has shown what the one before had; API keys stay.
func (a *Access) ChangePassword(ctx context.Context, c Caller, old, fresh, address string) (Caller, string, error) {
	now, account := a.options.Now(), "password "+c.Person.ID
	if wait := a.throttle.attempt(account, address, now); wait > 0 {
		return Caller{}, "", &TooManyError{wait}
	}
	ok, err := a.passwords.matches(ctx, old, c.Person.PasswordHash)
	if err != nil {
		return Caller{}, "", err
	}
	if !ok {
		return Caller{}, "", ErrOldPassword
	}
	a.throttle.passed(account, address)
	hash, err := a.passwords.hash(ctx, fresh)
	if err != nil {
		return Caller{}, "", err
	}
	if err := a.as(c.Person).SetPassword(ctx, now, c.Person.ID, hash); err != nil {
		return Caller{}, "", err
	}
	return a.open(ctx, c.Person, c.Session.SecondFactor, address, now)
}

// Recover acts for a person who cannot sign in. Only whoever has the server's own machine
// may: the database and the keys are there.
type Recover struct {
	access *Access
	store  *store.MSP
}

// Recovery gives it; by is how the audit chain calls who acts.
func (a *Access) Recovery(by string) *Recover {
	return &Recover{a, a.store.MSP(store.Who{ID: "system", Name: by})}
}

// ResetTOTP takes a lost second factor away and signs the person out everywhere. Beyond
// loopback the person must set up a new one before anything else answers.
func (r *Recover) ResetTOTP(ctx context.Context, email string) error {
	p, err := r.person(ctx, email)
	if err != nil {
		return err
	}
	if p.TOTPAt == nil {
		return ErrNoTOTP
	}
	return r.store.ResetTOTP(ctx, r.access.options.Now(), p.ID)
}

// SetPassword gives a person another password and signs the person out everywhere.
func (r *Recover) SetPassword(ctx context.Context, email, password string) error {
	p, err := r.person(ctx, email)
	if err != nil {
		return err
	}
	hash, err := r.access.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	return r.store.SetPassword(ctx, r.access.options.Now(), p.ID, hash)
}

func (r *Recover) person(ctx context.Context, email string) (store.Person, error) {
	p, err := r.store.PersonByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return p, ErrNoPerson
	}
	return p, err
}
