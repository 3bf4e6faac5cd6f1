package api

import (
	"context"

	"patchbay/server/store"
	"patchbay/server/view"
)

// NeedsParams are what the list of needs takes.
type NeedsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Device   string `query:"device" maxLength:"60"`
	Update   string `query:"update" maxLength:"60"`
	Verdict  string `query:"verdict" maxLength:"40" doc:"A verdict's name, such as WAITS_WINDOW"`
	State    string `query:"state" enum:"verified,moving,waits_time,waits_person,failed,excepted,unknown"`
	Class    string `query:"class" enum:"security,bugfix,critical,feature,definition,rollup,service_pack,driver,tool,preview,other"`
	Sort     string `query:"sort" enum:"name,-name,device,-device,customer,-customer,since,-since,verdict,-verdict,size,-size,place,-place" doc:"name by default; -place puts first what is to be done soonest"`
}

func (p NeedsParams) narrowed() (view.Filter, error) {
	f, err := p.filter(p.Sort)
	f.Customer, f.Site, f.Device, f.Update = p.Customer, p.Site, p.Device, p.Update
	f.Verdict, f.State, f.Class = p.Verdict, p.State, p.Class
	return f, err
}

func (s *Server) needs(_ context.Context, in *NeedsParams) (*Out[view.Page[view.Need]], error) {
	f, err := in.narrowed()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return page(s.Fleet.Needs(now, f), f, now), nil
}

// DeviceNeedsParams are what the list of a device's needs takes.
type DeviceNeedsParams struct {
	DevicePath
	ListParams
	Verdict string `query:"verdict" maxLength:"40"`
	State   string `query:"state" enum:"verified,moving,waits_time,waits_person,failed,excepted,unknown"`
	Class   string `query:"class" enum:"security,bugfix,critical,feature,definition,rollup,service_pack,driver,tool,preview,other"`
	Sort    string `query:"sort" enum:"name,-name,since,-since,verdict,-verdict,size,-size,place,-place" doc:"name by default; -place puts first what is to be done soonest"`
}

func (s *Server) deviceNeeds(ctx context.Context, in *DeviceNeedsParams) (*Out[view.Page[view.Need]], error) {
	if _, _, err := s.found(ctx, in.DevicePath.Device); err != nil {
		return nil, err
	}
	return s.needs(ctx, &NeedsParams{ListParams: in.ListParams, Device: in.DevicePath.Device,
		Verdict: in.Verdict, State: in.State, Class: in.Class, Sort: in.Sort})
}

// NeedPath names a need.
type NeedPath struct {
	Need string `path:"need" maxLength:"80"`
}

func (s *Server) need(ctx context.Context, in *NeedPath) (*Out[view.NeedDetail], error) {
	n, ok := s.Fleet.Need(s.Now(), in.Need)
	if !ok {
		return nil, notFound()
	}
	h := s.Store.Customer(who(ctx), n.Customer.ID)
	approvals, err := h.Approvals(ctx, store.ApprovalFilter{
		Targets: []string{n.Device.ID, n.Site.ID, n.Customer.ID}, Name: n.Item.Name,
	})
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range approvals {
		if a.Provider == n.Item.Provider && (a.Architecture == "" || a.Architecture == n.Item.Architecture) {
			n.Approvals = append(n.Approvals, s.approvalView(a, names))
		}
	}
	jobs, err := h.Jobs(ctx, store.JobFilter{Devices: []string{n.Device.ID}})
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if view.ItemKeyOf(j.Target.Key()) == n.Item {
			n.Jobs = append(n.Jobs, s.jobView(j, names))
		}
	}
	return out(n), nil
}

// JobRef names a job.
type JobRef struct {
	Job string `json:"job"`
}

func (s *Server) retry(ctx context.Context, in *NeedPath) (*Out[JobRef], error) {
	n, ok := s.Fleet.Need(s.Now(), in.Need)
	if !ok {
		return nil, notFound()
	}
	if n.Can.Retry != "" {
		return nil, problem(409, n.Can.Retry)
	}
	w := who(ctx)
	job, err := s.Engine.Retry(ctx, view.Ref{ID: w.ID, Name: w.Name}, n.Device.ID, n.Item.Key())
	return out(JobRef{job}), err
}

// UpdatesParams are what the list of updates takes.
type UpdatesParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Class    string `query:"class" enum:"security,bugfix,critical,feature,definition,rollup,service_pack,driver,tool,preview,other"`
	State    string `query:"state" enum:"verified,moving,waits_time,waits_person,failed,excepted,unknown"`
	Sort     string `query:"sort" enum:"name,-name,devices,-devices,waiting,-waiting,released,-released,size,-size" doc:"name by default"`
}

func (s *Server) updates(_ context.Context, in *UpdatesParams) (*Out[view.Page[view.Update]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	f.Customer, f.Class, f.State = in.Customer, in.Class, in.State
	now := s.Now()
	return page(s.Fleet.Updates(now, f), f, now), nil
}

// ClassesParams are what the count by class takes.
type ClassesParams struct {
	Customer string `query:"customer" maxLength:"60"`
	Device   string `query:"device" maxLength:"60"`
}

func (s *Server) classes(_ context.Context, in *ClassesParams) (*Out[view.Page[view.ClassCount]], error) {
	list := s.Fleet.Classes(view.Filter{Customer: in.Customer, Device: in.Device})
	return page(view.Page[view.ClassCount]{Items: list, Total: len(list)}, view.Filter{}, s.Now()), nil
}

// UpdatePath names an update.
type UpdatePath struct {
	Update string `path:"update" maxLength:"60"`
}

func (s *Server) update(_ context.Context, in *UpdatePath) (*Out[view.UpdateDetail], error) {
	u, ok := s.Fleet.Update(s.Now(), in.Update)
	if !ok {
		return nil, notFound()
	}
	return out(u), nil
}
