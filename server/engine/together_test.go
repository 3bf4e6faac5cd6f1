package engine

import (
	"fmt"
	"reflect"
	"testing"

	"patchbay/patch"
	"patchbay/server/store"
)

// neighbour is one more device, of the same customer or of another.
func (r *rig) neighbour(policy store.SitePolicy, sameCustomer bool) *rig {
	r.t.Helper()
	n := *r
	n.agent, n.device, n.seq = patch.NewID(patch.AgentID), patch.NewID(patch.DeviceID), 0
	if !sameCustomer {
		n.customer, n.site = patch.NewID(patch.CustomerID), patch.NewID(patch.SiteID)
		n.found("Other "+n.customer, policy)
	}
	n.join()
	return &n
}

// Devices that are decided together are decided as each is by itself, and their agents are
// ordered the same.
func TestDevicesDecidedTogetherAreDecidedAsEachAlone(t *testing.T) {
	policy := store.SitePolicy{Auto: store.Security}
	r := newRig(t, policy)
	all := []*rig{r, r.neighbour(policy, true), r.neighbour(policy, true), r.neighbour(policy, true)}
	all[0].says("1.0", []patch.Update{lib}, nil)
	all[1].says("1.0", nil, nil)
	all[2].says("1.0", []patch.Update{lib}, nil)
	all[2].approve(store.Reject, "breaks the till")
	var devices []string
	for _, d := range all { // the last one never spoke
		devices = append(devices, d.device)
	}
	alone, together := r.beside(), r.beside()
	for _, d := range all {
		alone.know(d.customer, d.device, d.agent)
		together.know(d.customer, d.device, d.agent)
		r.must(alone.Step(t.Context(), d.device))
	}
	r.must(together.Step(t.Context(), devices...))
	for i, d := range all {
		a, _ := alone.Index.Entry(d.device)
		b, _ := together.Index.Entry(d.device)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("device %d alone:\n%+v\ntogether:\n%+v", i, a, b)
		}
		if jobs := d.ordered(); len(jobs) != []int{1, 0, 0, 0}[i] {
			t.Errorf("device %d is ordered %v", i, jobs)
		}
	}
}

// Only devices of one customer are decided together, and none is left out.
func TestCustomersAreNotDecidedTogether(t *testing.T) {
	r := newRig(t, store.SitePolicy{})
	for i := range 3*together + 7 {
		d := fmt.Sprintf("dev_%d", i)
		r.know([]string{"cus_a", "cus_b"}[i%(together+20)/together], d, "")
		r.Due(d)
	}
	seen := map[string]int{}
	for {
		devices, _ := r.next(r.now)
		if devices == nil {
			break
		}
		for _, d := range devices {
			seen[d]++
			if r.homes[d] != r.homes[devices[0]] {
				t.Errorf("%s of %s is stepped with %s of %s", d, r.homes[d], devices[0], r.homes[devices[0]])
			}
		}
		if len(devices) > together {
			t.Errorf("%d are stepped at a time", len(devices))
		}
	}
	for d, n := range seen {
		if n != 1 {
			t.Errorf("%s is stepped %d times", d, n)
		}
	}
	if len(seen) != 3*together+8 {
		t.Errorf("%d of %d are stepped", len(seen), 3*together+8)
	}
}

// The orders of an agent that waits are made before it is called, of all that wait at once.
func TestOrdersAreReadyWhenAnAgentIsCalled(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	n := r.neighbour(store.SitePolicy{}, true)
	r.says("1.0", []patch.Update{lib}, nil)
	n.says("1.0", []patch.Update{lib}, nil)
	calls := []<-chan struct{}{r.Waiting(r.agent), r.Waiting(n.agent)}
	w := store.Who{ID: "per_test", Name: "Ann"}
	r.must(r.Store.Customer(w, r.customer).CreateApprovals(t.Context(), r.now, []store.Approval{{ID: patch.NewID(patch.ApprovalID),
		Customer: r.customer, Level: store.LevelCustomer, Target: r.customer, Provider: "apt", Name: "lib", Version: "1.1", Origin: "Debian",
		Answer: store.Approve, By: w.ID, ByName: w.Name, At: r.now}}))
	r.must(r.Step(t.Context(), r.device, n.device))
	for i, d := range []*rig{r, n} {
		<-calls[i]
		if o := r.orders[d.agent]; o == nil || o.envelope == nil {
			t.Errorf("agent %d would wait for its orders", i)
		}
		if jobs := d.ordered(); len(jobs) != 1 {
			t.Errorf("agent %d is ordered %v", i, jobs)
		}
	}
}
