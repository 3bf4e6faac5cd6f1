package identity

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"patchbay/agent/disk"
)

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	dir, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := SoftKey{dir}
	if _, err := s.Key(); !errors.Is(err, ErrNone) {
		t.Errorf("before: %v", err)
	}
	made, err := s.Make()
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := s.Key(); err != nil || !kept.(*ecdsa.PrivateKey).Equal(made) {
		t.Errorf("kept another: %v", err)
	}
	if again, err := s.Make(); err != nil || again.(*ecdsa.PrivateKey).Equal(made) {
		t.Errorf("a new key is the old one: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir.Path(), keyFile), []byte("half a ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Key(); err == nil || errors.Is(err, ErrNone) {
		t.Errorf("a damaged key: %v", err)
	}
}

func TestCertificateOfAnotherKeyIsNotUsed(t *testing.T) {
	dir, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := SoftKey{dir}
	key, err := s.Make()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	id := Identity{Certificate: der, CA: der}
	if _, err := id.Leaf(key); err != nil {
		t.Error(err)
	}
	other, err := s.Make()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := id.Leaf(other); !errors.Is(err, ErrOtherKey) {
		t.Error("used")
	}
	if _, err := Load(dir); !errors.Is(err, ErrNone) {
		t.Errorf("no identity: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir.Path(), file), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || errors.Is(err, ErrNone) {
		t.Errorf("a damaged identity: %v", err)
	}
}
