package api

import (
	"context"
	"time"

	"patchbay/server/view"
)

// Looked says what is looked at for advisories, and what is not.
type Looked interface {
	// Coverage lists it by system and provider, what is looked at least first. Filter: Customer,
	// Site, State (whole, partly), Q.
	Coverage(f view.Filter, now time.Time) view.Page[view.Coverage]
	// CoverageSummary counts over all. Filter: Customer, Site.
	CoverageSummary(f view.Filter, now time.Time) view.CoverageSummary
}

// CoverageScope is whose devices are asked about.
type CoverageScope struct {
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
}

// CoverageParams are what the list of coverage takes.
type CoverageParams struct {
	ListParams
	CoverageScope
	State string `query:"state" enum:"whole,partly" doc:"whole: everything is looked at; partly: something is not"`
}

func (s *Server) coverage(_ context.Context, in *CoverageParams) (*Out[view.Page[view.Coverage]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	f.Customer, f.Site, f.State = in.Customer, in.Site, in.State
	return page(s.Looked.Coverage(f, s.Now()), f, s.Now()), nil
}

func (s *Server) coverageSummary(_ context.Context, in *CoverageScope) (*Out[view.CoverageSummary], error) {
	v := s.Looked.CoverageSummary(view.Filter{Customer: in.Customer, Site: in.Site}, s.Now())
	v.AsOf = s.Now()
	return out(v), nil
}
