// Package trust decides which signed documents are believed, and what they allow.
//
// A reader holds a State: the root it got when it was enrolled, what that root vouches for,
// and the earliest time that it can be. A document is taken only when it follows from the
// state, and gives a new state; nothing that a server says can lead back to an older one.
// All of it is pure: values in, values out. Agents decide with it, a server looks at what it
// is given with it, and the command line says with it what somebody is about to sign.
//
// The two ends of trust are kept apart. Root, publisher and approver keys are never on a
// server. What the server signs (orders, time, its own next keys) is believed only inside of
// what the others allow.
package trust

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"patchbay/wire"
)

// State is what a reader of documents believes.
type State struct {
	Root *wire.Root `json:"root,omitempty"` // nil before there was one
	// Pinned says that the first root was there at enrolment. Another was taken on the
	// server's word later on: it too can only take rights away.
	Pinned bool           `json:"pinned,omitempty"`
	Limits *wire.Limits   `json:"limits,omitempty"` // nil when none are believed
	Signed *wire.Envelope `json:"signed,omitempty"` // the limits as they came
	// Catalog is the catalogue that is believed; nil when there is none.
	Catalog *HeldCatalog `json:"catalog,omitempty"`

	Server      wire.OrdersVersion `json:"server,omitzero"` // of the ServerKeys held; zero when only enrolment told the keys
	Orders      [][]byte           `json:"orders"`          // keys that sign orders and time
	Authorities [][]byte           `json:"authorities"`     // certificates, DER
	Addresses   []string           `json:"addresses"`       // where the server is reached

	Time time.Time `json:"time,omitzero"` // it is not earlier than that
}

// Why a document is not taken.
var (
	// ErrKnown means that the state holds this document or a newer one. It is no reproach:
	// messages are repeated.
	ErrKnown = errors.New("it is not newer than the one that is held")
	// ErrGap means that a root between the one that is held and this one is missing.
	ErrGap = errors.New("a root in between is missing")
	// ErrForm means that the document says something that no such document may.
	ErrForm = errors.New("it does not have the form it must have")
)

func form(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForm, fmt.Sprintf(format, args...))
}

// Take gives the state after a document, which it may keep. On an error the state is as it was.
func (s State) Take(e *wire.Envelope) (State, error) {
	var next State
	var err error
	switch e.Type {
	case wire.RootDocument:
		next, err = s.takeRoot(e)
	case wire.ServerDocument:
		next, err = s.takeServer(e)
	case wire.LimitsDocument:
		next, err = s.takeLimits(e)
	case wire.CatalogDocument:
		next, err = s.takeCatalog(e)
	case wire.TimeDocument:
		next, err = s.takeTime(e)
	default:
		err = form("nobody here reads a %.40q", e.Type)
	}
	if err != nil {
		return s, fmt.Errorf("reading %.40s: %w", e.Type, err)
	}
	return next, nil
}

// Held says which documents the state has.
func (s State) Held() wire.HeldDocuments {
	held := wire.HeldDocuments{Server: s.Server, Time: s.Time.Truncate(time.Second)}
	if s.Root != nil {
		held.Root = s.Root.Version
	}
	if s.Limits != nil {
		held.Limits = s.Limits.Version
	}
	if s.Catalog != nil {
		held.Catalog = s.Catalog.Version
	}
	return held
}

// Keys are those that may have signed orders and time.
func (s State) Keys() []crypto.PublicKey {
	return wire.Role{Keys: s.Orders}.Public()
}

// Replaced reports whether a root took the right to sign for the server from a key that had
// it before, or whether none of the server's keys before is believed any more. What the
// former ones said of order and time is then void: whoever stole them may have counted as
// far ahead as numbers go.
//
// It asks which keys could have signed, not which were in use: a thief may put the keys that
// will come after his own beside them, or in their place, before he lets the root through.
func (s State) Replaced(before State) bool {
	return s.narrowed(before) ||
		len(before.Orders) > 0 && !slices.ContainsFunc(s.Orders, func(k []byte) bool { return contains(before.Orders, k) })
}

// narrowed reports whether the root lets fewer keys sign for the server than the one before.
func (s State) narrowed(before State) bool {
	if s.Root == nil || s.Root.Server.Empty() {
		return false
	}
	if before.Root == nil || before.Root.Server.Empty() {
		return true // any key could have
	}
	return slices.ContainsFunc(before.Root.Server.Keys, func(k []byte) bool { return !contains(s.Root.Server.Keys, k) })
}

// CheckRoot reads a root by itself: it has the form of one and is signed by its own keys.
func CheckRoot(e *wire.Envelope) (wire.Root, error) {
	var r wire.Root
	if len(e.Payload) > wire.MaxDocument {
		return r, form("it is too large")
	}
	// Its keys are in it, so it is read before it is known to be signed by them; nothing of
	// it is used until then.
	if err := unmarshal(e.Payload, &r); err != nil {
		return wire.Root{}, err
	}
	if err := RootForm(r); err != nil {
		return wire.Root{}, err
	}
	return r, e.SignedBy(wire.RootDocument, r.Root)
}

func (s State) takeRoot(e *wire.Envelope) (State, error) {
	r, err := CheckRoot(e)
	if err != nil {
		return s, err
	}
	if held := s.Root; held != nil {
		switch {
		case r.Installation != held.Installation:
			return s, form("it is of another installation")
		case r.Version <= held.Version:
			return s, ErrKnown
		case r.Version != held.Version+1:
			return s, ErrGap
		}
		if err := e.SignedBy(wire.RootDocument, held.Root); err != nil {
			return s, fmt.Errorf("by the keys of the root before: %w", err)
		}
	}
	before := s
	s.Root = &r
	if !r.Server.Empty() {
		s.Orders = slices.DeleteFunc(slices.Clone(s.Orders), func(k []byte) bool { return !contains(r.Server.Keys, k) })
		if len(s.Orders) == 0 {
			s.Orders = r.Server.Keys
		}
	}
	if s.Replaced(before) {
		s.Server, s.Time = wire.OrdersVersion{}, time.Time{}
	}
	return s.recheckLimits().recheckCatalog(), nil
}

// recheckLimits drops limits that the root no longer vouches for. With them goes their
// number, so that one that was counted up by a thief does not stand in the way.
func (s State) recheckLimits() State {
	if s.Signed == nil || s.Limits == nil {
		return s
	}
	if s.Limits.Version < s.Root.Limits || s.Signed.SignedBy(wire.LimitsDocument, s.Root.Publisher) != nil {
		s.Limits, s.Signed = nil, nil
	}
	return s
}

func (s State) takeServer(e *wire.Envelope) (State, error) {
	signers := wire.Role{Keys: s.Orders, Threshold: 1}
	if s.Root != nil && !s.Root.Server.Empty() {
		signers = s.Root.Server
	}
	var k wire.ServerKeys
	if err := e.OpenBy(wire.ServerDocument, &k, signers); err != nil {
		return s, err
	}
	if err := checkServer(k); err != nil {
		return s, err
	}
	if s.Root != nil && !s.Root.Server.Empty() && slices.ContainsFunc(k.Orders, func(key []byte) bool { return !contains(s.Root.Server.Keys, key) }) {
		return s, form("it names a key for orders that the root does not")
	}
	if !k.Version.Newer(s.Server) {
		return s, ErrKnown
	}
	s.Server, s.Orders, s.Authorities, s.Addresses = k.Version, k.Orders, k.Authorities, k.Addresses
	return s, nil
}

// CheckLimits reads limits as a root vouches for them.
func CheckLimits(root wire.Root, e *wire.Envelope) (wire.Limits, error) {
	var l wire.Limits
	if root.Publisher.Empty() {
		return l, fmt.Errorf("the root names no publisher: %w", wire.ErrSignature)
	}
	if err := e.OpenBy(wire.LimitsDocument, &l, root.Publisher); err != nil {
		return wire.Limits{}, err
	}
	switch err := LimitsForm(l); {
	case err != nil:
		return wire.Limits{}, err
	case l.Root > root.Version:
		return wire.Limits{}, ErrGap
	case l.Version < root.Limits:
		return wire.Limits{}, form("it is version %d and the root asks for %d", l.Version, root.Limits)
	}
	return l, nil
}

func (s State) takeLimits(e *wire.Envelope) (State, error) {
	if s.Root == nil {
		return s, fmt.Errorf("there is no root to vouch for it: %w", wire.ErrSignature)
	}
	l, err := CheckLimits(*s.Root, e)
	if err != nil {
		return s, err
	}
	if s.Limits != nil && l.Version <= s.Limits.Version {
		return s, ErrKnown
	}
	s.Limits, s.Signed = &l, e
	return s, nil
}

func (s State) takeTime(e *wire.Envelope) (State, error) {
	var t wire.Time
	if _, err := e.Open(wire.TimeDocument, &t, s.Keys()...); err != nil {
		return s, err
	}
	if !t.Time.After(s.Time) {
		return s, ErrKnown
	}
	s.Time = t.Time
	return s, nil
}

// What is in a document, checked for its form alone.

const maxYears = 30 * 366 * 24 * time.Hour

// RootForm says what is wrong with the form of a root, whoever signed it.
func RootForm(r wire.Root) error {
	switch {
	case r.Version < 1 || r.Version > 1<<40:
		return form("its version is %d", r.Version)
	case r.Installation == "" || len(r.Installation) > 100:
		return form("it names no installation")
	case !r.Expires.After(r.IssuedAt) || r.Expires.Sub(r.IssuedAt) > maxYears:
		return form("it ends before it begins, or never")
	case r.Limits < 0:
		return form("it asks for limits %d", r.Limits)
	case r.Root.Empty():
		return form("it has no root key")
	case !r.Approver.Empty() && r.Approver.Threshold != 1:
		return form("the approvers' threshold must be 1: how many must sign stands in the limits")
	}
	seen := map[string]string{}
	for _, role := range []struct {
		name string
		wire.Role
	}{{"root", r.Root}, {"publisher", r.Publisher}, {"approver", r.Approver}, {"server", r.Server}} {
		if err := checkRole(role.name, role.Role, seen); err != nil {
			return err
		}
	}
	return nil
}

// checkRole looks at one role; seen are the keys of those before it. A key with two roles
// would let whoever holds it for the lesser one use the greater.
func checkRole(name string, r wire.Role, seen map[string]string) error {
	switch {
	case r.Empty() && r.Threshold == 0:
		return nil
	case len(r.Keys) > wire.MaxKeys:
		return form("the role %s has %d keys, %d are the most", name, len(r.Keys), wire.MaxKeys)
	case r.Threshold < 1 || r.Threshold > len(r.Keys):
		return form("the role %s asks for %d of %d keys", name, r.Threshold, len(r.Keys))
	}
	for _, k := range r.Keys {
		switch other := seen[string(k)]; {
		case len(k) != ed25519.PublicKeySize:
			return form("the role %s has a key that is none", name)
		case other != "":
			return form("one key has the roles %s and %s", other, name)
		}
		seen[string(k)] = name
	}
	return nil
}

func checkServer(k wire.ServerKeys) error {
	if len(k.Orders) == 0 || len(k.Orders) > wire.MaxKeys || len(k.Authorities) == 0 || len(k.Authorities) > wire.MaxKeys ||
		len(k.Addresses) == 0 || len(k.Addresses) > wire.MaxKeys {
		return form("it must name keys, authorities and addresses, %d of each at most", wire.MaxKeys)
	}
	for _, key := range k.Orders {
		if len(key) != ed25519.PublicKeySize {
			return form("it has a key for orders that is none")
		}
	}
	for _, der := range k.Authorities {
		if c, err := x509.ParseCertificate(der); err != nil || !c.IsCA {
			return form("it has an authority that is none")
		}
	}
	for _, a := range k.Addresses {
		if u, err := url.Parse(a); err != nil || u.Scheme != "https" || u.Host == "" || len(a) > 300 {
			return form("it has an address that is not https")
		}
	}
	return nil
}

// LimitsForm says what is wrong with the form of limits, whoever signed them.
func LimitsForm(l wire.Limits) error {
	switch {
	case l.Version < 1 || l.Version > 1<<40 || l.Root < 1:
		return form("its version is %d, for root %d", l.Version, l.Root)
	case !l.Expires.After(l.IssuedAt) || l.Expires.Sub(l.IssuedAt) > maxYears:
		return form("it ends before it begins, or never")
	case len(l.Verbs) > 50 || len(l.Sources) > 500:
		return form("it lists more than 50 verbs or 500 sources")
	case l.DevicesPerHour < 0 || l.Fleet < 0 || l.Fleet > 1<<30:
		return form("its rate is %d of %d devices", l.DevicesPerHour, l.Fleet)
	case l.DevicesPerHour > 0 && l.Fleet == 0:
		return form("it has a rate and does not say for how many devices")
	case l.Approvals < 0 || l.Approvals > wire.MaxKeys || l.Forced < 0 || l.Forced > wire.MaxKeys:
		return form("it asks for more signatures than there can be")
	}
	for _, s := range l.Sources {
		if s.Provider == "" {
			return form("a source names no provider")
		}
	}
	return nil
}

func contains(keys [][]byte, key []byte) bool {
	return slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
}
