package agentapi

import (
	"context"
	"time"

	"patchbay/wire"
)

const (
	// tellTime is how often an agent is told the time, signed. In between it counts by itself.
	tellTime = 10 * time.Minute
	// leapt is how far an agent's clock may move against the server's in between: one that
	// came up with another time than before does not know what time it is until it is told.
	leapt = 30 * time.Second
	// arrived is how far the time that an agent holds may be behind the one it was told last,
	// which is signed for all and cut to seconds. One that is further behind never got it.
	arrived = 3 * time.Second
)

// documents gives what the agent lacks of the signed documents. Most often that is nothing.
func (a *API) documents(ctx context.Context, s *session, in *wire.CheckIn, now time.Time) ([]wire.Envelope, error) {
	if a.Options.Documents == nil {
		return nil, nil
	}
	off := clockOff(in, now)
	held := in.Documents.Time // zero from agents that do not say
	lost := !held.IsZero() && s.timed.Sub(held) > arrived
	timely := now.Sub(s.timed).Abs() >= tellTime || (off-s.off).Abs() > leapt || lost
	out, err := a.Options.Documents.For(ctx, in.Documents, in.Capabilities, timely)
	if err == nil && timely {
		s.timed, s.off = now, off
	}
	return out, err
}

// clockOff is the agent's clock minus the server's; zero when it does not say.
func clockOff(in *wire.CheckIn, now time.Time) time.Duration {
	if in.Sent.IsZero() {
		return 0
	}
	return in.Sent.Sub(now)
}

// newest gives the documents that a new agent begins with.
func (a *API) newest(ctx context.Context) ([]wire.Envelope, error) {
	if a.Options.Documents == nil {
		return nil, nil
	}
	return a.Options.Documents.Newest(ctx)
}
