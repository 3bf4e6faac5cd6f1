package agentapi

import (
	"context"
	"crypto"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/patch"
	"patchbay/server/peers"
	"patchbay/server/rival"
	"patchbay/server/store"
	"patchbay/wire"
)

// sessions are the agents' last known states, by ID. What is in them can be read again from
// the store at any time.
type sessions struct {
	mu  *sync.Mutex
	all map[string]*session
	// reading are the agents whose state is being read from the store: true where another
	// server changed it meanwhile.
	reading map[string]bool
}

func newSessions() sessions {
	return sessions{&sync.Mutex{}, map[string]*session{}, map[string]bool{}}
}

// session is one agent's last known state.
type session struct {
	agent, customer string
	key             crypto.PublicKey

	turn    chan struct{} // one message of an agent at a time takes a place among all agents'
	files   atomic.Int32  // that are being sent to it
	mu      sync.Mutex    // over what follows
	gone    bool
	said    said
	sent    wire.OrdersVersion // the newest it was told of; zero before it checked in
	devices map[string]*deviceState
	acked   int64
	record  rival.Record  // as it was last stored; zero before the first message
	timed   time.Time     // when it was last told the time, signed
	off     time.Duration // its clock minus the server's, then
	stored  time.Duration // the same, as it is stored

	known atomic.Int64 // when the store was last told of it, as this server knows; Unix milliseconds
}

// said is what an agent says of itself, compared to know whether anything changed.
type said struct {
	build        string
	mode         wire.Mode
	capabilities []string
	seen         wire.OrdersVersion
	held         store.Held // signed documents; -1 before it said so
}

func saidNow(in *wire.CheckIn) said {
	return said{in.Build, in.Mode, in.Capabilities, in.Seen, store.Held{Root: in.Documents.Root, Limits: in.Documents.Limits}}
}

func saidLast(a store.Agent) said {
	held := store.Held{Root: -1, Limits: -1}
	if a.Held != nil {
		held = *a.Held
	}
	return said{a.Build, a.Mode, a.Capabilities, a.Seen, held}
}

func (s said) equal(o said) bool {
	return s.build == o.build && s.mode == o.mode && s.seen == o.seen && s.held == o.held && slices.Equal(s.capabilities, o.capabilities)
}

// deviceState is what is held of a device.
type deviceState struct {
	digest string // over the sections held
	jobs   string // the job steps last stored, as JSON
}

func (s *session) speaksFor(device string) bool {
	_, ok := s.devices[device]
	return ok
}

func (s *session) revoked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// get gives the agent's session, from the store when it is not known yet. It is kept only
// where every change by another server will be heard of.
func (ss sessions) get(ctx context.Context, a *API, agent string) (*session, error) {
	if !patch.IsID(patch.AgentID, agent) {
		return nil, store.ErrNotFound
	}
	ss.mu.Lock()
	s := ss.all[agent]
	if _, ok := ss.reading[agent]; s == nil && !ok {
		ss.reading[agent] = false
	}
	ss.mu.Unlock()
	if s != nil {
		return s, nil
	}
	period := a.period()
	s, err := load(ctx, a.Store, agent)
	ss.mu.Lock()
	defer ss.mu.Unlock()
	changed, still := ss.reading[agent]
	delete(ss.reading, agent)
	if other := ss.all[agent]; other != nil {
		return other, nil
	}
	if err == nil && still && !changed && period != 0 && period == a.period() {
		ss.all[agent] = s
	}
	return s, err
}

func (a *API) period() uint64 {
	if a.Period == nil {
		return 1
	}
	return a.Period()
}

// Forget drops what is remembered of an agent, so that its next request is judged by what
// the store says: after it was revoked, its device retired or its customer closed. The
// wake-up channel that it holds open ends at once.
func (a *API) Forget(agent string) {
	a.sessions.mu.Lock()
	s := a.sessions.all[agent]
	delete(a.sessions.all, agent)
	a.sessions.mu.Unlock()
	if s != nil {
		s.mu.Lock()
		s.gone = true
		s.mu.Unlock()
	}
	a.lines.end(agent) // after its session is gone, so that none is opened behind our back
}

// moved drops what is remembered of an agent that another server may know better. Unlike
// Forget it shuts nobody out: the next request reads the store.
func (ss sessions) moved(agent string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.all, agent)
	if _, ok := ss.reading[agent]; ok {
		ss.reading[agent] = true
	}
}

// Told looks at what another server says.
func (a *API) Told(n peers.Notice) {
	if n.All {
		a.CutOff()
	}
	for _, d := range n.Due {
		a.sessions.moved(d.Agent)
	}
	for _, agent := range n.Moved {
		a.sessions.moved(agent)
	}
}

// CutOff drops what is remembered of agents, which other servers may have changed unheard.
func (a *API) CutOff() {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	clear(a.sessions.all)
	for agent := range a.sessions.reading {
		a.sessions.reading[agent] = true
	}
}

// tellMoved tells the other servers to read an agent anew.
func (a *API) tellMoved(agent string) {
	if a.Tell != nil {
		a.Tell(peers.Notice{Moved: []string{agent}})
	}
}

// heardAt is when the store was last told of an agent, zero when nothing is remembered of it.
func (ss sessions) heardAt(agent string) time.Time {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.all[agent]
	if s == nil {
		return time.Time{}
	}
	return time.UnixMilli(s.known.Load())
}

// told notes that the store was told of an agent, unless it was told of it anew meanwhile.
func (ss sessions) told(t store.Touch) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if s := ss.all[t.Agent]; s != nil && t.LastSeen.After(t.Known) {
		s.known.CompareAndSwap(t.Known.UnixMilli(), t.LastSeen.UnixMilli())
	}
}

// load reads an agent's state from the store.
func load(ctx context.Context, st *store.Store, id string) (*session, error) {
	who := store.Who{ID: "agent:" + id, Name: "agent"}
	customer, err := st.MSP(who).AgentCustomer(ctx, id)
	if err != nil {
		return nil, err
	}
	var agent store.Agent
	var row store.CustomerRow
	var devices []store.Device
	err = st.Customer(who, customer).Snapshot(ctx, func(h *store.Customer) (err error) {
		if agent, err = h.Agent(ctx, id); err != nil {
			return err
		}
		if row, err = h.Get(ctx); err != nil {
			return err
		}
		devices, err = h.Devices(ctx, store.DeviceFilter{Agents: []string{id}})
		return err
	})
	if err != nil {
		return nil, err
	}
	key, err := agent.Key()
	if err != nil {
		return nil, err
	}
	s := &session{agent: id, customer: customer, key: key, turn: make(chan struct{}, 1), gone: agent.RevokedAt != nil || row.ClosedAt != nil,
		said:    saidLast(agent),
		devices: map[string]*deviceState{}, acked: agent.Acknowledged, stored: agent.ClockOff}
	s.known.Store(agent.LastSeen.UnixMilli())
	for _, d := range devices {
		if d.RetiredAt == nil {
			s.devices[d.ID] = &deviceState{digest: d.Digest}
		}
	}
	if len(s.devices) == 0 {
		s.gone = true // its devices were retired
	}
	return s, nil
}
