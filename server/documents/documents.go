// Package documents is the server's side of the signed documents: which are current, what a
// reader lacks, and whether one that is brought in may be published.
//
// What is held is in the store, and read again now and then, since several servers may share
// it. What a reader lacks is worked out from the versions it says it has; roots come one by
// one, because a reader follows a root only to the one after it. The server signs two kinds
// itself: the time, and how it is known (its keys and addresses).
package documents

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/wire"
	"patchbay/wire/trust"
)

const (
	again = 15 * time.Second // after which the store is asked whether there is more
	most  = 20               // documents of one kind in one reply
)

// Options are what the documents need.
type Options struct {
	Store     *store.Store
	Key       ed25519.PrivateKey // signs orders and time
	Authority []byte             // certificate, DER
	Addresses []string           // where agents reach this server, the first one first
	Changed   func()             // is told when there is something new for agents; nil tells nobody
	Replaced  func(error)        // is told that the key was replaced: nobody believes it any more
	// Packages is told those of the newest catalogue, when that was read; nil tells nobody.
	Packages func([]patch.Package)
	Now      func() time.Time
	Log      *slog.Logger
}

// Documents holds what is current.
type Documents struct {
	Options

	mu        sync.Mutex
	mark      string // the store's, when it was read
	looked    time.Time
	roots     []wire.Envelope // by version
	servers   []numbered
	limits    *wire.Envelope
	catalog   *wire.Envelope
	approvals []approval
	state     trust.State // as a reader who has everything believes it
	time      *wire.Envelope
	timed     time.Time // the time that is in time
}

type numbered struct {
	version  wire.OrdersVersion
	envelope wire.Envelope
}

type approval struct {
	wire.Approval
	envelope wire.Envelope
}

var who = store.Who{ID: "system", Name: "the server"}

// Open reads what is held, and says anew how the server is known where that has changed.
func Open(ctx context.Context, o Options) (*Documents, error) {
	d := &Documents{Options: o}
	if err := d.Reload(ctx); err != nil {
		return nil, err
	}
	if err := d.replaced(); err != nil {
		return nil, err
	}
	if err := d.introduce(ctx); err != nil {
		return nil, fmt.Errorf("saying how the server is known: %w", err)
	}
	return d, nil
}

// Reload reads what is held.
func (d *Documents) Reload(ctx context.Context) error {
	rows, err := d.Store.MSP(who).Documents(ctx, "")
	if err != nil {
		return err
	}
	d.take(rows)
	if err := d.replaced(); err != nil && d.Replaced != nil {
		d.Replaced(err)
	}
	return nil
}

func (d *Documents) take(rows []store.Document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mark, d.looked = store.MarkOf(rows), d.Now()
	d.roots, d.servers, d.limits, d.catalog, d.approvals = nil, nil, nil, nil, nil
	d.state = trust.State{Orders: [][]byte{d.Key.Public().(ed25519.PublicKey)}, Authorities: [][]byte{d.Authority}, Addresses: d.Addresses}
	for _, row := range rows {
		d.hold(row)
	}
	d.tellPackages()
}

// tellPackages tells what the newest catalogue has, nothing where there is none that is believed.
func (d *Documents) tellPackages() {
	if d.Packages == nil {
		return
	}
	if d.state.Catalog == nil {
		d.Packages(nil)
		return
	}
	c, err := d.state.Catalog.Read()
	if err != nil { // it was read before it was believed
		d.Log.Error("the catalogue that is held cannot be read", "error", err)
		return
	}
	d.Packages(c.Packages)
}

// hold takes one row up; the rows come by type and version.
func (d *Documents) hold(row store.Document) {
	switch row.Type {
	case wire.RootDocument:
		d.roots = append(d.roots, row.Envelope)
		d.believe(&row.Envelope)
	case wire.ServerDocument:
		d.servers = append(d.servers, numbered{row.Version, row.Envelope})
	case wire.LimitsDocument:
		d.limits = &row.Envelope
		d.believe(&row.Envelope)
	case wire.CatalogDocument:
		d.catalog = &row.Envelope
		d.believe(&row.Envelope)
	case wire.ApprovalDocument:
		var a wire.Approval
		if json.Unmarshal(row.Envelope.Payload, &a) == nil {
			d.approvals = append(d.approvals, approval{a, row.Envelope})
		}
	}
}

// believe keeps the state of a reader who has everything. Limits and the catalogue come
// before the root in the order of types, so what cannot be taken yet is tried again after it.
func (d *Documents) believe(e *wire.Envelope) {
	if next, err := d.state.Take(e); err == nil {
		d.state = next
	}
	if e.Type != wire.RootDocument {
		return
	}
	for _, waits := range []*wire.Envelope{d.limits, d.catalog} {
		if waits == nil {
			continue
		}
		if next, err := d.state.Take(waits); err == nil {
			d.state = next
		}
	}
}

// Run reads now and then whether there is more, until ctx ends, also when nobody asks.
func (d *Documents) Run(ctx context.Context) {
	ticker := time.NewTicker(again)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.fresh(ctx)
		}
	}
}

// fresh reads the store again when it has more and enough time has passed.
func (d *Documents) fresh(ctx context.Context) {
	d.mu.Lock()
	old := d.Now().Sub(d.looked) >= again
	if old {
		d.looked = d.Now()
	}
	mark := d.mark
	d.mu.Unlock()
	if !old {
		return
	}
	now, err := d.Store.MSP(who).DocumentsMark(ctx)
	if err == nil && now != mark {
		err = d.Reload(ctx)
	}
	if err != nil && ctx.Err() == nil {
		d.Log.Error("looking for new documents", "error", err)
	}
}

// For gives what a reader lacks, in the order to read it. can are the reader's capabilities:
// one that does not read a catalogue is not sent any. withTime adds the time.
func (d *Documents) For(ctx context.Context, held wire.HeldDocuments, can []string, withTime bool) ([]wire.Envelope, error) {
	d.fresh(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.lacking(held)
	if c := d.state.Catalog; c != nil && c.Version > held.Catalog && slices.Contains(can, wire.CanCatalog) {
		out = append(out, *c.Signed)
	}
	if withTime {
		t, err := d.now()
		if err != nil {
			return nil, err
		}
		out = append(out, *t)
	}
	return out, nil
}

// lacking is what the reader does not have. The caller holds the lock.
func (d *Documents) lacking(held wire.HeldDocuments) []wire.Envelope {
	var out []wire.Envelope
	if n := int64(len(d.roots)); held.Root == 0 && n > 0 {
		out = append(out, d.roots[n-1])
	} else if held.Root > 0 && held.Root < n {
		out = append(out, d.roots[held.Root:min(n, held.Root+most)]...)
	}
	added := 0
	for _, s := range d.servers {
		if s.version.Newer(held.Server) && added < most {
			out, added = append(out, s.envelope), added+1
		}
	}
	if l := d.state.Limits; l != nil && l.Version > held.Limits {
		out = append(out, *d.state.Signed)
	}
	return out
}

// now is the time, signed once a second for all who ask.
func (d *Documents) now() (*wire.Envelope, error) {
	now := d.Now().UTC().Truncate(time.Millisecond)
	if d.time != nil && now.Sub(d.timed).Abs() < time.Second {
		return d.time, nil
	}
	e, err := wire.Seal(wire.TimeDocument, wire.Time{Time: now}, d.Key)
	if err != nil {
		return nil, fmt.Errorf("signing the time: %w", err)
	}
	d.time, d.timed = e, now
	return e, nil
}

// Newest gives what a new reader begins with: it knows the server's present key alone.
func (d *Documents) Newest(ctx context.Context) ([]wire.Envelope, error) {
	d.fresh(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []wire.Envelope
	if n := len(d.roots); n > 0 {
		out = append(out, d.roots[n-1])
	}
	if n := len(d.servers); n > 0 {
		out = append(out, d.servers[n-1].envelope)
	}
	if d.state.Signed != nil {
		out = append(out, *d.state.Signed)
	}
	t, err := d.now()
	if err != nil {
		return nil, err
	}
	return append(out, *t), nil
}

// State is what a reader believes who has everything.
func (d *Documents) State(ctx context.Context) trust.State {
	d.fresh(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Approvals are the signed ones in force that name an agent's key.
func (d *Documents) Approvals(ctx context.Context, agentKey string) []wire.Envelope {
	d.fresh(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []wire.Envelope
	for _, a := range d.approvals {
		if d.Now().Before(a.Expires) && slices.Contains(a.Agents, agentKey) && len(out) < most {
			out = append(out, a.envelope)
		}
	}
	return out
}

// Publish takes a document that was signed elsewhere, if it follows from what is held.
func (d *Documents) Publish(ctx context.Context, by store.Who, e wire.Envelope) error {
	if err := d.Reload(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	state := d.state
	d.mu.Unlock()
	row, err := d.admit(state, e)
	if err != nil {
		return err
	}
	if err := d.Store.MSP(by).AddDocument(ctx, d.Now(), row); err != nil {
		return err
	}
	if err := d.Reload(ctx); err != nil {
		return err
	}
	if d.Changed != nil {
		d.Changed()
	}
	return nil
}

// admit checks a document against the state and gives its row.
func (d *Documents) admit(state trust.State, e wire.Envelope) (store.Document, error) {
	row := store.Document{Type: e.Type, Envelope: e}
	switch e.Type {
	case wire.RootDocument:
		next, err := state.Take(&e)
		if err != nil {
			return row, d.refusal(state, e, err)
		}
		if state.Root == nil && next.Root.Version != 1 {
			return row, refuse("The first root to be published is version 1; the others follow it one by one, for agents that hold an older one.")
		}
		if own := d.Key.Public().(ed25519.PublicKey); !next.Root.Server.Empty() && !slices.ContainsFunc(next.Root.Server.Keys, func(k []byte) bool { return bytes.Equal(k, own) }) {
			return row, refuse("This root does not name this server's key, so no agent would listen to this server any more. Add the server's key to it, or leave the server role out.")
		}
		row.Version.Version = next.Root.Version
	case wire.LimitsDocument:
		next, err := state.Take(&e)
		if err != nil {
			return row, d.refusal(state, e, err)
		}
		row.Version.Version = next.Limits.Version
	case wire.CatalogDocument:
		next, err := state.Take(&e)
		if err != nil {
			return row, d.refusal(state, e, err)
		}
		row.Version.Version = next.Catalog.Version
	case wire.ApprovalDocument:
		a, err := d.admitApproval(state, e)
		if err != nil {
			return row, err
		}
		row.ID = a.ID
	default:
		return row, refuse("Only roots, limits, catalogues and signed approvals are brought in from outside.")
	}
	return row, nil
}

func (d *Documents) admitApproval(state trust.State, e wire.Envelope) (wire.Approval, error) {
	var a wire.Approval
	if state.Root == nil || state.Root.Approver.Empty() {
		return a, refuse("The root names no approvers, so no signature of one can be checked.")
	}
	if err := e.OpenBy(wire.ApprovalDocument, &a, state.Root.Approver); err != nil {
		return a, d.refusal(state, e, err)
	}
	if err := trust.CheckApproval(a); err != nil {
		return a, d.refusal(state, e, err)
	}
	if !d.Now().Before(a.Expires) {
		return a, refuse("This approval ended on " + a.Expires.UTC().Format(time.DateTime) + " UTC.")
	}
	return a, nil
}

// refusal says to a person why a document is not published.
func (d *Documents) refusal(state trust.State, e wire.Envelope, err error) error {
	held := "none"
	if state.Root != nil {
		held = fmt.Sprintf("version %d", state.Root.Version)
	}
	switch {
	case errors.Is(err, trust.ErrKnown):
		return refuse("The document that is held is as new as this one, or newer. Nothing was changed.")
	case errors.Is(err, trust.ErrGap):
		return refuse("A root between the one that is held (" + held + ") and this one is missing: publish that one first.")
	case errors.Is(err, wire.ErrSignature):
		return refuse("It is not signed by enough of the keys that may: " + err.Error() + ". The root that is held: " + held + ".")
	case errors.Is(err, trust.ErrForm):
		return refuse("It cannot be used: " + err.Error() + ".")
	}
	return err
}

func refuse(sentence string) error {
	return &store.Refusal{Kind: store.ErrDocument, Sentence: sentence}
}

// introduce publishes how the server is known, when that is not what was last said, or was
// said by a key that is no longer in use.
func (d *Documents) introduce(ctx context.Context) error {
	own := d.Key.Public().(ed25519.PublicKey)
	want := wire.ServerKeys{Orders: [][]byte{own}, Authorities: [][]byte{d.Authority}, Addresses: d.Addresses}
	epoch, err := d.Store.MSP(who).OrdersEpoch(ctx)
	if err != nil {
		return err
	}
	want.Version = wire.OrdersVersion{Epoch: max(epoch, 1), Version: 1}
	d.mu.Lock()
	if n := len(d.servers); n > 0 {
		last := d.servers[n-1]
		var said wire.ServerKeys
		if _, err := last.envelope.Open(wire.ServerDocument, &said, own); err == nil && says(said, want) && said.Version.Epoch >= want.Version.Epoch {
			d.mu.Unlock()
			return nil
		}
		if !want.Version.Newer(last.version) {
			want.Version = wire.OrdersVersion{Epoch: last.version.Epoch, Version: last.version.Version + 1}
		}
	}
	d.mu.Unlock()
	want.IssuedAt = d.Now().UTC().Truncate(time.Second)
	e, err := wire.Seal(wire.ServerDocument, want, d.Key)
	if err != nil {
		return err
	}
	err = d.Store.MSP(who).AddDocument(ctx, d.Now(), store.Document{Type: wire.ServerDocument, Version: want.Version, Envelope: *e})
	if err != nil {
		return err
	}
	return d.Reload(ctx)
}

func says(a, b wire.ServerKeys) bool {
	return slices.EqualFunc(a.Orders, b.Orders, bytes.Equal) && slices.EqualFunc(a.Authorities, b.Authorities, bytes.Equal) &&
		slices.Equal(a.Addresses, b.Addresses)
}
