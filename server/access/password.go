package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Cost is how expensive a guess of a password is.
type Cost struct {
	Memory     uint32 // KiB per hash
	Iterations uint32
	AtOnce     int // hashes computed at the same time; others wait, so sign-ins cannot eat the memory
}

// The limits of a password. The upper one bounds the work of hashing it.
const (
	MinPassword = 12
	MaxPassword = 200
)

// maxWaiting is how many may wait for their turn to be hashed.
const maxWaiting = 64

// ErrBusy means that too many passwords wait to be compared already.
var ErrBusy = errors.New("too many people sign in at this moment: try again in a minute")

// ErrPassword means that a password is too short or too long to be used.
var ErrPassword = errors.New("a password has 12 to 200 characters: take four words")

// passwords hashes and compares, at most AtOnce at a time.
type passwords struct {
	params argon2id.Params
	turn   chan struct{}
	queue  chan struct{} // who waits for a turn
	// nobody is a hash that nobody has the password of: an unknown account takes as long
	// to refuse as a known one.
	nobody string
}

func newPasswords(c Cost) *passwords {
	if c == (Cost{}) {
		c = Cost{Memory: 64 * 1024, Iterations: 2, AtOnce: 2}
	}
	p := &passwords{
		params: argon2id.Params{Memory: c.Memory, Iterations: c.Iterations, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		turn:   make(chan struct{}, max(c.AtOnce, 1)),
		queue:  make(chan struct{}, maxWaiting),
	}
	p.nobody = unhashed(p.params)
	return p
}

// unhashed is what a hash looks like, of random bytes: it costs nothing to make, as much as
// any to compare with, and no password is known for it.
func unhashed(p argon2id.Params) string {
	salt, key := make([]byte, p.SaltLength), make([]byte, p.KeyLength)
	rand.Read(salt)
	rand.Read(key)
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism, text(salt), text(key))
}

// hash makes the text that is stored.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < MinPassword || n > MaxPassword {
		return "", ErrPassword
	}
	if err := p.wait(ctx); err != nil {
		return "", err
	}
	defer func() { <-p.turn }()
	hash, err := argon2id.CreateHash(password, &p.params)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// matches compares a password with a stored hash; "" stands for an account that does not
// exist and never matches, but takes as long.
func (p *passwords) matches(ctx context.Context, password, hash string) (bool, error) {
	if err := p.wait(ctx); err != nil {
		return false, err
	}
	defer func() { <-p.turn }()
	known := hash != ""
	if !known {
		hash = p.nobody
	}
	if utf8.RuneCountInString(password) > MaxPassword {
		password = ""
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("comparing a password: %w", err)
	}
	return ok && known, nil
}

func (p *passwords) wait(ctx context.Context) error {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return ErrBusy
	}
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
}
