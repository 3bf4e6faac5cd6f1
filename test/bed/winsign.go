package bed

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Signer signs programs as their makers do, with a throw-away certificate that a throw-away
// authority gave it. wine takes it for as good as any: it looks whether a file is signed and
// was changed since, not whether anybody known vouches for the signer.
type Signer struct {
	Name        string // whom the certificate names
	Certificate string // SHA-256 of the signer's own certificate, lower-case hex

	dir string
}

// NewSigner makes a signer. It needs no root.
func NewSigner(t T, name string) *Signer {
	t.Helper()
	need(t, false, installerTools())
	dir, err := os.MkdirTemp("", "bed-signer-")
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Signer{Name: name, dir: dir}
	if err := s.certify(time.Now()); err != nil {
		t.Fatalf("bed: making a certificate for %s: %v", name, err)
	}
	return s
}

// CertificateFile and KeyFile are the signer's certificate, with the authority's behind it,
// and its key, as PEM.
func (s *Signer) CertificateFile() string { return filepath.Join(s.dir, "certificate.pem") }

// KeyFile is the signer's key, as PEM.
func (s *Signer) KeyFile() string { return filepath.Join(s.dir, "key.pem") }

func (s *Signer) certify(now time.Time) error {
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Authority of " + s.Name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: s.Name, Organization: []string{s.Name}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	authorityKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	leaf, err := x509.CreateCertificate(rand.Reader, own, authority, key.Public(), authorityKey)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	s.Certificate = fmt.Sprintf("%x", sha256.Sum256(leaf))
	return errors.Join(
		os.WriteFile(s.CertificateFile(), append(block("CERTIFICATE", leaf), block("CERTIFICATE", root)...), 0o600),
		os.WriteFile(s.KeyFile(), block("PRIVATE KEY", private), 0o600),
	)
}

// Sign signs a copy of a program or MSI and gives the copy's path.
func (s *Signer) Sign(t T, path string) string {
	t.Helper()
	out, err := os.MkdirTemp(s.dir, "signed-")
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	out = filepath.Join(out, filepath.Base(path))
	_, err = run(t.Context(), "osslsigncode", "sign", "-h", "sha256", "-certs", s.CertificateFile(), "-key", s.KeyFile(), "-in", path, "-out", out)
	if err != nil {
		t.Fatalf("bed: signing %s: %v", path, err)
	}
	return out
}

// Tamper gives the path of a copy of a file with one bit of its middle changed.
func Tamper(t T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	dir, err := os.MkdirTemp("", "bed-tampered-")
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	text[len(text)/2] ^= 1
	out := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(out, text, 0o755); err != nil {
		t.Fatalf("bed: %v", err)
	}
	return out
}
