package documents

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"patchbay/server/store"
	"patchbay/wire"
)

// Unnamed means that the root says who may speak for the server, and not this key.
type Unnamed struct {
	Key  ed25519.PublicKey
	Root int64 // version of the root that is held
}

// Error says it.
func (u *Unnamed) Error() string {
	return fmt.Sprintf("root %d says which keys may sign orders, and the server's next one is not among them", u.Root)
}

// HandOver says, by the key that signs orders now, that the next one takes its place. Who
// has read that believes the former no longer, so from then on the server must sign with the
// next. Saying it again changes nothing.
func HandOver(ctx context.Context, o Options, next ed25519.PublicKey) error {
	d := &Documents{Options: o}
	if err := d.Reload(ctx); err != nil {
		return err
	}
	if !d.mayFollow(next) {
		return &Unnamed{next, d.state.Root.Version}
	}
	own := o.Key.Public().(ed25519.PublicKey)
	if len(d.servers) == 0 {
		return nil // nobody was let in yet
	}
	last := d.servers[len(d.servers)-1]
	var said wire.ServerKeys
	if _, err := last.envelope.Open(wire.ServerDocument, &said, own); err != nil {
		return fmt.Errorf("the server has not said yet that it signs with the key in its folder, as it does when it starts: start it first: %w", err)
	}
	if slices.EqualFunc(said.Orders, [][]byte{next}, bytes.Equal) {
		return nil
	}
	said.Orders, said.IssuedAt = [][]byte{next}, o.Now().UTC().Truncate(time.Second)
	said.Version.Version++
	e, err := wire.Seal(wire.ServerDocument, said, o.Key)
	if err != nil {
		return err
	}
	return d.Store.MSP(who).AddDocument(ctx, o.Now(), store.Document{Type: wire.ServerDocument, Version: said.Version, Envelope: *e})
}

// HandedOver is the key to which a key has handed over, nil when it has not.
func HandedOver(ctx context.Context, s *store.Store, key ed25519.PublicKey) (ed25519.PublicKey, error) {
	rows, err := s.MSP(who).Documents(ctx, wire.ServerDocument)
	if err != nil {
		return nil, err
	}
	for _, row := range slices.Backward(rows) { // a key says nothing after it has handed over
		if next := successor(row.Envelope, key); next != nil {
			return next, nil
		}
	}
	return nil, nil
}

// successor is the first key that a document names in place of the one that signed it.
func successor(e wire.Envelope, key ed25519.PublicKey) ed25519.PublicKey {
	var said wire.ServerKeys
	if _, err := e.Open(wire.ServerDocument, &said, key); err != nil || names(said.Orders, key) || len(said.Orders) == 0 {
		return nil
	}
	return said.Orders[0]
}

// replaced says that the key in use has handed over.
func (d *Documents) replaced() error {
	own := d.Key.Public().(ed25519.PublicKey)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range slices.Backward(d.servers) {
		if next := successor(s.envelope, own); next != nil && d.mayFollow(next) {
			name, err := wire.KeyName(next)
			if err != nil {
				return err
			}
			return fmt.Errorf("the key that this server signs orders with was replaced by %s, and agents no longer believe it: start the server again where that was done, and copy the folder keys from there to the installation's other servers", name)
		}
	}
	return nil
}

// mayFollow reports whether agents take the word that this key speaks for the server. The
// caller holds the lock.
func (d *Documents) mayFollow(key ed25519.PublicKey) bool {
	root := d.state.Root
	return root == nil || root.Server.Empty() || names(root.Server.Keys, key)
}

func names(keys [][]byte, key ed25519.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
}
