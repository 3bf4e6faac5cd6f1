package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"sync"
	"testing"
	"time"

	"patchbay/wire"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const day24 = 24 * time.Hour

// key is the key that somebody of that name has.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pub(name string) []byte { return key(name).Public().(ed25519.PublicKey) }

func keyName(t testing.TB, name string) string {
	t.Helper()
	n, err := wire.KeyName(key(name).Public())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func role(threshold int, names ...string) wire.Role {
	r := wire.Role{Threshold: threshold}
	for _, n := range names {
		r.Keys = append(r.Keys, pub(n))
	}
	return r
}

// seal signs a document by everybody named.
func seal(t testing.TB, docType string, payload any, names ...string) *wire.Envelope {
	t.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	e := &wire.Envelope{Type: docType, Payload: body}
	for _, n := range names {
		if err := e.Sign(key(n)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// rootOf is the version of the root of the installation that these tests are about.
func rootOf(version int64, change ...func(*wire.Root)) wire.Root {
	r := wire.Root{Version: version, Installation: "inst_1", IssuedAt: t0, Expires: t0.Add(365 * day24),
		Root: role(2, "r1", "r2", "r3"), Publisher: role(1, "p1"), Approver: role(1, "a1", "a2", "a3"), Server: role(1, "s1"), Limits: 1}
	for _, c := range change {
		c(&r)
	}
	return r
}

func limitsOf(version int64, change ...func(*wire.Limits)) wire.Limits {
	l := wire.Limits{Version: version, Root: 1, IssuedAt: t0, Expires: t0.Add(90 * day24), Verbs: []string{wire.VerbInstall},
		Sources: []wire.LimitSource{{Provider: "apt", Origin: "Debian"}}, DevicesPerHour: 100, Fleet: 2000, Approvals: 2, Forced: 1}
	for _, c := range change {
		c(&l)
	}
	return l
}

func serverOf(epoch, version int64, keys ...string) wire.ServerKeys {
	return wire.ServerKeys{Version: wire.OrdersVersion{Epoch: epoch, Version: version}, IssuedAt: t0, Orders: role(1, keys...).Keys,
		Authorities: [][]byte{authority()}, Addresses: []string{"https://patchbay.example:8421"}}
}

// authority is some certificate of an authority.
var authority = sync.OnceValue(func() []byte {
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: t0, NotAfter: t0.Add(365 * day24)}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key("ca").Public(), key("ca"))
	if err != nil {
		panic(err)
	}
	return der
})

// enrolled is what an agent holds right after it was enrolled, with nothing but the server's word.
func enrolled() State {
	return State{Orders: [][]byte{pub("s1")}, Authorities: [][]byte{authority()}, Addresses: []string{"https://patchbay.example:8421"}}
}

// ground is what an agent holds that has one of each document.
func ground(t testing.TB) State {
	t.Helper()
	s := enrolled()
	s.Pinned = true
	for _, e := range []*wire.Envelope{
		seal(t, wire.RootDocument, rootOf(1), "r1", "r2"),
		seal(t, wire.ServerDocument, serverOf(1, 5, "s1"), "s1"),
		seal(t, wire.LimitsDocument, limitsOf(5), "p1"),
		seal(t, wire.CatalogDocument, catalogOf(5), "p1"),
		seal(t, wire.TimeDocument, wire.Time{Time: t0}, "s1"),
	} {
		s = takes(t, s, e)
	}
	return s
}

// takes gives the state after a document that must be taken.
func takes(t testing.TB, s State, e *wire.Envelope) State {
	t.Helper()
	next, err := s.Take(e)
	if err != nil {
		t.Fatalf("%s is not taken: %v", e.Type, err)
	}
	return next
}

// refuses sees to it that a document is refused, for that reason, and changes nothing.
func refuses(t testing.TB, s State, e *wire.Envelope, why error) {
	t.Helper()
	next, err := s.Take(e)
	switch {
	case err == nil:
		t.Errorf("%s is taken", e.Type)
	case why != nil && !errors.Is(err, why):
		t.Errorf("%s is refused because %v; it should be because %v", e.Type, err, why)
	case !reflect.DeepEqual(next, s):
		t.Errorf("%s is refused and changes the state to %+v", e.Type, next)
	}
}
