package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
)

// Group are the commands for groups of devices.
type Group struct {
	List   GroupList   `cmd:"" help:"List groups, by customer and rank."`
	Create GroupCreate `cmd:"" help:"Make a group of a customer's devices, ranked last."`
	Rename GroupRename `cmd:"" help:"Rename a group."`
	Rank   GroupRank   `cmd:"" help:"Rank a group among its customer's: the first one decides where two would."`
	Delete GroupDelete `cmd:"" help:"Delete a group. Its devices stay."`
}

// groupID finds a group by ID, or by its name where that is of one customer.
func groupID(ctx context.Context, c *client.Client, called, customer string) (string, error) {
	if called == "" || strings.HasPrefix(called, "grp_") {
		return called, nil
	}
	page, err := client.List[view.Group](ctx, c, "/groups", query("q", called, "customer", customer), 0)
	if err != nil {
		return "", err
	}
	var found []string
	for _, g := range page.Items {
		if strings.EqualFold(g.Name, called) {
			found = append(found, g.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("there is no group of the name %s: see patchbay group list", called)
	}
	return "", fmt.Errorf("%d customers have a group of the name %s: name the customer too, or use an ID of patchbay group list", len(found), called)
}

// OneGroup names a group.
type OneGroup struct {
	Group    string `arg:"" help:"ID or name."`
	Customer string `help:"Of this customer, where several have a group of that name."`
}

func (o *OneGroup) find(ctx context.Context, g *Globals) (*client.Client, string, error) {
	c, err := g.connect()
	if err != nil {
		return nil, "", err
	}
	customer, err := customerID(ctx, c, o.Customer)
	if err != nil {
		return nil, "", err
	}
	id, err := groupID(ctx, c, o.Group, customer)
	return c, "/groups/" + url.PathEscape(id), err
}

// change changes a group and prints it.
func (o *OneGroup) change(ctx context.Context, g *Globals, change api.GroupChange) error {
	c, path, err := o.find(ctx, g)
	if err != nil {
		return err
	}
	v, err := client.Send[view.Group](ctx, c, http.MethodPatch, path, change)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row(v.ID, v.Name, v.Rank) })
}

// GroupList lists groups.
type GroupList struct {
	Q        string `short:"q" help:"Text to look for."`
	Customer string `help:"Only this customer's."`
	Limit    int    `help:"How many rows; 0 is all." default:"50"`
}

// Run prints the list.
func (l *GroupList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.Group](ctx, c, "/groups", query("q", l.Q, "customer", customer), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "CUSTOMER", "RANK", "NAME", "DEVICES")
		for _, v := range page.Items {
			t.row(v.ID, v.Customer.Name, v.Rank, v.Name, v.Devices)
		}
		t.total(len(page.Items), page.Total)
	})
}

// GroupCreate makes a group.
type GroupCreate struct {
	Customer string `arg:"" help:"ID or name."`
	Name     string `arg:""`
}

// Run makes it and prints its ID.
func (n *GroupCreate) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, n.Customer)
	if err != nil {
		return err
	}
	v, err := client.Send[view.Group](ctx, c, http.MethodPost, "/customers/"+url.PathEscape(customer)+"/groups", api.NewGroup{Name: n.Name})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row(v.ID, v.Name, v.Rank) })
}

// GroupRename renames a group.
type GroupRename struct {
	OneGroup
	Name string `arg:"" help:"The new name."`
}

// Run renames it.
func (n *GroupRename) Run(ctx context.Context, g *Globals) error {
	return n.change(ctx, g, api.GroupChange{Name: &n.Name})
}

// GroupRank ranks a group.
type GroupRank struct {
	OneGroup
	Rank int `arg:"" help:"From 1; the others make room."`
}

// Run ranks it.
func (n *GroupRank) Run(ctx context.Context, g *Globals) error {
	return n.change(ctx, g, api.GroupChange{Rank: &n.Rank})
}

// GroupDelete deletes a group.
type GroupDelete struct{ OneGroup }

// Run deletes it.
func (n *GroupDelete) Run(ctx context.Context, g *Globals) error {
	c, path, err := n.find(ctx, g)
	if err != nil {
		return err
	}
	if _, err := c.Do(ctx, http.MethodDelete, path, nil, nil, nil); err != nil {
		return err
	}
	return g.say("Deleted. Its devices stay.")
}
