package cli

import (
	"context"
	"fmt"
	"strings"

	"patchbay/client"
	"patchbay/server/view"
)

// Software are the commands for what of the fleet's software stands out.
type Software struct {
	Unattended SoftwareUnattended `cmd:"" help:"List items that nobody updates, and why; with an ID, the devices that have it."`
	Several    SoftwareSeveral    `cmd:"" help:"List purposes for which there are several programs; with one, the devices that have several."`
}

// SoftwareUnattended lists what nobody updates.
type SoftwareUnattended struct {
	ID       string `arg:"" optional:"" name:"id" help:"ID of an item of the list, such as winget/WinRAR."`
	Q        string `short:"q" help:"Only those with this in their name."`
	Customer string `help:"Only this customer's."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// Run prints the list.
func (s *SoftwareUnattended) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	if s.ID != "" {
		return g.softwareDevices(ctx, c, "/software/unattended/devices", query("of", s.ID, "q", s.Q, "customer", customer), s.Limit)
	}
	sum, err := client.Get[view.UnattendedSummary](ctx, c, "/software/unattended/summary", query("customer", customer))
	if err != nil {
		return err
	}
	page, err := client.List[view.Unattended](ctx, c, "/software/unattended", query("q", s.Q, "customer", customer), s.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row(fmt.Sprintf("Nobody updates %d of %d items; %d of %d devices have one, and of %d the software is not known.", sum.Nobody, sum.Items, sum.With, sum.Devices, sum.Unread))
		t.row("")
		t.row("ITEM", "PROVIDER", "DEVICES", "CUSTOMERS", "WHY", "ID")
		for _, r := range page.Items {
			t.row(r.Name, r.Provider, r.Devices, r.Customers, r.Why, r.ID)
		}
		t.total(len(page.Items), page.Total)
	})
}

// softwareDevices prints the devices behind a row.
func (g *Globals) softwareDevices(ctx context.Context, c *client.Client, path string, query map[string][]string, limit int) error {
	page, err := client.List[view.SoftwareDevice](ctx, c, path, query, limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("CUSTOMER", "SITE", "DEVICE", "PROGRAMS")
		for _, d := range page.Items {
			t.row(d.Customer.Name, d.Site.Name, d.Device.Name, strings.Join(d.Programs, ", "))
		}
		t.total(len(page.Items), page.Total)
	})
}

// SoftwareSeveral lists purposes for which there are several programs.
type SoftwareSeveral struct {
	Purpose  string `arg:"" optional:"" help:"A purpose of the list, such as browser."`
	Customer string `help:"Only this customer's."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// Run prints the list.
func (s *SoftwareSeveral) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	if s.Purpose != "" {
		return g.softwareDevices(ctx, c, "/software/several/devices", query("purpose", s.Purpose, "customer", customer), s.Limit)
	}
	page, err := client.List[view.Several](ctx, c, "/software/several", query("customer", customer), s.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("PURPOSE", "DEVICES WITH SEVERAL", "OF", "CUSTOMERS WITH SEVERAL", "OF", "PROGRAMS")
		for _, r := range page.Items {
			var names []string
			for _, p := range r.Programs {
				names = append(names, fmt.Sprintf("%s (%d)", p.Name, p.Devices))
			}
			t.row(r.Purpose, r.Several, r.Devices, r.Mixed, r.Customers, strings.Join(names, ", "))
		}
		t.total(len(page.Items), page.Total)
	})
}
