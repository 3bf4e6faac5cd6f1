package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/wire"
)

// Trust is about who may sign what.
type Trust struct {
	Show    TrustShow    `cmd:"" default:"1" help:"Say who may sign what, and what agents are held to."`
	Publish TrustPublish `cmd:"" help:"Publish a root, limits, a catalogue or an approval that was signed elsewhere."`
	Draft   TrustDraft   `cmd:"" help:"Write an approval for approvers to sign."`
}

// TrustShow shows it.
type TrustShow struct{}

// Run prints it.
func (TrustShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Get[api.Trust](ctx, c, "/trust", nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { trustRows(t, v) })
}

func trustRows(t *table, v api.Trust) {
	t.row("Server key", v.ServerKey)
	t.row("Addresses", strings.Join(v.Addresses, " "))
	if r := v.Root; r != nil {
		t.row("Root", fmt.Sprintf("version %d, until %s", r.Version, r.Expires.UTC().Format(time.DateOnly)))
		for _, role := range r.Roles {
			t.row("  "+role.Name, fmt.Sprintf("%d of %d", role.Threshold, len(role.Keys)), strings.Join(role.Keys, " "))
		}
	}
	if l := v.Limits; l != nil {
		t.row("Limits", fmt.Sprintf("version %d, until %s", l.Version, l.Expires.UTC().Format(time.DateOnly)))
		t.row("  verbs", strings.Join(l.Verbs, " "))
		for _, s := range l.Sources {
			t.row("  source", s.Provider, s.Origin)
		}
		if l.DevicesPerHour > 0 {
			t.row("  rate", fmt.Sprintf("%d of %d devices begin in an hour", l.DevicesPerHour, l.Fleet))
		}
		t.row("  signatures", fmt.Sprintf("%d to go beyond the rate, %d to force outside a window", l.Approvals, l.Forced))
	}
	if c := v.Catalog; c != nil {
		t.row("Catalogue", fmt.Sprintf("version %d, until %s: %s", c.Version, c.Expires.UTC().Format(time.DateOnly), english.Plural(c.Packages, "package", "")))
	}
	if h := v.Holding; v.Root != nil {
		t.row("Agents", fmt.Sprintf("%d of %d hold this root, %d these limits; %d have not said", h.Root, h.Agents, h.Limits, h.Unknown))
	}
	for _, m := range v.Missing {
		t.row("Missing", m)
	}
}

// TrustPublish publishes a document.
type TrustPublish struct {
	File string `arg:"" type:"existingfile" help:"The signed document."`
}

// Run sends it to the server, which checks it, and prints what holds then.
func (p *TrustPublish) Run(ctx context.Context, g *Globals) error {
	data, err := os.ReadFile(p.File)
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	var e wire.Envelope
	if err := json.Unmarshal(data, &e); err != nil || e.Type == "" {
		return fmt.Errorf("%s is not a signed document", p.File)
	}
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Send[api.Trust](ctx, c, http.MethodPost, "/trust/documents", e)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { trustRows(t, v) })
}

// TrustDraft writes an approval to be signed.
type TrustDraft struct {
	File   string   `arg:"" type:"path" help:"Where to write it."`
	Need   []string `required:"" help:"A need (ID) to approve; repeat for more."`
	Undo   bool     `help:"To take the updates back, instead of installing them."`
	Forced bool     `help:"Also outside the window."`
	Hours  int      `default:"24" help:"For how long it holds."`
	Note   string   `help:"Why, for those who sign."`
}

// Run asks the server for it and writes it.
func (d *TrustDraft) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	in := api.DraftIn{}.Body
	in.Needs, in.Undo, in.Forced, in.Hours, in.Note = d.Need, d.Undo, d.Forced, d.Hours, d.Note
	v, err := client.Send[api.Draft](ctx, c, http.MethodPost, "/trust/approvals/draft", in)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(v.Document, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the draft: %w", err)
	}
	if err := os.WriteFile(d.File, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the draft: %w", err)
	}
	return g.show(v, func(t *table) {
		t.row("Written to " + d.File + ". Each approver looks at it and signs it: patchbay sign " + d.File + " --with THEIR.key")
		for key, name := range v.Names {
			t.row("  "+name, key)
		}
	})
}
