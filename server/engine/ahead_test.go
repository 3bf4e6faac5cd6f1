package engine

import (
	"testing"

	"patchbay/patch"
	"patchbay/server/store"
)

// After a start every agent comes and asks: what it is ordered lies ready, and is what it
// would be if it were made when asked for. Otherwise orders are made for those who ask.
func TestOrdersLieReadyAfterAStart(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.says("1.0", []patch.Update{lib}, nil)
	if r.made(r.agent) != nil {
		t.Fatal("an agent that does not ask has orders made for it")
	}
	r.must(r.Load(t.Context()))
	r.must(r.Step(t.Context(), r.device))
	ready := r.made(r.agent)
	if ready == nil {
		t.Fatal("after a start nothing is ready")
	}
	r.dropOrders(r.agent)
	asked, version, err := r.Orders(t.Context(), r.agent)
	r.must(err)
	if version != ready.version || string(asked.Payload) != string(ready.envelope.Payload) {
		t.Errorf("ready was %v, asked for is %v", ready.version, version)
	}
	r.must(r.Step(t.Context(), r.device))
	if r.made(r.agent) != nil {
		t.Error("a later step made orders that nobody asked for")
	}
}
