package engine

import (
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// TestAContestedUpdateWaitsForAPerson: from being contested until a person says that Patchbay
// installs beside the other program.
func TestAContestedUpdateWaitsForAPerson(t *testing.T) {
	policy := store.SitePolicy{Auto: store.Security, Windows: always(), InUse: wire.InUseAsk}
	r := newRig(t, policy)
	r.masters = []wire.Master{{Name: "Intune", Programs: true, System: true}, {Name: "WSUS", System: true}}
	r.says("1.0", []patch.Update{lib}, nil)
	r.expect(verdict.TWO_MASTERS)
	if v := r.verdict(); v.Owner != verdict.MSP || !strings.Contains(v.Sentence, "Intune may install it on this device too") || strings.Contains(v.Sentence, "WSUS") {
		t.Errorf("%+v", v)
	}
	orders := func() wire.DeviceOrders {
		envelope, _, err := r.Orders(t.Context(), r.agent)
		r.must(err)
		var o wire.Orders
		_, err = envelope.Open(wire.OrdersDocument, &o, r.Key.Public())
		r.must(err)
		return o.Devices[0]
	}
	if o := orders(); len(o.Jobs) != 0 || o.InUse != wire.InUseAsk {
		t.Errorf("ordered: %+v", o)
	}
	policy.Beside = []string{"Intune"}
	r.policy(policy)
	r.says("1.0", []patch.Update{lib}, nil)
	r.expect(verdict.WAITS_DEVICE)
	if o := orders(); len(o.Jobs) != 1 {
		t.Errorf("ordered: %+v", o)
	}
}
