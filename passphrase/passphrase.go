// Package passphrase keeps things under a passphrase: offline keys and backups.
//
// The format is age's (age-encryption.org/v1, with scrypt), so that whoever has the
// passphrase can open what is in it without Patchbay.
package passphrase

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"filippo.io/age"
)

const (
	// Work is the logarithm of what each guess of a passphrase costs: about a second and
	// 256 MiB of memory.
	Work = 18
	// mostWork bounds what a file that somebody left here can cost: 1 GiB of memory.
	mostWork = 20

	shortest = 12   // characters
	longest  = 1000 // bytes
)

// ErrWrong means that what is sealed was sealed with another passphrase.
var ErrWrong = errors.New("the passphrase is another one")

// Check refuses a passphrase that is guessed too easily.
func Check(p string) error {
	switch {
	case utf8.RuneCountInString(p) < shortest:
		return fmt.Errorf("the passphrase has fewer than %d characters: take six words or more, chosen by dice", shortest)
	case len(p) > longest:
		return fmt.Errorf("the passphrase is longer than %d bytes", longest)
	}
	return nil
}

// Seal makes what is written to it end in out, encrypted. It is whole once it was closed.
// work is Work but in tests, where less saves time; 0 is Work.
func Seal(out io.Writer, p string, work int) (io.WriteCloser, error) {
	if err := Check(p); err != nil {
		return nil, err
	}
	recipient, err := age.NewScryptRecipient(p)
	if err != nil {
		return nil, fmt.Errorf("using the passphrase: %w", err)
	}
	if work == 0 {
		work = Work
	}
	recipient.SetWorkFactor(work)
	w, err := age.Encrypt(out, recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	return w, nil
}

// Open gives what was sealed. The error is ErrWrong when the passphrase is; reading from it
// fails where it was changed or cut.
func Open(in io.Reader, p string) (io.Reader, error) {
	identity, err := age.NewScryptIdentity(p)
	if err != nil {
		return nil, ErrWrong // it is empty, and nothing was sealed so
	}
	identity.SetMaxWorkFactor(mostWork)
	plain, err := age.Decrypt(in, identity)
	if no := new(age.NoIdentityMatchError); errors.As(err, &no) {
		return nil, ErrWrong
	}
	return plain, err
}
