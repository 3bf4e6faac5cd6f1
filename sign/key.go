package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"filippo.io/age/armor"

	"patchbay/passphrase"
	"patchbay/wire"
)

// Public is the public part of a key, with a word on whose it is. The word is what whoever
// made the key says, and only for people.
type Public struct {
	Key     ed25519.PublicKey
	Comment string
}

// The bounds of public lines and key files.
const (
	maxComment = 60 // characters
	maxKeyFile = 8 << 10
)

const publicWord = "patchbay-key"

// Name is the key's name, as wire.KeyName says it.
func (p Public) Name() string {
	name, err := wire.KeyName(p.Key)
	if err != nil {
		panic(err) // it fails for other kinds of keys only
	}
	return name
}

// String is the line by which the key is told to others.
func (p Public) String() string {
	return strings.TrimSuffix(publicWord+" "+p.Name()+" "+base64.StdEncoding.EncodeToString(p.Key)+" "+p.Comment, " ")
}

// ParsePublic reads a public line. It is read aloud, mailed and pasted, so it is taken only
// whole: the name in it must be that of the key.
func ParsePublic(line string) (Public, error) {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) < 3 || parts[0] != publicWord {
		return Public{}, fmt.Errorf("reading a public key: it must look like %s ed25519:NAME KEY COMMENT", publicWord)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != ed25519.PublicKeySize || strings.ContainsAny(parts[2], "\r\n") {
		return Public{}, errors.New("reading a public key: the key in it is damaged; ask for the line again")
	}
	p := Public{Key: key}
	if parts[1] != p.Name() {
		return Public{}, fmt.Errorf("reading a public key: it is called %s and its name is %s; ask for the line again", ascii(parts[1], 60), p.Name())
	}
	if len(parts) == 4 {
		p.Comment = parts[3]
		if err := checkComment(p.Comment); err != nil {
			return Public{}, fmt.Errorf("reading a public key: %w", err)
		}
	}
	return p, nil
}

// checkComment takes what can be shown as it stands.
func checkComment(c string) error {
	switch {
	case c == "" || c != strings.TrimSpace(c):
		return errors.New("the name must not be empty, or begin or end with a space")
	case utf8.RuneCountInString(c) > maxComment:
		return fmt.Errorf("the name has more than %d characters", maxComment)
	case quoted(c) != `"`+c+`"`:
		return fmt.Errorf("the name %s has characters that do not show, a quote or a backslash", quoted(cut(c, maxComment)))
	}
	return nil
}

// File is a key file as it lies on a stick: the public line for everybody, and the key under
// a passphrase.
type File struct {
	Public Public
	sealed string // armored
}

// Lock makes a key file under a passphrase. work is what passphrase.Seal takes.
func Lock(key ed25519.PrivateKey, comment, secret string, work int) ([]byte, error) {
	if err := checkComment(comment); err != nil {
		return nil, fmt.Errorf("making a key file: %w", err)
	}
	public := Public{Key: raw(key.Public()), Comment: comment}
	var b bytes.Buffer
	b.WriteString(public.String() + "\n")
	a := armor.NewWriter(&b)
	w, err := passphrase.Seal(a, secret, work)
	if err != nil {
		return nil, fmt.Errorf("making a key file: %w", err)
	}
	if _, err = io.WriteString(w, inside(public, key)); err == nil {
		err = w.Close()
	}
	if err == nil {
		err = a.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("making a key file: %w", err)
	}
	return b.Bytes(), nil
}

// inside is what is encrypted: the public line once more, so that nobody puts another one
// outside, and the key.
func inside(p Public, key ed25519.PrivateKey) string {
	return p.String() + "\n" + base64.StdEncoding.EncodeToString(key.Seed()) + "\n"
}

// ParseFile reads a key file without opening it.
func ParseFile(data []byte) (File, error) {
	if len(data) > maxKeyFile {
		return File{}, errors.New("it is no key file: it is too large")
	}
	line, sealed, found := strings.Cut(string(data), "\n")
	if !found || !strings.HasPrefix(sealed, armor.Header) {
		return File{}, errors.New("it is no key file, or only a part of one: take the copy")
	}
	p, err := ParsePublic(line)
	if err != nil {
		return File{}, err
	}
	return File{p, sealed}, nil
}

// Unlock gives what signs with the key.
func (f File) Unlock(secret string) (wire.Key, error) {
	damaged := errors.New("the key file is damaged: take the copy")
	r, err := passphrase.Open(armor.NewReader(strings.NewReader(f.sealed)), secret)
	if errors.Is(err, passphrase.ErrWrong) {
		return nil, fmt.Errorf("the passphrase is not that of the key %s", f.Public.Name())
	}
	if err != nil {
		return nil, damaged
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, damaged
	}
	_, text, _ := strings.Cut(string(plain), "\n")
	seed, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(text, "\n"))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, damaged
	}
	key := ed25519.NewKeyFromSeed(seed)
	if string(plain) != inside(f.Public, key) {
		return nil, errors.New("somebody changed the public line of the key file: it does not belong to the key in it. Take the copy, and ask who had this one")
	}
	return key, nil
}

// NewKey makes a key.
func NewKey() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}
