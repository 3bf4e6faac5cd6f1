package agentapi

import (
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"net/http"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/wire"
)

// maxEnroll is how large an enrolment may be.
const maxEnroll = 256 << 10

// enroll lets a machine in that shows a token.
func (a *API) enroll(w http.ResponseWriter, r *http.Request) {
	var in wire.Enroll
	if err := decode(r, maxEnroll, &in); err != nil {
		refuse(w, err)
		return
	}
	if err := checkEnroll(&in); err != nil {
		refuse(w, err)
		return
	}
	out, err := a.letIn(r, in)
	var refusal *store.Refusal
	switch {
	case errors.Is(err, wire.ErrToken):
		refuse(w, err)
	case errors.Is(err, store.ErrNotFound):
		problem(w, http.StatusForbidden, "This token is not known here. Copy the line from the console again, or make a new token.")
	case errors.As(err, &refusal):
		problem(w, http.StatusForbidden, refusal.Error())
	case errors.Is(err, errRequest):
		refuse(w, err)
	case err != nil:
		a.fail(w, r, err)
	default:
		answer(w, out)
	}
}

// errRequest means that the certificate request cannot be used.
var errRequest = errors.New("the certificate request cannot be used: it must be PKCS #10 for an ECDSA key on P-256, signed by that key")

func checkEnroll(in *wire.Enroll) error {
	switch {
	case in.Version != wire.Version:
		return errors.New("this server speaks another version of the protocol; update whichever is older")
	case in.Mode != wire.Observe && in.Mode != wire.Manage:
		return errors.New("the mode must be observe or manage")
	case len(in.Capabilities) > 50:
		return errors.New("an agent may list at most 50 capabilities")
	}
	in.Build = shorten(in.Build, maxName)
	in.Facts.Hostname = shorten(in.Facts.Hostname, 253)
	if in.Facts.Hostname == "" {
		in.Facts.Hostname = "unnamed"
	}
	return nil
}

// letIn makes the agent and its first device.
func (a *API) letIn(r *http.Request, in wire.Enroll) (*wire.Enrolled, error) {
	secret, err := wire.ParseToken(in.Token)
	if err != nil {
		return nil, err
	}
	ctx, now := r.Context(), a.Now()
	agentID := patch.NewID(patch.AgentID)
	who := store.Who{ID: "agent:" + agentID, Name: in.Facts.Hostname}
	hash := access.TokenHash(secret.Secret)
	token, err := a.Store.MSP(who).TokenBySecret(ctx, hash)
	if err != nil {
		return nil, err
	}
	cert, key, err := a.Authority.SignAgent(in.CSR, agentID, now)
	if err != nil {
		return nil, errRequest
	}
	public, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, errRequest
	}
	mode, capabilities := in.Mode, in.Capabilities
	if token.Mode != wire.Manage {
		mode, capabilities = wire.Observe, nil
	}
	agent := store.Agent{ID: agentID, Customer: token.Customer, Site: token.Site, PublicKey: public, Build: in.Build,
		Mode: mode, Capabilities: capabilities, Token: token.ID, EnrolledAt: now, LastSeen: now}
	device := store.Device{ID: patch.NewID(patch.DeviceID), Customer: token.Customer, Site: token.Site, Agent: agentID,
		Name: in.Facts.Hostname, Facts: in.Facts, EnrolledAt: now}
	h := a.Store.Customer(who, token.Customer)
	known, of, err := h.EnrolledBefore(ctx, now, hash, public)
	switch {
	case err != nil:
		return nil, err
	case known == "":
		err = h.Enroll(ctx, now, hash, agent, device)
	default: // the answer was lost
		agentID, device.ID = known, of
		cert, _, err = a.Authority.SignAgent(in.CSR, agentID, now)
	}
	if err != nil {
		return nil, err
	}
	a.Engine.Enrolled(token.Customer, device.ID, agentID)
	customer, err := h.Get(ctx)
	if err != nil {
		return nil, err
	}
	site, err := h.Site(ctx, token.Site)
	if err != nil {
		return nil, err
	}
	documents, err := a.newest(ctx)
	if err != nil {
		return nil, err
	}
	return &wire.Enrolled{Documents: documents, Agent: agentID, Device: device.ID, Customer: customer.Name, Site: site.Name, Mode: token.Mode, Certificate: cert,
		CA: a.Authority.Certificate.Raw, OrdersKey: a.Authority.OrdersKey().Public().(ed25519.PublicKey), AgentURL: a.AgentURL}, nil
}
