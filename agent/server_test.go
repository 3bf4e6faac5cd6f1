package agent

import (
	"compress/gzip"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/wire"
)

// server is as much of a server as an agent can tell.
type server struct {
	t      testing.TB
	net    *pipe
	http   *http.Server
	caKey  *ecdsa.PrivateKey
	ca     *x509.Certificate
	orders ed25519.PrivateKey

	mu       sync.Mutex
	wish     wire.Orders
	envelope *wire.Envelope
	held     map[string]wire.Section
	ack      int64
	outcomes []wire.Outcome
	checkIns []wire.CheckIn
	times    []time.Time
	status   int
	call     chan struct{}
	next     int
	bend     func(*wire.Reply)
	first    *wire.Reply // the first there was
	again    bool        // give it once more

	agent, device string
	lifetime      time.Duration   // of agents' certificates
	slow          bool            // no wake-up channel and a check-in an hour, so that weeks pass quickly
	documents     []wire.Envelope // told in each reply and at enrolment
	nonce         string
	doubt         *wire.Doubt // told instead of a reply
	renewals      []wire.Renewal
	known, former crypto.PublicKey // the agent's, and the one of the machine it was a copy of
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t, net: &pipe{conns: make(chan net.Conn)}, held: map[string]wire.Section{}, next: 300, call: make(chan struct{}, 1),
		agent: testAgent, device: testDevice, lifetime: 2 * 365 * 24 * time.Hour}
	var err error
	if s.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, s.orders, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(20 * 365 * 24 * time.Hour)}
	s.ca = s.sign(template, template, s.caKey.Public())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := s.sign(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"patchbay.example"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, s.ca, key.Public())
	roots := x509.NewCertPool()
	roots.AddCert(s.ca)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /agent/v1/enroll", s.enroll)
	mux.HandleFunc("POST /agent/v1/checkin", s.checkIn)
	mux.HandleFunc("GET /agent/v1/wake", s.wake)
	mux.HandleFunc("POST /agent/v1/renew", s.renew)
	s.http = &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, s.ca.Raw}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: roots, MinVersion: tls.VersionTLS13,
	}}
	s.set(nil)
	go s.http.ServeTLS(s.net, "", "")
	return s
}

func (s *server) close() { s.http.Close() }

func (s *server) sign(template, parent *x509.Certificate, pub any) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return cert
}

func (s *server) token() string {
	return wire.Token{Secret: "pbt_" + strings.Repeat("a", 26), Pin: wire.PinOf(s.ca.RawSubjectPublicKeyInfo)}.String()
}

// set makes new orders of the wish.
func (s *server) set(change func(*wire.DeviceOrders)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wish.Devices == nil {
		s.wish = wire.Orders{Agent: s.agent, Seen: wire.OrdersVersion{Epoch: 1}, Devices: []wire.DeviceOrders{{Device: s.device}}}
	}
	d := &s.wish.Devices[0]
	if change != nil {
		change(d)
	}
	slices.SortFunc(d.Jobs, func(a, b wire.Job) int { return strings.Compare(a.ID, b.ID) })
	s.wish.Seen.Version++
	s.wish.IssuedAt, s.wish.Expires = time.Now(), time.Now().Add(24*time.Hour)
	envelope, err := wire.Seal(wire.OrdersDocument, s.wish, s.orders)
	if err != nil {
		s.t.Fatal(err)
	}
	s.envelope = envelope
	select {
	case s.call <- struct{}{}:
	default:
	}
}

func (s *server) enroll(w http.ResponseWriter, r *http.Request) {
	var e wire.Enroll
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil || e.Token != s.token() {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"detail":"This token is not known."}`)
		return
	}
	csr, err := x509.ParseCertificateRequest(e.CSR)
	if err != nil || csr.CheckSignature() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.known, s.former = csr.PublicKey, csr.PublicKey
	json.NewEncoder(w).Encode(wire.Enrolled{Agent: testAgent, Device: testDevice, Customer: "Acme", Site: "HQ", Certificate: s.certificate(csr.PublicKey),
		CA: s.ca.Raw, OrdersKey: s.orders.Public().(ed25519.PublicKey), AgentURL: "https://patchbay.example:8443", Documents: s.documents})
}

// certificate is one for an agent's key, from now on.
func (s *server) certificate(key any) []byte {
	return s.sign(&x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(s.lifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, s.ca, key).Raw
}

func (s *server) renew(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e wire.Envelope
	var asked wire.Renewal
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		s.t.Error(err)
	}
	if _, err := e.Open(wire.RenewalDocument, &asked, s.known, s.former); err != nil || s.status == http.StatusForbidden {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	csr, err := x509.ParseCertificateRequest(asked.CSR)
	if err != nil || csr.CheckSignature() != nil {
		s.t.Errorf("the request cannot be used: %v", err)
		return
	}
	s.renewals = append(s.renewals, asked)
	if asked.Become != "" && s.agent == testAgent {
		s.agent, s.device, s.known, s.former = otherAgent, otherDevice, csr.PublicKey, s.known
		s.wish, s.ack, s.outcomes = wire.Orders{}, 0, nil
	}
	json.NewEncoder(w).Encode(wire.Renewed{Version: 1, Agent: s.agent, Device: s.device, Certificate: s.certificate(csr.PublicKey), CA: s.ca.Raw})
}

// publish tells a document from now on.
func (s *server) publish(docType string, payload any, keys ...wire.Key) {
	e, err := wire.Seal(docType, payload, keys[0])
	for _, k := range keys[1:] {
		if err == nil {
			err = e.Sign(k)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents = append(s.documents, *e)
}

func (s *server) checkIn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.TLS.VerifiedChains) == 0 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			s.t.Error(err)
			return
		}
		body = z
	}
	var c wire.CheckIn
	if err := json.NewDecoder(body).Decode(&c); err != nil {
		s.t.Error(err)
	}
	s.checkIns, s.times = append(s.checkIns, c), append(s.times, time.Now())
	if s.doubt != nil && c.Agent == testAgent {
		w.WriteHeader(http.StatusConflict)
		json.NewEncoder(w).Encode(s.doubt)
		return
	}
	reply := wire.Reply{Version: 1, Time: time.Now(), Next: s.next, Documents: s.documents, Nonce: s.nonce}
	for _, o := range c.Outcomes {
		if o.Seq > s.ack {
			s.outcomes, s.ack = append(s.outcomes, o), o.Seq
		}
	}
	reply.Acknowledged = s.ack
	for _, d := range c.Devices {
		if h, missing := s.keep(d); missing {
			reply.Holds = append(reply.Holds, h)
		}
	}
	if s.wish.Seen.Newer(c.Seen) {
		reply.Orders = s.envelope
	}
	if s.bend != nil {
		s.bend(&reply)
	}
	if s.first == nil {
		s.first = &reply
	}
	if s.again {
		reply, s.again = *s.first, false
	}
	json.NewEncoder(w).Encode(reply)
}

// replay has the next check-in answered as the very first was.
func (s *server) replay() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = s.first != nil
}

// keep stores sections and says what is held when it is not all that was reported.
func (s *server) keep(d wire.DeviceReport) (wire.Held, bool) {
	for _, section := range d.Sections {
		if section.Body == nil && s.held[section.Name].Hash == section.Hash {
			section.Body = s.held[section.Name].Body
		}
		if section.Body != nil && wire.Hash(section.Body) != section.Hash {
			s.t.Errorf("section %s is not what its hash says", section.Name)
		}
		if section.Body != nil || section.Hash == "" {
			s.held[section.Name] = section
		}
	}
	heads := slices.SortedFunc(maps.Values(s.held), func(a, b wire.Section) int { return strings.Compare(a.Name, b.Name) })
	h := wire.Held{Device: d.Device, Digest: wire.Digest(heads), Sections: map[string]string{}}
	for _, section := range heads {
		h.Sections[section.Name] = section.Hash
	}
	return h, h.Digest != d.Digest
}

func (s *server) wake(w http.ResponseWriter, r *http.Request) {
	if s.slow {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	hold := time.NewTimer(50 * time.Second)
	defer hold.Stop()
	select {
	case <-s.call:
		w.WriteHeader(http.StatusOK)
	case <-hold.C:
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

func (s *server) told() []wire.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.outcomes)
}

func (s *server) heard() []wire.CheckIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.checkIns)
}
