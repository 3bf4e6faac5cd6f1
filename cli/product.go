package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"patchbay/client"
	"patchbay/server/view"
)

// Product are the commands for what is known of a product.
type Product struct {
	Show ProductShow `cmd:"" help:"Say what is known of a product, also of one that no device has: support, how often and how fast it is mended, who says so, and how it went here."`
}

// ProductShow shows one product.
type ProductShow struct {
	Name string        `arg:"" help:"As people or feeds call it, such as postgresql."`
	Wait time.Duration `help:"How long to wait until the feeds were read for it; 0 does not wait." default:"10m"`
}

// Run prints what is known. Reading the feeds takes a while: how far it is stands on the error
// output.
func (s *ProductShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	path := "/products/" + url.PathEscape(s.Name)
	v, err := client.Get[view.Product](ctx, c, path, nil)
	for waited := time.Duration(0); err == nil && !v.Survey.Done && waited < s.Wait; waited += time.Second {
		if v.Survey.Feed != "" {
			fmt.Fprintf(os.Stderr, "Reading %s, %d of %d feeds are read.\n", v.Survey.Feed, v.Survey.Read, v.Survey.Of)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		v, err = client.Get[view.Product](ctx, c, path, nil)
	}
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { productText(t, v) })
}

func productText(t *table, v view.Product) {
	t.row(cmp.Or(v.Title, v.Name))
	t.row("End of support", v.Support)
	for _, c := range v.Cycles {
		t.row("  "+cmp.Or(c.Label, c.Cycle), c.State, cmp.Or(c.Last, "no day known"), paidText(c))
	}
	t.row("Here", ownText(v.Own))
	f := v.Survey
	if !f.Done {
		t.row("Feeds", "are still being read for it: ask again, or wait with --wait.")
		return
	}
	if f.Trouble != "" {
		t.row("Feeds", f.Trouble)
	}
	for _, y := range f.Years {
		t.row(fmt.Sprintf("  %d", y.Year), fmt.Sprintf("%d advisories, %d of them with a version that mends it", y.Advisories, y.Mending))
	}
	t.row("How fast", speedText(f.Speed))
	for _, s := range f.Sources {
		t.row("Who tells", fmt.Sprintf("%s: %d, %s", s.Feed, s.Advisories, s.Who))
	}
	if len(f.Sources) == 0 {
		t.row("Who tells", "No feed that holds here speaks of it by this name.")
	}
	t.row("Names in feeds", strings.Join(f.Packages, ", "))
	t.row("Exploited", fmt.Sprintf("%d known", len(f.Used)))
	for _, u := range f.Used {
		t.row("  "+u.CVE, u.Added.Format(time.DateOnly)+" "+u.Title)
	}
}

func paidText(s view.Support) string {
	if s.Paid.Day == "" {
		return ""
	}
	return "for those who pay until " + s.Paid.Day
}

func ownText(r view.ProductRecord) string {
	if r.Jobs == 0 {
		return "It was never installed or updated here, so how often that fails or restarts a machine is not known."
	}
	return fmt.Sprintf("%d of %d jobs failed, and for %d the machine was restarted (the newest %d at most).", r.Failed, r.Jobs, r.Rebooted, r.Most)
}

func speedText(s view.ProductSpeed) string {
	if s.Known == 0 {
		return fmt.Sprintf("not known: of none of %d CVEs both the day it was told and the day it was mended are known", s.Of)
	}
	return fmt.Sprintf("%d days (median), nine of ten within %d; of %d of %d CVEs, of which both days are known", s.Median, s.Slow, s.Known, s.Of)
}
