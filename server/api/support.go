package api

import (
	"context"
	"time"

	"patchbay/server/view"
)

// Ends are what is known of the support of what devices have.
type Ends interface {
	// Support lists lines of releases that devices have. Filter: Customer, Site, Q.
	Support(f view.SupportFilter, now time.Time) view.Page[view.SupportRow]
	// SupportSummary counts, and says what ends in which month. Filter: Customer, Site.
	SupportSummary(f view.SupportFilter, now time.Time) view.SupportSummary
	// SupportDevices lists the devices behind a row. Filter: Customer, Site, Q.
	SupportDevices(f view.Filter, id string, now time.Time) view.Page[view.SupportDevice]
	// DeviceSupport says it of one device; what ends within so many days is ending.
	DeviceSupport(device string, within int, now time.Time) (view.DeviceSupport, bool)
	// Product says it of a product, also of one that no device has; false where nobody knows it.
	Product(name string, now time.Time) (view.Product, bool)
}

// SupportScope is whose devices are asked about, and for how long ahead.
type SupportScope struct {
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Within   int    `query:"within" minimum:"0" maximum:"3650" default:"90" doc:"Days: what ends by then is ending"`
}

// SupportParams are what the list of support takes.
type SupportParams struct {
	ListParams
	SupportScope
	Kind  string `query:"kind" enum:"os,application,hardware"`
	State string `query:"state" enum:"ended,ending,supported,unknown" doc:"What ended or is ending by default"`
	Sort  string `query:"sort" enum:"last,-last,devices,-devices,title,-title" doc:"last by default: what ended first"`
}

func (s *Server) support(_ context.Context, in *SupportParams) (*Out[view.Page[view.SupportRow]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	f.Customer, f.Site, f.State = in.Customer, in.Site, in.State
	return page(s.Ends.Support(view.SupportFilter{Filter: f, Kind: in.Kind, Within: in.Within}, s.Now()), f, s.Now()), nil
}

func (s *Server) supportSummary(_ context.Context, in *SupportScope) (*Out[view.SupportSummary], error) {
	v := s.Ends.SupportSummary(view.SupportFilter{Filter: view.Filter{Customer: in.Customer, Site: in.Site}, Within: in.Within}, s.Now())
	v.AsOf = s.Now()
	return out(v), nil
}

// SupportDevicesParams name a row of the list of support.
type SupportDevicesParams struct {
	ListParams
	Of       string `query:"of" required:"true" maxLength:"400" doc:"ID of a row of the list of support"`
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
}

func (s *Server) supportDevices(_ context.Context, in *SupportDevicesParams) (*Out[view.Page[view.SupportDevice]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	f.Customer, f.Site = in.Customer, in.Site
	return page(s.Ends.SupportDevices(f, in.Of, s.Now()), f, s.Now()), nil
}

func (s *Server) deviceSupport(ctx context.Context, in *struct {
	DevicePath
	Within int `query:"within" minimum:"0" maximum:"3650" default:"90" doc:"Days: what ends by then is ending"`
}) (*Out[view.DeviceSupport], error) {
	if _, _, err := s.found(ctx, in.Device); err != nil {
		return nil, err
	}
	v, ok := s.Ends.DeviceSupport(in.Device, in.Within, s.Now())
	if !ok {
		return nil, notFound()
	}
	return out(v), nil
}
