package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/server/rollout"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
)

// The rhythm told to devices.
const (
	ScanEvery    = 15 * time.Minute
	RefreshEvery = 6 * time.Hour
	ordersLife   = 24 * time.Hour
	// mostJobs is how many jobs one device is ordered at a time, so that orders stay below
	// what an agent takes (wire.MaxReply).
	mostJobs = 2000
)

// order is the newest signed orders for an agent.
type order struct {
	envelope *wire.Envelope
	version  wire.OrdersVersion
	signedAt time.Time
}

// Orders gives the newest signed orders for an agent. They are signed once and kept until a
// step changes what is wished, or half of their life is over.
func (e *Engine) Orders(ctx context.Context, agent string) (*wire.Envelope, wire.OrdersVersion, error) {
	now := e.Now()
	e.mu.Lock()
	o := e.orders[agent]
	if o != nil && o.envelope != nil && now.Sub(o.signedAt) < ordersLife/2 {
		e.mu.Unlock()
		return o.envelope, o.version, nil
	}
	mine := &order{} // gone when a step overtakes these orders: then they are old already
	e.orders[agent] = mine
	e.mu.Unlock()
	o, err := e.sign(ctx, agent, now)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.orders[agent] == mine {
		delete(e.orders, agent)
		if err == nil {
			e.orders[agent] = o
		}
	}
	if err != nil {
		return nil, wire.OrdersVersion{}, err
	}
	return o.envelope, o.version, nil
}

func (e *Engine) dropOrders(agent string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.orders, agent)
}

// sign writes down all that is wished of an agent and signs it.
func (e *Engine) sign(ctx context.Context, agent string, now time.Time) (*order, error) {
	customer, err := e.Store.MSP(who).AgentCustomer(ctx, agent)
	if err != nil {
		return nil, fmt.Errorf("making orders: %w", err)
	}
	h := e.Store.Customer(who, customer)
	approvals, err := e.approvals(ctx, h, agent)
	if err != nil {
		return nil, fmt.Errorf("making orders: %w", err)
	}
	var orders wire.Orders
	version, _, err := h.NextOrders(ctx, now, agent, func(h *store.Customer) (hash string, err error) {
		orders, hash, err = wishes(ctx, h, agent, approvals)
		return hash, err
	})
	orders.Seen = version
	if err != nil {
		return nil, fmt.Errorf("making orders: %w", err)
	}
	orders.IssuedAt, orders.Expires = now, now.Add(ordersLife)
	envelope, err := wire.Seal(wire.OrdersDocument, orders, e.Key)
	if err != nil {
		return nil, err
	}
	return &order{envelope, orders.Seen, now}, nil
}

// approvals are the signed ones that name the agent's key.
func (e *Engine) approvals(ctx context.Context, h *store.Customer, agent string) ([]wire.Envelope, error) {
	if e.Options.Approvals == nil {
		return nil, nil
	}
	a, err := h.Agent(ctx, agent)
	if err != nil {
		return nil, err
	}
	name, err := a.KeyName()
	if err != nil {
		return nil, err
	}
	return e.Options.Approvals(ctx, name), nil
}

// Republished says that signed documents changed: orders may carry others, and every agent
// has something to hear at its next check-in.
func (e *Engine) Republished() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.orders)
}

// wishes is all that is wished of an agent, and the hash that tells it from another wish.
func wishes(ctx context.Context, h *store.Customer, agent string, approvals []wire.Envelope) (wire.Orders, string, error) {
	orders := wire.Orders{Agent: agent, Approvals: approvals}
	devices, err := h.AgentDevices(ctx, agent)
	if err != nil {
		return orders, "", err
	}
	for _, d := range devices {
		if d.RetiredAt != nil {
			continue
		}
		wish, err := wishFor(ctx, h, d)
		if err != nil {
			return orders, "", err
		}
		orders.Devices = append(orders.Devices, wish)
	}
	content, err := json.Marshal(orders)
	return orders, wire.Hash(content), err
}

// wishFor is the wish for one device: its windows and its open jobs.
func wishFor(ctx context.Context, h *store.Customer, d store.Device) (wire.DeviceOrders, error) {
	site, err := h.Site(ctx, d.Site)
	if err != nil {
		return wire.DeviceOrders{}, err
	}
	wish := wire.DeviceOrders{Device: d.ID, Windows: SpecOf(site), Reboot: site.Policy.Reboot,
		ScanSeconds: int(ScanEvery.Seconds()), RefreshSeconds: int(RefreshEvery.Seconds()), FreshAfter: d.FreshAfter}
	jobs, err := h.Jobs(ctx, store.JobFilter{Device: d.ID, Open: true})
	if err != nil {
		return wire.DeviceOrders{}, err
	}
	for _, j := range slices.Backward(jobs) { // the newest come first: the oldest are wished first
		if len(wish.Jobs) == mostJobs {
			break // the rest when these are over
		}
		wish.Jobs = append(wish.Jobs, j.Job)
	}
	slices.SortFunc(wish.Jobs, func(a, b wire.Job) int { return strings.Compare(a.ID, b.ID) })
	return wish, nil
}

// Received says that something about the devices changed.
func (e *Engine) Received(customer string, devices []string) {
	e.Due(devices...)
}

// Heard says that a device spoke and nothing changed. One that was quiet for so long that
// this may be held against it is decided anew.
func (e *Engine) Heard(device string, at time.Time) {
	before := e.Index.Heard(device, at)
	if !before.IsZero() && at.Sub(before) > min(verdict.Quiet, e.Silent) {
		e.Due(device)
	}
}

// Enrolled says that a new device is there.
func (e *Engine) Enrolled(customer, device, agent string) {
	e.know(customer, device, agent)
	e.Due(device)
}

// Waiting is closed when the agent should check in now.
func (e *Engine) Waiting(agent string) <-chan struct{} { return e.Bus.Waiting(agent) }

// CheckInNow tells the device's agent that there is something new to hear.
func (e *Engine) CheckInNow(device string) {
	e.mu.Lock()
	agent := e.agents[device]
	e.mu.Unlock()
	e.dropOrders(agent)
	e.Bus.Wake(agent)
}

// forcedLife is for how long a person's "now" holds.
const forcedLife = rollout.ForcedLife

// actor names a person in the store.
func actor(by view.Ref) store.Who { return store.Who{ID: by.ID, Name: by.Name} }
