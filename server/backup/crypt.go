package backup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// work is how much a passphrase costs to try: 2 to this power, a quarter of a gigabyte of
// memory for about a second. A file that asks for more is refused.
const work = 18

// shortest is how many characters a passphrase has at least.
const shortest = 12

// The beginnings of an encrypted and of a plain backup.
const (
	encryptedMark = "age-encryption.org/v1\n"
	plainMark     = "\x1f\x8b"
)

// GoodPassphrase refuses one that is guessed too easily.
func GoodPassphrase(passphrase string) error {
	if len([]rune(passphrase)) < shortest {
		return fmt.Errorf("the passphrase is too short: take at least %d characters, such as five words chosen by dice", shortest)
	}
	return nil
}

// encrypt makes what is written to it end in out, encrypted. factor is work but in tests.
func encrypt(out io.Writer, passphrase string, factor int) (io.WriteCloser, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("using the passphrase: %w", err)
	}
	recipient.SetWorkFactor(factor)
	w, err := age.Encrypt(out, recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	return w, nil
}

// decrypt gives what is in a backup. passphrase is asked for when it is encrypted.
func decrypt(in io.Reader, passphrase func() (string, error)) (io.Reader, bool, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(len(encryptedMark))
	switch {
	case bytes.HasPrefix(head, []byte(plainMark)):
		return buffered, false, nil
	case string(head) != encryptedMark:
		return nil, false, fmt.Errorf("%w, or its beginning is lost: it starts with %.20q", ErrNotBackup, head)
	case err != nil:
		return nil, false, err
	}
	secret, err := passphrase()
	if err != nil {
		return nil, true, err
	}
	identity, err := age.NewScryptIdentity(secret)
	if err != nil {
		return nil, true, fmt.Errorf("using the passphrase: %w", err)
	}
	identity.SetMaxWorkFactor(work)
	plain, err := age.Decrypt(buffered, identity)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, true, fmt.Errorf("%w: type it again. Nobody can open the file without it", ErrPassphrase)
	}
	if err != nil {
		return nil, true, damaged(err)
	}
	return plain, true, nil
}
