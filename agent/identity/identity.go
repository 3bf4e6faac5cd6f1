// Package identity is who the agent is: its key, the certificate the server gave it, and
// the keys of the server it believes.
//
// The key is made on the device and never leaves it. It is reached through KeyStore, so
// that it can live in a chip where there is one; the rest is public and lies in one file.
package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"patchbay/agent/disk"
	"patchbay/wire"
	"patchbay/wire/trust"
)

const (
	file     = "identity.json"
	keyFile  = "key.pem"
	nextFile = "key.next.pem"
)

// ErrNone means that this agent belongs to no server yet.
var ErrNone = errors.New("this machine is not enrolled: run the enroll line that the console shows for its site")

// Identity is what the agent got when it was let in.
type Identity struct {
	Agent       string    `json:"agent"`
	Device      string    `json:"device"` // the machine the agent runs on
	Customer    string    `json:"customer"`
	Site        string    `json:"site"`
	AgentURL    string    `json:"agent_url"`
	Mode        wire.Mode `json:"mode"` // what the person at this machine allowed
	Certificate []byte    `json:"certificate"`
	CA          []byte    `json:"ca"`
	OrdersKey   []byte    `json:"orders_key"`
	EnrolledAt  time.Time `json:"enrolled_at"`
}

// Load reads the identity. It is ErrNone when there is none.
func Load(dir disk.Dir) (Identity, error) {
	data, err := dir.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Identity{}, ErrNone
	}
	if err != nil {
		return Identity{}, fmt.Errorf("reading the identity: %w", err)
	}
	var id Identity
	if err := json.Unmarshal(data, &id); err != nil {
		return Identity{}, fmt.Errorf("reading the identity: %w", err)
	}
	return id, nil
}

// Save writes the identity.
func (id Identity) Save(dir disk.Dir) error {
	data, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the identity: %w", err)
	}
	return dir.Write(file, append(data, '\n'))
}

// State is what the agent believes from the first: what it was told when it was let in.
func (id Identity) State() trust.State {
	return trust.State{Orders: [][]byte{id.OrdersKey}, Authorities: [][]byte{id.CA}, Addresses: []string{id.AgentURL}}
}

// Leaf is the agent's certificate for its key.
func (id Identity) Leaf(key crypto.Signer) (*tls.Certificate, error) {
	leaf, err := x509.ParseCertificate(id.Certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the agent's certificate: %w", err)
	}
	if pub, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !pub.Equal(key.Public()) {
		return nil, ErrOtherKey
	}
	return &tls.Certificate{Certificate: [][]byte{id.Certificate}, PrivateKey: key, Leaf: leaf}, nil
}

// ErrOtherKey means that the certificate is not for the key that is there.
var ErrOtherKey = errors.New("the agent's certificate is for another key: enroll this machine again")

// Peer says whom to talk to and what to show. Its answers may change while the agent runs:
// each new connection asks anew.
type Peer struct {
	Authorities func() [][]byte // certificates, DER
	Hosts       func() []string // names and addresses of the server
	Earliest    func() time.Time
	Certificate func() *tls.Certificate // nil shows none
}

// TLS is how the agent talks to its server: mutual TLS 1.3, with no authority but the
// server's own.
func (p Peer) TLS() *tls.Config {
	config := &tls.Config{
		MinVersion: tls.VersionTLS13,
		// The chain is checked below: by the server's own authority, and by a time that does
		// not come from this machine's clock.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			roots := x509.NewCertPool()
			for _, der := range p.Authorities() {
				if c, err := x509.ParseCertificate(der); err == nil {
					roots.AddCert(c)
				}
			}
			return CheckServer(s.PeerCertificates, roots, p.Hosts(), p.Earliest())
		},
		ClientSessionCache: tls.NewLRUClientSessionCache(2),
	}
	if p.Certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.Certificate(), nil }
	}
	return config
}

// CheckServer checks the chain a server showed: it leads to one of the roots, is for one of
// the hosts, and did not run out before the earliest time that it can be. This machine's
// clock has no say: it may be wrong by years, and a server's certificate lives for weeks.
func CheckServer(chain []*x509.Certificate, roots *x509.CertPool, hosts []string, earliest time.Time) error {
	if len(chain) == 0 {
		return errors.New("the server showed no certificate")
	}
	leaf := chain[0]
	if leaf.NotAfter.Before(earliest) {
		return fmt.Errorf("the server's certificate ran out on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	others := x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	at := leaf.NotBefore // any time at which it is valid, as far as is known
	if earliest.After(at) {
		at = earliest
	}
	var err error
	for _, host := range hosts {
		if _, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, DNSName: host, CurrentTime: at}); err == nil {
			return nil
		}
	}
	if err == nil {
		err = errors.New("no address of it is known")
	}
	if errors.As(err, new(x509.UnknownAuthorityError)) {
		return Between{IssuerOf(leaf)}
	}
	return fmt.Errorf("the server's certificate is not good: %w", err)
}

// KeyStore holds the agent's one key.
type KeyStore interface {
	// Make makes a new ECDSA P-256 key in place of any before.
	Make() (crypto.Signer, error)
	// Key gives the key. It is ErrNone when there is none.
	Key() (crypto.Signer, error)
	// Next gives a new key beside the one in use, the same until it is adopted.
	Next() (crypto.Signer, error)
	// Adopt puts the next key in place of the one in use.
	Adopt() error
}

// SoftKey keeps the key in a file that only its owner can read.
type SoftKey struct{ Dir disk.Dir }

// Make makes a new key in place of any before.
func (s SoftKey) Make() (crypto.Signer, error) { return s.make(keyFile) }

func (s SoftKey) make(name string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the agent's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the agent's key: %w", err)
	}
	return key, s.Dir.Write(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Key gives the key. It is ErrNone when there is none.
func (s SoftKey) Key() (crypto.Signer, error) { return s.read(keyFile) }

// Next gives a new key beside the one in use, the same until it is adopted.
func (s SoftKey) Next() (crypto.Signer, error) {
	key, err := s.read(nextFile)
	if errors.Is(err, ErrNone) {
		return s.make(nextFile)
	}
	return key, err
}

// Adopt puts the next key in place of the one in use.
func (s SoftKey) Adopt() error {
	data, err := s.Dir.Read(nextFile)
	if err == nil {
		err = s.Dir.Write(keyFile, data)
	}
	if err == nil {
		err = s.Dir.Remove(nextFile)
	}
	if err != nil {
		return fmt.Errorf("taking the next key in use: %w", err)
	}
	return nil
}

func (s SoftKey) read(name string) (crypto.Signer, error) {
	data, err := s.Dir.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("reading the agent's key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("reading the agent's key: the file is damaged; enroll this machine again")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the agent's key: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("reading the agent's key: %T is not the kind of key used here", key)
	}
	return signer, nil
}
