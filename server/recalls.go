package server

import (
	"io"

	"patchbay/server/assess"
	"patchbay/server/knowledge"
)

// sources are the feeds that hold.
func (s *Server) sources() []knowledge.Source {
	var list []knowledge.Source
	for _, c := range s.Keeper.Current() {
		list = append(list, knowledge.Source{Name: c.Name, Kind: c.Kind, Each: func(f func(string, io.Reader) error) error {
			r, err := s.Keeper.Open(c.Name)
			if err != nil {
				return err
			}
			defer r.Close()
			return r.Each(f)
		}})
	}
	return list
}

// recall reads anew what is not to be installed now, and gives what changed. What cannot be read
// leaves what was known.
func (s *Server) recall() []assess.Recall {
	next, err := knowledge.Recalls(s.sources())
	if err != nil {
		s.Log.Error("what was taken back could not be read; what was known of it holds on", "error", err)
		return nil
	}
	was := s.recalls.Swap(next)
	return next.Differs(was)
}

// recallAgain has devices looked at that something is said otherwise of: those first that may
// have it installed at any moment.
func (s *Server) recallAgain() {
	changed := s.recall()
	if len(changed) == 0 {
		return
	}
	waiting, others := s.index.Concerned(changed)
	s.Log.Info("recalls changed", "recalls", len(changed), "devices with it on offer", len(waiting), "others to look at", len(others))
	s.Engine.DueFirst(waiting...)
	s.Engine.Due(others...)
}
