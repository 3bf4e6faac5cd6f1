package enroll

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// authority signs certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	a := authority{key: newKey(t)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	a.cert = template
	a.cert = a.sign(t, template, a.key.Public())
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a authority) sign(t testing.TB, template *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, pub, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a authority) token() string {
	return wire.Token{Secret: "pbt_" + strings.Repeat("s", 26), Pin: wire.PinOf(a.cert.RawSubjectPublicKeyInfo)}.String()
}

// scene is a server and what an agent brings.
type scene struct {
	authority
	url     string
	asked   []wire.Enroll
	bend    func(*wire.Enrolled)
	problem string
	options Options
}

func newScene(t testing.TB, hosts ...string) *scene {
	t.Helper()
	s := &scene{authority: newAuthority(t)}
	key := newKey(t)
	leaf := s.sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: hosts,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key.Public())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(t, w, r) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, s.cert.Raw}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url = server.URL
	dir, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.options = Options{Server: s.url, Token: s.token(), Mode: wire.Manage, Disk: dir, Keys: identity.SoftKey{Dir: dir}, Now: func() time.Time { return now }}
	return s
}

func (s *scene) serve(t testing.TB, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	var e wire.Enroll
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		t.Error(err)
	}
	s.asked = append(s.asked, e)
	if s.problem != "" {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, s.problem)
		return
	}
	csr, err := x509.ParseCertificateRequest(e.CSR)
	if err != nil {
		t.Error(err)
		return
	}
	cert := s.sign(t, &x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: now, NotAfter: now.Add(time.Hour)}, csr.PublicKey)
	a := wire.Enrolled{Agent: "agt_" + strings.Repeat("0", 26), Device: "dev_" + strings.Repeat("0", 26), Customer: "Acme", Site: "HQ",
		Certificate: cert.Raw, CA: s.cert.Raw, OrdersKey: make([]byte, ed25519.PublicKeySize), AgentURL: s.url}
	if s.bend != nil {
		s.bend(&a)
	}
	json.NewEncoder(w).Encode(a)
}

func TestEnrollingGivesAnIdentityThatWorks(t *testing.T) {
	s := newScene(t)
	id, err := Run(context.Background(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := identity.Load(s.options.Disk)
	if err != nil || kept.Agent != id.Agent || kept.Mode != wire.Manage || !kept.EnrolledAt.Equal(now) {
		t.Errorf("%+v, %v", kept, err)
	}
	key, err := s.options.Keys.Key()
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err := kept.Leaf(key); err != nil || leaf.PrivateKey == nil {
		t.Errorf("%+v, %v", leaf, err)
	}
	if len(s.asked) != 1 || s.asked[0].Token != s.token() {
		t.Errorf("asked %+v", s.asked)
	}
	if _, err := Run(context.Background(), s.options); !errors.Is(err, ErrEnrolled) {
		t.Errorf("enrolling twice: %v", err)
	}
	s.options.Replace = true
	if _, err := Run(context.Background(), s.options); err != nil {
		t.Error(err)
	}
}

// TestNothingIsSaidToAnotherServer: whoever answers without the pinned authority's key
// learns nothing, however well its certificate looks to others.
func TestNothingIsSaidToAnotherServer(t *testing.T) {
	for name, bend := range map[string]func(*scene){
		"other authority": func(s *scene) { s.options.Token = newAuthority(t).token() },
		"other host":      func(s *scene) { s.options.Server = strings.Replace(s.url, "127.0.0.1", "localhost", 1) },
	} {
		s := newScene(t)
		bend(s)
		_, err := Run(context.Background(), s.options)
		if err == nil || len(s.asked) > 0 {
			t.Errorf("%s: %v, asked %d times", name, err, len(s.asked))
		}
		if _, err := s.options.Keys.Key(); !errors.Is(err, identity.ErrNone) {
			t.Errorf("%s: a key was made: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "pbt_") {
			t.Errorf("%s: the token is echoed: %v", name, err)
		}
	}
}

// A machine whose battery is empty is let in all the same: the pin counts, not its clock.
func TestAWrongClockDoesNotKeepAMachineOut(t *testing.T) {
	for _, off := range []time.Duration{-10 * 365 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		s := newScene(t)
		s.options.Now = func() time.Time { return now.Add(off) }
		if _, err := Run(context.Background(), s.options); err != nil {
			t.Errorf("off by %s: %v", off, err)
		}
	}
}

func TestPinnedKeyMustSignTheServersCertificate(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	leaf := theirs.sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"a.example"}, NotBefore: now, NotAfter: now.Add(time.Hour)}, newKey(t).Public())
	pin := wire.PinOf(ours.cert.RawSubjectPublicKeyInfo)
	for name, chain := range map[string][]*x509.Certificate{
		"nothing":                    {},
		"leaf alone":                 {leaf},
		"pinned one only in company": {leaf, ours.cert},
		"pinned one as leaf":         {ours.cert},
	} {
		if verify(chain, "a.example", pin) == nil {
			t.Errorf("%s was believed", name)
		}
	}
}

func TestAnswersThatAreNotUsableAreRefused(t *testing.T) {
	other := newAuthority(t)
	for name, bend := range map[string]func(*wire.Enrolled){
		"no agent":        func(a *wire.Enrolled) { a.Agent = "" },
		"path as device":  func(a *wire.Enrolled) { a.Device = "dev_../../etc" },
		"other authority": func(a *wire.Enrolled) { a.CA = other.cert.Raw },
		"other signer": func(a *wire.Enrolled) {
			cert, err := x509.ParseCertificate(a.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			a.Certificate = other.sign(t, &x509.Certificate{SerialNumber: big.NewInt(1)}, cert.PublicKey).Raw
		},
		"other key": func(a *wire.Enrolled) {
			a.Certificate = other.sign(t, &x509.Certificate{SerialNumber: big.NewInt(1)}, newKey(t).Public()).Raw
		},
		"no certificate": func(a *wire.Enrolled) { a.Certificate = nil },
		"short key":      func(a *wire.Enrolled) { a.OrdersKey = a.OrdersKey[:31] },
		"plain address":  func(a *wire.Enrolled) { a.AgentURL = "http://127.0.0.1" },
	} {
		s := newScene(t)
		s.bend = bend
		if _, err := Run(context.Background(), s.options); err == nil {
			t.Errorf("%s was taken", name)
		}
		if _, err := identity.Load(s.options.Disk); !errors.Is(err, identity.ErrNone) {
			t.Errorf("%s left an identity: %v", name, err)
		}
	}
}

// The server knows a machine whose answer was lost by its key.
func TestAnotherAttemptIsMadeWithTheSameKey(t *testing.T) {
	s := newScene(t)
	s.bend = func(a *wire.Enrolled) { a.Agent = "" }
	key := func() string {
		t.Helper()
		csr, err := x509.ParseCertificateRequest(s.asked[len(s.asked)-1].CSR)
		if err != nil {
			t.Fatal(err)
		}
		return string(csr.RawSubjectPublicKeyInfo)
	}
	if _, err := Run(context.Background(), s.options); err == nil {
		t.Fatal("an answer without an agent was taken")
	}
	first := key()
	s.bend = nil
	if _, err := Run(context.Background(), s.options); err != nil || key() != first {
		t.Errorf("asked with another key: %v", err)
	}
	s.options.Replace = true
	if _, err := Run(context.Background(), s.options); err != nil || key() == first {
		t.Errorf("an identity was given up and its key was not: %v", err)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for want, bend := range map[string]func(*scene){
		"copy the whole line":     func(s *scene) { s.options.Token = "pbt_short" },
		"begin with https://":     func(s *scene) { s.options.Server = "http://a.example" },
		"should look like":        func(s *scene) { s.options.Server = "a.example" },
		"This token has expired.": func(s *scene) { s.problem = `{"detail":"This token has expired."}` },
		"403 Forbidden":           func(s *scene) { s.problem = "\x1b[2J<html>" },
		"reaching the server":     func(s *scene) { s.options.Server = "https://127.0.0.1:1" },
		"reverse proxy":           func(s *scene) { s.options.Token = newAuthority(t).token() },
	} {
		s := newScene(t)
		bend(s)
		_, err := Run(context.Background(), s.options)
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	a := newAuthority(f)
	f.Add([]byte(`{"agent":"agt_00000000000000000000000000","certificate":"AA==","ca":"AA=="}`))
	good, err := json.Marshal(wire.Enrolled{CA: a.cert.Raw, Certificate: a.cert.Raw, OrdersKey: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	key := newKey(f).Public()
	f.Fuzz(func(t *testing.T, data []byte) {
		if answer, err := parse(data); err == nil && check(answer, key, wire.PinOf(a.cert.RawSubjectPublicKeyInfo)) == nil {
			t.Errorf("taken: %s", data)
		}
	})
}
