// Package access decides who is asking: people by password and a second factor, their
// browsers by session, their programs by API key, and the very first administrator by a
// link that works once.
//
// The one idea: nothing that a client holds carries authority by itself. Cookies and keys
// are random names of rows; only their hashes are stored, so neither the database nor a
// backup of it signs anybody in. What may be guessed (passwords, codes) is throttled, and
// what is checked once (codes, set-up links) works once.
package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"patchbay/server/store"
)

// Options is what an installation decides.
type Options struct {
	Now func() time.Time
	// Secret seals what must be read again, such as TOTP secrets. It is the server's own
	// and never in the database.
	Secret [32]byte
	// BeyondLoopback means that others than this machine can reach the server: then nothing
	// answers before the person has shown a second factor.
	BeyondLoopback bool
	// TrustedProxies are the addresses whose X-Forwarded-For is believed. None by default.
	TrustedProxies []netip.Prefix
	// Installation names this server in authenticator apps.
	Installation string
	// Passwords are the costs of hashing; the zero value is the recommended one. Tests use less.
	Passwords Cost
}

// Access answers who is asking. It is safe for many callers at once.
type Access struct {
	store     *store.Store
	options   Options
	passwords *passwords
	throttle  *throttle
	seal      cipher.AEAD
}

// The kinds of refusal that a caller acts on. Their texts are for people.
var (
	ErrWrong         = errors.New("email, password or code is wrong")
	ErrCodeRequired  = errors.New("a code from the authenticator app is needed as well")
	ErrSignedOut     = errors.New("nobody is signed in: sign in again")
	ErrSetupDone     = errors.New("this server has been set up already")
	ErrSetupToken    = errors.New("this set-up link is used or too old: restart the server to get a new one")
	ErrCode          = errors.New("the code is wrong or was used already: wait for the next one, and check the clock of the phone")
	ErrOldPassword   = errors.New("the present password is wrong")
	ErrNoPerson      = errors.New("there is nobody with this address")
	ErrNoTOTP        = errors.New("this person has no second factor")
	ErrTOTPConfirmed = errors.New("a second factor is set up already")
)

// TooManyError means that somebody guesses: wait.
type TooManyError struct{ Wait time.Duration }

// Error says how long to wait.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many attempts: try again in %d minutes", int(e.Wait.Minutes())+1)
}

// New gives the Access to the people in a store.
func New(s *store.Store, o Options) (*Access, error) {
	block, err := aes.NewCipher(o.Secret[:])
	if err != nil {
		return nil, fmt.Errorf("preparing the seal: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("preparing the seal: %w", err)
	}
	return &Access{store: s, options: o, passwords: newPasswords(o.Passwords), throttle: newThrottle(), seal: seal}, nil
}

// BeyondLoopback reports whether others than this machine can reach the server.
func (a *Access) BeyondLoopback() bool { return a.options.BeyondLoopback }

// secret mints a random text of 256 bits with a prefix.
func secret(prefix string) string {
	var b [32]byte
	rand.Read(b[:]) // never fails, says crypto/rand
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// TokenHash is what is stored of an enrolment token's secret.
func TokenHash(secret string) string { return hashed(secret) }

// hashed is what is stored of a secret. The secrets are random and long, so a plain hash
// cannot be guessed backwards.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
