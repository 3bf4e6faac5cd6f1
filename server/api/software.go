package api

import (
	"context"
	"time"

	"patchbay/server/view"
)

// Software is what of the fleet's software stands out. Filter of all: Customer, Site; of lists
// also Q.
type Software interface {
	// Unattended lists items that nobody updates. Sort: devices, name.
	Unattended(f view.Filter) view.Page[view.Unattended]
	UnattendedSummary(f view.Filter) view.UnattendedSummary
	UnattendedDevices(f view.Filter, id string, now time.Time) view.Page[view.SoftwareDevice]
	// Several lists purposes for which there is more than one program.
	Several(f view.Filter) view.Page[view.Several]
	SeveralDevices(f view.Filter, purpose string, now time.Time) view.Page[view.SoftwareDevice]
}

// SoftwareParams are what the lists of software take.
type SoftwareParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
}

func (p SoftwareParams) within(sort string) (view.Filter, error) {
	f, err := p.filter(sort)
	f.Customer, f.Site = p.Customer, p.Site
	return f, err
}

func (s *Server) unattended(_ context.Context, in *struct {
	SoftwareParams
	Sort string `query:"sort" enum:"devices,-devices,name,-name" doc:"-devices by default"`
}) (*Out[view.Page[view.Unattended]], error) {
	f, err := in.within(in.Sort)
	if err != nil {
		return nil, err
	}
	return page(s.Software.Unattended(f), f, s.Now()), nil
}

func (s *Server) unattendedSummary(_ context.Context, in *CoverageScope) (*Out[view.UnattendedSummary], error) {
	return out(s.Software.UnattendedSummary(view.Filter{Customer: in.Customer, Site: in.Site})), nil
}

func (s *Server) unattendedDevices(_ context.Context, in *struct {
	SoftwareParams
	Of string `query:"of" required:"true" maxLength:"600" doc:"ID of an item of the list"`
}) (*Out[view.Page[view.SoftwareDevice]], error) {
	f, err := in.within("")
	if err != nil {
		return nil, err
	}
	return page(s.Software.UnattendedDevices(f, in.Of, s.Now()), f, s.Now()), nil
}

func (s *Server) several(_ context.Context, in *SoftwareParams) (*Out[view.Page[view.Several]], error) {
	f, err := in.within("")
	if err != nil {
		return nil, err
	}
	return page(s.Software.Several(f), f, s.Now()), nil
}

func (s *Server) severalDevices(_ context.Context, in *struct {
	SoftwareParams
	Purpose string `query:"purpose" required:"true" maxLength:"60"`
}) (*Out[view.Page[view.SoftwareDevice]], error) {
	f, err := in.within("")
	if err != nil {
		return nil, err
	}
	return page(s.Software.SeveralDevices(f, in.Purpose, s.Now()), f, s.Now()), nil
}
