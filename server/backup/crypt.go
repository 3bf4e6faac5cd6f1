package backup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"patchbay/passphrase"
)

// The beginnings of an encrypted and of a plain backup.
const (
	encryptedMark = "age-encryption.org/v1\n"
	plainMark     = "\x1f\x8b"
)

// decrypt gives what is in a backup. secret is asked for the passphrase when it is encrypted.
func decrypt(in io.Reader, secret func() (string, error)) (io.Reader, bool, error) {
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
	text, err := secret()
	if err != nil {
		return nil, true, err
	}
	plain, err := passphrase.Open(buffered, text)
	if errors.Is(err, passphrase.ErrWrong) {
		return nil, true, fmt.Errorf("%w: type it again. Nobody can open the file without it", ErrPassphrase)
	}
	if err != nil {
		return nil, true, damaged(err)
	}
	return plain, true, nil
}
