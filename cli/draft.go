package cli

import (
	"fmt"
	"strings"

	"patchbay/sign"
	"patchbay/wire"
)

// RootCommand is about roots.
type RootCommand struct {
	Draft RootDraft `cmd:"" help:"Draft the next root: other keys, another end."`
}

// RootDraft drafts the next root.
type RootDraft struct {
	File               string   `arg:"" help:"Where to write it."`
	From               string   `required:"" help:"The root that holds."`
	AddRoot            []string `help:"Public line of a root key to add, or a file with it. All of these may be repeated." sep:"none"`
	RemoveRoot         []string `help:"Name of a root key to remove (ed25519:...), its public line or a file with it." sep:"none"`
	RootThreshold      int      `help:"How many root keys must sign the root after it."`
	AddApprover        []string `help:"An approver's key to add." sep:"none"`
	RemoveApprover     []string `help:"An approver's key to remove." sep:"none"`
	Publisher          []string `help:"The publisher's key, in place of all before." sep:"none"`
	PublisherThreshold int      `help:"How many publisher keys must sign limits."`
	ServerKey          []string `help:"The server's key, in place of all before: patchbay server-key prints it." sep:"none"`
	Limits             *int64   `help:"Lowest version of limits to accept. From 1 on, devices without limits install only security updates."`
	Expires            string   `help:"Day on which it ends, such as 2027-12-31; two years from now by default."`
	Names              []string `help:"File with public lines, to show whose keys are meant; repeat for more." sep:"none"`
}

// Run writes the draft and shows it.
func (c *RootDraft) Run(g *Globals) error {
	before, err := readRoot(c.From)
	if err != nil {
		return err
	}
	change, err := c.change(g, before)
	if err != nil {
		return err
	}
	r, err := sign.NextRoot(before, change, g.Now())
	if err != nil {
		return err
	}
	beside := sign.Beside{Now: g.Now(), Root: &before, Names: map[string]string{}}
	if err := readNames(beside.Names, c.Names); err != nil {
		return err
	}
	return g.writeDraft(c.File, wire.RootDocument, r, beside, "--previous "+c.From)
}

func (c *RootDraft) change(g *Globals, before wire.Root) (sign.RootChange, error) {
	change := sign.RootChange{RootThreshold: c.RootThreshold, PublisherThreshold: c.PublisherThreshold, Limits: c.Limits}
	for _, list := range []struct {
		into   *[]sign.Public
		from   []string
		byName bool
	}{{&change.AddRoot, c.AddRoot, false}, {&change.RemoveRoot, c.RemoveRoot, true}, {&change.AddApprover, c.AddApprover, false},
		{&change.RemoveApprover, c.RemoveApprover, true}, {&change.Publisher, c.Publisher, false}, {&change.Server, c.ServerKey, false}} {
		for _, from := range list.from {
			p, err := keyOf(before, from, list.byName)
			if err != nil {
				return change, err
			}
			*list.into = append(*list.into, p)
		}
	}
	var err error
	change.Expires, err = until(c.Expires, g.Now().AddDate(2, 0, 0))
	return change, err
}

// keyOf reads a public key, which may be called by its name where the root has it: the file
// of a lost key is lost too.
func keyOf(r wire.Root, from string, byName bool) (sign.Public, error) {
	if byName && strings.HasPrefix(from, "ed25519:") {
		return sign.Key(r, from)
	}
	return publicKey(from)
}

// writeDraft writes a draft, shows it and says who must sign.
func (g *Globals) writeDraft(file, docType string, content any, beside sign.Beside, with string) error {
	d, err := drafted(docType, content)
	if err != nil {
		return err
	}
	if err := writeDocument(file, d.Envelope(), writeNew); err != nil {
		return err
	}
	fmt.Fprint(g.Out, sign.Show(d, beside)+"\n")
	return g.lines(append(append([]string{"Written to " + file + "."}, standing(d, beside)...),
		next(d, beside, file), "Whoever signs it: patchbay sign "+file+" "+with+" --with THEIR.key")...)
}

// LimitsCommand is about limits.
type LimitsCommand struct {
	Draft LimitsDraft `cmd:"" help:"Draft limits, the first or the next."`
}

// LimitsDraft drafts limits. What is left out stays as it was; before the first, all is 0.
type LimitsDraft struct {
	File           string   `arg:"" help:"Where to write it."`
	Root           string   `required:"" help:"The root that holds."`
	From           string   `help:"The limits that hold; left out for the first."`
	Verb           []string `help:"What may be ordered, in place of what could before; install for the first."`
	AddSource      []string `help:"Where updates may come from: PROVIDER:ORIGIN, or PROVIDER for any origin it trusts; repeat for more." sep:"none"`
	RemoveSource   []string `help:"A source to remove." sep:"none"`
	DevicesPerHour *int     `help:"How many devices may begin in an hour."`
	Fleet          *int     `help:"Of how many devices in all."`
	Approvals      *int     `help:"How many approvers must sign to go beyond that rate; 0 lets nobody."`
	Forced         *int     `help:"How many approvers must sign to force work outside a window; 0 asks for none."`
	Expires        string   `help:"Day on which they end, such as 2027-12-31; a year from now by default."`
}

// Run writes the draft and shows it.
func (c *LimitsDraft) Run(g *Globals) error {
	root, err := readRoot(c.Root)
	if err != nil {
		return err
	}
	beside := sign.Beside{Now: g.Now(), Root: &root}
	before, with := wire.Limits{Verbs: []string{wire.VerbInstall}}, "--root "+c.Root
	if c.From != "" {
		d, err := readDocument(c.From)
		if err != nil {
			return err
		}
		if d.Limits == nil {
			return fmt.Errorf("%s has no limits in it", c.From)
		}
		before, beside.Limits = *d.Limits, d.Limits
		with += " --previous " + c.From
	}
	change := sign.LimitsChange{Verbs: c.Verb, AddSources: limitSources(c.AddSource), RemoveSources: limitSources(c.RemoveSource),
		DevicesPerHour: c.DevicesPerHour, Fleet: c.Fleet, Approvals: c.Approvals, Forced: c.Forced}
	if change.Expires, err = until(c.Expires, g.Now().AddDate(1, 0, 0)); err != nil {
		return err
	}
	l, err := sign.NextLimits(before, root, change, g.Now())
	if err != nil {
		return err
	}
	return g.writeDraft(c.File, wire.LimitsDocument, l, beside, with)
}

func limitSources(texts []string) []wire.LimitSource {
	var all []wire.LimitSource
	for _, t := range texts {
		provider, origin, _ := strings.Cut(t, ":")
		all = append(all, wire.LimitSource{Provider: provider, Origin: origin})
	}
	return all
}
