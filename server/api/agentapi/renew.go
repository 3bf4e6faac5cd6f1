package agentapi

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/wire"
)

// errOtherKey means that a renewal asks for a key that is not the agent's.
var errOtherKey = errors.New("a certificate is renewed for the agent's own key alone; enrol the machine again for another")

// renew gives an agent a new certificate. It needs no valid one: the request is signed by
// the key that is on record, so an agent that was away for long comes back by itself.
func (a *API) renew(w http.ResponseWriter, r *http.Request) {
	var e wire.Envelope
	if err := decode(r, maxEnroll, &e); err != nil {
		refuse(w, err)
		return
	}
	s, in, err := a.asks(r.Context(), &e)
	var out *wire.Renewed
	switch {
	case err != nil:
	case s.revoked():
		err = &store.Refusal{Kind: store.ErrRefused, Sentence: "This agent was removed from service. Enrol the machine again if that was a mistake."}
	case in.Become != "":
		out, err = a.become(r.Context(), s, in)
	default:
		out, err = a.again(s, in)
	}
	var refusal *store.Refusal
	switch {
	case errors.Is(err, store.ErrNotFound):
		problem(w, http.StatusForbidden, "This agent is not known here. Enrol the machine again with a new token.")
	case errors.Is(err, wire.ErrSignature):
		problem(w, http.StatusForbidden, "The request is not signed by the key of this agent.")
	case errors.As(err, &refusal):
		problem(w, http.StatusForbidden, refusal.Error())
	case errors.Is(err, errRequest), errors.Is(err, errOtherKey):
		refuse(w, err)
	case err != nil:
		a.fail(w, r, err)
	default:
		answer(w, out)
	}
}

// asks gives the request and the agent that signed it.
func (a *API) asks(ctx context.Context, e *wire.Envelope) (*session, wire.Renewal, error) {
	var claimed, in wire.Renewal
	if json.Unmarshal(e.Payload, &claimed) != nil { // whose it says it is, to find the key to check it with
		return nil, in, errRequest
	}
	s, err := a.sessions.get(ctx, a, claimed.Agent)
	if err != nil {
		return nil, in, err
	}
	if _, err := e.Open(wire.RenewalDocument, &in, s.key); err != nil {
		return nil, in, wire.ErrSignature
	}
	return s, in, nil
}

// again makes a certificate for the key on record.
func (a *API) again(s *session, in wire.Renewal) (*wire.Renewed, error) {
	cert, key, err := a.Authority.SignAgent(in.CSR, s.agent, a.Now())
	if err != nil {
		return nil, errRequest
	}
	if known, ok := s.key.(interface{ Equal(crypto.PublicKey) bool }); !ok || !known.Equal(key) {
		return nil, errOtherKey
	}
	return &wire.Renewed{Version: wire.Version, Agent: s.agent, Certificate: cert, CA: a.Authority.Certificate.Raw}, nil
}

// become gives a machine that is a copy an identity of its own.
func (a *API) become(ctx context.Context, s *session, in wire.Renewal) (*wire.Renewed, error) {
	now := a.Now()
	agent := store.Agent{ID: patch.NewID(patch.AgentID)}
	device := store.Device{ID: patch.NewID(patch.DeviceID)}
	_, key, err := a.Authority.SignAgent(in.CSR, agent.ID, now)
	if err != nil {
		return nil, errRequest
	}
	if agent.PublicKey, err = x509.MarshalPKIXPublicKey(key); err != nil {
		return nil, errRequest
	}
	if in.Facts != nil {
		device.Facts = *in.Facts
	}
	if device.Facts.Hostname = shorten(device.Facts.Hostname, 253); device.Facts.Hostname == "" {
		device.Facts.Hostname = "unnamed"
	}
	agent, device, err = a.Store.Customer(who(s), s.customer).Become(ctx, now, s.agent, in.Become, agent, device)
	if err != nil {
		return nil, err
	}
	a.Engine.Enrolled(s.customer, device.ID, agent.ID)
	cert, _, err := a.Authority.SignAgent(in.CSR, agent.ID, now)
	if err != nil {
		return nil, errRequest
	}
	return &wire.Renewed{Version: wire.Version, Agent: agent.ID, Device: device.ID, Certificate: cert, CA: a.Authority.Certificate.Raw}, nil
}
