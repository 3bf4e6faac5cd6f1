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

// Saying are the flags for what is said of devices.
type Saying struct {
	Criticality string `help:"How much depends on them: low, medium, high or very-high; none takes back what was said." placeholder:"LEVEL"`
	Exposure    string `help:"Who reaches them: small (hardly anybody), controlled (those who are let in) or open (anybody on the internet); none takes back what was said." placeholder:"WHO"`
}

// change is what the flags say; the server checks it.
func (s Saying) change() (c api.AttributesChange) {
	value := func(flag string) *string {
		if flag == "" {
			return nil
		}
		text := strings.ReplaceAll(flag, "-", "_")
		if flag == "none" {
			text = ""
		}
		return &text
	}
	return api.AttributesChange{Criticality: value(s.Criticality), Exposure: value(s.Exposure)}
}

// DeviceSet says what devices are for, who reaches them and how much depends on them.
type DeviceSet struct {
	Devices []string `arg:"" name:"device" help:"IDs or names."`
	Saying
	Role       []string `help:"They have this role, whatever they show: domain-controller, hypervisor, sql, mail, web, file or pos." sep:"," placeholder:"ROLE"`
	NotRole    []string `help:"They do not have this role, whatever they show." sep:"," placeholder:"ROLE"`
	DetectRole []string `help:"Take back what was said of this role, and go by what they show." sep:"," placeholder:"ROLE"`
	Join       []string `help:"Put them into this group, by ID or name." sep:"none" placeholder:"GROUP"`
	Leave      []string `help:"Take them out of this group." sep:"none" placeholder:"GROUP"`
}

// Run says it.
func (n *DeviceSet) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	said := n.change()
	change := api.DevicesChange{Criticality: said.Criticality, Exposure: said.Exposure, Roles: n.roles()}
	customer := ""
	for _, name := range n.Devices {
		id, err := deviceID(ctx, c, name)
		if err != nil {
			return err
		}
		change.Devices = append(change.Devices, id)
	}
	if len(n.Join)+len(n.Leave) > 0 { // groups are of one customer, that of the devices
		d, err := client.Get[view.DeviceDetail](ctx, c, "/devices/"+url.PathEscape(change.Devices[0]), nil)
		if err != nil {
			return err
		}
		customer = d.Customer.ID
	}
	for from, to := range map[*[]string]*[]string{&n.Join: &change.Join, &n.Leave: &change.Leave} {
		for _, name := range *from {
			id, err := groupID(ctx, c, name, customer)
			if err != nil {
				return err
			}
			*to = append(*to, id)
		}
	}
	v, err := client.Send[api.DevicesChanged](ctx, c, http.MethodPost, "/devices/change", change)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row(fmt.Sprintf("Said of %d of %d.", v.Devices, len(change.Devices))) })
}

func (n *DeviceSet) roles() map[string]string {
	all := map[string]string{}
	for value, names := range map[string][]string{"yes": n.Role, "no": n.NotRole, "": n.DetectRole} {
		for _, role := range names {
			all[roleCalled(role)] = value
		}
	}
	return all
}

// roleCalled is a role as the API writes it.
func roleCalled(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// SiteSay says what holds for all devices of a site.
type SiteSay struct {
	Site string `arg:"" help:"ID or name."`
	Saying
}

// Run says it, or prints what was said.
func (n *SiteSay) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := siteID(ctx, c, n.Site)
	if err != nil {
		return err
	}
	return n.say(ctx, g, c, "/sites/"+url.PathEscape(id)+"/attributes")
}

// CustomerSay says what holds for all devices of a customer.
type CustomerSay struct {
	Customer string `arg:"" help:"ID or name."`
	Saying
}

// Run says it, or prints what was said.
func (n *CustomerSay) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	id, err := customerID(ctx, c, n.Customer)
	if err != nil {
		return err
	}
	return n.say(ctx, g, c, "/customers/"+url.PathEscape(id)+"/attributes")
}

// say sends what the flags say; without any it only asks.
func (s Saying) say(ctx context.Context, g *Globals, c *client.Client, path string) (err error) {
	var v view.Attributes
	if change := s.change(); change == (api.AttributesChange{}) {
		v, err = client.Get[view.Attributes](ctx, c, path, nil)
	} else {
		v, err = client.Send[view.Attributes](ctx, c, http.MethodPatch, path, change)
	}
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { attributeRows(t, v.Criticality, v.Exposure) })
}

func attributeRows(t *table, criticality, exposure view.Attribute) {
	t.row("how much depends on it", said(criticality))
	t.row("who reaches it", said(exposure))
}

// said is a value with who said it, where and when.
func said(a view.Attribute) string {
	if a.Value == "" {
		return "not set"
	}
	where := map[string]string{"site": " for its site", "customer": " for its customer"}[a.Level]
	return strings.ReplaceAll(a.Value, "_", " ") + by(where, a.By) + on(a)
}

func by(where, name string) string { return fmt.Sprintf(", set%s by %s", where, name) }

func on(a view.Attribute) string {
	if a.SetAt == nil {
		return ""
	}
	return " on " + a.SetAt.UTC().Format("2006-01-02")
}

// standingRows say what a device is for, who reaches it and how much depends on it.
func standingRows(t *table, s view.Standing) {
	for _, r := range s.Roles {
		text := strings.ReplaceAll(r.Role, "_", " ")
		if !r.Has {
			text = "not " + text
		}
		if r.By != "" {
			text += by("", r.By) + on(view.Attribute{SetAt: r.SetAt})
		}
		if r.From != "" {
			text += " (detected: " + r.From + ")"
		}
		t.row("role", text)
	}
	if len(s.Roles) == 0 {
		t.row("role", "not known: it shows none")
	}
	attributeRows(t, s.Criticality, s.Exposure)
	for _, g := range s.Groups {
		t.row("group", g.Name)
	}
}
