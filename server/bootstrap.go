package server

import (
	"context"
	"errors"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/window"
	"patchbay/wire"
)

// FirstSite is a first customer with a site, made on the server's own machine.
type FirstSite struct {
	Data, Database       string
	Customer, Site, Zone string
	Mode                 string
	Now                  time.Time
}

// ErrStarted means that the installation has customers already.
var ErrStarted = errors.New("there is a customer already: make tokens in the console or with patchbay token create")

// Bootstrap makes a first customer, a site with a window on Saturday nights and a token for
// one machine, and returns the token. It refuses when there is a customer.
func Bootstrap(ctx context.Context, f FirstSite) (token string, err error) {
	o := withDefaults(Options{Data: f.Data, Database: f.Database})
	s, authority, err := openAll(ctx, f.Data, o.Database, f.Now, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	who := store.Who{ID: "system", Name: "set-up on the server"}
	customers, err := s.MSP(who).Customers(ctx)
	if err != nil {
		return "", err
	}
	if len(customers) > 0 {
		return "", ErrStarted
	}
	customer := store.CustomerRow{ID: patch.NewID(patch.CustomerID), Name: f.Customer, CreatedAt: f.Now}
	site := store.Site{ID: patch.NewID(patch.SiteID), Customer: customer.ID, Name: f.Site, Zone: f.Zone, CreatedAt: f.Now, ChangedAt: f.Now,
		Policy: store.SitePolicy{Auto: store.ByHand, Windows: []window.Weekly{{Zone: f.Zone, Days: []string{"sat"}, Start: "22:00", Minutes: 240}}}}
	secret := wire.Token{Secret: patch.NewID("pbt"), Pin: authority.Pin()}
	row := store.Token{ID: patch.NewID(patch.TokenID), Customer: customer.ID, Site: site.ID, Note: "the first machine", Mode: wire.Mode(f.Mode),
		MaxUses: 1, CreatedAt: f.Now, CreatedBy: who.ID, ExpiresAt: f.Now.Add(24 * time.Hour)}
	h := s.Customer(who, customer.ID)
	if err := s.MSP(who).CreateCustomer(ctx, f.Now, customer); err != nil {
		return "", err
	}
	if err := h.CreateSite(ctx, f.Now, site); err != nil {
		return "", err
	}
	return secret.String(), h.CreateToken(ctx, f.Now, row, access.TokenHash(secret.Secret))
}
