// Package engine runs the decisions for what is due.
//
// A device is due when anything that bears on it changed: its inventory, an approval, a
// site's policy, or the clock. All of these only say so; Step then reads the facts, decides
// from them alone and stores what follows. Stepping twice changes nothing, so a lost or
// doubled notice does no harm, and a restart steps every device once.
package engine

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"patchbay/server/assess"
	"patchbay/server/bus"
	"patchbay/server/catalog/purpose"
	"patchbay/server/catalog/support"
	"patchbay/server/fleet"
	"patchbay/server/knowledge"
	"patchbay/server/peers"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// Options are what the engine needs.
type Options struct {
	Store  *store.Store
	Index  *fleet.Index
	Bus    *bus.Bus
	Key    wire.Key      // signs orders
	Silent time.Duration // after which a quiet device counts as silent
	Scan   time.Duration // between two readings of a device; 0 is ScanEvery
	// Approvals gives the signed approvals that name an agent's key; nil has none.
	Approvals func(ctx context.Context, agentKey string) []wire.Envelope
	// Gone is told an agent whose device was retired or whose customer was closed; nil tells nobody.
	Gone func(agent string)
	// Tell tells the other servers on the same database what to look at; nil tells nobody.
	Tell func(peers.Notice)
	// Knowledge is what feeds say of software; nil, and a nil answer, say nothing.
	Knowledge func() *knowledge.Snapshot
	// Recalls are the updates that are not to be installed now; nil, and a nil answer, say nothing.
	Recalls func() *assess.Recalls
	// Names names the products that items are of; nil names none.
	Names *support.Table
	// Purposes says what programs are for; nil says nothing.
	Purposes *purpose.Table
	// Period is peers.Peers.Period; nil is for a server that is alone.
	Period func() uint64
	Now    func() time.Time
	Log    *slog.Logger
}

// Engine steps devices.
type Engine struct {
	Options

	step sync.Mutex // one step at a time: what was read first must not be written last

	mu     sync.Mutex
	queue  []string             // devices due now, in the order they became due
	queued map[string]bool      // those in queue
	busy   bool                 // the loop is at work on one it took
	later  alarms               // devices due by the clock
	alarm  map[string]time.Time // the earliest in later, by device
	wake   chan struct{}        // something is due
	orders map[string]*order    // by agent, one without an envelope is being made; dropped when a step changes what is wished
	agents map[string]string    // device to agent
	missed map[string]bool      // devices whose agent may have something to hear, uncalled
	homes  map[string]string    // device to customer
	first  map[string][]string  // by agent: devices that are decided anew before it is ordered anything
}

// who is the engine in audit rows.
var who = store.Who{ID: "engine", Name: "Patchbay"}

// New makes an engine. Nothing runs before Run.
func New(o Options) *Engine {
	return &Engine{Options: o, queued: map[string]bool{}, wake: make(chan struct{}, 1),
		alarm: map[string]time.Time{}, orders: map[string]*order{}, agents: map[string]string{}, homes: map[string]string{},
		missed: map[string]bool{}, first: map[string][]string{}}
}

// Load makes every device due, as after a start, those that are gone by now too.
func (e *Engine) Load(ctx context.Context) error {
	devices, err := e.Store.MSP(who).Devices(ctx, store.DeviceFilter{})
	if err != nil {
		return fmt.Errorf("loading devices: %w", err)
	}
	for _, d := range devices {
		if d.RetiredAt == nil {
			e.know(d.Customer, d.ID, d.Agent)
			e.due(d.ID)
		}
	}
	e.mu.Lock()
	known := slices.Collect(maps.Keys(e.homes))
	e.mu.Unlock()
	e.miss(known)
	e.due(known...)
	return nil
}

// miss says that the agents of devices may have something to hear that nobody called them for.
func (e *Engine) miss(devices []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range devices {
		e.missed[d] = true
	}
}

func (e *Engine) know(customer, device, agent string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.homes[device], e.agents[device] = customer, agent
}

// Due makes devices due now, here and on the other servers.
func (e *Engine) Due(devices ...string) {
	e.due(devices...)
	e.tell(peers.Notice{Due: e.named(devices)})
}

func (e *Engine) due(devices ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range devices {
		if !e.queued[d] {
			e.queued[d] = true
			e.queue = append(e.queue, d)
		}
	}
	e.ring()
}

// ring wakes the loop; the caller holds the lock.
func (e *Engine) ring() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// DueAll makes every device due now, here and on the other servers, which look at everything.
func (e *Engine) DueAll() {
	e.mu.Lock()
	known := slices.Collect(maps.Keys(e.homes))
	e.mu.Unlock()
	e.due(known...)
	e.tell(peers.Notice{All: true})
}

// DueCustomer makes every device of a customer due now, here and on the other servers.
func (e *Engine) DueCustomer(customer string) {
	e.dueCustomer(customer)
	e.tell(peers.Notice{Customers: []string{customer}})
}

func (e *Engine) dueCustomer(customer string) {
	e.mu.Lock()
	var devices []string
	for d, c := range e.homes {
		if c == customer {
			devices = append(devices, d)
		}
	}
	e.mu.Unlock()
	e.due(devices...)
}

// together is how many devices are stepped at a time: reading and writing many at once costs
// a fraction of doing it one by one, and those in front do not wait long.
const together = 50

// next takes what is due, devices of one customer, or says how long nothing is, at most a day.
func (e *Engine) next(now time.Time) (devices []string, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.later) > 0 && !e.later[0].at.After(now) {
		a := heap.Pop(&e.later).(alarm)
		if !e.alarm[a.device].Equal(a.at) {
			continue // an earlier one took its place, and the step after it said anew when
		}
		delete(e.alarm, a.device)
		if !e.queued[a.device] {
			e.queued[a.device] = true
			e.queue = append(e.queue, a.device)
		}
	}
	for len(e.queue) > 0 && len(devices) < together && (devices == nil || e.homes[e.queue[0]] == e.homes[devices[0]]) {
		delete(e.queued, e.queue[0])
		devices, e.queue = append(devices, e.queue[0]), e.queue[1:]
	}
	if e.busy = devices != nil; e.busy {
		return devices, 0
	}
	wait = 24 * time.Hour
	if len(e.later) > 0 {
		wait = min(wait, e.later[0].at.Sub(now))
	}
	return nil, wait
}

// Run steps what is due until ctx ends. It looks once a minute at least: the clock may have
// been set meanwhile.
func (e *Engine) Run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(min(e.Work(ctx), time.Minute))
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Work steps what is due now, and says for how long nothing is after that.
func (e *Engine) Work(ctx context.Context) time.Duration {
	for {
		if ctx.Err() != nil {
			return 0
		}
		devices, wait := e.next(e.Now())
		if devices == nil {
			return wait
		}
		if len(devices) > 1 && e.guarded(ctx, devices...) == nil {
			continue
		}
		for _, d := range devices { // one by one, to find out which it is
			if err := e.guarded(ctx, d); err != nil && ctx.Err() == nil {
				e.Log.Error("stepping a device", "device", d, "error", err)
				e.at(d, e.Now().Add(time.Minute))
			}
		}
	}
}

// guarded steps devices whose facts may be anything: what breaks a decision on one device
// must not stop it for all others.
func (e *Engine) guarded(ctx context.Context, devices ...string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the step broke: %v\n%s", p, debug.Stack())
		}
	}()
	return e.Step(ctx, devices...)
}

// at makes a device due at a time. One that is due earlier anyway is stepped then and says
// anew when it is due.
func (e *Engine) at(device string, t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if set, ok := e.alarm[device]; t.IsZero() || ok && !set.After(t) {
		return
	}
	e.alarm[device] = t
	heap.Push(&e.later, alarm{t, device})
	e.ring()
}

// stepTries is how often a step is tried that another server overtakes.
const stepTries = 5

// Step decides anew for devices of one customer.
func (e *Engine) Step(ctx context.Context, devices ...string) error {
	e.step.Lock()
	defer e.step.Unlock()
	e.mu.Lock()
	customer := e.homes[devices[0]]
	e.mu.Unlock()
	if customer == "" {
		return nil // retired, or never there
	}
	for range stepTries {
		overtaken, err := e.try(ctx, customer, devices)
		if err != nil || len(overtaken) == 0 {
			return err
		}
		devices = overtaken
	}
	return fmt.Errorf("another server writes the jobs of %s all the time", devices[0])
}

// try decides anew for devices, and gives those whose jobs another server wrote meanwhile.
func (e *Engine) try(ctx context.Context, customer string, devices []string) (overtaken []string, err error) {
	all, err := e.load(ctx, customer, devices)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(all))
	for i, f := range all {
		results[i] = Decide(f, e.Now())
	}
	saved, err := e.save(ctx, customer, all, results)
	if err == nil {
		err = e.Store.Customer(who, customer).RecordMended(ctx, e.Now(), e.mended(all))
	}
	if err != nil {
		e.miss(devices) // they may be stored all the same, and nobody called
		return nil, fmt.Errorf("storing what follows: %w", err)
	}
	for _, d := range devices {
		if !slices.ContainsFunc(all, func(f Facts) bool { return f.Device.ID == d }) {
			e.forget(d)
		}
	}
	var called, changed, missed []string // agents, their devices, and agents of whom nothing is remembered
	for i, f := range all {
		s := saved[f.Device.ID]
		if s.Overtaken {
			overtaken = append(overtaken, f.Device.ID)
			continue
		}
		unheard := e.wasMissed(f.Device.ID)
		if unheard {
			missed = append(missed, f.Agent.ID)
		}
		switch {
		case s.Ended:
			results[i].Until = e.Now() // decide anew, now that this is known
		case s.Changed:
			called, changed = append(called, f.Agent.ID), append(changed, f.Device.ID)
		case unheard && len(results[i].Plan.Jobs) > 0:
			called = append(called, f.Agent.ID)
		}
		e.put(customer, f, &results[i])
	}
	e.ahead(ctx, customer, missed) // all of them will ask soon: after a start, or after this server was cut off
	e.tell(peers.Notice{Calls: e.named(changed)})
	e.call(ctx, customer, called)
	return overtaken, nil
}

// wasMissed reports, once, whether a device's agent may have something to hear, uncalled.
func (e *Engine) wasMissed(device string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	missed := e.missed[device]
	delete(e.missed, device)
	return missed
}

// put makes known what was decided of a device.
func (e *Engine) put(customer string, f Facts, r *Result) {
	e.Index.Put(&r.Entry)
	if f.Inventory.Recalls == e.held() { // otherwise it was decided by what was known before
		e.decided(f.Agent.ID, f.Device.ID)
	}
	e.at(f.Device.ID, r.Until)
	e.dropOrders(f.Agent.ID)
	for _, kind := range []string{"device", "need", "job"} { // a step may have moved any of them
		e.Bus.Publish(view.Event{Kind: kind, Customer: customer, Device: f.Device.ID})
	}
}

// save writes what is wished, and says what became of it by device. Most steps wish nothing
// new and write nothing.
func (e *Engine) save(ctx context.Context, customer string, all []Facts, results []Result) (map[string]store.Saved, error) {
	var wishes []store.Wish
	for i, f := range all {
		plan := results[i].Plan
		if len(plan.Make)+len(plan.Withdraw) == 0 {
			continue
		}
		w := store.Wish{Device: f.Device.ID, Read: f.Jobs, Gone: plan.Withdraw}
		for _, j := range plan.Make {
			w.Wanted = append(w.Wanted, store.Job{Job: j, Customer: customer, Device: f.Device.ID, CreatedAt: e.Now()})
		}
		wishes = append(wishes, w)
	}
	if wishes == nil {
		return nil, nil
	}
	saved, err := e.Store.Customer(who, customer).SaveJobs(ctx, e.Now(), wishes)
	became := map[string]store.Saved{}
	for i := range saved {
		became[wishes[i].Device] = saved[i]
	}
	return became, err
}

// call calls agents that have something new to hear. The orders of those that will ask at
// once are made first.
func (e *Engine) call(ctx context.Context, customer string, agents []string) {
	var waiting []string
	for _, a := range agents {
		if e.Bus.Awaited(a) {
			waiting = append(waiting, a)
		}
	}
	e.ahead(ctx, customer, waiting)
	for _, a := range agents {
		e.Bus.Wake(a)
	}
}

// ahead makes the orders of agents that will ask for them, for all in one go: that costs a
// fraction of making them one by one.
func (e *Engine) ahead(ctx context.Context, customer string, agents []string) {
	agents = slices.DeleteFunc(agents, func(a string) bool { return e.made(a) != nil })
	if len(agents) == 0 {
		return
	}
	if _, err := e.prepare(ctx, customer, agents); err != nil && ctx.Err() == nil {
		e.Log.Warn("orders were not made ahead; they are when the agents ask", "agents", len(agents), "error", err)
	}
}

// forget drops a device that is gone.
func (e *Engine) forget(device string) {
	e.mu.Lock()
	agent := e.agents[device]
	delete(e.homes, device)
	delete(e.missed, device)
	delete(e.agents, device)
	delete(e.orders, agent)
	e.mu.Unlock()
	e.decided(agent, device)
	e.Index.Remove(device)
	if e.Gone != nil && agent != "" {
		e.Gone(agent)
	}
	e.Bus.Wake(agent) // to hear it, and to leave no call open
}

// alarm is a device due at a time.
type alarm struct {
	at     time.Time
	device string
}

// alarms is a heap, the earliest first.
type alarms []alarm

// Len, Less, Swap, Push and Pop make alarms a heap.
func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }

// Push adds an alarm at the end.
func (a *alarms) Push(x any) { *a = append(*a, x.(alarm)) }

// Pop takes the last alarm.
func (a *alarms) Pop() any {
	old := *a
	last := old[len(old)-1]
	*a = old[:len(old)-1]
	return last
}
