package sim

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"patchbay/wire"
	"patchbay/wire/trust"
)

// errNoToken means that a machine has no way in.
var errNoToken = errors.New("no token for its site")

// enrol lets the machine in with the token of its site.
func (m *machine) enrol() {
	token, err := wire.ParseToken(m.sim.token(m.device.Site))
	if err != nil {
		m.failed(errNoToken)
		return
	}
	if m.BootedAt.IsZero() {
		m.BootedAt = m.own()
	}
	m.scan()
	ask := wire.Enroll{Version: wire.Version, Token: token.String(), Build: m.sim.options.Build, Mode: wire.Manage,
		Capabilities: []string{wire.VerbInstall}, Facts: m.sim.fleet.Facts(m.device, m.Number, m.reading())}
	m.begin("enrol")
	as, carrier, server := stranger(token.Pin, m.sim.tlsTime), m.sim.carrier, m.sim.options.Server
	m.sim.schedule.ask(m.sim.context(), func(ctx context.Context) func() {
		id, key, nonce, documents, a, err := enrolWith(ctx, carrier, as, server, ask, token.Pin)
		return func() {
			if m.cut(a, err) {
				return
			}
			if err == nil && id.Agent == "" {
				err = m.refusal(a)
			}
			if err != nil {
				m.failed(err)
				return
			}
			m.joined(id, key, nonce, documents)
		}
	})
}

// enrolWith makes a key and asks. An identity without an agent means that the answer was a
// refusal.
func enrolWith(ctx context.Context, carrier Carrier, as *Credentials, server string, ask wire.Enroll, pin string) (
	id identity, key *ecdsa.PrivateKey, nonce string, documents []wire.Envelope, a Answer, err error) {
	key, der, csr, err := newKey()
	if err != nil {
		return id, nil, "", nil, a, err
	}
	ask.CSR = csr
	body, err := json.Marshal(ask)
	if err != nil {
		return id, nil, "", nil, a, fmt.Errorf("encoding an enrolment: %w", err)
	}
	a, err = carrier.Ask(ctx, Request{From: as, URL: server, Method: http.MethodPost, Path: "/agent/v1/enroll", Body: body})
	if err != nil || a.Status != http.StatusOK && a.Status != http.StatusCreated {
		return id, nil, "", nil, a, err
	}
	id, nonce, documents, err = parseEnrolled(a.Body, der, pin)
	return id, key, nonce, documents, a, err
}

// joined takes what the machine got, and has it speak.
func (m *machine) joined(id identity, key *ecdsa.PrivateKey, nonce string, documents []wire.Envelope) {
	roots, err := m.sim.authorities.pool(id.CA)
	if err != nil {
		m.failed(err)
		return
	}
	if m.sim.options.Stay {
		id.URL = m.sim.options.Server
	}
	m.identity, m.key, m.Nonce = id, key, nonce
	m.as = member(id, key, roots, m.sim.tlsTime)
	m.Trust = trust.State{Pinned: true, Orders: [][]byte{id.OrdersKey}, Authorities: [][]byte{id.CA}, Addresses: []string{id.URL}}
	m.back()
	m.takeDocuments(documents)
	m.talkBy(m.sim.now().Add(apart))
}

// expiring reports whether a third of the certificate's life is all that is left of it.
func (m *machine) expiring() bool {
	if m.ends.IsZero() {
		leaf, err := x509.ParseCertificate(m.Certificate)
		if err != nil {
			return false
		}
		m.ends, m.life = leaf.NotAfter, leaf.NotAfter.Sub(leaf.NotBefore)
	}
	now := m.now()
	return m.ends.Sub(now) < m.life/3 && !now.Before(m.renewAt)
}

// doubted is told, instead of a reply, that the server is not sure who this is. Nothing was
// taken from it. A copy asks for an identity of its own.
func (m *machine) doubted(a Answer) {
	m.back()
	m.sim.account.Doubts++
	var d wire.Doubt
	if err := json.Unmarshal(a.Body, &d); err != nil || d.Version == 0 {
		m.failed(errors.New("a doubt that cannot be read"))
		return
	}
	m.sim.trace(m, "is doubted")
	if d.Become != "" {
		m.renew(d.Become)
		return
	}
	m.talkAt = time.Time{}
	m.talkBy(m.sim.now().Add(max(apart, min(time.Duration(d.Next)*time.Second, nextMost))))
}

// renew asks for a new certificate: for the same key when the last one runs out, for a new
// one when the machine was told to become another.
func (m *machine) renew(become string) {
	key, der := m.key, m.Key
	csr, err := requestFor(key)
	if become != "" {
		key, der, csr, err = newKey()
	}
	r := wire.Renewal{Version: wire.Version, Agent: m.Agent, CSR: csr, Sent: m.own(), BootID: m.bootID(), Become: become}
	if become != "" {
		facts := m.sim.fleet.Facts(m.device, m.Number, m.reading())
		r.Facts = &facts
	}
	var envelope *wire.Envelope
	if err == nil {
		envelope, err = wire.Seal(wire.RenewalDocument, r, m.key)
	}
	if err != nil {
		m.failed(err)
		return
	}
	m.begin("renew")
	as, carrier, server := m.as, m.sim.carrier, m.URL
	m.sim.schedule.ask(m.sim.context(), func(ctx context.Context) func() {
		body, err := json.Marshal(envelope)
		var a Answer
		if err == nil {
			a, err = carrier.Ask(ctx, Request{From: as, URL: server, Method: http.MethodPost, Path: "/agent/v1/renew", Body: body})
		}
		return func() { m.renewed(a, err, key, der) }
	})
}

// renewed takes the new certificate, and the new names where there are any.
func (m *machine) renewed(a Answer, err error, key *ecdsa.PrivateKey, der []byte) {
	if m.cut(a, err) {
		return
	}
	m.renewAt = m.now().Add(time.Hour)
	if err == nil {
		err = m.refusal(a)
	}
	var r wire.Renewed
	if err == nil {
		err = json.Unmarshal(a.Body, &r)
	}
	if err == nil && (r.Agent == "" || r.Device == "" || len(r.Certificate) == 0) {
		err = errors.New("a renewal without a certificate")
	}
	if err != nil {
		m.failed(err)
		return
	}
	m.sim.account.Renewed++
	if r.Agent != m.Agent {
		m.become(r)
	}
	m.Key, m.Certificate, m.CA, m.ends = der, r.Certificate, r.CA, time.Time{}
	if err := m.wake(); err != nil {
		m.failed(err)
		return
	}
	m.back()
	m.takeDocuments(r.Documents)
	m.talkBy(m.sim.now().Add(apart))
}

// become makes the machine a device of its own: it has no history, no orders and no jobs.
func (m *machine) become(r wire.Renewed) {
	m.sim.trace(m, "becomes another")
	for _, o := range m.Outcomes {
		if !o.Acked {
			m.sim.account.Outcomes.Undone++
		}
	}
	m.Agent, m.Device, m.Nonce = r.Agent, r.Device, ""
	m.Orders, m.Jobs, m.Outcomes, m.Next, m.Acked = wire.Orders{}, nil, nil, 1, 0
	m.held = held{}
}
