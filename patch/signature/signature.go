// Package signature reads whose signature a Windows file has: of programs (PE) and of Windows
// Installer databases (MSI), as Authenticode writes it.
//
// Read hashes the file the way its signature does, compares, and checks the signature with the
// certificate that is in the file. It does not ask whether anybody should trust that
// certificate: the catalogue names the one that is expected, and Windows itself is asked beside.
// Files are hostile: whatever they say, reading them ends, and takes little memory.
package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // what signatures are made with
	_ "crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"io"

	"crypto/sha256"
	"encoding/hex"

	"patchbay/patch"
)

// Why no signature is read.
var (
	ErrKind     = errors.New("it is neither a program nor an installer database of Windows")
	ErrUnsigned = errors.New("it is not signed")
	ErrInvalid  = errors.New("its signature does not hold")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Signature is one that holds: over the whole file but itself, by the certificate.
type Signature struct {
	Signer      patch.Signer
	Certificate *x509.Certificate
}

// Read gives the signature of a file. A file may have several, for old systems and for new
// ones; the first is given that was not made with SHA-1, which counts for nothing any more.
func Read(r io.ReaderAt, size int64) (Signature, error) {
	s, err := read(r, size)
	if err != nil {
		return Signature{}, fmt.Errorf("reading the signature: %w", err)
	}
	return s, nil
}

func read(r io.ReaderAt, size int64) (Signature, error) {
	var head [8]byte
	if size < int64(len(head)) {
		return Signature{}, ErrKind
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return Signature{}, err
	}
	var found []message
	var digest func(crypto.Hash) ([]byte, error)
	switch {
	case bytes.HasPrefix(head[:], []byte("MZ")):
		p, err := readProgram(r, size)
		if err != nil {
			return Signature{}, err
		}
		if found, err = p.messages(); err != nil {
			return Signature{}, err
		}
		digest = p.digest
	case bytes.Equal(head[:], compoundMagic):
		c, err := readCompound(r, size)
		if err != nil {
			return Signature{}, err
		}
		if found, err = c.messages(); err != nil {
			return Signature{}, err
		}
		digest = c.digest
	default:
		return Signature{}, ErrKind
	}
	return first(found, digest)
}

// first gives the first signature that is good enough, and looks at no other: one that does
// not hold is not made up for by the next.
func first(found []message, digest func(crypto.Hash) ([]byte, error)) (Signature, error) {
	for _, m := range found {
		if m.hash == crypto.SHA1 {
			continue
		}
		sum, err := digest(m.hash)
		if err != nil {
			return Signature{}, err
		}
		if subtle.ConstantTimeCompare(sum, m.digest) != 1 {
			return Signature{}, invalid("the file was changed after it was signed")
		}
		if err := m.verify(); err != nil {
			return Signature{}, err
		}
		return Signature{signer(m.certificate), m.certificate}, nil
	}
	if len(found) > 0 {
		return Signature{}, invalid("it is made with SHA-1 alone")
	}
	return Signature{}, ErrUnsigned
}

// signer is how a catalogue names a certificate.
func signer(c *x509.Certificate) patch.Signer {
	sum := sha256.Sum256(c.Raw)
	name := c.Subject.CommonName
	if name == "" && len(c.Subject.Organization) > 0 {
		name = c.Subject.Organization[0]
	}
	if name == "" {
		name = "unnamed"
	}
	return patch.Signer{Name: name, Certificate: hex.EncodeToString(sum[:])}
}

// algorithms are those that certificates sign with here.
func algorithm(key any, h crypto.Hash) x509.SignatureAlgorithm {
	rsaWith := map[crypto.Hash]x509.SignatureAlgorithm{crypto.SHA256: x509.SHA256WithRSA, crypto.SHA384: x509.SHA384WithRSA, crypto.SHA512: x509.SHA512WithRSA}
	ecdsaWith := map[crypto.Hash]x509.SignatureAlgorithm{crypto.SHA256: x509.ECDSAWithSHA256, crypto.SHA384: x509.ECDSAWithSHA384, crypto.SHA512: x509.ECDSAWithSHA512}
	switch key.(type) {
	case *rsa.PublicKey:
		return rsaWith[h]
	case *ecdsa.PublicKey:
		return ecdsaWith[h]
	}
	return x509.UnknownSignatureAlgorithm
}

// copyTo hashes a stretch of the file.
func copyTo(h hash.Hash, r io.ReaderAt, from, to int64) error {
	n, err := io.Copy(h, io.NewSectionReader(r, from, to-from))
	if err == nil && n != to-from {
		err = io.ErrUnexpectedEOF
	}
	return err
}
