package engine

import (
	"log/slog"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/bus"
	"patchbay/server/fleet"
	"patchbay/server/store"
	"patchbay/wire"
)

// beside is another server's engine over the same database, whose clock is a little ahead.
func (r *rig) beside() *Engine {
	e := New(Options{Store: r.Store, Index: fleet.New(24 * time.Hour), Bus: bus.New(), Key: r.Key, Silent: 24 * time.Hour,
		Now: func() time.Time { return r.now.Add(time.Second) }, Log: slog.New(slog.DiscardHandler)})
	e.know(r.customer, r.device, r.agent)
	return e
}

// What one server planned while another wrote its jobs is planned again on what was written.
func TestTwoServersThatStepAtOnceMakeOneJob(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	site, err := r.Store.Customer(who, r.customer).Site(t.Context(), r.site)
	r.must(err)
	site.Policy.Auto = store.Security
	r.must(r.Store.Customer(who, r.customer).UpdateSite(t.Context(), r.now, site))
	rows, other := r.chain(), r.beside()
	now, calls := r.Now, 0
	r.Now = func() time.Time {
		if calls++; calls == 3 { // planned, and not yet written
			r.must(other.Step(t.Context(), r.device))
		}
		return now()
	}
	r.must(r.Step(t.Context(), r.device))
	r.Now = now
	if calls < 3 {
		t.Fatal("the other server never came in between")
	}
	if made := r.chain() - rows; made != 1 {
		t.Errorf("%d audit rows tell of one job", made)
	}
	if jobs := r.ordered(); len(jobs) != 1 {
		t.Errorf("ordered %v", jobs)
	}
}

// Two servers never give one number to two wishes, nor a higher number to an older wish.
func TestTwoServersNumberOrdersInTheOrderOfTheirContent(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.says("1.0", []patch.Update{lib}, nil)
	other := r.beside()
	h := r.Store.Customer(who, r.customer)
	var newer wire.OrdersVersion
	read := 0
	older, err := h.NextOrders(t.Context(), r.now, []string{r.agent}, func(h *store.Customer, agents []string) (map[string]string, error) {
		_, hashes, err := wishes(t.Context(), h, agents, nil)
		if read++; read == 1 && err == nil { // the wish changes between reading it and numbering it
			r.approve(store.Approve, "")
			_, newer, err = other.Orders(t.Context(), r.agent)
		}
		return hashes, err
	})
	r.must(err)
	if older[r.agent] != newer {
		t.Errorf("the wish that was read first got %v, the one that holds %v", older[r.agent], newer)
	}
	if read != 2 {
		t.Errorf("the wish was read %d times", read)
	}
}
