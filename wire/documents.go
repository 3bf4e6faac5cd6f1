package wire

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The bounds of any signed document. A larger one is refused before anything in it is looked at.
const (
	MaxDocument   = MaxReply // bytes of a payload
	MaxSignatures = 16       // of one envelope
	MaxKeys       = 16       // of one role
	MaxApproved   = 2000     // agents that one signed approval names
)

// Role is the keys that may sign for something, and how many of them must.
type Role struct {
	Keys      [][]byte `json:"keys"`      // Ed25519 public keys
	Threshold int      `json:"threshold"` // different keys that must have signed
}

// Public gives the role's keys.
func (r Role) Public() []crypto.PublicKey {
	keys := make([]crypto.PublicKey, 0, len(r.Keys))
	for _, k := range r.Keys {
		keys = append(keys, ed25519.PublicKey(k))
	}
	return keys
}

// Empty reports whether nobody has the role.
func (r Role) Empty() bool { return len(r.Keys) == 0 }

// Root says which keys have which role. It is signed by its own root keys and by those of
// the root before it; agents hold the one they got when they were enrolled and follow only
// its successors, one by one.
type Root struct {
	Version      int64     `json:"version"`      // counts from 1, never leaves out one
	Installation string    `json:"installation"` // the same in every version
	IssuedAt     time.Time `json:"issued_at"`
	Expires      time.Time `json:"expires"` // from then on only security updates in their windows
	Root         Role      `json:"root"`
	Publisher    Role      `json:"publisher"` // signs limits
	Approver     Role      `json:"approver"`  // each key is one person's; its threshold is always 1
	// Server are the keys that may sign orders and time. Without any, the keys told at
	// enrolment and those their owner passed on to are accepted: enough until a server was stolen.
	Server Role `json:"server"`
	// Limits is the lowest version of the limits to be accepted. From 1 on, agents that have
	// no limits do nothing but security updates in their windows; 0 asks for no limits.
	Limits int64 `json:"limits"`
}

// NamedRole is a role of a root with what it is called.
type NamedRole struct {
	Name string
	Role
}

// Roles are all roles of a root, the most powerful first.
func (r Root) Roles() []NamedRole {
	return []NamedRole{{"root", r.Root}, {"publisher", r.Publisher}, {"approver", r.Approver}, {"server", r.Server}}
}

// Limits is what the server may select at most, whatever it signs. The publisher signs it,
// agents hold to it, and a server can only do less.
type Limits struct {
	Version  int64         `json:"version"` // counts up
	Root     int64         `json:"root"`    // the root under which it was made; readers need at least that one
	IssuedAt time.Time     `json:"issued_at"`
	Expires  time.Time     `json:"expires"` // from then on only security updates in their windows
	Verbs    []string      `json:"verbs"`   // that may be ordered
	Sources  []LimitSource `json:"sources"` // where updates may come from
	// DevicesPerHour is how many devices may begin work in one hour, of a fleet of Fleet
	// devices. 0 sets no limit. Agents keep it without asking anybody: each finds out from its
	// own key and its own clock whether an hour is one of its hours.
	DevicesPerHour int `json:"devices_per_hour"`
	Fleet          int `json:"fleet"`
	// Approvals is how many approvers must have signed for a job to begin beyond that rate;
	// 0 lets nobody. Forced is how many a job needs that is forced outside its window; 0 none.
	Approvals int `json:"approvals"`
	Forced    int `json:"forced"`
}

// LimitSource is one origin that updates may come from, as the device itself reads it off
// the signed index of its package manager.
type LimitSource struct {
	Provider string `json:"provider"`
	Origin   string `json:"origin,omitempty"` // "" is any origin that the provider trusts
}

// ServerKeys says how the server is known and where it is reached. It is signed by a key
// that its readers accepted before.
type ServerKeys struct {
	Version     OrdersVersion `json:"version"`
	IssuedAt    time.Time     `json:"issued_at"`
	Orders      [][]byte      `json:"orders"`      // Ed25519 public keys that sign orders and time
	Authorities [][]byte      `json:"authorities"` // certificates, DER, whose servers and agents are believed
	Addresses   []string      `json:"addresses"`   // URLs for agents, tried in this order
}

// Approval is a person's signature under exact updates for exact agents. It lets work begin
// beyond the rate of the limits, and nothing else.
type Approval struct {
	ID       string           `json:"id"`
	Root     int64            `json:"root"` // the root under which it was made
	IssuedAt time.Time        `json:"issued_at"`
	Expires  time.Time        `json:"expires"`
	Agents   []string         `json:"agents"`  // names of their keys (KeyName), sorted
	Updates  []ApprovedUpdate `json:"updates"` //
	Forced   bool             `json:"forced"`  // also outside the window
	Note     string           `json:"note,omitempty"`
}

// ApprovedUpdate names one update.
type ApprovedUpdate struct {
	Provider     string `json:"provider"`
	Name         string `json:"name"`
	Architecture string `json:"architecture,omitempty"`
	To           string `json:"to"`
	Verb         string `json:"verb,omitempty"` // what may be done to get there; "" is install
}

// Does reports whether the approval is of this verb.
func (u ApprovedUpdate) Does(verb string) bool { return cmp.Or(u.Verb, VerbInstall) == verb }

// Time is the server's clock at a moment. Readers take it as the earliest that it can be now.
type Time struct {
	Time time.Time `json:"time"`
}

// HeldDocuments says which documents a reader has: the versions it accepted last.
type HeldDocuments struct {
	Root   int64         `json:"root,omitempty"`
	Limits int64         `json:"limits,omitempty"`
	Server OrdersVersion `json:"server,omitzero"`
	// Time is the last signed time that was taken, to the second. A server that told a later
	// one knows by it that its answer did not arrive.
	Time time.Time `json:"time,omitzero"`
	// Catalog is 0 also where there is one and this reader does not read any.
	Catalog int64 `json:"catalog,omitempty"`
}

// errDocument means that a document is beyond its bounds.
var errDocument = errors.New("the document is larger than any that is accepted")

// Signers gives the names of those of the keys that have signed the envelope as a document
// of the type, each once. It says nothing about whether they suffice.
func (e *Envelope) Signers(docType string, keys ...crypto.PublicKey) ([]string, error) {
	if e.Type != docType {
		return nil, fmt.Errorf("it is a %.40q: %w", e.Type, ErrSignature)
	}
	if len(e.Payload) > MaxDocument || len(e.Signatures) > MaxSignatures {
		return nil, errDocument
	}
	text := signed(docType, e.Payload)
	var names []string
	seen := map[string]bool{}
	for _, pub := range keys {
		name, err := KeyName(pub)
		if err != nil {
			return nil, err
		}
		for _, s := range e.Signatures {
			if s.Key == name && !seen[name] && verify(pub, text, s.Sig) {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// SignedBy reports whether enough keys of the role have signed the envelope. The error says
// what is missing.
func (e *Envelope) SignedBy(docType string, role Role) error {
	names, err := e.Signers(docType, role.Public()...)
	if err == nil && (role.Threshold < 1 || len(names) < role.Threshold) {
		err = fmt.Errorf("%d of the %d signatures it needs: %w", len(names), max(role.Threshold, 1), ErrSignature)
	}
	if err != nil {
		return fmt.Errorf("checking %s: %w", docType, err)
	}
	return nil
}

// OpenBy checks that enough keys of the role have signed, and only then decodes the payload.
func (e *Envelope) OpenBy(docType string, v any, role Role) error {
	if err := e.SignedBy(docType, role); err != nil {
		return err
	}
	if err := json.Unmarshal(e.Payload, v); err != nil {
		return fmt.Errorf("opening %s: %w", docType, err)
	}
	return nil
}

// Sign adds a signature under the very bytes of the payload. A key that signed before signs
// in place of its earlier signature.
func (e *Envelope) Sign(key Key) error {
	name, err := KeyName(key.Public())
	if err != nil {
		return err
	}
	sig, err := sign(key, signed(e.Type, e.Payload))
	if err != nil {
		return fmt.Errorf("signing %s: %w", e.Type, err)
	}
	for i := range e.Signatures {
		if e.Signatures[i].Key == name {
			e.Signatures[i].Sig = sig
			return nil
		}
	}
	e.Signatures = append(e.Signatures, Signature{name, sig})
	return nil
}
