package engine

import (
	"context"
	"testing"

	"patchbay/server/store"
	"patchbay/wire"
)

// What approvers signed for an agent travels with its orders, asked for by the name of its
// own key, and newer orders carry it once it was published.
func TestSignedApprovalsTravelWithTheOrders(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	agent, err := r.Store.Customer(who, r.customer).Agent(t.Context(), r.agent)
	r.must(err)
	key, err := agent.Key()
	r.must(err)
	name, err := wire.KeyName(key)
	r.must(err)
	var published []wire.Envelope
	r.Options.Approvals = func(_ context.Context, of string) []wire.Envelope {
		if of != name {
			t.Errorf("asked for %s, and the agent's key is %s", of, name)
		}
		return published
	}
	orders := func() (o wire.Orders) {
		e, _, err := r.Orders(t.Context(), r.agent)
		r.must(err)
		_, err = e.Open(wire.OrdersDocument, &o, r.Key.Public())
		r.must(err)
		return o
	}
	before := orders()
	published = []wire.Envelope{{Type: wire.ApprovalDocument, Payload: []byte(`{"id":"apv_1"}`), Signatures: []wire.Signature{}}}
	r.Republished()
	after := orders()
	if len(before.Approvals) != 0 || len(after.Approvals) != 1 || string(after.Approvals[0].Payload) != string(published[0].Payload) {
		t.Errorf("before %v, after %v", before.Approvals, after.Approvals)
	}
	if !after.Seen.Newer(before.Seen) {
		t.Errorf("the orders that carry it are %v after %v: no agent would be told", after.Seen, before.Seen)
	}
}
