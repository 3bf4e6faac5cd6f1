package engine

import (
	"context"

	"patchbay/server/peers"
)

// Told looks at what another server says.
func (e *Engine) Told(ctx context.Context, n peers.Notice) error {
	if n.All {
		return e.Load(ctx)
	}
	for _, d := range n.Due {
		e.know(d.Customer, d.ID, d.Agent)
		e.due(d.ID)
	}
	for _, c := range n.Customers {
		e.dueCustomer(c)
	}
	called := map[string][]string{} // agents by customer
	for _, d := range n.Calls {
		e.dropOrders(d.Agent)
		called[d.Customer] = append(called[d.Customer], d.Agent)
	}
	for customer, agents := range called {
		e.call(ctx, customer, agents)
	}
	return nil
}

// CutOff drops what other servers may have changed unheard.
func (e *Engine) CutOff() { e.Republished() }

func (e *Engine) tell(n peers.Notice) {
	if e.Tell != nil {
		e.Tell(n)
	}
}

func (e *Engine) period() uint64 {
	if e.Period == nil {
		return 1
	}
	return e.Period()
}

// named are devices as other servers are told of them; one that is not known here is known
// to nobody.
func (e *Engine) named(devices []string) []peers.Device {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []peers.Device
	for _, d := range devices {
		if customer := e.homes[d]; customer != "" {
			all = append(all, peers.Device{Customer: customer, ID: d, Agent: e.agents[d]})
		}
	}
	return all
}
