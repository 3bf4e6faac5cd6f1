package server

import (
	"context"
	"slices"

	"patchbay/server/bulletin"
	"patchbay/server/catalog/kinds"
	"patchbay/server/knowledge"
	"patchbay/server/store"
	"patchbay/server/view"
)

// tell keeps what is news of all that is known now. Where it goes wrong nothing is noted as
// seen, so it is told with the next reading.
func (s *Server) tell(ctx context.Context) {
	var said []bulletin.Said
	if known := s.book.Current(); known != nil {
		said = slices.Collect(known.Said())
	}
	said = slices.AppendSeq(said, knowledge.SaidOf(s.recallFeeds(), s.recalls.Load()))
	if len(said) == 0 {
		return
	}
	told, err := s.Store.MSP(store.Who{ID: "system", Name: "the server"}).Learn(ctx, s.Now(), slices.Values(said))
	switch {
	case err != nil && ctx.Err() == nil:
		s.Log.Error("what is news of the feeds could not be kept; it is told with the next reading", "error", err)
	case len(told) > 0:
		s.Log.Info("feeds brought news", "bulletins", len(told), "the first", told[0].ID)
		s.events.Publish(view.Event{Kind: "bulletin"})
	}
}

// recallFeeds are the feeds that say what is not to be installed.
func (s *Server) recallFeeds() []string {
	var names []string
	for _, c := range s.Keeper.Current() {
		if c.Kind == kinds.Recalls {
			names = append(names, c.Name)
		}
	}
	return names
}
