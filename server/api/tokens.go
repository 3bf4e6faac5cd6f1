package api

import (
	"context"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// TokensParams are what the list of enrolment tokens takes.
type TokensParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Sort     string `query:"sort" enum:"created_at,-created_at,expires_at,-expires_at,customer,-customer" doc:"-created_at by default"`
}

func (s *Server) tokens(ctx context.Context, in *TokensParams) (*Out[view.Page[view.Token]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.MSP(who(ctx)).Tokens(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	var views []view.Token
	for _, row := range rows {
		if in.Customer != "" && row.Customer != in.Customer || in.Site != "" && row.Site != in.Site {
			continue
		}
		if v := tokenView(row, names, now); matches(f.Q, v.Note, v.Customer.Name, v.Site.Name) {
			views = append(views, v)
		}
	}
	field, descending := f.Field("-created_at")
	p := view.Paginate(views, f, descending, func(v view.Token) string { return tokenKey(v, field) },
		func(v view.Token) string { return v.ID })
	return page(p, f, now), nil
}

func tokenKey(v view.Token, field string) string {
	switch field {
	case "expires_at":
		return view.Moment(&v.ExpiresAt)
	case "customer":
		return view.Fold(v.Customer.Name)
	}
	return view.Moment(&v.CreatedAt)
}

func tokenView(row store.Token, names names, now time.Time) view.Token {
	return view.Token{
		ID: row.ID, Customer: names.customer(row.Customer), Site: names.site(row.Site), Note: row.Note,
		Mode: row.Mode, MaxUses: row.MaxUses, Used: row.Used, CreatedAt: row.CreatedAt,
		CreatedBy: names.person(row.CreatedBy).Name, ExpiresAt: row.ExpiresAt, RevokedAt: row.RevokedAt,
		State: tokenState(row, now),
	}
}

func tokenState(row store.Token, now time.Time) string {
	switch {
	case row.RevokedAt != nil:
		return "revoked"
	case row.Used >= row.MaxUses:
		return "used_up"
	case !row.ExpiresAt.After(now):
		return "expired"
	}
	return "open"
}

// TokenWish is a wish for an enrolment token.
type TokenWish struct {
	Note  string    `json:"note,omitempty" maxLength:"200"`
	Hours int       `json:"hours,omitempty" minimum:"1" maximum:"720" default:"24"`
	Uses  int       `json:"uses,omitempty" minimum:"1" maximum:"1000" default:"1"`
	Mode  wire.Mode `json:"mode,omitempty" enum:"observe,manage" default:"manage" doc:"The most an agent enrolled with it may do"`
}

func (s *Server) newToken(ctx context.Context, in *struct {
	SitePath
	Body TokenWish
}) (*Out[view.NewToken], error) {
	site, err := s.siteRow(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	secret := wire.Token{Secret: patch.NewID("pbt"), Pin: s.Pin}
	row := store.Token{
		ID: patch.NewID(patch.TokenID), Customer: site.Customer, Site: site.ID, Note: in.Body.Note,
		Mode: in.Body.Mode, MaxUses: in.Body.Uses, CreatedAt: now, CreatedBy: who(ctx).ID,
		ExpiresAt: now.Add(hours(in.Body.Hours)),
	}
	if err := s.Store.Customer(who(ctx), site.Customer).CreateToken(ctx, now, row, access.TokenHash(secret.Secret)); err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	line := "patchbay-agent enroll --server " + s.AgentURL + " --token " + secret.String()
	return out(view.NewToken{
		Token: tokenView(row, names, now), SecretLine: line,
		InstallLines: []string{"sudo " + strings.Replace(line, "enroll", "install", 1)},
	}), nil
}

// TokenPath names an enrolment token.
type TokenPath struct {
	Token string `path:"token" maxLength:"60"`
}

func (s *Server) revokeToken(ctx context.Context, in *TokenPath) (*Empty, error) {
	rows, err := s.Store.MSP(who(ctx)).Tokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row.ID == in.Token {
			return nil, s.Store.Customer(who(ctx), row.Customer).RevokeToken(ctx, s.Now(), row.ID)
		}
	}
	return nil, notFound()
}

// names gives things their names, read once per request.
type names struct {
	customers, sites, persons, devices map[string]string // devices: also retired ones
}

func (s *Server) names(ctx context.Context) (names, error) {
	n := names{sites: map[string]string{}, persons: map[string]string{}, devices: map[string]string{}}
	var err error
	if n.customers, err = s.customerNames(ctx); err != nil {
		return n, err
	}
	msp := s.Store.MSP(who(ctx))
	sites, err := msp.Sites(ctx)
	if err != nil {
		return n, err
	}
	for _, site := range sites {
		n.sites[site.ID] = site.Name
	}
	persons, err := msp.Persons(ctx)
	if err != nil {
		return n, err
	}
	for _, p := range persons {
		n.persons[p.ID] = p.Name
	}
	return n, nil
}

func (n names) customer(id string) view.Ref { return view.Ref{ID: id, Name: n.customers[id]} }
func (n names) site(id string) view.Ref     { return view.Ref{ID: id, Name: n.sites[id]} }

// person names who did something; programs are called by what they are.
func (n names) person(id string) view.Ref {
	if name, ok := n.persons[id]; ok {
		return view.Ref{ID: id, Name: name}
	}
	return view.Ref{ID: id, Name: id}
}
