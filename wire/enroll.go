package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// Enroll is an agent's request to be let in. The key behind CSR was made on the device and
// never leaves it.
type Enroll struct {
	Version      int      `json:"v"`
	Token        string   `json:"token"` // the whole token as the person was given it
	CSR          []byte   `json:"csr"`   // PKCS #10, DER; its subject is ignored
	Build        string   `json:"build,omitempty"`
	Mode         Mode     `json:"mode"`
	Capabilities []string `json:"can,omitempty"`
	Facts        Facts    `json:"facts"` // of the machine the agent runs on, its first device
}

// Enrolled is the server's answer.
type Enrolled struct {
	Agent       string `json:"agent"`
	Device      string `json:"device"`   // the agent's own machine
	Customer    string `json:"customer"` // names, to show the person
	Site        string `json:"site"`
	Mode        Mode   `json:"mode"`        // the most the token lets the agent do; an agent holds itself to it
	Certificate []byte `json:"certificate"` // DER, by the server's CA
	CA          []byte `json:"ca"`          // DER
	OrdersKey   []byte `json:"orders_key"`  // Ed25519 public key that signs orders
	AgentURL    string `json:"agent_url"`   // where to check in from now on
	Nonce       string `json:"nonce,omitempty"`
	// Documents are the newest root, which the agent holds on to from now on, the server's
	// keys and limits; without a root there are none that only a root could vouch for.
	Documents []Envelope `json:"documents,omitempty"`
}

// Token is an enrolment token: pbt_SECRET.PIN. The pin is the hash of the server CA's public key,
// so that an agent knows whom it is talking to before it says anything.
type Token struct {
	Secret string // starts with pbt_
	Pin    string // lower-case hex of the first 16 bytes of SHA-256 over the CA's SubjectPublicKeyInfo
}

// ErrToken means that a text is not an enrolment token.
var ErrToken = errors.New("this is not an enrolment token: it should look like pbt_….…; copy the whole line from the console again")

// ParseToken reads a token. The error never repeats the text, which may be a secret.
func ParseToken(s string) (Token, error) {
	secret, pin, ok := strings.Cut(strings.TrimSpace(s), ".")
	if !ok || !strings.HasPrefix(secret, "pbt_") || len(secret) != 4+26 || len(pin) != 32 {
		return Token{}, ErrToken
	}
	if _, err := hex.DecodeString(pin); err != nil {
		return Token{}, ErrToken
	}
	return Token{secret, pin}, nil
}

// String gives the token as a person is given it, once.
func (t Token) String() string { return t.Secret + "." + t.Pin }

// PinOf is the pin for a CA's SubjectPublicKeyInfo.
func PinOf(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:16])
}
