package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"patchbay/agent/facts"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// Options are what an audit needs of the program it is in.
type Options struct {
	Host    provider.Host
	Kinds   []provider.Kind
	Now     func() time.Time
	Log     *slog.Logger     // nil keeps quiet
	Records provider.Records // the agent's own record of refreshes; nil when there is none
	// Catalog is what the publisher signed for and this machine's agent holds. nil is nothing.
	Catalog func(kind string) provider.Catalog
	Build   string
	Out     io.Writer
}

// Gather reads the machine.
func Gather(ctx context.Context, o Options) Input {
	in := Input{Now: o.Now(), Build: o.Build}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Catalog == nil {
		o.Catalog = func(string) provider.Catalog { return provider.Catalog{} }
	}
	in.Facts, in.FactsErr = facts.Collect(ctx, o.Host)
	for _, kind := range o.Kinds {
		env := provider.Env{Host: o.Host, Log: o.Log, Now: o.Now, Records: o.Records, Catalog: func() provider.Catalog { return o.Catalog(kind.Name) }}
		p, err := kind.Open(ctx, env)
		if errors.Is(err, provider.ErrAbsent) {
			continue
		}
		part := Part{Provider: kind.Name, ItemsErr: err, OfferErr: err}
		if err == nil {
			part.Items, part.ItemsErr = p.Installed(ctx)
			part.Offer, part.OfferErr = available(ctx, p)
		}
		part.Blind = blind(kind, part)
		in.Parts = append(in.Parts, part)
	}
	return in
}

// blind says why nobody knows of newer versions, "" when somebody does: what is installed from
// a catalogue has nothing else to be compared with.
func blind(kind provider.Kind, p Part) string {
	usable := func(s patch.Source) bool { return s.Error == "" }
	if !kind.Traits.Catalog || len(p.Items) == 0 || slices.ContainsFunc(p.Offer.Sources, usable) {
		return ""
	}
	why := "no signed catalogue is on this machine"
	if len(p.Offer.Sources) > 0 {
		why = strings.TrimSuffix(p.Offer.Sources[0].Error, ".")
	}
	return fmt.Sprintf("Whether there are newer versions of the %d programs that are installed is not known: %s. Name one with --catalog.", len(p.Items), why)
}

// maxTries is how often a machine is looked at that is being changed at this moment.
const maxTries = 3

func available(ctx context.Context, p provider.Provider) (offer patch.Offer, err error) {
	for range maxTries {
		if offer, err = p.Available(ctx); !errors.Is(err, provider.ErrBusy) {
			break
		}
	}
	return offer, err
}

// Command is the command line of an audit.
type Command struct {
	JSON bool   `name:"json" help:"Print the report as JSON (docs/audit.schema.json)."`
	HTML string `name:"html" placeholder:"FILE" help:"Also write the report as one page that stands alone."`
	All  bool   `help:"List every update, not only the first of each group."`
	// Catalog is for a machine without an agent, or to see what the next catalogue would change.
	Catalog string `placeholder:"FILE" type:"existingfile" help:"Compare programs with this catalogue instead of the one the agent holds. Its signature is not checked."`
}

// catalog reads a catalogue off a file, signed or still a draft.
func catalog(file string) (func(kind string) provider.Catalog, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	var e wire.Envelope
	var c wire.Catalog
	if err = json.Unmarshal(b, &e); err == nil && e.Type != wire.CatalogDocument {
		err = fmt.Errorf("it is a %.40q", e.Type)
	}
	if err == nil {
		err = json.Unmarshal(e.Payload, &c)
	}
	if err == nil {
		err = trust.CatalogForm(c)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no catalogue: %w", file, err)
	}
	return func(kind string) provider.Catalog {
		own := slices.DeleteFunc(slices.Clone(c.Packages), func(p patch.Package) bool { return p.Provider != kind })
		return provider.Catalog{Version: c.Version, SignedAt: c.IssuedAt, Expires: c.Expires, Packages: own}
	}, nil
}

// Print takes an audit, prints it and gives the exit code.
func (c Command) Print(ctx context.Context, o Options) (int, error) {
	if c.Catalog != "" {
		var err error
		if o.Catalog, err = catalog(c.Catalog); err != nil {
			return ExitUnknown, err
		}
	}
	r := New(Gather(ctx, o))
	if c.Catalog != "" {
		r.Notes = append(r.Notes, "Newer versions of programs are those of "+filepath.Base(c.Catalog)+", whose signature was not checked.")
	}
	if err := ctx.Err(); err != nil {
		return ExitUnknown, fmt.Errorf("reading this machine: %w", err)
	}
	if c.HTML != "" {
		if err := writePage(c.HTML, r); err != nil {
			return ExitUnknown, err
		}
	}
	write := func() error { return WriteText(o.Out, r, c.All) }
	if c.JSON {
		write = func() error { return WriteJSON(o.Out, r) }
	}
	if err := write(); err != nil {
		return ExitUnknown, fmt.Errorf("printing the report: %w", err)
	}
	return r.ExitCode(), nil
}

// writePage replaces the file as a whole. The report tells an attacker what to use: it is
// for its owner to read.
func writePage(name string, r Report) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".audit-*") // made for its owner only
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = errors.Join(WriteHTML(f, r), f.Close())
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
