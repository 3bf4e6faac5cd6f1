package api

import (
	"context"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
)

// CustomersParams are what the list of customers takes.
type CustomersParams struct {
	ListParams
	Sort string `query:"sort" enum:"name,-name,created_at,-created_at,open,-open,security_open,-security_open,silent,-silent,devices,-devices" doc:"name by default"`
}

func (s *Server) customers(ctx context.Context, in *CustomersParams) (*Out[view.Page[view.Customer]], error) {
	now := s.Now()
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	rows, err := s.customerViews(ctx, now)
	if err != nil {
		return nil, err
	}
	rows = chosen(rows, func(c view.Customer) bool { return matches(f.Q, c.Name, c.Note) })
	field, descending := f.Field("name")
	p := view.Paginate(rows, f, descending, func(c view.Customer) string { return customerKey(c, field) },
		func(c view.Customer) string { return c.ID })
	return page(p, f, now), nil
}

func customerKey(c view.Customer, field string) string {
	switch field {
	case "created_at":
		return view.Moment(&c.CreatedAt)
	case "open":
		return view.Number(c.Posture.Open())
	case "security_open":
		return view.Number(c.Posture.SecurityOpen)
	case "silent":
		return view.Number(c.Posture.Silent)
	case "devices":
		return view.Number(c.Posture.Devices)
	}
	return view.Fold(c.Name)
}

// customerViews gives all customers as they are shown.
func (s *Server) customerViews(ctx context.Context, now time.Time) ([]view.Customer, error) {
	msp := s.Store.MSP(who(ctx))
	rows, err := msp.Customers(ctx)
	if err != nil {
		return nil, err
	}
	sites, err := msp.Sites(ctx)
	if err != nil {
		return nil, err
	}
	postures := s.Fleet.Postures(now, store.LevelCustomer)
	byCustomer := map[string][]store.Site{}
	for _, site := range sites {
		byCustomer[site.Customer] = append(byCustomer[site.Customer], site)
	}
	views := make([]view.Customer, 0, len(rows))
	for _, c := range rows {
		views = append(views, customerView(c, byCustomer[c.ID], postures[c.ID], now))
	}
	return views, nil
}

func customerView(c store.CustomerRow, sites []store.Site, p view.Posture, now time.Time) view.Customer {
	return view.Customer{
		ID: c.ID, Name: c.Name, Note: c.Note, CreatedAt: c.CreatedAt, ClosedAt: c.ClosedAt,
		Sites: len(sites), Posture: p, NextWindow: nextWindow(sites, now),
	}
}

// nextWindow finds the site whose window is open or opens first.
func nextWindow(sites []store.Site, now time.Time) *view.NextWindow {
	var next *view.NextWindow
	for _, site := range sites {
		w := windowOf(site, now)
		at := w.NextOpen
		if w.Open {
			at = w.NextChange
		}
		if at == nil {
			continue
		}
		n := view.NextWindow{Site: site.ID, SiteName: site.Name, At: *at, Open: w.Open}
		if next == nil || n.Open && !next.Open || n.Open == next.Open && n.At.Before(next.At) {
			next = &n
		}
	}
	return next
}

// NewCustomer is a wish for a customer.
type NewCustomer struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
	Note string `json:"note,omitempty" maxLength:"2000"`
}

func (s *Server) newCustomer(ctx context.Context, in *struct{ Body NewCustomer }) (*Out[view.Customer], error) {
	name, err := cleanName("name", in.Body.Name)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	row := store.CustomerRow{ID: patch.NewID(patch.CustomerID), Name: name, Note: in.Body.Note, CreatedAt: now}
	if err := s.Store.MSP(who(ctx)).CreateCustomer(ctx, now, row); err != nil {
		return nil, err
	}
	return out(customerView(row, nil, view.Posture{}, now)), nil
}

// CustomerPath names a customer.
type CustomerPath struct {
	Customer string `path:"customer" maxLength:"60"`
}

func (s *Server) customer(ctx context.Context, in *CustomerPath) (*Out[view.Customer], error) {
	h := s.Store.Customer(who(ctx), in.Customer)
	row, err := h.Get(ctx)
	if err != nil {
		return nil, err
	}
	sites, err := h.Sites(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return out(customerView(row, sites, s.Fleet.Postures(now, store.LevelCustomer)[row.ID], now)), nil
}

// CustomerChange changes what is set.
type CustomerChange struct {
	Name *string `json:"name,omitempty" minLength:"1" maxLength:"100"`
	Note *string `json:"note,omitempty" maxLength:"2000"`
}

func (s *Server) changeCustomer(ctx context.Context, in *struct {
	CustomerPath
	Body CustomerChange
}) (*Out[view.Customer], error) {
	row, err := s.Store.Customer(who(ctx), in.Customer).Get(ctx)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		if row.Name, err = cleanName("name", *in.Body.Name); err != nil {
			return nil, err
		}
	}
	if in.Body.Note != nil {
		row.Note = *in.Body.Note
	}
	if err := s.Store.MSP(who(ctx)).UpdateCustomer(ctx, s.Now(), row); err != nil {
		return nil, err
	}
	return s.customer(ctx, &in.CustomerPath)
}
