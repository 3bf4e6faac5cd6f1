package api

import (
	"context"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
)

// GroupsParams are what the list of groups takes.
type GroupsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
}

func (s *Server) groups(ctx context.Context, in *GroupsParams) (*Out[view.Page[view.Group]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	names, err := s.customerNames(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.groupRows(ctx, in.Customer)
	if err != nil {
		return nil, err
	}
	var views []view.Group
	for _, g := range rows {
		if matches(f.Q, g.Name, names[g.Customer]) {
			views = append(views, groupView(g, names[g.Customer]))
		}
	}
	p := view.Paginate(views, f, false, func(g view.Group) string {
		return view.Fold(g.Customer.Name) + "\x00" + g.Customer.ID + "\x00" + view.Number(g.Rank)
	},
		func(g view.Group) string { return g.ID })
	return page(p, f, s.Now()), nil
}

// groupRows reads the groups of one customer, or of all.
func (s *Server) groupRows(ctx context.Context, customer string) ([]store.Group, error) {
	if customer == "" {
		return s.Store.MSP(who(ctx)).Groups(ctx)
	}
	return s.Store.Customer(who(ctx), customer).Groups(ctx)
}

func groupView(g store.Group, customer string) view.Group {
	return view.Group{ID: g.ID, Name: g.Name, Customer: view.Ref{ID: g.Customer, Name: customer}, Rank: g.Rank, Devices: g.Devices, CreatedAt: g.CreatedAt}
}

// NewGroup is a wish for a group.
type NewGroup struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
}

func (s *Server) newGroup(ctx context.Context, in *struct {
	CustomerPath
	Body NewGroup
}) (*Out[view.Group], error) {
	name, err := cleanName("name", in.Body.Name)
	if err != nil {
		return nil, err
	}
	now, h := s.Now(), s.Store.Customer(who(ctx), in.Customer)
	g := store.Group{ID: patch.NewID(patch.GroupID), Customer: in.Customer, Name: name, CreatedAt: now}
	if _, err := h.Get(ctx); err != nil {
		return nil, err
	}
	if err := h.CreateGroup(ctx, now, g); err != nil {
		return nil, err
	}
	return s.oneGroup(ctx, g.ID)
}

// GroupPath names a group.
type GroupPath struct {
	Group string `path:"group" maxLength:"60"`
}

// groupRow finds a group, whichever customer it is of.
func (s *Server) groupRow(ctx context.Context, id string) (store.Group, error) {
	rows, err := s.groupRows(ctx, "")
	if err != nil {
		return store.Group{}, err
	}
	for _, g := range rows {
		if g.ID == id {
			return g, nil
		}
	}
	return store.Group{}, notFound()
}

func (s *Server) oneGroup(ctx context.Context, id string) (*Out[view.Group], error) {
	g, err := s.groupRow(ctx, id)
	if err != nil {
		return nil, err
	}
	customer, err := s.Store.Customer(who(ctx), g.Customer).Get(ctx)
	if err != nil {
		return nil, err
	}
	return out(groupView(g, customer.Name)), nil
}

// GroupChange changes what is set.
type GroupChange struct {
	Name *string `json:"name,omitempty" minLength:"1" maxLength:"100"`
	Rank *int    `json:"rank,omitempty" minimum:"1" maximum:"100000" doc:"Its place among the customer's groups, from 1; the others make room"`
}

func (s *Server) changeGroup(ctx context.Context, in *struct {
	GroupPath
	Body GroupChange
}) (*Out[view.Group], error) {
	g, err := s.groupRow(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		if g.Name, err = cleanName("name", *in.Body.Name); err != nil {
			return nil, err
		}
	}
	if in.Body.Rank != nil {
		g.Rank = *in.Body.Rank
	}
	if err := s.Store.Customer(who(ctx), g.Customer).UpdateGroup(ctx, s.Now(), g.ID, g.Name, g.Rank); err != nil {
		return nil, err
	}
	s.Engine.DueCustomer(g.Customer)
	return s.oneGroup(ctx, g.ID)
}

func (s *Server) deleteGroup(ctx context.Context, in *GroupPath) (*Empty, error) {
	g, err := s.groupRow(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	if err := s.Store.Customer(who(ctx), g.Customer).DeleteGroup(ctx, s.Now(), g.ID); err != nil {
		return nil, err
	}
	s.Engine.DueCustomer(g.Customer)
	return nil, nil
}
