package documents

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"testing"
	"time"

	"patchbay/wire"
	"patchbay/wire/trust"
)

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// as opens the documents of a server that signs with this key.
func (s *scene) as(key ed25519.PrivateKey) error {
	d, err := Open(context.Background(), s.options(key))
	if err == nil {
		s.Documents = d
	}
	return err
}

func (s *scene) options(key ed25519.PrivateKey) Options {
	return Options{Store: s.store, Key: key, Authority: s.authority.Certificate.Raw, Addresses: s.addresses,
		Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler)}
}

func (s *scene) handOver(from, to ed25519.PrivateKey) {
	s.t.Helper()
	for range 2 { // the second time changes nothing
		if err := HandOver(context.Background(), s.options(from), public(to)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Whoever knew a server by any of its former keys comes to its newest by what it is told,
// and believes no former one from then on.
func TestReadersFollowTheServersKeys(t *testing.T) {
	s := newScene(t)
	keys := []ed25519.PrivateKey{s.authority.OrdersKey()}
	readers := []trust.State{s.enrolled()}
	for i := range 25 { // more than fit into one reply
		next := newKey(t)
		s.handOver(keys[i], next)
		if err := s.as(keys[i]); err == nil {
			t.Fatal("a server started with a key that nobody believes")
		}
		if err := s.as(next); err != nil {
			t.Fatal(err)
		}
		keys, readers = append(keys, next), append(readers, s.enrolled())
	}
	newest := keys[len(keys)-1]
	for i, r := range readers {
		r, _ = s.follow(r)
		if len(r.Orders) != 1 || !public(newest).Equal(ed25519.PublicKey(r.Orders[0])) {
			t.Errorf("reader %d believes %d keys, and not the newest", i, len(r.Orders))
		}
		for _, former := range keys[:len(keys)-1] {
			back := s.seal(wire.ServerDocument, wire.ServerKeys{Version: wire.OrdersVersion{Epoch: 1 << 40, Version: 1}, IssuedAt: s.now,
				Orders: [][]byte{public(former)}, Authorities: [][]byte{s.authority.Certificate.Raw}, Addresses: s.addresses}, former)
			if _, err := r.Take(&back); !errors.Is(err, wire.ErrSignature) {
				t.Errorf("reader %d listens to a former key: %v", i, err)
			}
		}
	}
}

// Where a root says who may speak for the server, only a key that it names takes over.
func TestAKeyThatTheRootDoesNotNameDoesNotTakeOver(t *testing.T) {
	s := newScene(t)
	own, next := s.authority.OrdersKey(), newKey(t)
	root := func(version int64, server ...ed25519.PrivateKey) wire.Envelope {
		return s.seal(wire.RootDocument, wire.Root{Version: version, Installation: "inst_1", IssuedAt: s.now, Expires: s.now.Add(365 * 24 * time.Hour),
			Root: role(s.root), Publisher: role(s.publisher), Approver: role(s.someone), Server: role(server...)}, s.root)
	}
	s.publish(root(1, own))
	before := s.enrolled()
	var unnamed *Unnamed
	if err := HandOver(t.Context(), s.options(own), public(next)); !errors.As(err, &unnamed) || unnamed.Root != 1 || !unnamed.Key.Equal(public(next)) {
		t.Fatalf("it was handed over: %v", err)
	}
	s.publish(root(2, own, next))
	s.handOver(own, next)
	if err := s.as(next); err != nil {
		t.Fatal(err)
	}
	if r, _ := s.follow(before); len(r.Orders) != 1 || !public(next).Equal(ed25519.PublicKey(r.Orders[0])) {
		t.Errorf("a reader of the first root holds %+v", r.Held())
	}
}

// A server that runs learns that its key was replaced.
func TestAServerLearnsThatItsKeyWasReplaced(t *testing.T) {
	s := newScene(t)
	own := s.authority.OrdersKey()
	var told error
	o := s.options(own)
	o.Replaced = func(err error) { told = err }
	d, err := Open(t.Context(), o)
	if err != nil || told != nil {
		t.Fatal(err, told)
	}
	s.handOver(own, newKey(t))
	s.now = s.now.Add(again)
	if d.State(t.Context()); told == nil {
		t.Error("it goes on with a key that nobody believes")
	}
}
