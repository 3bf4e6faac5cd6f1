package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
)

// SiteRule are the commands for a site's rules for single programs.
type SiteRule struct {
	List   RuleList   `cmd:"" help:"List a site's rules for programs."`
	Set    RuleSet    `cmd:"" help:"Say what becomes of a program at a site."`
	Remove RuleRemove `cmd:"" help:"Take a rule for a program back."`
}

// RuleList lists rules.
type RuleList struct {
	Site string `arg:"" help:"ID or name."`
}

// Run prints the list.
func (l *RuleList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	_, v, err := ruled(ctx, c, l.Site)
	if err != nil {
		return err
	}
	return g.showRules(v)
}

// RuleSet makes a rule, in the place of the one that the program had.
type RuleSet struct {
	Site     string `arg:"" help:"ID or name."`
	Provider string `arg:"" help:"The source of the program, as devices name it."`
	Package  string `arg:"" help:"The program, such as Notepad++.Notepad++ or firefox-esr."`
	Wish     string `arg:"" help:"What becomes of it: ${enum}." enum:"leave,update,install"`
	Pin      string `help:"A version beyond which it does not go, or a line of versions such as 8.6. with a dot at its end."`
	Reason   string `help:"Why, for colleagues and for the customer."`
}

// Run makes it and prints the rules.
func (n *RuleSet) Run(ctx context.Context, g *Globals) error {
	return g.changeRules(ctx, n.Site, func(rules []view.ApplicationRule) ([]view.ApplicationRule, error) {
		rules = slices.DeleteFunc(rules, isFor(n.Provider, n.Package))
		return append(rules, view.ApplicationRule{Provider: n.Provider, Package: n.Package, Wish: n.Wish, Pin: n.Pin, Reason: n.Reason}), nil
	})
}

// RuleRemove takes a rule back.
type RuleRemove struct {
	Site     string `arg:"" help:"ID or name."`
	Provider string `arg:"" help:"The source of the program."`
	Package  string `arg:"" help:"The program."`
}

// Run takes it back and prints the rules.
func (n *RuleRemove) Run(ctx context.Context, g *Globals) error {
	return g.changeRules(ctx, n.Site, func(rules []view.ApplicationRule) ([]view.ApplicationRule, error) {
		left := slices.DeleteFunc(slices.Clone(rules), isFor(n.Provider, n.Package))
		if len(left) == len(rules) {
			return nil, fmt.Errorf("there is no rule for %s of %s here: see patchbay site rule list", n.Package, n.Provider)
		}
		return left, nil
	})
}

func isFor(provider, pkg string) func(view.ApplicationRule) bool {
	return func(r view.ApplicationRule) bool { return r.Provider == provider && strings.EqualFold(r.Package, pkg) }
}

// ruled finds a site with its rules.
func ruled(ctx context.Context, c *client.Client, site string) (path string, v view.Site, err error) {
	id, err := siteID(ctx, c, site)
	if err != nil {
		return "", v, err
	}
	if id == "" {
		return "", v, errors.New("name a site")
	}
	path = "/sites/" + url.PathEscape(id)
	v, err = client.Get[view.Site](ctx, c, path, nil)
	return path, v, err
}

// changeRules writes a site's policy anew with other rules.
func (g *Globals) changeRules(ctx context.Context, site string, change func([]view.ApplicationRule) ([]view.ApplicationRule, error)) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	path, v, err := ruled(ctx, c, site)
	if err != nil {
		return err
	}
	if v.Policy.Applications, err = change(v.Policy.Applications); err != nil {
		return err
	}
	if v, err = client.Send[view.Site](ctx, c, http.MethodPatch, path, api.SiteChange{Policy: &v.Policy}); err != nil {
		return err
	}
	return g.showRules(v)
}

func (g *Globals) showRules(v view.Site) error {
	return g.show(v.Policy.Applications, func(t *table) {
		t.row("PROVIDER", "PACKAGE", "WISH", "NO FURTHER THAN", "BY", "REASON")
		for _, r := range v.Policy.Applications {
			t.row(r.Provider, r.Package, r.Wish, cmp.Or(r.Pin, "-"), r.By, cmp.Or(r.Reason, "-"))
		}
	})
}
