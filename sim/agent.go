package sim

import (
	"crypto/ecdsa"
	"fmt"
	"slices"
	"time"

	"patchbay/wire"
	"patchbay/wire/trust"
)

// state is what a machine keeps on its disk. It is all that is written when a fleet is
// stopped, and all that a snapshot of the machine holds.
type state struct {
	identity
	Number int         `json:"number"` // of the device in the fleet
	Copy   int         `json:"copy,omitempty"`
	Trust  trust.State `json:"trust"`
	Nonce  string      `json:"nonce,omitempty"`
	Chance dice        `json:"chance"`

	Boot      int           `json:"boot"`
	BootedAt  time.Time     `json:"booted_at"`
	Off       time.Duration `json:"off,omitempty"` // how wrong its clock is
	ScannedAt time.Time     `json:"scanned_at"`
	Refreshed time.Time     `json:"refreshed"`

	Changed map[string]string `json:"changed,omitempty"` // versions installed since the beginning, by key
	Pending []string          `json:"pending,omitempty"` // items that wait for a reboot

	Orders   wire.Orders `json:"orders"`
	Jobs     []job       `json:"jobs,omitempty"`
	Outcomes []outcome   `json:"outcomes,omitempty"`
	Next     int64       `json:"next"`  // number of the next outcome
	Acked    int64       `json:"acked"` // the server holds them through this number

	Quiet bool `json:"quiet,omitempty"` // it has fallen silent
}

// outcome is one that was made, with whether the server said that it has it.
type outcome struct {
	wire.Outcome
	Acked bool `json:"acked,omitempty"`
}

// machine is one simulated agent on its machine. Only the schedule touches it.
type machine struct {
	state
	sim    *Simulator
	device Device
	as     *Credentials
	key    *ecdsa.PrivateKey

	heads   []wire.Section // of the inventory as it is now, without bodies
	held    held
	ahead   time.Duration // of the server's clock before the virtual one
	heard   bool          // the server's clock is known
	down    bool          // it is restarting
	talking bool
	again   bool // there was news while it was talking
	talkAt  time.Time
	workAt  time.Time
	spoke   time.Time
	failing int
	lost    time.Time // since when the server is out of reach
	holding bool      // a call to the server
	hangUp  func()    // ends it; nil when there never was one
	renewAt time.Time // not before then
	ends    time.Time // of the certificate; zero when not looked up
	life    time.Duration
	mirror  bool // it was drawn whether it is copied or put back
	on      bool // it was switched on
}

// held is what the server is known to hold of the device.
type held struct {
	known    bool
	digest   string
	sections map[string]string
}

// newMachine is a machine that was never switched on.
func newMachine(s *Simulator, number int) *machine {
	m := &machine{sim: s, device: s.fleet.Devices[number]}
	m.state = state{Number: number, Chance: roll(s.fleet.Seed, "agent", number), Boot: 1, Next: 1, Changed: map[string]string{}}
	f := s.options.Faults
	if m.Chance.hits(f.WrongClock) {
		m.Off = time.Duration(m.Chance.between(-3650, 3650)) * 24 * time.Hour
	}
	return m
}

// settledOnce reports whether the server holds all of the machine, as far as it knows.
func (m *machine) settledOnce() bool {
	return len(m.heads) > 0 && m.held.digest == wire.Digest(m.heads)
}

// idle is the connection it keeps open, nil when it keeps none.
func (m *machine) idle() *conn {
	if m.as == nil {
		return nil
	}
	return m.as.takeIdle()
}

// own is the time by the machine's own clock, right or wrong.
func (m *machine) own() time.Time { return m.sim.now().Add(m.Off).UTC().Truncate(time.Second) }

// now is the time as the server told it, by which windows are kept.
func (m *machine) now() time.Time { return m.sim.now().Add(m.ahead).UTC() }

// bootID is another for each start, and for each copy of a machine.
func (m *machine) bootID() string {
	d := roll(m.sim.fleet.Seed, fmt.Sprintf("boot %d of copy %d", m.Boot, m.Copy), m.Number)
	h := d.hex(16)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// reading is what the machine would find by looking at itself, by its last scan.
func (m *machine) reading() Reading {
	return Reading{Changed: m.Changed, Pending: m.Pending, BootID: m.bootID(), BootedAt: m.BootedAt, ScannedAt: m.ScannedAt, RefreshedAt: m.Refreshed}
}

// scan reads the machine anew. Its sources are asked as often as the orders want.
func (m *machine) scan() {
	m.ScannedAt = m.own()
	if every := m.every(func(d wire.DeviceOrders) int { return d.RefreshSeconds }, 6*time.Hour); m.Refreshed.IsZero() || m.ScannedAt.Sub(m.Refreshed).Abs() >= every {
		m.Refreshed = m.ScannedAt
	}
	m.heads = nil
}

// scanIfDue scans when the last time is long ago, or a person asked for it since.
func (m *machine) scanIfDue() {
	every := m.every(func(d wire.DeviceOrders) int { return d.ScanSeconds }, 15*time.Minute)
	asked := m.orders().FreshAfter
	if m.ScannedAt.IsZero() || m.own().Sub(m.ScannedAt).Abs() >= every || asked != nil && asked.After(m.ScannedAt.Add(m.ahead-m.Off)) {
		m.scan()
	}
}

func (m *machine) every(what func(wire.DeviceOrders) int, otherwise time.Duration) time.Duration {
	if seconds := what(m.orders()); seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	return otherwise
}

// orders is what is wished for the device.
func (m *machine) orders() wire.DeviceOrders {
	for _, d := range m.Orders.Devices {
		if d.Device == m.Device {
			return d
		}
	}
	return wire.DeviceOrders{}
}

// sections reads the inventory whole.
func (m *machine) sections() ([]wire.Section, error) {
	return m.sim.fleet.Sections(m.device, m.Number, m.reading())
}

// digest is over the inventory as it is now.
func (m *machine) digest() (string, error) {
	if m.heads == nil {
		all, err := m.sections()
		if err != nil {
			return "", err
		}
		for _, s := range all {
			s.Body = nil
			m.heads = append(m.heads, s)
		}
	}
	return wire.Digest(m.heads), nil
}

// tell writes an outcome on the machine's disk, from where it goes to the server.
func (m *machine) tell(o wire.Outcome) {
	o.Seq, o.Device, o.At = m.Next, m.Device, m.own()
	m.Next++
	m.Outcomes = append(m.Outcomes, outcome{Outcome: o})
	m.sim.account.Outcomes.Made++
}

// acknowledge notes through which number the server holds the outcomes. A lower number than
// before is a server that was restored: it gets the rest again. A higher one than any given
// out is a machine that was restored: what waits is numbered anew.
func (m *machine) acknowledge(through int64) {
	if through >= m.Next {
		m.Next = through + 1
		for i := range m.Outcomes {
			if o := &m.Outcomes[i]; !o.Acked {
				o.Seq = m.Next
				m.Next++
			}
		}
	}
	m.Acked = through
	for i := range m.Outcomes {
		o := &m.Outcomes[i]
		if has := o.Seq <= through; has != o.Acked {
			o.Acked = has
			m.sim.account.Outcomes.acknowledge(has)
		}
	}
}

// pending are the outcomes to tell next.
func (m *machine) pending() []wire.Outcome {
	var all []wire.Outcome
	for _, o := range m.Outcomes {
		if !o.Acked && len(all) < wire.MaxOutcomes {
			all = append(all, o.Outcome)
		}
	}
	return all
}

// standing is where unfinished jobs stand.
func (m *machine) standing() []wire.JobStep {
	var all []wire.JobStep
	for _, j := range m.Jobs {
		if !j.Step.Ended() && len(all) < wire.MaxOutcomes {
			all = append(all, wire.JobStep{Job: j.ID, Step: j.Step, Since: j.Since.Add(m.Off - m.ahead).UTC().Truncate(time.Second), Why: j.Why})
		}
	}
	slices.SortFunc(all, func(a, b wire.JobStep) int { return compare(a.Job, b.Job) })
	return all
}
