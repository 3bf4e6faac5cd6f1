package wire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Envelope is a signed document: the payload's bytes as they were signed, and signatures.
// A reader never parses a payload before it has checked a signature over these very bytes.
type Envelope struct {
	Type       string      `json:"type"` // what the payload is; part of what is signed
	Payload    []byte      `json:"payload"`
	Signatures []Signature `json:"signatures"`
}

// Signature is one signature by one key.
type Signature struct {
	Key string `json:"key"` // KeyName of the public key
	Sig []byte `json:"sig"`
}

// The types of documents.
const (
	OrdersDocument   = "patchbay/orders/v1"
	ReceiptDocument  = "patchbay/receipt/v1"
	RootDocument     = "patchbay/root/v1"
	LimitsDocument   = "patchbay/limits/v1"
	ServerDocument   = "patchbay/server/v1"
	ApprovalDocument = "patchbay/approval/v1"
	TimeDocument     = "patchbay/time/v1"
	RenewalDocument  = "patchbay/renewal/v1"
	CatalogDocument  = "patchbay/catalog/v1"
	FeedsDocument    = "patchbay/feeds/v1" // what is in a bundle of feeds; agents never see one
)

// Key is something that signs: Ed25519 for servers and people, ECDSA P-256 for agents,
// whose keys may live in a chip that signs only that.
type Key = crypto.Signer

// ErrSignature means that a document carries no valid signature by an accepted key.
var ErrSignature = errors.New("not signed by an accepted key")

// KeyName names a public key: "ed25519:" or "p256:" and the hash of its bytes.
func KeyName(pub crypto.PublicKey) (string, error) {
	switch k := pub.(type) {
	case ed25519.PublicKey:
		sum := sha256.Sum256(k)
		return "ed25519:" + hex.EncodeToString(sum[:16]), nil
	case *ecdsa.PublicKey:
		b, err := k.Bytes()
		if err != nil {
			return "", fmt.Errorf("naming a key: %w", err)
		}
		sum := sha256.Sum256(b)
		return "p256:" + hex.EncodeToString(sum[:16]), nil
	}
	return "", fmt.Errorf("naming a key: %T is not a kind of key used here", pub)
}

// KeyNames names public keys, in their order.
func KeyNames(keys ...crypto.PublicKey) ([]string, error) {
	names := make([]string, 0, len(keys))
	for _, k := range keys {
		name, err := KeyName(k)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// Seal signs a payload as a document of the type.
func Seal(docType string, payload any, key Key) (*Envelope, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", docType, err)
	}
	name, err := KeyName(key.Public())
	if err != nil {
		return nil, err
	}
	sig, err := sign(key, signed(docType, body))
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", docType, err)
	}
	return &Envelope{docType, body, []Signature{{name, sig}}}, nil
}

// Draft is a document of the type that nobody signed yet.
func Draft(docType string, payload any) (Envelope, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return Envelope{}, fmt.Errorf("drafting %s: %w", docType, err)
	}
	return Envelope{Type: docType, Payload: body, Signatures: []Signature{}}, nil
}

// Open checks that the envelope is of the type and signed by one of the keys, and decodes
// the payload into v. It returns the name of the key.
func (e *Envelope) Open(docType string, v any, keys ...crypto.PublicKey) (string, error) {
	names, err := e.Signers(docType, keys...)
	if err == nil && len(names) == 0 {
		err = ErrSignature
	}
	if err == nil {
		err = json.Unmarshal(e.Payload, v)
	}
	if err != nil {
		return "", fmt.Errorf("opening %s: %w", docType, err)
	}
	return names[0], nil
}

// signed is the text under a signature: the type, so that no document passes for another.
func signed(docType string, body []byte) []byte {
	return append([]byte(docType+"\x00"), body...)
}

func sign(key Key, text []byte) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		return key.Sign(rand.Reader, text, crypto.Hash(0))
	}
	sum := sha256.Sum256(text)
	return key.Sign(rand.Reader, sum[:], crypto.SHA256)
}

func verify(pub crypto.PublicKey, text, sig []byte) bool {
	switch k := pub.(type) {
	case ed25519.PublicKey:
		return len(k) == ed25519.PublicKeySize && ed25519.Verify(k, text, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(text)
		return ecdsa.VerifyASN1(k, sum[:], sig)
	}
	return false
}
