package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"patchbay/server/ca"
	"patchbay/server/documents"
	"patchbay/server/store"
)

// Rotation is a server's key that took another's place.
type Rotation struct {
	Former, Now ed25519.PublicKey
}

// Rotate puts a new key in the place of the one that signs orders and time. Agents learn it
// from a document that the former key signs, so each follows when it next checks in.
//
// That document is the moment from which it holds. Cut off before it, nothing has changed
// but that the next key lies ready; cut off after it, the server's next start ends what was
// begun, as Rotate itself does when it is called again. A *documents.Unnamed says that the
// root has to name the next key first. tell is told each step once it is done.
func Rotate(ctx context.Context, p Place, tell func(step string)) (r Rotation, err error) {
	o := withDefaults(Options{Data: p.Data, Database: p.Database, Now: p.Now})
	dir := ca.Folder{Path: filepath.Join(o.Data, "keys"), Around: p.Around}
	if empty(dir.Path) {
		return r, fmt.Errorf("there is no installation in %s: name its folder with --data", o.Data)
	}
	before, err := dir.Open(o.Now())
	if err != nil {
		return r, err
	}
	s, authority, err := openAll(ctx, o.Data, o.Database, o.Now(), p.Around)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if r = (Rotation{public(before), public(authority)}); !r.Former.Equal(r.Now) {
		return r, nil // what was begun has ended
	}
	if r.Now, err = dir.MakeNext(); err != nil {
		return r, err
	}
	tell("the next key is made")
	if err := documents.HandOver(ctx, documents.Options{Store: s, Key: authority.OrdersKey(), Now: o.Now}, r.Now); err != nil {
		return r, err
	}
	tell("agents are told of it")
	if err := dir.TakeNext(); err != nil {
		return r, err
	}
	tell("it is in its place")
	return r, nil
}

func public(a *ca.Authority) ed25519.PublicKey { return a.OrdersKey().Public().(ed25519.PublicKey) }

// endRotation ends what Rotate began before it was cut off: the next key takes its place once
// it was said that it does.
func endRotation(ctx context.Context, s *store.Store, dir ca.Folder, authority *ca.Authority, now time.Time) (*ca.Authority, error) {
	next, err := dir.Next()
	if err != nil || next == nil {
		return authority, err
	}
	said, err := documents.HandedOver(ctx, s, public(authority))
	if err != nil || !next.Equal(said) {
		return authority, err
	}
	if err := dir.TakeNext(); err != nil {
		return nil, err
	}
	return dir.Open(now)
}

// keyReplaced ends a server whose key agents no longer believe.
func (s *Server) keyReplaced(why error) {
	select {
	case s.replaced <- why:
	default: // it ends already
	}
}
