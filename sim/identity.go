package sim

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// Credentials are what a machine shows the server, and what it believes it by. They are
// replaced, never changed, when the machine gets others.
type Credentials struct {
	Agent string

	pin     string // before it is enrolled: of the authority the token is for
	roots   *x509.CertPool
	cert    *tls.Certificate // nil before it is enrolled
	tickets tls.ClientSessionCache
	now     func() time.Time

	mu   sync.Mutex
	idle *conn
}

// stranger has a token and nothing else yet.
func stranger(pin string, now func() time.Time) *Credentials { return &Credentials{pin: pin, now: now} }

// member has a certificate.
func member(id identity, key *ecdsa.PrivateKey, roots *x509.CertPool, now func() time.Time) *Credentials {
	return &Credentials{Agent: id.Agent, roots: roots, now: now, tickets: tls.NewLRUClientSessionCache(1),
		cert: &tls.Certificate{Certificate: [][]byte{id.Certificate}, PrivateKey: key}}
}

func (c *Credentials) takeIdle() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle := c.idle
	c.idle = nil
	return idle
}

// putIdle keeps a connection, and gives the one to be closed.
func (c *Credentials) putIdle(fresh *conn, keep bool) *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !keep || c.idle != nil {
		return fresh
	}
	c.idle = fresh
	return nil
}

// config is how to greet the server: mutual TLS 1.3 with no authority but its own.
func (c *Credentials) config(host string) *tls.Config {
	if c.cert == nil {
		return &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host, Time: c.now,
			InsecureSkipVerify: true, // the chain is checked against the pin and nothing else
			VerifyConnection:   func(s tls.ConnectionState) error { return pinned(s.PeerCertificates, host, c.pin, c.now()) }}
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host, Time: c.now, RootCAs: c.roots,
		Certificates: []tls.Certificate{*c.cert}, ClientSessionCache: c.tickets}
}

// pinned checks that a chain ends in the authority with the pin.
func pinned(chain []*x509.Certificate, host, pin string, now time.Time) error {
	roots := x509.NewCertPool()
	for _, c := range chain[min(1, len(chain)):] {
		if c.IsCA && wire.PinOf(c.RawSubjectPublicKeyInfo) == pin {
			roots.AddCert(c)
		}
	}
	if len(chain) == 0 {
		return errors.New("the server showed no certificate")
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now}); err != nil {
		return fmt.Errorf("the server is not the one the token is for: %w", err)
	}
	return nil
}

// identity is what a machine got when it was let in.
type identity struct {
	Agent       string `json:"agent"`
	Device      string `json:"device"`
	Key         []byte `json:"key"` // PKCS #8
	Certificate []byte `json:"certificate"`
	CA          []byte `json:"ca"`
	OrdersKey   []byte `json:"orders_key"`
	URL         string `json:"url"`
}

// newKey makes a key as a device makes it, and a request for a certificate.
func newKey() (key *ecdsa.PrivateKey, der, csr []byte, err error) {
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, nil, fmt.Errorf("making a key: %w", err)
	}
	if der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, nil, nil, fmt.Errorf("encoding a key: %w", err)
	}
	if csr, err = requestFor(key); err != nil {
		return nil, nil, nil, err
	}
	return key, der, csr, nil
}

func requestFor(key *ecdsa.PrivateKey) ([]byte, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate request: %w", err)
	}
	return csr, nil
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("reading a key: %T is not the kind used here", k)
	}
	return key, nil
}

// parseEnrolled reads the answer to an enrolment and checks it as the real agent does.
func parseEnrolled(text []byte, der []byte, pin string) (identity, string, []wire.Envelope, error) {
	var a wire.Enrolled
	if err := json.Unmarshal(text, &a); err != nil {
		return identity{}, "", nil, fmt.Errorf("reading the answer to an enrolment: %w", err)
	}
	ca, err := x509.ParseCertificate(a.CA)
	if err != nil {
		return identity{}, "", nil, fmt.Errorf("reading the authority: %w", err)
	}
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return identity{}, "", nil, fmt.Errorf("reading the certificate: %w", err)
	}
	switch {
	case !patch.IsID(patch.AgentID, a.Agent) || !patch.IsID(patch.DeviceID, a.Device):
		return identity{}, "", nil, errors.New("the answer to an enrolment names no agent or no device")
	case wire.PinOf(ca.RawSubjectPublicKeyInfo) != pin || leaf.CheckSignatureFrom(ca) != nil:
		return identity{}, "", nil, errors.New("the certificate is not by the authority that the token is for")
	case len(a.OrdersKey) != ed25519.PublicKeySize:
		return identity{}, "", nil, errors.New("the key for orders is not an Ed25519 key")
	}
	return identity{Agent: a.Agent, Device: a.Device, Key: der, Certificate: a.Certificate, CA: a.CA, OrdersKey: a.OrdersKey, URL: a.AgentURL}, a.Nonce, a.Documents, nil
}

// authorities keeps one pool for each authority: thousands of machines have the same one.
type authorities struct {
	mu    sync.Mutex
	pools map[string]*pool
}

type pool = x509.CertPool

func (a *authorities) pool(der []byte) (*x509.CertPool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.pools[string(der)]; p != nil {
		return p, nil
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the authority: %w", err)
	}
	p := x509.NewCertPool()
	p.AddCert(ca)
	a.pools[string(der)] = p
	return p, nil
}
