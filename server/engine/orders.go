package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"patchbay/server/peers"
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
	if err := e.decideFirst(ctx, agent); err != nil {
		return nil, wire.OrdersVersion{}, fmt.Errorf("making orders: %w", err)
	}
	o := e.made(agent)
	if o == nil {
		customer, err := e.Store.MSP(who).AgentCustomer(ctx, agent)
		if err != nil {
			return nil, wire.OrdersVersion{}, fmt.Errorf("making orders: %w", err)
		}
		made, err := e.prepare(ctx, customer, []string{agent})
		if err != nil {
			return nil, wire.OrdersVersion{}, fmt.Errorf("making orders: %w", err)
		}
		o = made[agent]
	}
	return o.envelope, o.version, nil
}

// made is what is kept for an agent, nil when it has to be made.
func (e *Engine) made(agent string) *order {
	e.mu.Lock()
	defer e.mu.Unlock()
	if o := e.orders[agent]; o != nil && o.envelope != nil && e.Now().Sub(o.signedAt) < ordersLife/2 {
		return o
	}
	return nil
}

func (e *Engine) dropOrders(agent string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.orders, agent)
}

// prepare writes down all that is wished of agents of one customer, signs it and keeps it.
func (e *Engine) prepare(ctx context.Context, customer string, agents []string) (map[string]*order, error) {
	period := e.period()
	mine := &order{} // gone when a step overtakes these orders: then they are old already
	e.mu.Lock()
	for _, a := range agents {
		e.orders[a] = mine
	}
	e.mu.Unlock()
	made, err := e.sign(ctx, customer, agents, e.Now())
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range agents {
		if e.orders[a] != mine {
			continue
		}
		if delete(e.orders, a); err == nil && period != 0 && period == e.period() {
			e.orders[a] = made[a]
		}
	}
	return made, err
}

func (e *Engine) sign(ctx context.Context, customer string, agents []string, now time.Time) (map[string]*order, error) {
	h := e.Store.Customer(who, customer)
	approvals, err := e.approvals(ctx, h, agents)
	if err != nil {
		return nil, err
	}
	all := map[string]*wire.Orders{}
	versions, err := h.NextOrders(ctx, now, agents, func(h *store.Customer, agents []string) (map[string]string, error) {
		wished, hashes, err := wishes(ctx, h, agents, approvals)
		maps.Copy(all, wished)
		return hashes, err
	})
	if err != nil {
		return nil, err
	}
	made := map[string]*order{}
	for agent, orders := range all {
		orders.Seen, orders.IssuedAt, orders.Expires = versions[agent], now, now.Add(ordersLife)
		for i := range orders.Devices {
			orders.Devices[i].ScanSeconds = int(cmp.Or(e.Scan, ScanEvery).Seconds())
		}
		envelope, err := wire.Seal(wire.OrdersDocument, orders, e.Key)
		if err != nil {
			return nil, err
		}
		made[agent] = &order{envelope, orders.Seen, now}
	}
	return made, nil
}

// approvals are the signed ones that name the agents' keys, by agent.
func (e *Engine) approvals(ctx context.Context, h *store.Customer, agents []string) (map[string][]wire.Envelope, error) {
	if e.Options.Approvals == nil {
		return nil, nil
	}
	rows, err := h.Agents(ctx, agents...)
	by := map[string][]wire.Envelope{}
	for _, a := range rows {
		name, err := a.KeyName()
		if err != nil {
			return nil, err
		}
		by[a.ID] = e.Options.Approvals(ctx, name)
	}
	return by, err
}

// Republished says that signed documents changed: orders may carry others, and every agent
// has something to hear at its next check-in.
func (e *Engine) Republished() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.orders)
}

// wishes is all that is wished of agents, and the hash that tells it from another wish, by
// agent.
func wishes(ctx context.Context, h *store.Customer, agents []string, approvals map[string][]wire.Envelope) (map[string]*wire.Orders, map[string]string, error) {
	devices, err := h.Devices(ctx, store.DeviceFilter{Agents: agents})
	if err != nil {
		return nil, nil, err
	}
	devices = slices.DeleteFunc(devices, func(d store.Device) bool { return d.RetiredAt != nil })
	wished, err := wishesFor(ctx, h, devices)
	if err != nil {
		return nil, nil, err
	}
	all, hashes := map[string]*wire.Orders{}, map[string]string{}
	for _, a := range agents {
		all[a] = &wire.Orders{Agent: a, Approvals: approvals[a]}
	}
	for i, d := range devices {
		all[d.Agent].Devices = append(all[d.Agent].Devices, wished[i])
	}
	for a, orders := range all {
		content, err := json.Marshal(orders)
		if err != nil {
			return nil, nil, err
		}
		hashes[a] = wire.Hash(content)
	}
	return all, hashes, nil
}

// wishesFor is the wish for each device: its windows and its open jobs.
func wishesFor(ctx context.Context, h *store.Customer, devices []store.Device) ([]wire.DeviceOrders, error) {
	if len(devices) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(devices))
	for _, d := range devices {
		ids = append(ids, d.ID)
	}
	sites, err := h.Sites(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := h.Jobs(ctx, store.JobFilter{Devices: ids, Open: true})
	if err != nil {
		return nil, err
	}
	jobs := byDevice(rows, func(j store.Job) string { return j.Device })
	wished := make([]wire.DeviceOrders, 0, len(devices))
	for _, d := range devices {
		i := slices.IndexFunc(sites, func(s store.Site) bool { return s.ID == d.Site })
		if i < 0 {
			return nil, fmt.Errorf("the site of device %s is not there", d.ID)
		}
		wished = append(wished, wishFor(d, sites[i], jobs[d.ID]))
	}
	return wished, nil
}

func wishFor(d store.Device, site store.Site, open []store.Job) wire.DeviceOrders {
	reboots := site.Policy.Reboots.Known()
	wish := wire.DeviceOrders{Device: d.ID, Windows: SpecOf(site), Restart: site.Policy.Restarts == store.InWindow, InUse: site.Policy.InUse,
		Reboots: &reboots, Reboot: reboots.When == wire.RebootWindow, RefreshSeconds: int(RefreshEvery.Seconds()), FreshAfter: d.FreshAfter, Programs: programsOf(site)}
	for _, j := range slices.Backward(open) { // the newest come first: the oldest are wished first
		if len(wish.Jobs) == mostJobs {
			break // the rest when these are over
		}
		wish.Jobs = append(wish.Jobs, j.Job)
	}
	slices.SortFunc(wish.Jobs, func(a, b wire.Job) int { return strings.Compare(a.ID, b.ID) })
	return wish
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
		e.due(device)
	}
}

// Enrolled says that a new device is there.
func (e *Engine) Enrolled(customer, device, agent string) {
	e.know(customer, device, agent)
	e.Due(device)
}

// Waiting is closed when the agent should check in now.
func (e *Engine) Waiting(agent string) <-chan struct{} { return e.Bus.Waiting(agent) }

// CheckInNow tells the device's agent that there is something new to hear, whichever server
// it is at.
func (e *Engine) CheckInNow(device string) {
	e.mu.Lock()
	agent := e.agents[device]
	e.mu.Unlock()
	e.dropOrders(agent)
	e.Bus.Wake(agent)
	e.tell(peers.Notice{Calls: e.named([]string{device})})
}

// forcedLife is for how long a person's "now" holds.
const forcedLife = rollout.ForcedLife

// actor names a person in the store.
func actor(by view.Ref) store.Who { return store.Who{ID: by.ID, Name: by.Name} }
