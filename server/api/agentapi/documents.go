package agentapi

import (
	"context"
	"time"

	"patchbay/wire"
)

// tellTime is how often an agent is told the time, signed. In between it counts by itself.
const tellTime = 10 * time.Minute

// documents gives what the agent lacks of the signed documents. Most often that is nothing.
func (a *API) documents(ctx context.Context, s *session, held wire.HeldDocuments, now time.Time) ([]wire.Envelope, error) {
	if a.Options.Documents == nil {
		return nil, nil
	}
	timely := now.Sub(s.timed).Abs() >= tellTime
	out, err := a.Options.Documents.For(ctx, held, timely)
	if err == nil && timely {
		s.timed = now
	}
	return out, err
}

// newest gives the documents that a new agent begins with.
func (a *API) newest(ctx context.Context) ([]wire.Envelope, error) {
	if a.Options.Documents == nil {
		return nil, nil
	}
	return a.Options.Documents.Newest(ctx)
}
