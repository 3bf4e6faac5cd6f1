package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"patchbay/client"
	"patchbay/server/view"
)

// Coverage says what is looked at for advisories, and what is not.
type Coverage struct {
	Customer string `help:"Only this customer's devices."`
	Q        string `short:"q" help:"Only systems and providers with this in their name."`
	State    string `help:"Only whole, where everything is looked at, or partly."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// coverage is what is printed as JSON.
type coverage struct {
	view.CoverageSummary
	Rows view.Page[view.Coverage] `json:"rows"`
}

// Run prints it.
func (s *Coverage) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	sum, err := client.Get[view.CoverageSummary](ctx, c, "/coverage/summary", query("customer", customer))
	if err != nil {
		return err
	}
	page, err := client.List[view.Coverage](ctx, c, "/coverage", query("customer", customer, "q", s.Q, "state", s.State), s.Limit)
	if err != nil {
		return err
	}
	return g.show(coverage{sum, page}, func(t *table) {
		t.row(fmt.Sprintf("Of %d devices something is looked at on %d (%d silent), and nothing on %d.", sum.Devices, sum.Looked, sum.Silent, sum.Blind))
		t.row(fmt.Sprintf("Of %d items %d are compared with advisories, %d are of other publishers, and of %d no feed here speaks.", sum.Items, sum.Compared, sum.Foreign, sum.Unmapped))
		t.row("")
		t.row("SYSTEM", "PROVIDER", "DEVICES", "UNREAD", "SILENT", "ITEMS", "COMPARED", "OTHERS'", "NOBODY'S", "FEEDS", "WHY NOT ALL")
		for _, r := range page.Items {
			var feeds []string
			for _, f := range r.Feeds {
				feeds = append(feeds, f.Name+" ("+f.Standing+")")
			}
			t.row(r.System, cmp.Or(r.Provider, "-"), r.Devices, r.Unread, r.Silent, r.Items, r.Compared, r.Foreign, r.Unmapped, cmp.Or(strings.Join(feeds, ", "), "none"), strings.Join(r.Why, " "))
		}
		t.total(len(page.Items), page.Total)
	})
}
