package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
	"patchbay/wire"
)

// query builds a query from pairs, leaving empty ones out.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// Listing are the flags of every list.
type Listing struct {
	Q     string `short:"q" help:"Text to look for."`
	Sort  string `help:"Field to sort by; with - in front the other way round."`
	Limit int    `help:"How many rows; 0 is all." default:"50"`
}

// Customer are the commands for customers.
type Customer struct {
	List   CustomerList   `cmd:"" help:"List customers."`
	Show   CustomerShow   `cmd:"" help:"Show a customer."`
	Create CustomerCreate `cmd:"" help:"Make a customer."`
	Set    CustomerSay    `cmd:"" help:"Say who reaches a customer's devices and how much depends on them, as far as nothing nearer does."`
}

// CustomerList lists customers.
type CustomerList struct{ Listing }

// Run prints the list.
func (l *CustomerList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	page, err := client.List[view.Customer](ctx, c, "/customers", query("q", l.Q, "sort", l.Sort), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "NAME", "DEVICES", "SILENT", "OPEN", "SECURITY", "FAILED")
		for _, v := range page.Items {
			t.row(v.ID, v.Name, v.Posture.Devices, v.Posture.Silent, v.Posture.Open(), v.Posture.SecurityOpen, v.Posture.Failed)
		}
		t.total(len(page.Items), page.Total)
	})
}

// CustomerShow shows a customer.
type CustomerShow struct {
	Customer string `arg:"" help:"ID or name."`
}

// Run prints the customer and its sites.
func (s *CustomerShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := customerID(ctx, c, s.Customer)
	if err != nil {
		return err
	}
	v, err := client.Get[view.Customer](ctx, c, "/customers/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) {
		t.row(v.Name, v.ID)
		t.row("made", v.CreatedAt)
		t.row("sites", v.Sites)
		postureRows(t, v.Posture)
	})
}

func postureRows(t *table, p view.Posture) {
	t.row("devices", fmt.Sprintf("%d enrolled, %d silent, %d never scanned", p.Devices, p.Silent, p.NeverScanned))
	t.row("verified", fmt.Sprintf("%d of %d needs", p.Verified, p.Needs))
	t.row("open", fmt.Sprintf("%d moving, %d waiting for time, %d for a person, %d failed, %d not known; %d of these security",
		p.Moving, p.WaitsTime, p.WaitsPerson, p.Failed, p.Unknown, p.SecurityOpen))
	t.row("excepted", p.Excepted)
}

// CustomerCreate makes a customer.
type CustomerCreate struct {
	Name string `arg:""`
	Note string `help:"A note for colleagues."`
}

// Run makes it and prints its ID.
func (n *CustomerCreate) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Send[view.Customer](ctx, c, http.MethodPost, "/customers", api.NewCustomer{Name: n.Name, Note: n.Note})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row(v.ID, v.Name) })
}

// Site are the commands for sites.
type Site struct {
	List   SiteList   `cmd:"" help:"List sites."`
	Show   SiteShow   `cmd:"" help:"Show a site and its policy."`
	Create SiteCreate `cmd:"" help:"Make a site."`
	Set    SiteSay    `cmd:"" help:"Say who reaches a site's devices and how much depends on them, as far as nothing nearer does."`
	Policy SiteSet    `cmd:"" help:"Set a site's policy; its rules for programs stay."`
	Rule   SiteRule   `cmd:"" help:"Rules of a site for single programs."`
}

// SiteList lists sites.
type SiteList struct {
	Listing
	Customer string `help:"Only this customer's."`
}

// Run prints the list.
func (l *SiteList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.Site](ctx, c, "/sites", query("q", l.Q, "sort", l.Sort, "customer", customer), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "NAME", "CUSTOMER", "ZONE", "BY ITSELF", "DEVICES", "WINDOW")
		for _, v := range page.Items {
			t.row(v.ID, v.Name, v.Customer.Name, v.Zone, v.Policy.Auto, v.Devices, v.Window.Sentence)
		}
		t.total(len(page.Items), page.Total)
	})
}

// SiteShow shows a site.
type SiteShow struct {
	Site string `arg:"" help:"ID or name."`
}

// Run prints the site.
func (s *SiteShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := siteID(ctx, c, s.Site)
	if err != nil {
		return err
	}
	v, err := client.Get[view.Site](ctx, c, "/sites/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { siteRows(t, v) })
}

func siteRows(t *table, v view.Site) {
	t.row(v.Name, v.ID)
	t.row("customer", v.Customer.Name)
	t.row("zone", v.Zone)
	t.row("by itself", strings.Join(append([]string{v.Policy.Auto}, v.Policy.Classes...), ", "))
	t.row("reboots by itself", rebootsWords(v.Policy.Reboots))
	t.row("restarts services by itself", v.Policy.Restarts == "in_window")
	t.row("programs in use", v.Policy.InUse)
	t.row("beside", strings.Join(v.Policy.Beside, ", "))
	t.row("rules for programs", len(v.Policy.Applications))
	t.row("window", v.Window.Sentence)
	for _, w := range v.Policy.Windows {
		t.row("", fmt.Sprintf("%s %s for %d minutes (%s)", strings.Join(w.Days, ","), w.Start, w.Minutes, w.Zone))
	}
	postureRows(t, v.Posture)
}

// rebootsWords says when devices reboot by themselves.
func rebootsWords(r view.Reboots) string {
	text := r.When
	if r.When == string(wire.RebootAsk) {
		text += fmt.Sprintf(", put off at most %d times in %d hours", r.Postpone, r.DeadlineHours)
	}
	if r.When != string(wire.RebootNever) && r.Daily > 0 {
		text += fmt.Sprintf(", at most %d a day", r.Daily)
	}
	return text
}

// PolicyFlags say a policy.
type PolicyFlags struct {
	Auto      string   `help:"What needs no person's answer: ${enum}." enum:"by_hand,security" default:"by_hand"`
	AutoClass []string `help:"A class of updates that needs no answer either: ${enum}; may be given several times." enum:"bugfix,critical,definition,driver,rollup,service_pack,tool" placeholder:"CLASS"`

	Window []string `help:"A weekly window, such as 'sat 22:00 240' or 'mon,tue 01:30 90'; may be given several times." placeholder:"'DAYS START MINUTES'" sep:"none"`

	Reboot       string `help:"Reboots that updates ask for: ${enum}. ask lets those who are logged in choose a time or put it off until the deadline." enum:"never,window,ask" default:"never"`
	Postpone     int    `help:"With --reboot ask: how often they may put it off." default:"3" placeholder:"TIMES"`
	Deadline     int    `help:"With --reboot ask: for how many hours they decide; after that the device reboots in a window." default:"48" placeholder:"HOURS"`
	RebootsDaily int    `help:"How many reboots a day a device makes by itself at most; 0 is no limit." default:"2" placeholder:"N"`

	InUse  string   `help:"A program that somebody has open while it is to be replaced: ${enum}." enum:"wait,ask,close" default:"wait"`
	Beside []string `help:"Another program that may install updates there, and beside which Patchbay installs, such as Intune; may be given several times." placeholder:"NAME" sep:"none"`

	RestartServices bool `help:"Devices restart services that still use old files of what they updated, inside the window."`
}

func (f PolicyFlags) policy() (view.Policy, error) {
	reboots := view.Reboots{When: f.Reboot, Daily: f.RebootsDaily}
	if f.Reboot == string(wire.RebootAsk) {
		reboots.Postpone, reboots.DeadlineHours = f.Postpone, f.Deadline
	}
	p := view.Policy{Auto: f.Auto, Classes: f.AutoClass, Reboots: reboots, InUse: f.InUse, Beside: f.Beside}
	if f.RestartServices {
		p.Restarts = "in_window"
	}
	for _, text := range f.Window {
		parts := strings.Fields(text)
		if len(parts) != 3 {
			return p, errors.New("a window is days, a start and minutes: 'sat 22:00 240'")
		}
		minutes, err := strconv.Atoi(parts[2])
		if err != nil {
			return p, errors.New("a window ends with its length in minutes: 'sat 22:00 240'")
		}
		p.Windows = append(p.Windows, view.Weekly{Days: strings.Split(parts[0], ","), Start: parts[1], Minutes: minutes})
	}
	return p, nil
}

// SiteCreate makes a site.
type SiteCreate struct {
	Customer string `arg:"" help:"ID or name."`
	Name     string `arg:""`
	Zone     string `help:"Time zone, such as Europe/Berlin." required:""`
	PolicyFlags
}

// Run makes it and prints it.
func (n *SiteCreate) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, n.Customer)
	if err != nil {
		return err
	}
	policy, err := n.policy()
	if err != nil {
		return err
	}
	v, err := client.Send[view.Site](ctx, c, http.MethodPost, "/customers/"+url.PathEscape(customer)+"/sites",
		api.NewSite{Name: n.Name, Zone: n.Zone, Policy: &policy})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { siteRows(t, v) })
}

// SiteSet sets a site's policy.
type SiteSet struct {
	Site string `arg:"" help:"ID or name."`
	PolicyFlags
}

// Run sets the whole policy and prints the site.
func (n *SiteSet) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := siteID(ctx, c, n.Site)
	if err != nil {
		return err
	}
	policy, err := n.policy()
	if err != nil {
		return err
	}
	v, err := client.Send[view.Site](ctx, c, http.MethodPatch, "/sites/"+url.PathEscape(id), api.SiteChange{Policy: &policy})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { siteRows(t, v) })
}

// Token are the commands for enrolment tokens.
type Token struct {
	List   TokenList   `cmd:"" help:"List enrolment tokens."`
	Create TokenCreate `cmd:"" help:"Make an enrolment token; prints the line to run on the machine."`
	Revoke TokenRevoke `cmd:"" help:"Revoke an enrolment token."`
}

// TokenList lists tokens.
type TokenList struct {
	Listing
	Customer string `help:"Only this customer's."`
}

// Run prints the list.
func (l *TokenList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.Token](ctx, c, "/tokens", query("q", l.Q, "sort", l.Sort, "customer", customer), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "STATE", "USED", "CUSTOMER", "SITE", "MODE", "EXPIRES", "NOTE")
		for _, v := range page.Items {
			t.row(v.ID, v.State, fmt.Sprintf("%d of %d", v.Used, v.MaxUses), v.Customer.Name, v.Site.Name, v.Mode, v.ExpiresAt, v.Note)
		}
		t.total(len(page.Items), page.Total)
	})
}

// TokenCreate makes a token.
type TokenCreate struct {
	Site  string    `arg:"" help:"ID or name."`
	Note  string    `help:"A note for colleagues."`
	Hours int       `help:"How long it works." default:"24"`
	Uses  int       `help:"How many machines it enrols." default:"1"`
	Mode  wire.Mode `help:"The most an agent may do: ${enum}." enum:"observe,manage" default:"manage"`
}

// Run makes it and prints the line to run.
func (n *TokenCreate) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := siteID(ctx, c, n.Site)
	if err != nil {
		return err
	}
	v, err := client.Send[view.NewToken](ctx, c, http.MethodPost, "/sites/"+url.PathEscape(id)+"/tokens",
		api.TokenWish{Note: n.Note, Hours: n.Hours, Uses: n.Uses, Mode: n.Mode})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row(v.SecretLine) })
}

// TokenRevoke revokes a token.
type TokenRevoke struct {
	Token string `arg:"" help:"ID."`
}

// Run revokes it.
func (n *TokenRevoke) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	if _, err := c.Do(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(n.Token), nil, nil, nil); err != nil {
		return err
	}
	return g.say("Revoked.")
}
