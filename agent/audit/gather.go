package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"patchbay/agent/facts"
	"patchbay/patch"
	"patchbay/provider"
)

// Options are what an audit needs of the program it is in.
type Options struct {
	Host    provider.Host
	Kinds   []provider.Kind
	Now     func() time.Time
	Log     *slog.Logger     // nil keeps quiet
	Records provider.Records // the agent's own record of refreshes; nil when there is none
	Build   string
	Out     io.Writer
}

// Gather reads the machine.
func Gather(ctx context.Context, o Options) Input {
	in := Input{Now: o.Now(), Build: o.Build}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	in.Facts, in.FactsErr = facts.Collect(ctx, o.Host)
	for _, kind := range o.Kinds {
		env := provider.Env{Host: o.Host, Log: o.Log, Now: o.Now, Records: o.Records}
		p, err := kind.Open(ctx, env)
		if errors.Is(err, provider.ErrAbsent) {
			continue
		}
		part := Part{Provider: kind.Name, ItemsErr: err, OfferErr: err}
		if err == nil {
			part.Items, part.ItemsErr = p.Installed(ctx)
			part.Offer, part.OfferErr = available(ctx, p)
		}
		in.Parts = append(in.Parts, part)
	}
	return in
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
}

// Print takes an audit, prints it and gives the exit code.
func (c Command) Print(ctx context.Context, o Options) (int, error) {
	r := New(Gather(ctx, o))
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
