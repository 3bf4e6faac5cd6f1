// Package sim is a fleet that is not there: thousands of machines, in one process, that
// speak the real protocol to a real server. It is for load tests and for showing around.
//
// It is an implementation of the agent's side of its own, much lighter than the agent: a
// machine is a few kilobytes of state, its software is drawn from the seed when it is looked
// at, its time is an event in a schedule, and its jobs are steps that take a while. What
// goes over the line is real: keys, certificates, mutual TLS, signed orders and receipts,
// windows, retries. So are the faults that happen to fleets, in the shares that are asked for.
package sim

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/wire"
)

// Options are all that a simulation can be told.
type Options struct {
	Shape
	Part, Parts int // of the customers, when several processes share a fleet: this one has every Parts-th
	Faults      Faults
	Server      string         // where agents reach the server
	Tokens      map[int]string // enrolment tokens by site
	Token       string         // for all sites that have none
	Build       string         // what the agents say their version is
	Ramp        time.Duration  // over which the machines are switched on
	Reconnect   time.Duration  // over which first tries are spread while the server says nothing; 0 is 120 s
	Pace        float64        // how long work takes, of what it takes in reality; 0 is 1
	Speed       float64        // virtual seconds in a real one; 0 is as fast as it goes
	Begin       time.Time      // virtual; zero follows the real clock, also over pauses
	Requests    int            // at once; 0 is 64
	Wake        bool           // hold a wake-up call open
	Stay        bool           // keep to Server whatever addresses it tells, as behind a balancer
	Keep        bool           // keep connections open between check-ins
	Seconds     bool           // report every second
	Now         func() time.Time
	Log         *slog.Logger
	// Trace, when set, is told everything that happens, in order.
	Trace func(at time.Time, device, copy int, what string)
	// Carrier brings requests to the server; nil is the network.
	Carrier Carrier
}

// Simulator is a fleet at work.
type Simulator struct {
	options     Options
	fleet       *Fleet
	machines    []*machine
	schedule    *schedule
	account     *account
	carrier     Carrier
	authorities authorities
	reconnect   time.Duration
	told        atomic.Int64 // the server's clock when it last spoke, for checking certificates
	context     func() context.Context
	calls       sync.WaitGroup
	ran         bool
}

// New grows a fleet whose machines are switched off.
func New(o Options) (*Simulator, error) {
	fleet, err := Grow(o.Shape)
	if err != nil {
		return nil, err
	}
	o.Requests, o.Reconnect, o.Pace, o.Build = cmp.Or(o.Requests, 64), cmp.Or(o.Reconnect, 2*time.Minute), cmp.Or(o.Pace, 1), cmp.Or(o.Build, "sim")
	o.Parts = max(o.Parts, 1)
	follow := o.Begin.IsZero()
	if follow {
		o.Begin = o.Now().Round(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Simulator{options: o, fleet: fleet, reconnect: o.Reconnect, carrier: o.Carrier}
	s.authorities.pools = map[string]*pool{}
	s.schedule = newSchedule(o.Begin, o.Speed, o.Requests, o.Now)
	s.schedule.follow = follow
	s.account = newAccount(fleet.Shape.String(), o.Begin, o.Seconds)
	s.told.Store(o.Begin.UnixNano())
	if s.carrier == nil {
		s.carrier = &network{keep: o.Keep}
	}
	for i := range fleet.Devices {
		if s.Mine(i) {
			s.machines = append(s.machines, newMachine(s, i))
		}
	}
	return s, nil
}

// Mine reports whether a device belongs to this part of the fleet.
func (s *Simulator) Mine(device int) bool {
	return s.fleet.Sites[s.fleet.Devices[device].Site].Customer%s.options.Parts == s.options.Part
}

// Run switches the machines on and lets them live for so long, in virtual time, or until
// the context ends; 0 is until then. It can be called again, and they go on living.
func (s *Simulator) Run(ctx context.Context, length time.Duration) {
	ctx, stop := context.WithCancel(ctx)
	s.context = func() context.Context { return ctx }
	until := time.Time{}
	if length > 0 {
		until = s.schedule.now.Add(length)
	}
	if s.schedule.resume(); !s.ran {
		s.ran, s.account.Begin = true, s.schedule.now
	}
	chance := roll(s.fleet.Seed, "switched on", s.options.Part)
	for _, m := range s.machines {
		m.talking = false // what was cut off is over
		if first := s.now().Add(scale(chance.unit(), s.options.Ramp)); !m.on || m.talkAt.IsZero() && !m.down {
			m.on = true
			m.talkBy(first)
			m.work()
		}
	}
	s.schedule.run(ctx, until)
	stop()
	s.schedule.drain(ctx)
	s.calls.Wait()
	s.schedule.discard()
	for _, m := range s.machines {
		m.holding = false
		if c := m.idle(); c != nil {
			c.Close()
		}
	}
}

// At has something done at a moment of the virtual time, on the schedule.
func (s *Simulator) At(t time.Time, do func()) { s.schedule.at(t, do) }

func (s *Simulator) now() time.Time { return s.schedule.now }

// tlsTime is the time by which certificates are checked: what the server said last.
func (s *Simulator) tlsTime() time.Time { return time.Unix(0, s.told.Load()) }

// token is the one for a site.
func (s *Simulator) token(site int) string { return cmp.Or(s.options.Tokens[site], s.options.Token) }

// heard takes what a reply says about the fleet as a whole.
func (s *Simulator) heard(r wire.Reply) {
	s.told.Store(r.Time.UnixNano())
	if r.Reconnect > 0 {
		s.reconnect = time.Duration(r.Reconnect) * time.Second
	}
}

func (s *Simulator) trace(m *machine, what string) {
	if s.options.Trace != nil {
		s.options.Trace(s.schedule.now, m.Number, m.Copy, what)
	}
}
