// Package cli is the operator's command line: what the console does, for terminals and
// scripts.
//
// The one idea: a command is a struct whose fields are its arguments and whose Run asks the
// server and prints. Every command prints a table for people or, with --json, exactly what
// the API answered. Things may be named by ID or, where that is unique, by name.
package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"patchbay/client"
	"patchbay/server/view"
)

// Commands are all of the operator's commands.
type Commands struct {
	Login    Login          `cmd:"" help:"Sign in to a server and keep an API key for this account."`
	Logout   Logout         `cmd:"" help:"Forget the API key and revoke it."`
	Status   Status         `cmd:"" help:"Say how things stand."`
	Customer Customer       `cmd:"" help:"Customers."`
	Site     Site           `cmd:"" help:"Sites of customers and their policies."`
	Token    Token          `cmd:"" help:"Enrolment tokens."`
	Device   Device         `cmd:"" help:"Devices."`
	Group    Group          `cmd:"" help:"Groups of devices of one customer."`
	Update   Update         `cmd:"" help:"Updates over all devices."`
	Need     Need           `cmd:"" help:"Needs: one item on one device, and why it is not patched."`
	Finding  Finding        `cmd:"" help:"Findings: what advisories affect, and who is exposed."`
	Bulletin Bulletin       `cmd:"" help:"Bulletins: what is news of the feeds, and whom it touches."`
	Support  Support        `cmd:"" help:"Ends of support: what nobody mends any more, or soon."`
	Coverage Coverage       `cmd:"" help:"Say what is looked at for advisories, and what is not and why."`
	Product  Product        `cmd:"" help:"Products: how often and how fast they are mended, and for how long, also before buying one."`
	Software Software       `cmd:"" help:"Software that stands out: what nobody updates, and several programs for one purpose."`
	SBOM     SBOM           `cmd:"" name:"sbom" help:"Write what is on a device, and what affects it, as a bill of materials (CycloneDX 1.6 with VEX)."`
	Approve  Approve        `cmd:"" help:"Approve updates."`
	Reject   Reject         `cmd:"" help:"Reject an update."`
	Undo     Undo           `cmd:"" help:"Take an update back where it is installed, and reject it."`
	Approval Approval       `cmd:"" help:"Answers given so far."`
	Job      Job            `cmd:"" help:"Jobs."`
	Content  Content        `cmd:"" help:"Files that agents install from."`
	Activity Activity       `cmd:"" help:"Who did what."`
	Trust    Trust          `cmd:"" help:"Who may sign what, and what agents are held to."`
	Key      KeyCommand     `cmd:"" name:"key" help:"Keys that no server has: of root, publisher and approvers."`
	Root     RootCommand    `cmd:"" name:"root" help:"Roots: which keys may sign what."`
	Limits   LimitsCommand  `cmd:"" name:"limits" help:"Limits: what the server may order at most."`
	Catalog  CatalogCommand `cmd:"" help:"Catalogues: which programs devices may install beside what their package managers verify."`
	Sign     Sign           `cmd:"" help:"Say what a document means, and sign it with a key that no server has."`
	Verify   VerifyCommand  `cmd:"" name:"verify" help:"Check offline what a device signed."`
}

// Globals are the flags that every command takes.
type Globals struct {
	Server string `help:"Address of the server; the one of the last login by default." env:"PATCHBAY_SERVER" placeholder:"URL"`
	Key    string `help:"API key; the one of the last login by default." env:"PATCHBAY_KEY" placeholder:"pbk_…"`
	CA     string `name:"ca" help:"File with the server's own authority (PEM)." env:"PATCHBAY_CA" type:"path"`
	JSON   bool   `name:"json" help:"Print what the API answers."`

	Out io.Writer        `kong:"-"` // where results go
	In  io.Reader        `kong:"-"` // where questions are answered
	Now func() time.Time `kong:"-"`
	// Work is what a guess of a key file's passphrase costs, as sign.Lock takes it.
	Work int `kong:"-"`
}

// connect gives a client for the server and person that the flags or the last login name.
func (g *Globals) connect() (*client.Client, error) {
	saved, err := readLogin()
	if err != nil {
		return nil, err
	}
	if g.Server != "" && g.Server != saved.Server {
		saved = login{Server: g.Server} // a key is for the server it is from
	}
	if g.Key != "" {
		saved.Key = g.Key
	}
	if saved.Server == "" || saved.Key == "" {
		return nil, fmt.Errorf("nobody is signed in: run patchbay login --server URL, or set PATCHBAY_SERVER and PATCHBAY_KEY")
	}
	ca, err := g.authority(saved.CA)
	if err != nil {
		return nil, err
	}
	return client.New(saved.Server, saved.Key, ca)
}

// show prints v as JSON, or as people read it.
func (g *Globals) show(v any, people func(w *table)) error {
	if g.JSON {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("writing JSON: %w", err)
		}
		_, err = fmt.Fprintln(g.Out, string(b))
		return err
	}
	t := &table{w: tabwriter.NewWriter(g.Out, 0, 4, 2, ' ', 0), now: g.Now()}
	people(t)
	return t.w.Flush()
}

// say prints a sentence, or nothing with --json.
func (g *Globals) say(text string) error {
	if g.JSON {
		_, err := fmt.Fprintln(g.Out, "{}")
		return err
	}
	_, err := fmt.Fprintln(g.Out, visible(text))
	return err
}

// table prints aligned columns.
type table struct {
	w   *tabwriter.Writer
	now time.Time
}

// row prints one line. What comes from devices is made harmless for terminals first.
func (t *table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		switch v := c.(type) {
		case time.Time:
			texts[i] = t.ago(v)
		case *time.Time:
			if texts[i] = "-"; v != nil {
				texts[i] = t.ago(*v)
			}
		default:
			texts[i] = visible(fmt.Sprint(c))
		}
	}
	fmt.Fprintln(t.w, strings.Join(texts, "\t"))
}

// total says how many rows there are when not all are shown.
func (t *table) total(shown, total int) {
	if shown < total {
		fmt.Fprintf(t.w, "%d of %d shown; --limit 0 shows all\n", shown, total)
	}
}

// ago says a time as people do.
func (t *table) ago(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	d, word := t.now.Sub(at), "%s ago"
	if d < 0 {
		d, word = -d, "in %s"
	}
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf(word, fmt.Sprintf("%d min", d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf(word, fmt.Sprintf("%d h", d/time.Hour))
	}
	return fmt.Sprintf(word, fmt.Sprintf("%d days", d/(24*time.Hour)))
}

// visible replaces what would move the cursor or break the table.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return '·'
		}
		return r
	}, s)
}

// named finds the ID of a thing that a person called by ID or by name.
func named[T any](ctx context.Context, c *client.Client, what, prefix, path, called string, ref func(T) view.Ref) (string, error) {
	if called == "" || strings.HasPrefix(called, prefix+"_") {
		return called, nil
	}
	page, err := client.List[T](ctx, c, path, url.Values{"q": {called}}, 0)
	if err != nil {
		return "", err
	}
	var found []string
	for _, row := range page.Items {
		if r := ref(row); strings.EqualFold(r.Name, called) {
			found = append(found, r.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("there is no %s of that name: see patchbay %s list", what, what)
	}
	return "", fmt.Errorf("%d %ss have that name: use an ID of patchbay %s list", len(found), what, what)
}

func customerID(ctx context.Context, c *client.Client, called string) (string, error) {
	return named(ctx, c, "customer", "cus", "/customers", called, func(v view.Customer) view.Ref { return view.Ref{ID: v.ID, Name: v.Name} })
}

func siteID(ctx context.Context, c *client.Client, called string) (string, error) {
	return named(ctx, c, "site", "site", "/sites", called, func(v view.Site) view.Ref { return view.Ref{ID: v.ID, Name: v.Name} })
}

func deviceID(ctx context.Context, c *client.Client, called string) (string, error) {
	return named(ctx, c, "device", "dev", "/devices", called, func(v view.Device) view.Ref { return view.Ref{ID: v.ID, Name: v.Name} })
}
