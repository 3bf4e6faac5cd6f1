// Package ca keeps the server's own keys: a small certificate authority for agents and for
// the address they talk to, the key that signs orders, and the secret that seals what must
// not lie readable in the database.
//
// Agents trust this authority alone, by its pin in the enrolment token, whatever
// certificate people's browsers are shown.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"patchbay/server/effect"
	"patchbay/wire"
)

// The lives of certificates.
const (
	caLife     = 20 * 365 * 24 * time.Hour
	AgentLife  = 7 * 24 * time.Hour // agents renew at half of it
	serverLife = 90 * 24 * time.Hour
	// backdate covers a device whose clock is behind.
	backdate = 24 * time.Hour
)

// Authority signs certificates and orders.
type Authority struct {
	Certificate *x509.Certificate // of the authority itself
	key         *ecdsa.PrivateKey
	orders      ed25519.PrivateKey
	secret      []byte
}

// Folder is where the keys lie. The files are readable by their owner alone.
type Folder struct {
	Path   string
	Around effect.Around // stands around each writing of a file
}

// Open reads the authority's keys from a folder, and makes them when the folder has none.
func Open(dir string, now time.Time) (*Authority, error) { return Folder{Path: dir}.Open(now) }

// Open reads the authority's keys, and makes them when there are none.
func (f Folder) Open(now time.Time) (*Authority, error) {
	dir := f.Path
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the server's keys: %w", err)
	}
	key, err := f.readOrMake(keyFile, func() (crypto.PrivateKey, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	})
	if err != nil {
		return nil, err
	}
	orders, err := f.readOrMake(ordersFile, func() (crypto.PrivateKey, error) {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k, err
	})
	if err != nil {
		return nil, err
	}
	a := &Authority{}
	var ok, ok2 bool
	a.key, ok = key.(*ecdsa.PrivateKey)
	a.orders, ok2 = orders.(ed25519.PrivateKey)
	if !ok || !ok2 {
		return nil, fmt.Errorf("opening the server's keys: %s holds keys of another kind; restore them from a backup", dir)
	}
	if a.Certificate, err = f.readOrSign(certificateFile, a.key, now); err != nil {
		return nil, err
	}
	a.secret, err = f.readOrFill(secretFile)
	return a, err
}

// OrdersKey signs orders.
func (a *Authority) OrdersKey() ed25519.PrivateKey { return a.orders }

// Secret seals small secrets in the database: 32 random bytes.
func (a *Authority) Secret() []byte { return a.secret }

// Pin is what enrolment tokens carry of this authority.
func (a *Authority) Pin() string { return wire.PinOf(a.Certificate.RawSubjectPublicKeyInfo) }

// Pool holds this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// SignAgent makes a certificate for the key in an agent's request. Nothing but the key is
// taken from the request.
func (a *Authority) SignAgent(csr []byte, agent string, now time.Time) ([]byte, crypto.PublicKey, error) {
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, nil, fmt.Errorf("reading a certificate request: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, nil, fmt.Errorf("checking a certificate request: %w", err)
	}
	pub, ok := request.PublicKey.(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return nil, nil, errors.New("checking a certificate request: agents use ECDSA keys on P-256")
	}
	der, err := a.sign(&x509.Certificate{
		URIs:        []*url.URL{{Scheme: "patchbay", Opaque: "agent:" + agent}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotAfter:    now.Add(AgentLife),
	}, pub, now)
	return der, pub, err
}

// AgentOf is the agent that a verified certificate names, "" when it names none.
func AgentOf(cert *x509.Certificate) string {
	for _, u := range cert.URIs {
		if id, ok := strings.CutPrefix(u.String(), "patchbay:agent:"); ok {
			return id
		}
	}
	return ""
}

// ServerCertificate makes a key and certificate for the names and addresses, with the
// authority's own certificate behind it so that a pin can be checked.
func (a *Authority) ServerCertificate(names []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a server key: %w", err)
	}
	template := &x509.Certificate{
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotAfter:    now.Add(serverLife),
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := a.sign(template, key.Public(), now)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.Certificate.Raw}, PrivateKey: key}, nil
}

func (a *Authority) sign(template *x509.Certificate, pub crypto.PublicKey, now time.Time) ([]byte, error) {
	template.SerialNumber = serial()
	template.NotBefore = now.Add(-backdate)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, pub, a.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return der, nil
}

func serial() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // rand.Reader never fails
	return n
}

// readOrMake reads a private key, or makes and stores one where there is no file.
func (f Folder) readOrMake(name string, make func() (crypto.PrivateKey, error)) (crypto.PrivateKey, error) {
	path := filepath.Join(f.Path, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key, err := make()
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", path, err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", path, err)
		}
		return key, f.write(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("reading %s: it is not a PEM file; restore it from a backup", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return key, nil
}

// readOrSign reads the authority's certificate, or signs one by itself.
func (f Folder) readOrSign(name string, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	path := filepath.Join(f.Path, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		template := &x509.Certificate{
			SerialNumber: serial(), Subject: pkix.Name{CommonName: "Patchbay device authority"},
			NotBefore: now.Add(-backdate), NotAfter: now.Add(caLife),
			IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", path, err)
		}
		if err := f.write(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
			return nil, err
		}
		return x509.ParseCertificate(der)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("reading %s: it is not a PEM file; restore it from a backup", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

// readOrFill reads 32 secret bytes, or stores random ones.
func (f Folder) readOrFill(name string) ([]byte, error) {
	path := filepath.Join(f.Path, name)
	secret, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		secret = make([]byte, 32)
		rand.Read(secret)
		return secret, f.write(path, secret)
	}
	if err == nil && len(secret) != 32 {
		err = fmt.Errorf("%s is %d bytes long, not 32; restore it from a backup", path, len(secret))
	}
	return secret, err
}

// write stores a secret file whole or not at all.
func (f Folder) write(path string, data []byte) error {
	return f.Around.Do("key file", func() error { return write(path, data) })
}

func write(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("storing a key: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("storing a key: %w", err)
	}
	return nil
}

// The files of a folder of keys.
const (
	keyFile, certificateFile = "ca.key", "ca.pem"
	ordersFile, secretFile   = "orders.key", "secret"
	nextFile                 = "orders.next" // there while the key that signs orders is rotated
)

// Next gives the key that is to sign orders next, nil when there is none.
func (f Folder) Next() (ed25519.PublicKey, error) {
	if _, err := os.Stat(filepath.Join(f.Path, nextFile)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return f.MakeNext()
}

// MakeNext gives the key that is to sign orders next, and makes it when there is none.
func (f Folder) MakeNext() (ed25519.PublicKey, error) {
	key, err := f.readOrMake(nextFile, func() (crypto.PrivateKey, error) {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k, err
	})
	if err != nil {
		return nil, err
	}
	next, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("reading the server's next key: %s is of another kind; remove it", nextFile)
	}
	return next.Public().(ed25519.PublicKey), nil
}

// TakeNext puts the next key in the place of the one that signs orders, which is gone then.
func (f Folder) TakeNext() error {
	return f.Around.Do("key file", func() error {
		if err := os.Rename(filepath.Join(f.Path, nextFile), filepath.Join(f.Path, ordersFile)); err != nil {
			return fmt.Errorf("putting the server's next key in its place: %w", err)
		}
		return syncDir(f.Path)
	})
}

// syncDir has a rename survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Files are the names in a folder of keys. Without one of them an installation is another.
func Files() []string { return []string{keyFile, certificateFile, ordersFile, secretFile} }

// Fingerprint is the pin of the authority whose keys are in a folder. It makes none.
func Fingerprint(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, certificateFile))
	if err != nil {
		return "", fmt.Errorf("reading the authority's certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("reading the authority's certificate: %s is not a PEM file", certificateFile)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("reading the authority's certificate: %w", err)
	}
	return wire.PinOf(c.RawSubjectPublicKeyInfo), nil
}
