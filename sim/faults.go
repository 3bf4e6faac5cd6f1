package sim

import (
	"encoding/json"
	"fmt"
	"time"
)

// Faults are the shares in which machines, or their check-ins, go wrong. Who is hit is drawn
// from the seed. That some machines fall silent is part of the fleet's Shape.
type Faults struct {
	LostReplies float64       // of check-ins whose reply is lost after the server had them
	Doubled     float64       // of check-ins that arrive twice
	Clones      float64       // of machines that are copied, with their key, and run twice
	Restored    float64       // of machines that are put back to a snapshot
	RestoreTo   time.Duration // how old the snapshot is; 0 is two hours
	WrongClock  float64       // of machines whose clock is wrong by up to ten years
	FailedJobs  float64       // of jobs that fail
}

// misbehave draws, once the server knows a machine, whether it is copied or put back.
func (m *machine) misbehave() {
	if m.mirror || m.Copy > 0 {
		return
	}
	m.mirror = true
	f := m.sim.options.Faults
	if m.Chance.hits(f.Clones) {
		m.clone()
	}
	if m.Chance.hits(f.Restored) {
		m.snapshot(f.RestoreTo)
	}
}

// disk is the state as it would lie on the machine's disk.
func (m *machine) disk() []byte {
	text, err := json.Marshal(m.state)
	if err != nil { // names, numbers and times always encode
		m.sim.account.failure("state not encoded")
	}
	return text
}

// boot makes a machine of a disk.
func (s *Simulator) boot(disk []byte) (*machine, error) {
	m := &machine{sim: s}
	if err := json.Unmarshal(disk, &m.state); err != nil {
		return nil, fmt.Errorf("reading a machine's state: %w", err)
	}
	if m.Number < 0 || m.Number >= len(s.fleet.Devices) {
		return nil, fmt.Errorf("reading a machine's state: there is no device %d in this fleet", m.Number)
	}
	m.device = s.fleet.Devices[m.Number]
	if m.Changed == nil {
		m.Changed = map[string]string{}
	}
	if m.Agent == "" {
		return m, nil
	}
	return m, m.wake()
}

// wake reads the key and makes what the machine shows the server.
func (m *machine) wake() (err error) {
	if m.key, err = parseKey(m.Key); err != nil {
		return err
	}
	roots, err := m.sim.authorities.pool(m.CA)
	if err != nil {
		return err
	}
	m.as = member(m.identity, m.key, roots, m.sim.tlsTime)
	return nil
}

// clone starts a second machine with the same disk: the same key, but another start.
func (m *machine) clone() {
	twin, err := m.sim.boot(m.disk())
	if err != nil {
		m.sim.account.failure("copy not started")
		return
	}
	m.sim.account.Copies++
	twin.Copy, twin.mirror, twin.Outcomes = m.sim.account.Copies, true, nil
	twin.Chance = roll(m.sim.fleet.Seed, "copy", twin.Copy)
	m.sim.machines = append(m.sim.machines, twin)
	m.sim.trace(twin, "starts as a copy")
	twin.talkBy(m.sim.now().Add(twin.takes(1, 60)))
}

// snapshot keeps the machine's disk and puts it back later.
func (m *machine) snapshot(after time.Duration) {
	disk := m.disk()
	if after <= 0 {
		after = 2 * time.Hour
	}
	m.sim.schedule.at(m.sim.now().Add(after), func() { m.restore(disk) })
}

// restore puts the machine back to a disk it had. The machine itself is another start; what
// it did since is undone, and forgotten where it was not told.
func (m *machine) restore(disk []byte) {
	if m.talking || m.down {
		m.sim.schedule.at(m.sim.now().Add(apart), func() { m.restore(disk) })
		return
	}
	old, err := m.sim.boot(disk)
	if err != nil {
		m.sim.account.failure("snapshot not restored")
		return
	}
	then := map[int64]bool{} // acknowledged or not, by number, on the old disk
	for _, o := range old.Outcomes {
		then[o.Seq] = o.Acked
	}
	for _, o := range m.Outcomes {
		was, there := then[o.Seq]
		switch {
		case !there && !o.Acked:
			m.sim.account.Outcomes.Undone++
		case there && o.Acked && !was: // told since, and to be found out again
			m.sim.account.Outcomes.Acknowledged--
		}
	}
	boot := m.Boot
	m.state, m.key, m.as = old.state, old.key, old.as
	m.Boot, m.heads, m.held, m.BootedAt = boot+1, nil, held{}, m.own()
	m.talkAt, m.workAt = time.Time{}, time.Time{}
	m.scan()
	m.sim.trace(m, "is put back")
	m.talkBy(m.sim.now())
	m.work()
}
