package agent

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"patchbay/agent/identity"
	"patchbay/agent/inventory"
	"patchbay/agent/journal"
	"patchbay/patch"
	"patchbay/wire"
)

// renewAgain is how long to wait after a renewal that failed while the certificate is good.
const renewAgain = time.Hour

// renew asks for a new certificate once half of the life of the present one is over, long
// before its end and also long after it, and at once when the server does not take it. It
// reports whether there is a new one.
func (a *Agent) renew(ctx context.Context, rejected bool) bool {
	leaf := a.beliefs.certificate().Leaf
	now, sure := a.clock.time()
	half := leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	a.mu.Lock()
	lost := a.failing > 0 || !a.asked
	over := rejected || !now.Before(leaf.NotAfter) || lost && (!sure || a.Now().After(leaf.NotAfter)) // it may be over, for all that is known
	tried := !a.renewed.IsZero() && a.Now().Sub(a.renewed) < renewAgain
	a.mu.Unlock()
	if !over && (now.Before(half) || tried) || a.refused() {
		return false
	}
	a.mu.Lock()
	a.renewed = a.Now()
	a.mu.Unlock()
	answer, err := a.askRenewal(ctx, a.key, wire.Renewal{})
	if err == nil {
		err = a.beliefs.renewed(answer.Certificate)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.Log.Warn("the certificate was not renewed", "ends", leaf.NotAfter, "error", err)
		}
		return false
	}
	a.link.Close() // connections made with the former one
	a.Log.Info("the certificate was renewed", "ends", a.beliefs.certificate().Leaf.NotAfter)
	return true
}

// askRenewal asks for a certificate for a key, in the name and with the signature of the
// key in use.
func (a *Agent) askRenewal(ctx context.Context, key crypto.Signer, r wire.Renewal) (wire.Renewed, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return wire.Renewed{}, fmt.Errorf("making a certificate request: %w", err)
	}
	r.Version, r.Agent, r.CSR = wire.Version, a.id.Agent, csr
	r.Sent, r.BootID = a.Now().UTC().Truncate(time.Second), a.bootID()
	envelope, err := wire.Seal(wire.RenewalDocument, r, a.key)
	if err != nil {
		return wire.Renewed{}, err
	}
	answer, err := a.link.Renew(ctx, envelope)
	if err == nil && r.Become == "" && answer.Agent != a.id.Agent {
		err = errors.New("the certificate is for another agent")
	}
	return answer, err
}

// doubted hears that the server is not sure who this is, and says when to ask again. Until
// then nothing begins here. Once the server is sure that this is a copy of another machine,
// it becomes a device of its own.
func (a *Agent) doubted(ctx context.Context, d wire.Doubt) time.Duration {
	a.mu.Lock()
	a.doubt = sentence("Waiting: " + d.Why)
	a.mu.Unlock()
	a.Log.Warn("the server is not sure that this is the machine it says it is", "why", d.Why)
	if d.Become != "" {
		if err := a.become(ctx, d.Become); err != nil && ctx.Err() == nil {
			a.Log.Error("an identity of its own was not given to this machine", "error", err)
		}
	}
	return min(max(time.Duration(d.Next)*time.Second, apart), retryMost)
}

// become asks for an identity of this machine's own and ends the agent when there is one.
func (a *Agent) become(ctx context.Context, word string) error {
	key, err := a.Keys.Next()
	if err != nil {
		return err
	}
	facts, err := a.Facts(ctx)
	if err != nil {
		return fmt.Errorf("reading this machine: %w", err)
	}
	answer, err := a.askRenewal(ctx, key, wire.Renewal{Become: word, Facts: &facts})
	if err != nil {
		return err
	}
	id := identity.Identity{Certificate: answer.Certificate}
	if _, err := id.Leaf(key); err != nil {
		return err
	}
	if err := vouched(answer.Certificate, a.beliefs.state().Authorities); err != nil {
		return err
	}
	if !patch.IsID(patch.AgentID, answer.Agent) || !patch.IsID(patch.DeviceID, answer.Device) {
		return errors.New("the answer names no agent or no device")
	}
	a.mu.Lock()
	a.anew = &answer
	a.mu.Unlock()
	a.finish()
	return nil
}

// startAnew puts the identity of its own in place of the copied one. What was copied with it
// is the other machine's: its orders, its jobs and what it was about to tell. The identity
// comes last; until it is there, this machine is told again that it is a copy.
func (a *Agent) startAnew(answer wire.Renewed) error {
	if err := a.journal.Close(); err != nil {
		return fmt.Errorf("closing the copied journal: %w", err)
	}
	for _, name := range []string{ordersFile, journal.Name, inventory.File, statusFile} {
		if err := a.Disk.Remove(name); err != nil {
			return err
		}
	}
	id := a.id
	id.Agent, id.Device, id.Certificate = answer.Agent, answer.Device, answer.Certificate
	id.EnrolledAt = a.Now().UTC().Truncate(time.Second)
	if err := id.Save(a.Disk); err != nil {
		return err
	}
	a.Log.Warn("this machine was a copy of another and is a device of its own now", "was", a.id.Device, "is", id.Device)
	return a.Keys.Adopt()
}

// bootID names the present boot, "" when it cannot be known.
func (a *Agent) bootID() string {
	if id := a.BootID(); id != "" {
		return id
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.report.Facts.BootID
}

// learn takes what a reply tells of documents, time and nonce. It is the end of any doubt.
func (a *Agent) learn(r wire.Reply) error {
	before, after, refused, err := a.beliefs.take(r.Documents, r.Nonce)
	if err != nil {
		return err
	}
	if refused != nil {
		a.Log.Error("a document is not believed", "error", refused)
	}
	if after.Replaced(before) {
		if err := a.forgetServer(); err != nil {
			return err
		}
	}
	if after.Held().Catalog != before.Held().Catalog { // something else is on offer
		a.look.Store(true)
		a.work.ring()
	}
	switch {
	case after.Time.After(before.Time):
		a.clock.heard(after.Time)
	case after.Time.IsZero(): // a server that does not sign the time yet
		a.clock.heard(r.Time)
	}
	a.mu.Lock()
	a.doubt = ""
	a.status.RefusedDocument = ""
	if refused != nil {
		a.status.RefusedDocument = sentence(refused.Error())
	}
	a.mu.Unlock()
	return a.beliefs.settle(a.Hardware())
}

// forgetServer drops what was told under keys that are no longer believed: orders, their
// number, and the time.
func (a *Agent) forgetServer() error {
	a.clock.forget()
	a.mu.Lock()
	a.wish = nil
	a.mu.Unlock()
	return a.Disk.Remove(ordersFile)
}
