package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"patchbay/client"
	"patchbay/server/view"
)

// Bulletin are the commands for what is news of the feeds.
type Bulletin struct {
	List BulletinList `cmd:"" help:"List bulletins: those that touch a device first, then the newest."`
	Show BulletinShow `cmd:"" help:"Say whom a bulletin touches, and what can be done."`
}

// BulletinList lists bulletins.
type BulletinList struct {
	Q        string `short:"q" help:"Only those with this in the name, the title, a CVE or an update."`
	Customer string `help:"Whom they touch of this customer alone."`
	Kind     string `help:"Only of this kind: new, fixed, exploited, raised, monthly, out-of-band, recalled or trouble."`
	Touching bool   `help:"Only those that touch a device now."`
	Days     int    `help:"Only those first seen in the last so many days."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// Run prints the list.
func (l *BulletinList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	q := query("q", l.Q, "customer", customer, "kind", l.Kind)
	if l.Touching {
		q.Set("touching", "true")
	}
	if l.Days > 0 {
		q.Set("days", fmt.Sprint(l.Days))
	}
	page, err := client.List[view.Bulletin](ctx, c, "/bulletins", q, l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("BULLETIN", "NEWS", "SEEN", "DEVICES", "CUSTOMERS", "WITH FIX", "WITHOUT", "NOT LOOKED AT", "FEED", "TITLE", "ID")
		for _, b := range page.Items {
			t.row(b.Name, b.Kind, b.SeenAt, b.Devices, b.Customers, b.Mendable, b.Unmended, b.Unread, b.Feed, b.Title, b.ID)
		}
		t.total(len(page.Items), page.Total)
	})
}

// BulletinShow shows one.
type BulletinShow struct {
	Bulletin string `arg:"" help:"ID, or its name where only one has it."`
	Customer string `help:"Whom it touches of this customer alone."`
}

// Run prints it.
func (s *BulletinShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	id, err := bulletinID(ctx, c, s.Bulletin)
	if err != nil {
		return err
	}
	d, err := client.Get[view.BulletinDetail](ctx, c, "/bulletins/"+url.PathEscape(id), query("customer", customer))
	if err != nil {
		return err
	}
	return g.show(d, func(t *table) { bulletinRows(t, d) })
}

// bulletinID finds a bulletin by its name.
func bulletinID(ctx context.Context, c *client.Client, name string) (string, error) {
	if strings.HasPrefix(name, "bul_") {
		return name, nil
	}
	page, err := client.List[view.Bulletin](ctx, c, "/bulletins", query("q", name), 0)
	if err != nil {
		return "", err
	}
	var found []view.Bulletin
	for _, b := range page.Items {
		if strings.EqualFold(b.Name, name) {
			found = append(found, b)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("there is no bulletin %q: patchbay bulletin list shows all", name)
	case 1:
		return found[0].ID, nil
	}
	var which []string
	for _, b := range found {
		which = append(which, fmt.Sprintf("%s (%s, of %s)", b.ID, b.Kind, b.Feed))
	}
	return "", fmt.Errorf("%d bulletins are called %s; say which by its ID: %s", len(found), name, strings.Join(which, ", "))
}

func bulletinRows(t *table, d view.BulletinDetail) {
	t.row(d.Name, d.Kind, string(d.Severity))
	if d.Title != "" {
		t.row(d.Title)
	}
	if d.Recall != nil {
		t.row(d.Recall.Sentence)
	}
	if d.Why != "" {
		t.row(d.Why)
	}
	t.row(fmt.Sprintf("It touches %d of %d devices; %d could not be looked at.", d.Devices, d.Enrolled, d.Unread))
	if len(d.Open) > 0 {
		t.row("Open of it: " + strings.Join(d.Open, ", "))
	}
	if len(d.ByCustomer) == 0 {
		return
	}
	t.row("")
	if d.Kind == "recalled" || d.Kind == "trouble" {
		t.row("CUSTOMER", "DEVICES", "HELD", "INSTALLED", "SILENT")
		for _, c := range d.ByCustomer {
			t.row(c.Customer.Name, c.Devices, c.Held, c.Installed, c.Silent)
		}
		return
	}
	t.row("CUSTOMER", "DEVICES", "FIX ON OFFER", "NOT OFFERED", "NO FIX", "SILENT")
	for _, c := range d.ByCustomer {
		t.row(c.Customer.Name, c.Devices, c.Offered, c.Unoffered, c.None, c.Silent)
	}
}
