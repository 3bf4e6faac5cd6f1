package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"patchbay/client"
	"patchbay/server/view"
)

// Finding are the commands for what advisories affect.
type Finding struct {
	List   FindingList   `cmd:"" help:"List what is open, by CVE: the exploited and the gravest first."`
	Show   FindingShow   `cmd:"" help:"Say who is exposed to a CVE, and what can be done."`
	Device FindingDevice `cmd:"" help:"List what advisories affect on a device, also what is no alarm there."`
}

// FindingList lists what is open.
type FindingList struct {
	Q        string `short:"q" help:"Only those with this in the CVE or in a package's name."`
	Customer string `help:"Only this customer's."`
	Device   string `help:"Only this device's."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// Run prints the list.
func (l *FindingList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	device, err := deviceID(ctx, c, l.Device)
	if err != nil {
		return err
	}
	page, err := client.List[view.ExposedTo](ctx, c, "/findings", query("q", l.Q, "customer", customer, "device", device), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("CVE", "STEP", "SEVERITY", "EXPLOITED", "DEVICES", "CUSTOMERS", "FIX", "PACKAGES", "PUBLISHED")
		for _, e := range page.Items {
			fix := "published"
			if !e.Fixable {
				fix = "none for all"
			}
			t.row(e.ID, e.Step, e.Severity, since(e), e.Devices, e.Customers, fix, strings.Join(e.Items, ", "), e.Published)
		}
		t.total(len(page.Items), page.Total)
	})
}

// since is the day from which on attackers are known to use it.
func since(e view.ExposedTo) string {
	if e.Exploited == nil {
		return "-"
	}
	return "since " + e.Exploited.Format("2006-01-02")
}

// FindingShow says who is exposed.
type FindingShow struct {
	CVE      string `arg:"" name:"cve" help:"CVE number, or the ID of an advisory that stands for none."`
	Customer string `help:"Only this customer's devices."`
}

// Run prints who is.
func (s *FindingShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	e, err := client.Get[view.Exposure](ctx, c, "/findings/"+url.PathEscape(s.CVE), query("customer", customer))
	if err != nil {
		return err
	}
	return g.show(e, func(t *table) {
		t.row(e.ID, string(e.Severity))
		t.row(fmt.Sprintf("open on %d of %d devices (%d silent); %d could not be looked at", e.Devices, e.Enrolled, e.Silent, e.Unread))
		t.row(fmt.Sprintf("a fix is on offer on %d, published and not on offer on %d, and nothing mends it on %d; no alarm on %d", e.Offered, e.Unoffered, e.None, e.NoNeed))
		if m := e.Mended; m.Devices > 0 {
			t.row(fmt.Sprintf("mended on %d devices, the first on %s and the last on %s", m.Devices, m.First.Format("2006-01-02"), m.Last.Format("2006-01-02")))
		}
		t.row("")
		t.row("CUSTOMER", "DEVICE", "STEP", "ITEM", "INSTALLED", "STATUS", "FIXED IN", "FIX", "VERDICT", "NOTE")
		for _, c := range e.Customers {
			for _, d := range c.Devices {
				verdict := ""
				if d.Verdict != nil {
					verdict = string(d.Verdict.Name)
				}
				t.row(c.Customer.Name, d.Device.Name, d.Finding.Step, d.Item.Name, d.Installed, stated(d.Finding), d.Finding.Fixed, strings.ReplaceAll(d.Fix, "_", " "), verdict, d.Finding.Note)
			}
			if listed := len(c.Devices); listed < c.Items {
				t.row(c.Customer.Name, fmt.Sprintf("and %d more items", c.Items-listed))
			}
		}
	})
}

// stated is a finding's status, with whether its publisher says so.
func stated(f view.Finding) string {
	if f.Unconfirmed {
		return string(f.Status) + " (unconfirmed)"
	}
	return string(f.Status)
}

// FindingDevice lists what affects one device.
type FindingDevice struct {
	Device string `arg:"" help:"ID or name."`
}

// Run prints it.
func (s *FindingDevice) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, s.Device)
	if err != nil {
		return err
	}
	d, err := client.Get[view.DeviceFindings](ctx, c, "/devices/"+url.PathEscape(id)+"/findings", nil)
	if err != nil {
		return err
	}
	return g.show(d, func(t *table) {
		if !d.Compared {
			t.row("No feed speaks of this device's system: what affects it is not known.")
			return
		}
		t.row("ITEM", "INSTALLED", "ADVISORY", "STATUS", "STEP", "SEVERITY", "FIXED IN", "SOURCE", "NOTE")
		for _, one := range d.Items {
			for _, f := range one.Findings {
				step := f.Step
				if !f.Status.Open() {
					step = ""
				}
				t.row(one.Item.Name, one.Installed, f.Advisory, stated(f), step, f.Severity, f.Fixed, f.Source, f.Note)
			}
		}
	})
}
