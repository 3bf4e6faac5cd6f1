package access

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
)

// setupSetting is where the hash of the set-up link's token is kept.
const setupSetting = "setup_token"

// setupLasts is how long a set-up link works.
const setupLasts = 24 * time.Hour

// setupToken is what is stored of a set-up link.
type setupToken struct {
	Hash    string    `json:"hash"`
	Expires time.Time `json:"expires"`
}

// SetupOpen reports whether there is no person yet.
func (a *Access) SetupOpen(ctx context.Context) (bool, error) {
	people, err := a.msp().Persons(ctx)
	return len(people) == 0, err
}

// SetupToken makes the token of the one-time link that creates the first administrator. It
// returns "" when there is a person already. A new token puts the one before out of use.
func (a *Access) SetupToken(ctx context.Context) (string, error) {
	open, err := a.SetupOpen(ctx)
	if err != nil || !open {
		return "", err
	}
	now, value := a.options.Now(), secret("")
	b, err := json.Marshal(setupToken{hashed(value), now.Add(setupLasts)})
	if err != nil {
		return "", fmt.Errorf("making a set-up link: %w", err)
	}
	return value, a.msp().SetSetting(ctx, now, setupSetting, b)
}

// First is the first administrator, as the person behind the set-up link says.
type First struct {
	Token, Email, Name, Password, Address string
}

// Setup creates the first administrator and signs that person in. It works once.
func (a *Access) Setup(ctx context.Context, f First) (Caller, string, error) {
	now := a.options.Now()
	open, err := a.SetupOpen(ctx)
	if err != nil {
		return Caller{}, "", err
	}
	if !open {
		return Caller{}, "", ErrSetupDone
	}
	if wait := a.throttle.attempt("setup", f.Address, now); wait > 0 {
		return Caller{}, "", &TooManyError{wait}
	}
	if err := a.checkSetup(ctx, f.Token, now); err != nil {
		return Caller{}, "", err
	}
	hash, err := a.passwords.hash(ctx, f.Password)
	if err != nil {
		return Caller{}, "", err
	}
	p := store.Person{
		ID: patch.NewID(patch.PersonID), Email: strings.TrimSpace(f.Email), Name: f.Name,
		PasswordHash: hash, CreatedAt: now,
	}
	if err := a.as(p).CreateFirstPerson(ctx, now, p); err != nil {
		if errors.Is(err, store.ErrExists) {
			return Caller{}, "", ErrSetupDone
		}
		return Caller{}, "", err
	}
	a.throttle.passed("setup", f.Address)
	return a.open(ctx, p, false, f.Address, now)
}

func (a *Access) checkSetup(ctx context.Context, token string, now time.Time) error {
	b, err := a.msp().Setting(ctx, setupSetting)
	if errors.Is(err, store.ErrNotFound) {
		return ErrSetupToken
	}
	if err != nil {
		return err
	}
	var t setupToken
	if err := json.Unmarshal(b, &t); err != nil {
		return fmt.Errorf("reading the set-up link: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(hashed(token)), []byte(t.Hash)) != 1 || !now.Before(t.Expires) {
		return ErrSetupToken
	}
	return nil
}
