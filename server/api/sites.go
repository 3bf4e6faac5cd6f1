package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/window"
	"patchbay/wire"
)

// SitesParams are what the list of sites takes.
type SitesParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Sort     string `query:"sort" enum:"name,-name,customer,-customer,devices,-devices,created_at,-created_at" doc:"name by default"`
}

func (s *Server) sites(ctx context.Context, in *SitesParams) (*Out[view.Page[view.Site]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	names, err := s.customerNames(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.siteRows(ctx, in.Customer)
	if err != nil {
		return nil, err
	}
	postures := s.Fleet.Postures(now, store.LevelSite)
	var views []view.Site
	for _, row := range rows {
		if v := siteView(row, names[row.Customer], postures[row.ID], now); matches(f.Q, v.Name, v.Customer.Name, v.Zone) {
			views = append(views, v)
		}
	}
	field, descending := f.Field("name")
	p := view.Paginate(views, f, descending, func(v view.Site) string { return siteKey(v, field) },
		func(v view.Site) string { return v.ID })
	return page(p, f, now), nil
}

func siteKey(v view.Site, field string) string {
	switch field {
	case "customer":
		return view.Fold(v.Customer.Name)
	case "devices":
		return view.Number(v.Devices)
	case "created_at":
		return view.Moment(&v.CreatedAt)
	}
	return view.Fold(v.Name)
}

// siteRows reads the sites of one customer, or of all.
func (s *Server) siteRows(ctx context.Context, customer string) ([]store.Site, error) {
	if customer == "" {
		return s.Store.MSP(who(ctx)).Sites(ctx)
	}
	return s.Store.Customer(who(ctx), customer).Sites(ctx)
}

// customerNames gives the name of every customer by ID.
func (s *Server) customerNames(ctx context.Context) (map[string]string, error) {
	rows, err := s.Store.MSP(who(ctx)).Customers(ctx)
	names := map[string]string{}
	for _, c := range rows {
		names[c.ID] = c.Name
	}
	return names, err
}

func siteView(row store.Site, customer string, p view.Posture, now time.Time) view.Site {
	policy := view.Policy{Auto: string(row.Policy.Auto), Reboots: rebootsView(row.Policy.Reboots.Known()), Restarts: string(cmp.Or(row.Policy.Restarts, store.RestartByHand)),
		InUse: string(cmp.Or(row.Policy.InUse, waits)), Beside: row.Policy.Beside, Applications: rulesView(row.Policy.Applications)}
	for _, c := range row.Policy.Classes {
		policy.Classes = append(policy.Classes, string(c))
	}
	for _, w := range row.Policy.Windows {
		policy.Windows = append(policy.Windows, view.Weekly{Zone: w.Zone, Days: w.Days, Start: w.Start, Minutes: w.Minutes})
	}
	return view.Site{
		ID: row.ID, Name: row.Name, Customer: view.Ref{ID: row.Customer, Name: customer}, Zone: row.Zone,
		Policy: policy, Window: windowOf(row, now), Devices: p.Devices, Posture: p, CreatedAt: row.CreatedAt,
	}
}

// windowOf says where a site's window stands. Rows hold only windows that were checked.
func windowOf(row store.Site, now time.Time) view.Window {
	set, err := window.New(window.Spec{Weekly: row.Policy.Windows})
	if err != nil {
		return view.Window{Sentence: "The window cannot be understood, so nothing happens here. Save it again."}
	}
	return view.WindowAt(set, now)
}

// NewSite is a wish for a site.
type NewSite struct {
	Name   string       `json:"name" minLength:"1" maxLength:"100"`
	Zone   string       `json:"zone" minLength:"1" maxLength:"60" example:"Europe/Berlin"`
	Policy *view.Policy `json:"policy,omitempty" doc:"By hand and without a window when left out"`
}

func (s *Server) newSite(ctx context.Context, in *struct {
	CustomerPath
	Body NewSite
}) (*Out[view.Site], error) {
	now := s.Now()
	row := store.Site{ID: patch.NewID(patch.SiteID), Customer: in.Customer, Zone: in.Body.Zone,
		Policy: store.SitePolicy{Auto: store.ByHand, Reboots: wire.Reboots{When: wire.RebootNever, Daily: wire.UsualDaily}}, CreatedAt: now, ChangedAt: now}
	var err error
	if row.Name, err = cleanName("name", in.Body.Name); err != nil {
		return nil, err
	}
	if err := checkZone("zone", row.Zone); err != nil {
		return nil, err
	}
	if in.Body.Policy != nil {
		if row.Policy, err = policyOf(*in.Body.Policy, row.Zone); err != nil {
			return nil, err
		}
		if row.Policy.Applications, err = rulesOf(in.Body.Policy.Applications, nil, who(ctx).Name, now); err != nil {
			return nil, err
		}
	}
	h := s.Store.Customer(who(ctx), in.Customer)
	customer, err := h.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.CreateSite(ctx, now, row); err != nil {
		return nil, err
	}
	return out(siteView(row, customer.Name, view.Posture{}, now)), nil
}

// waits is how the API calls wire.InUseWait.
const waits = "wait"

// policyOf checks a policy. Windows without a zone get the site's.
func policyOf(p view.Policy, zone string) (store.SitePolicy, error) {
	policy := store.SitePolicy{Auto: store.Auto(p.Auto), Restarts: store.Restarts(p.Restarts), Windows: []window.Weekly{}}
	var err error
	if policy.Reboots, err = rebootsOf(p.Reboots); err != nil {
		return policy, err
	}
	if p.InUse != waits {
		policy.InUse = wire.InUse(p.InUse)
	}
	for _, name := range p.Beside {
		name, err := cleanName("policy.beside", name)
		if err != nil {
			return policy, err
		}
		policy.Beside = append(policy.Beside, name)
	}
	slices.Sort(policy.Beside)
	policy.Beside = slices.Compact(policy.Beside)
	for _, c := range p.Classes {
		policy.Classes = append(policy.Classes, patch.Class(c))
	}
	slices.Sort(policy.Classes)
	policy.Classes = slices.Compact(policy.Classes)
	for _, w := range p.Windows {
		weekly := window.Weekly{Zone: w.Zone, Days: slices.Clone(w.Days), Start: w.Start, Minutes: w.Minutes}
		if weekly.Zone == "" {
			weekly.Zone = zone
		}
		if err := weekly.Check(); err != nil {
			return policy, wrong("policy.windows", "A window has days (mon to sun, each once), a start such as 22:00, 15 to 10080 minutes and a known time zone.")
		}
		policy.Windows = append(policy.Windows, weekly)
	}
	return policy, nil
}

// rebootsOf checks what a policy says of reboots. What says nothing is never.
func rebootsOf(r view.Reboots) (wire.Reboots, error) {
	if r.When == "" {
		return wire.Reboots{When: wire.RebootNever, Daily: wire.UsualDaily}, nil
	}
	reboots := wire.Reboots{When: wire.RebootWhen(r.When), Daily: r.Daily}
	if reboots.When == wire.RebootAsk {
		reboots.Postpone, reboots.DeadlineHours = r.Postpone, r.DeadlineHours
	}
	if reboots.Known().When != reboots.When {
		return reboots, wrong("policy.reboots", "Where people are asked, a deadline of 1 to 336 hours is needed, and they may put a reboot off 0 to 20 times.")
	}
	return reboots, nil
}

func rebootsView(r wire.Reboots) view.Reboots {
	return view.Reboots{When: string(r.When), Postpone: r.Postpone, DeadlineHours: r.DeadlineHours, Daily: r.Daily}
}

// SitePath names a site.
type SitePath struct {
	Site string `path:"site" maxLength:"60"`
}

// siteRow finds a site, whichever customer it is of.
func (s *Server) siteRow(ctx context.Context, id string) (store.Site, error) {
	rows, err := s.Store.MSP(who(ctx)).Sites(ctx)
	if err != nil {
		return store.Site{}, err
	}
	for _, row := range rows {
		if row.ID == id {
			return row, nil
		}
	}
	return store.Site{}, notFound()
}

func (s *Server) site(ctx context.Context, in *SitePath) (*Out[view.Site], error) {
	row, err := s.siteRow(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	customer, err := s.Store.Customer(who(ctx), row.Customer).Get(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	v := siteView(row, customer.Name, s.Fleet.Postures(now, store.LevelSite)[row.ID], now)
	v.Masters = s.Fleet.Masters(row.ID)
	return out(v), nil
}

// SiteChange changes what is set. A zone given alone moves the windows of the old zone.
type SiteChange struct {
	Name   *string      `json:"name,omitempty" minLength:"1" maxLength:"100"`
	Zone   *string      `json:"zone,omitempty" minLength:"1" maxLength:"60"`
	Policy *view.Policy `json:"policy,omitempty"`
}

func (s *Server) changeSite(ctx context.Context, in *struct {
	SitePath
	Body SiteChange
}) (*Out[view.Site], error) {
	row, err := s.siteRow(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if row, err = changedSite(row, in.Body, who(ctx).Name, now); err != nil {
		return nil, err
	}
	if err := s.Store.Customer(who(ctx), row.Customer).UpdateSite(ctx, now, row); err != nil {
		return nil, err
	}
	s.Engine.DueCustomer(row.Customer)
	return s.site(ctx, &in.SitePath)
}

func changedSite(row store.Site, change SiteChange, by string, now time.Time) (store.Site, error) {
	var err error
	if change.Name != nil {
		if row.Name, err = cleanName("name", *change.Name); err != nil {
			return row, err
		}
	}
	if change.Zone != nil {
		if err := checkZone("zone", *change.Zone); err != nil {
			return row, err
		}
		row.Policy.Windows = slices.Clone(row.Policy.Windows)
		for i := range row.Policy.Windows {
			if row.Policy.Windows[i].Zone == row.Zone {
				row.Policy.Windows[i].Zone = *change.Zone
			}
		}
		row.Zone, row.ChangedAt = *change.Zone, now
	}
	if change.Policy != nil {
		rules := row.Policy.Applications
		if row.Policy, err = policyOf(*change.Policy, row.Zone); err != nil {
			return row, err
		}
		if row.Policy.Applications = rules; change.Policy.Applications != nil {
			if row.Policy.Applications, err = rulesOf(change.Policy.Applications, rules, by, now); err != nil {
				return row, err
			}
		}
		row.ChangedAt = now
	}
	return row, nil
}
