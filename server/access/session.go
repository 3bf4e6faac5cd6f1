package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
)

// CookieName is the cookie a session lives in.
const CookieName = "patchbay_session"

// How long a session lasts: without use, and at most.
const (
	SessionIdle   = 12 * time.Hour
	SessionLength = 7 * 24 * time.Hour
)

// keyPrefix begins every API key, so that leaked ones can be searched for.
const keyPrefix = "pbk_"

// touchEvery bounds how often use is written down.
const touchEvery = time.Minute

// Caller is who is asking. The zero Caller is nobody.
type Caller struct {
	Person       store.Person
	Session      store.Session // the zero Session for an API key
	Key          bool          // a program with an API key of the person
	TOTPRequired bool          // the person must set up a second factor before anything else
}

// system is who acts before anybody is known.
func (a *Access) msp() *store.MSP {
	return a.store.MSP(store.Who{ID: "system", Name: "Patchbay"})
}

func (a *Access) as(p store.Person) *store.MSP {
	return a.store.MSP(store.Who{ID: p.ID, Name: p.Name})
}

// Identify finds out who is asking: by API key when there is one, otherwise by session.
// ErrSignedOut means that nobody is.
func (a *Access) Identify(ctx context.Context, r *http.Request) (Caller, error) {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return a.byKey(ctx, strings.TrimSpace(key))
	}
	cookie, err := r.Cookie(CookieName)
	if err != nil || cookie.Value == "" {
		return Caller{}, ErrSignedOut
	}
	return a.bySession(ctx, cookie.Value)
}

func (a *Access) bySession(ctx context.Context, secret string) (Caller, error) {
	now := a.options.Now()
	s, err := a.msp().SessionByHash(ctx, now, hashed(secret))
	if err != nil {
		return Caller{}, signedOut(err)
	}
	p, err := a.person(ctx, s.Person)
	if err != nil {
		return Caller{}, err
	}
	if p.TOTPAt != nil && !s.SecondFactor {
		return Caller{}, ErrSignedOut // opened before the second factor was set up
	}
	if now.Sub(s.SeenAt) >= touchEvery {
		s.SeenAt, s.ExpiresAt = now, expires(s.CreatedAt, now)
		if err := a.msp().TouchSession(ctx, now, s.ID, s.SeenAt, s.ExpiresAt); err != nil {
			return Caller{}, signedOut(err)
		}
	}
	return Caller{Person: p, Session: s, TOTPRequired: a.options.BeyondLoopback && p.TOTPAt == nil}, nil
}

func (a *Access) byKey(ctx context.Context, secret string) (Caller, error) {
	if !strings.HasPrefix(secret, keyPrefix) {
		return Caller{}, ErrSignedOut
	}
	now := a.options.Now()
	k, err := a.msp().KeyByHash(ctx, now, hashed(secret))
	if err != nil {
		return Caller{}, signedOut(err)
	}
	p, err := a.person(ctx, k.Person)
	if err != nil {
		return Caller{}, err
	}
	if k.SeenAt == nil || now.Sub(*k.SeenAt) >= touchEvery {
		if err := a.msp().TouchKey(ctx, now, k.ID); err != nil {
			return Caller{}, signedOut(err)
		}
	}
	return Caller{Person: p, Key: true, TOTPRequired: a.options.BeyondLoopback && p.TOTPAt == nil}, nil
}

func (a *Access) person(ctx context.Context, id string) (store.Person, error) {
	p, err := a.msp().Person(ctx, id)
	if err != nil {
		return p, signedOut(err)
	}
	if p.DisabledAt != nil {
		return store.Person{}, ErrSignedOut
	}
	return p, nil
}

// signedOut makes "no such row" mean that nobody is signed in; other errors stay.
func signedOut(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrSignedOut
	}
	return err
}

func expires(created, now time.Time) time.Time {
	end, idle := created.Add(SessionLength), now.Add(SessionIdle)
	if idle.Before(end) {
		return idle
	}
	return end
}

// SignIn opens a session for the owner of an account and returns the cookie's value. It
// takes as long for an account that does not exist.
func (a *Access) SignIn(ctx context.Context, email, password, code, address string) (Caller, string, error) {
	now, account := a.options.Now(), strings.ToLower(strings.TrimSpace(email))
	if wait := a.throttle.attempt(account, address, now); wait > 0 {
		return Caller{}, "", &TooManyError{wait}
	}
	p, err := a.msp().PersonByEmail(ctx, account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Caller{}, "", err
	}
	ok, err := a.passwords.matches(ctx, password, p.PasswordHash)
	if err != nil {
		return Caller{}, "", err
	}
	if !ok || p.DisabledAt != nil {
		return Caller{}, "", ErrWrong
	}
	if p.TOTPAt != nil {
		if code == "" {
			a.throttle.undo(account, address)
			return Caller{}, "", ErrCodeRequired
		}
		if wait := a.throttle.code(p.ID, now); wait > 0 {
			return Caller{}, "", &TooManyError{wait}
		}
		if err := a.useCode(ctx, p, code, now); err != nil {
			return Caller{}, "", err
		}
		a.throttle.codePassed(p.ID)
	}
	a.throttle.passed(account, address)
	return a.open(ctx, p, p.TOTPAt != nil, address, now)
}

// useCode checks a code and uses it up.
func (a *Access) useCode(ctx context.Context, p store.Person, code string, now time.Time) error {
	secret, err := a.opened(p.ID, p.TOTPSecret)
	if err != nil {
		return err
	}
	n, err := step(secret, code, now)
	if errors.Is(err, ErrCode) {
		return ErrWrong
	}
	if err != nil {
		return err
	}
	fresh, err := a.msp().UseTOTP(ctx, now, p.ID, n)
	if err == nil && !fresh {
		return ErrWrong
	}
	return err
}

// open begins a session.
func (a *Access) open(ctx context.Context, p store.Person, second bool, address string, now time.Time) (Caller, string, error) {
	value := secret("")
	s := store.Session{
		ID: patch.NewID(patch.SessionID), Person: p.ID, CreatedAt: now, SeenAt: now,
		ExpiresAt: expires(now, now), SecondFactor: second, Remote: address,
	}
	if err := a.as(p).CreateSession(ctx, now, s, hashed(value)); err != nil {
		return Caller{}, "", err
	}
	return Caller{Person: p, Session: s, TOTPRequired: a.options.BeyondLoopback && p.TOTPAt == nil}, value, nil
}

// SignOut ends the caller's session. Nobody being signed in is as good.
func (a *Access) SignOut(ctx context.Context, c Caller) error {
	if c.Session.ID == "" {
		return nil
	}
	err := a.as(c.Person).DeleteSession(ctx, a.options.Now(), c.Session.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// NewTOTP gives what an authenticator app needs. Nothing changes until a code confirms it.
func (a *Access) NewTOTP(_ context.Context, c Caller) (TOTP, error) {
	if c.Person.TOTPAt != nil {
		return TOTP{}, ErrTOTPConfirmed
	}
	key, err := a.totpFor(c)
	if err != nil {
		return TOTP{}, err
	}
	picture, err := qrSVG(key.URL())
	return TOTP{key.Secret(), key.URL(), picture}, err
}

// ConfirmTOTP sets the second factor up when the code proves that the person holds it. The
// session is replaced by one that has shown it.
func (a *Access) ConfirmTOTP(ctx context.Context, c Caller, code, address string) (Caller, string, error) {
	now := a.options.Now()
	if c.Person.TOTPAt != nil {
		return Caller{}, "", ErrTOTPConfirmed
	}
	if wait := a.throttle.attempt("totp "+c.Person.ID, address, now); wait > 0 {
		return Caller{}, "", &TooManyError{wait}
	}
	key, err := a.totpFor(c)
	if err != nil {
		return Caller{}, "", err
	}
	n, err := step(key.Secret(), code, now)
	if err != nil {
		return Caller{}, "", err
	}
	err = a.as(c.Person).ConfirmTOTP(ctx, now, c.Person.ID, a.sealed(c.Person.ID, key.Secret()), n)
	if errors.Is(err, store.ErrNotFound) {
		return Caller{}, "", ErrTOTPConfirmed // another session was first
	}
	if err != nil {
		return Caller{}, "", err
	}
	a.throttle.passed("totp "+c.Person.ID, address)
	p := c.Person
	p.TOTPAt = &now
	if err := a.SignOut(ctx, c); err != nil {
		return Caller{}, "", err
	}
	return a.open(ctx, p, true, address, now)
}

// Keys lists the caller's API keys.
func (a *Access) Keys(ctx context.Context, c Caller) ([]store.APIKey, error) {
	return a.as(c.Person).Keys(ctx, c.Person.ID)
}

// NewKey makes an API key for the caller and returns the key itself, which is shown once.
func (a *Access) NewKey(ctx context.Context, c Caller, name string, lasts time.Duration) (store.APIKey, string, error) {
	now, value := a.options.Now(), secret(keyPrefix)
	k := store.APIKey{ID: patch.NewID(patch.KeyID), Person: c.Person.ID, Name: name, CreatedAt: now, ExpiresAt: now.Add(lasts)}
	return k, value, a.as(c.Person).CreateKey(ctx, now, k, hashed(value))
}

// RevokeKey ends one of the caller's own API keys.
func (a *Access) RevokeKey(ctx context.Context, c Caller, id string) error {
	keys, err := a.Keys(ctx, c)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.ID == id {
			return a.as(c.Person).RevokeKey(ctx, a.options.Now(), id)
		}
	}
	return fmt.Errorf("revoking an API key: %w", store.ErrNotFound)
}
