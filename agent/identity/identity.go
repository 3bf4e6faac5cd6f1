// Package identity is who the agent is: its key, the certificate the server gave it, and
// the keys of the server it believes.
//
// The key is made on the device and never leaves it. It is reached through KeyStore, so
// that it can live in a chip where there is one; the rest is public and lies in one file.
package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
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
)

const (
	file    = "identity.json"
	keyFile = "key.pem"
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

// Orders is the public key that signs this agent's orders.
func (id Identity) Orders() (ed25519.PublicKey, error) {
	if len(id.OrdersKey) != ed25519.PublicKeySize {
		return nil, errors.New("the server's key for orders is not an Ed25519 key")
	}
	return ed25519.PublicKey(id.OrdersKey), nil
}

// TLS is how the agent talks to its server: mutual TLS 1.3, with no authority but the
// server's own. The time for checking certificates is now's.
func (id Identity) TLS(key crypto.Signer, now func() time.Time) (*tls.Config, error) {
	ca, err := x509.ParseCertificate(id.CA)
	if err != nil {
		return nil, fmt.Errorf("reading the server's CA certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(id.Certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the agent's certificate: %w", err)
	}
	if pub, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !pub.Equal(key.Public()) {
		return nil, errors.New("the agent's certificate is for another key: enroll this machine again")
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		RootCAs:            roots,
		Certificates:       []tls.Certificate{{Certificate: [][]byte{id.Certificate}, PrivateKey: key, Leaf: leaf}},
		Time:               now,
		ClientSessionCache: tls.NewLRUClientSessionCache(2),
	}, nil
}

// KeyStore holds the agent's one key.
type KeyStore interface {
	// Make makes a new ECDSA P-256 key in place of any before.
	Make() (crypto.Signer, error)
	// Key gives the key. It is ErrNone when there is none.
	Key() (crypto.Signer, error)
}

// SoftKey keeps the key in a file that only its owner can read.
type SoftKey struct{ Dir disk.Dir }

// Make makes a new key in place of any before.
func (s SoftKey) Make() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the agent's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the agent's key: %w", err)
	}
	return key, s.Dir.Write(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Key gives the key. It is ErrNone when there is none.
func (s SoftKey) Key() (crypto.Signer, error) {
	data, err := s.Dir.Read(keyFile)
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
