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
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"patchbay/server/bus"
	"patchbay/server/fleet"
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
	// Approvals gives the signed approvals that name an agent's key; nil has none.
	Approvals func(ctx context.Context, agentKey string) []wire.Envelope
	// Gone is told an agent whose device was retired or whose customer was closed; nil tells nobody.
	Gone func(agent string)
	Now  func() time.Time
	Log  *slog.Logger
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
	homes  map[string]string    // device to customer
}

// who is the engine in audit rows.
var who = store.Who{ID: "engine", Name: "Patchbay"}

// New makes an engine. Nothing runs before Run.
func New(o Options) *Engine {
	return &Engine{Options: o, queued: map[string]bool{}, wake: make(chan struct{}, 1),
		alarm: map[string]time.Time{}, orders: map[string]*order{}, agents: map[string]string{}, homes: map[string]string{}}
}

// Load makes every device due, as after a start.
func (e *Engine) Load(ctx context.Context) error {
	devices, err := e.Store.MSP(who).Devices(ctx)
	if err != nil {
		return fmt.Errorf("loading devices: %w", err)
	}
	for _, d := range devices {
		if d.RetiredAt == nil {
			e.know(d.Customer, d.ID, d.Agent)
			e.Due(d.ID)
		}
	}
	return nil
}

func (e *Engine) know(customer, device, agent string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.homes[device], e.agents[device] = customer, agent
}

// Due makes devices due now.
func (e *Engine) Due(devices ...string) {
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

// DueCustomer makes every device of a customer due now.
func (e *Engine) DueCustomer(customer string) {
	e.mu.Lock()
	var devices []string
	for d, c := range e.homes {
		if c == customer {
			devices = append(devices, d)
		}
	}
	e.mu.Unlock()
	e.Due(devices...)
}

// next takes what is due, or says how long nothing is.
func (e *Engine) next(now time.Time) (device string, wait time.Duration) {
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
	if len(e.queue) > 0 {
		device, e.queue = e.queue[0], e.queue[1:]
		delete(e.queued, device)
		e.busy = true
		return device, 0
	}
	e.busy = false
	wait = time.Minute
	if len(e.later) > 0 {
		wait = min(wait, e.later[0].at.Sub(now))
	}
	return "", wait
}

// Run steps what is due until ctx ends.
func (e *Engine) Run(ctx context.Context) {
	for ctx.Err() == nil {
		device, wait := e.next(e.Now())
		if device == "" {
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-e.wake:
			case <-timer.C:
			}
			timer.Stop()
			continue
		}
		if err := e.guarded(ctx, device); err != nil && ctx.Err() == nil {
			e.Log.Error("stepping a device", "device", device, "error", err)
			e.at(device, e.Now().Add(time.Minute))
		}
	}
}

// guarded steps a device whose facts may be anything: what breaks a decision on one device
// must not stop it for all others.
func (e *Engine) guarded(ctx context.Context, device string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the step broke: %v\n%s", p, debug.Stack())
		}
	}()
	return e.Step(ctx, device)
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

// Step decides anew for one device.
func (e *Engine) Step(ctx context.Context, device string) error {
	e.step.Lock()
	defer e.step.Unlock()
	e.mu.Lock()
	customer := e.homes[device]
	e.mu.Unlock()
	if customer == "" {
		return nil // retired, or never there
	}
	facts, err := e.load(ctx, customer, device)
	if errors.Is(err, errRetired) || errors.Is(err, store.ErrNotFound) {
		e.forget(device)
		return nil
	}
	if err != nil {
		return err
	}
	result := Decide(facts, e.Now())
	changed := false
	if len(result.Plan.Make)+len(result.Plan.Withdraw) > 0 {
		if result, changed, err = e.save(ctx, customer, device); err != nil {
			return fmt.Errorf("storing jobs: %w", err)
		}
	}
	e.Index.Put(&result.Entry)
	e.at(device, result.Until)
	e.dropOrders(facts.Agent.ID)
	if changed {
		e.Bus.Wake(facts.Agent.ID)
	}
	for _, kind := range []string{"device", "need", "job"} { // a step may have moved any of them
		e.Bus.Publish(view.Event{Kind: kind, Customer: customer, Device: device})
	}
	return nil
}

// save decides once more, from facts that no other server changes the jobs of meanwhile, and
// writes what is wished. Most steps wish nothing new and never come here.
func (e *Engine) save(ctx context.Context, customer, device string) (result Result, changed bool, err error) {
	var jobs []store.Job
	changed, err = e.Store.Customer(who, customer).SaveJobs(ctx, e.Now(), device, func(h *store.Customer) ([]store.Job, []string, error) {
		facts := Facts{Silent: e.Silent}
		if err := facts.load(ctx, h, device, e.Now()); err != nil {
			return nil, nil, err
		}
		result = Decide(facts, e.Now())
		jobs = make([]store.Job, 0, len(result.Plan.Make))
		for _, j := range result.Plan.Make {
			jobs = append(jobs, store.Job{Job: j, Customer: customer, Device: device, CreatedAt: e.Now()})
		}
		return jobs, result.Plan.Withdraw, nil
	})
	if slices.ContainsFunc(jobs, func(j store.Job) bool { return j.EndedAt != nil }) {
		result.Until = e.Now() // decide anew, now that this is known
	}
	return result, changed, err
}

// forget drops a device that is gone.
func (e *Engine) forget(device string) {
	e.mu.Lock()
	agent := e.agents[device]
	delete(e.homes, device)
	delete(e.agents, device)
	delete(e.orders, agent)
	e.mu.Unlock()
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
