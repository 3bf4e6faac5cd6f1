package agent

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// beliefs is whom and what the agent believes, for all its loops and for every connection.
// It is on the disk before anything rests on it.
type beliefs struct {
	disk disk.Dir
	key  crypto.Signer

	mu   sync.Mutex
	id   identity.Identity
	leaf *tls.Certificate
	held identity.Belief
}

func newBeliefs(o Options, id identity.Identity) (*beliefs, error) {
	b := &beliefs{disk: o.Disk, id: id}
	var err error
	if b.key, b.leaf, err = keyFor(o.Keys, id); err != nil {
		return nil, err
	}
	if b.held, err = identity.LoadBelief(o.Disk, id); err != nil {
		return nil, err
	}
	if len(b.held.State.Orders) == 0 || len(b.held.State.Addresses) == 0 {
		return nil, errors.New("what this agent believes names no key or no address of its server: enroll this machine again")
	}
	return b, nil
}

// keyFor gives the key that the certificate is for. When that is the next key, the agent
// was stopped between getting an identity and taking its key in use.
func keyFor(keys identity.KeyStore, id identity.Identity) (crypto.Signer, *tls.Certificate, error) {
	key, err := keys.Key()
	if err != nil {
		return nil, nil, err
	}
	leaf, err := id.Leaf(key)
	if !errors.Is(err, identity.ErrOtherKey) {
		return key, leaf, err
	}
	next, failed := keys.Next()
	if failed != nil {
		return nil, nil, err
	}
	if leaf, failed = id.Leaf(next); failed != nil {
		return nil, nil, err
	}
	return next, leaf, keys.Adopt()
}

func (b *beliefs) state() trust.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held.State
}

func (b *beliefs) nonce() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held.Nonce
}

func (b *beliefs) certificate() *tls.Certificate {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leaf
}

// address is where the server was last known to be.
func (b *beliefs) address() string { return b.state().Addresses[0] }

func (b *beliefs) hosts() []string {
	var hosts []string
	for _, a := range b.state().Addresses {
		if u, err := url.Parse(a); err == nil {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// peer is whom this agent talks to and what it shows.
func (b *beliefs) peer(earliest func() time.Time) identity.Peer {
	return identity.Peer{Authorities: func() [][]byte { return b.state().Authorities }, Hosts: b.hosts,
		Earliest: earliest, Certificate: b.certificate}
}

// take believes what follows from the documents and keeps the nonce. It gives the state
// before and after, and why the first document that was not taken was not.
func (b *beliefs) take(documents []wire.Envelope, nonce string) (before, after trust.State, refused, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before = b.held.State
	next, changed := b.held, false
	for i := range documents {
		state, err := next.State.Take(&documents[i])
		switch {
		case err == nil:
			next.State, changed = state, true
		case !errors.Is(err, trust.ErrKnown) && refused == nil:
			refused = err
		}
	}
	if nonce != "" && nonce != next.Nonce && len(nonce) <= 100 {
		next.Nonce, changed = nonce, true
	}
	if changed {
		if err := identity.SaveBelief(b.disk, next); err != nil {
			b.held.Nonce = next.Nonce // else each check-in would look like one of a disk that was set back
			return before, before, refused, err
		}
		b.held = next
	}
	return before, b.held.State, refused, nil
}

// moved reports whether nothing of the hardware that the state was given to is here.
func (b *beliefs) moved(hardware []string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.held.Hardware
	return len(known) > 0 && len(hardware) > 0 && !slices.ContainsFunc(hardware, func(h string) bool { return slices.Contains(known, h) })
}

// settle notes the hardware on which the server accepted this agent.
func (b *beliefs) settle(hardware []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(hardware) == 0 || slices.Equal(hardware, b.held.Hardware) {
		return nil
	}
	next := b.held
	next.Hardware = hardware
	if err := identity.SaveBelief(b.disk, next); err != nil {
		return err
	}
	b.held = next
	return nil
}

// renewed takes a new certificate in use, if it is for this agent's key and by an authority
// that is believed.
func (b *beliefs) renewed(der []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := vouched(der, b.held.State.Authorities); err != nil {
		return err
	}
	id := b.id
	id.Certificate = der
	leaf, err := id.Leaf(b.key)
	if err != nil {
		return err
	}
	if err := id.Save(b.disk); err != nil {
		return err
	}
	b.id, b.leaf = id, leaf
	return nil
}

// vouched checks that a certificate is by one of the authorities.
func vouched(der []byte, authorities [][]byte) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("reading the new certificate: %w", err)
	}
	for _, a := range authorities {
		if ca, err := x509.ParseCertificate(a); err == nil && leaf.CheckSignatureFrom(ca) == nil {
			return nil
		}
	}
	return errors.New("the new certificate is not by the server's authority")
}
