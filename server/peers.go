package server

import (
	"context"
	"fmt"
	"time"

	"patchbay/patch"
	"patchbay/server/peers"
	"patchbay/server/store"
)

// hearEvery is how often it is read from the database whom other servers have heard.
const hearEvery = 10 * time.Second

// meet gets ready to tell and hear other servers on the same database.
func (s *Server) meet() {
	if !s.Store.Shared() {
		return
	}
	s.Peers = peers.New(peers.Options{Carrier: s.Store, Name: patch.NewID("srv"), Hear: s.told, Ready: s.lookAtAll, Cut: s.cutOff, Log: s.Log})
}

// told looks at what another server says.
func (s *Server) told(ctx context.Context, n peers.Notice) error {
	if n.All {
		return s.lookAtAll(ctx)
	}
	s.agentAPI.Told(n)
	if n.Documents {
		if err := s.Documents.Reload(ctx); err != nil {
			return err
		}
		s.Engine.Republished()
	}
	return s.Engine.Told(ctx, n)
}

// lookAtAll reads everything anew that other servers may have changed.
func (s *Server) lookAtAll(ctx context.Context) error {
	s.cutOff()
	if err := s.Documents.Reload(ctx); err != nil {
		return fmt.Errorf("looking at everything: %w", err)
	}
	return s.Engine.Load(ctx)
}

// cutOff drops what other servers may change unheard.
func (s *Server) cutOff() {
	s.agentAPI.CutOff()
	s.Engine.CutOff()
}

// republished says that signed documents changed.
func (s *Server) republished() {
	s.Engine.Republished()
	s.Peers.Tell(peers.Notice{Documents: true})
}

// hearOthers reads now and then whom other servers have heard, until ctx ends.
func (s *Server) hearOthers(ctx context.Context) {
	if s.Peers == nil {
		return
	}
	ticker := time.NewTicker(hearEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// Further back than it was read last: what was heard is written a while after, and
			// clocks of servers differ.
			heard, err := s.Store.MSP(store.Who{ID: "system", Name: "the server"}).HeardSince(ctx, s.Now().Add(-6*hearEvery))
			if err != nil && ctx.Err() == nil {
				s.Log.Error("reading whom other servers have heard", "error", err)
			}
			for _, h := range heard {
				s.Engine.Heard(h.Device, h.At)
			}
		}
	}
}
