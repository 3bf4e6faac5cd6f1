package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"patchbay/client"
	"patchbay/server/view"
)

// Support are the commands for how long anybody mends what is installed.
type Support struct {
	List    SupportList    `cmd:"" help:"List what is out of support, or will be within so many days."`
	Summary SupportSummary `cmd:"" help:"Count devices and items, and say what ends in which month."`
	Devices SupportDevices `cmd:"" help:"List the devices that have something of a line of releases."`
	Device  SupportDevice  `cmd:"" help:"Say for how long what one device has is supported."`
}

// SupportList lists lines of releases.
type SupportList struct {
	Within   int    `help:"Days: what ends by then is listed too." default:"90"`
	Kind     string `help:"Only os, application or hardware."`
	State    string `help:"Only ended, ending, supported or unknown."`
	Q        string `short:"q" help:"Only those with this in their name."`
	Customer string `help:"Only what this customer's devices have."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// Run prints the list.
func (l *SupportList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.SupportRow](ctx, c, "/support", query("within", fmt.Sprint(l.Within), "kind", l.Kind, "state", l.State, "q", l.Q, "customer", customer), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("WHAT", "KIND", "STATE", "LAST DAY", "FREE AFTER THE VENDOR'S", "PAID", "BY WHOSE WORD", "DEVICES", "CUSTOMERS", "ID")
		for _, r := range page.Items {
			t.row(supported(r.Support), r.Kind, r.State, cmp.Or(r.Last, "-"), endText(r.LTS), endText(r.Paid), cmp.Or(r.By, "nobody says"), r.Devices, r.Customers, r.ID)
		}
		t.total(len(page.Items), page.Total)
	})
}

// supported is what a line of releases is called.
func supported(s view.Support) string {
	return strings.TrimSpace(s.Title + " " + cmp.Or(s.Label, s.Cycle))
}

func endText(e view.SupportEnd) string {
	switch {
	case e.Day != "":
		return "until " + e.Day
	case e.Over == "yes":
		return "over"
	case e.Over == "no":
		return "no end known"
	}
	return "-"
}

// SupportSummary counts.
type SupportSummary struct {
	Within   int    `help:"Days: what ends by then is ending." default:"90"`
	Customer string `help:"Only this customer's devices."`
}

// Run prints the counts and the months.
func (s *SupportSummary) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	v, err := client.Get[view.SupportSummary](ctx, c, "/support/summary", query("within", fmt.Sprint(s.Within), "customer", customer))
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) {
		if v.Products == 0 {
			t.row("No feed on ends of support holds here: only what devices themselves know of their systems counts.")
		}
		for _, k := range v.Kinds {
			t.row(fmt.Sprintf("%s: of %d devices %d with something out of support, %d within %d days, %d not known", k.Kind, k.Devices, k.Ended, k.Ending, v.Within, k.Unknown))
			if k.Items > 0 {
				t.row(fmt.Sprintf("  of %d items %d are their distribution's, of %d somebody else tells, of %d nobody does", k.Items, k.Distribution, k.Known, k.Unmapped))
			}
			if k.Why != "" {
				t.row("  " + k.Why)
			}
		}
		t.row("")
		t.row("MONTH", "SYSTEMS", "APPLICATIONS", "WHAT ENDS")
		for _, m := range v.Months {
			if len(m.What) > 0 {
				t.row(m.Month, m.Systems, m.Applications, strings.Join(m.What, ", "))
			}
		}
	})
}

// SupportDevices lists the devices behind a row.
type SupportDevices struct {
	ID       string `arg:"" name:"id" help:"ID of a row, as support list shows it, such as os:debian:10."`
	Customer string `help:"Only this customer's devices."`
	Limit    int    `help:"At most so many; 0 is all." default:"50"`
}

// Run prints them.
func (s *SupportDevices) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.SupportDevice](ctx, c, "/support/devices", query("of", s.ID, "customer", customer), s.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("CUSTOMER", "SITE", "DEVICE", "ITEM", "VERSION")
		for _, d := range page.Items {
			t.row(d.Customer.Name, d.Site.Name, d.Device.Name, d.Item, d.Version)
		}
		t.total(len(page.Items), page.Total)
	})
}

// SupportDevice says it of one device.
type SupportDevice struct {
	Device string `arg:"" help:"ID or name."`
	Within int    `help:"Days: what ends by then is ending." default:"90"`
}

// Run prints it.
func (s *SupportDevice) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, s.Device)
	if err != nil {
		return err
	}
	v, err := client.Get[view.DeviceSupport](ctx, c, "/devices/"+url.PathEscape(id)+"/support", query("within", fmt.Sprint(s.Within)))
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) {
		t.row("WHAT", "INSTALLED", "STATE", "LAST DAY", "WHY")
		if v.System != nil {
			t.row(supported(*v.System), "", v.System.State, cmp.Or(v.System.Last, "-"), v.System.Why)
		}
		for _, a := range v.Applications {
			t.row(supported(a.Support), a.Item+" "+a.Version, a.State, cmp.Or(a.Last, "-"), a.Why)
		}
		t.row("")
		t.row(fmt.Sprintf("Of %d items %d are the distribution's, of %d somebody else tells, of %d nobody does.", v.Counts.Items, v.Counts.Distribution, v.Counts.Known, v.Counts.Unmapped))
		t.row(v.Hardware)
	})
}
