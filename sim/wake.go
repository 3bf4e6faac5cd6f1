package sim

import (
	"context"
	"errors"
	"time"
)

const noWakeWait = 10 * time.Minute

// hold keeps a call to the server open after a check-in that succeeded, until the server
// wants to hear from the machine or is lost. It is kept open beside the pool, for it is
// nothing but waiting.
func (m *machine) hold() {
	if !m.sim.options.Wake || m.holding || m.Quiet {
		return
	}
	m.holding = true
	as, server, s := m.as, m.URL, m.sim
	ctx := s.context()
	call, hangUp := context.WithCancel(ctx)
	m.hangUp = hangUp
	s.calls.Go(func() {
		defer hangUp()
		err := s.carrier.Listen(call, as, server, func() { s.post(ctx, m.called) })
		if err == nil {
			err = errHeld
		}
		s.post(ctx, func() { m.dropped(err) })
	})
}

// errHeld means that a call ended in peace.
var errHeld = errors.New("the call is over")

// called is asked to check in now.
func (m *machine) called() {
	m.sim.account.Calls++
	if !m.down {
		m.scan()
		m.news()
	}
}

// dropped has lost the call. After the next check-in there is another; when the server is
// gone, that check-in is spread like every first try.
func (m *machine) dropped(err error) {
	m.holding = false
	switch {
	case errors.Is(err, errHeld), m.down, m.Quiet, m.sim.context().Err() != nil:
	case errors.Is(err, errNoWake):
		m.holding = true
		m.sim.schedule.at(m.sim.now().Add(noWakeWait), func() { m.holding = false })
	default:
		m.sim.account.failure("call lost")
		if m.failing == 0 && m.lost.IsZero() {
			m.lost = m.sim.now()
			m.talkAt = time.Time{}
			m.talkBy(m.sim.now().Add(max(apart, scale(m.Chance.unit(), m.sim.reconnect))))
		}
	}
}

// post hands something to the schedule from beside it.
func (s *Simulator) post(ctx context.Context, do func()) {
	select {
	case s.schedule.posts <- do:
	case <-ctx.Done():
	}
}
