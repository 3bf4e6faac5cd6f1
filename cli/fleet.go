package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
)

// Device are the commands for devices.
type Device struct {
	List    DeviceList    `cmd:"" help:"List devices."`
	Show    DeviceShow    `cmd:"" help:"Show a device and what it needs."`
	Set     DeviceSet     `cmd:"" help:"Say what devices are for, who reaches them, how much depends on them, and their groups."`
	Rename  DeviceRename  `cmd:"" help:"Rename a device."`
	Retire  DeviceRetire  `cmd:"" help:"Say that a device is gone for good."`
	Checkin DeviceCheckIn `cmd:"" help:"Ask a device to scan and check in now."`
	History DeviceHistory `cmd:"" help:"List what the managers on a device say they did. It proves nothing."`
	Story   DeviceStory   `cmd:"" help:"Print all that happened to a device, with its receipts, for patchbay verify story."`
}

// DeviceList lists devices.
type DeviceList struct {
	Listing
	Customer string `help:"Only this customer's."`
	Site     string `help:"Only this site's."`
	State    string `help:"Only those: talking, silent, never_scanned, not_back or observe."`
	Role     string `help:"Only those with this role: domain-controller, hypervisor, sql, mail, web, file or pos."`
	Group    string `help:"Only those in this group, by ID or name."`
}

// Run prints the list.
func (l *DeviceList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	site, err := siteID(ctx, c, l.Site)
	if err != nil {
		return err
	}
	group, err := groupID(ctx, c, l.Group, customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.Device](ctx, c, "/devices",
		query("q", l.Q, "sort", l.Sort, "customer", customer, "site", site, "state", l.State, "role", roleCalled(l.Role), "group", group), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "NAME", "CUSTOMER", "STATE", "VERIFIED", "OPEN", "SECURITY", "FAILED", "LAST SEEN")
		for _, v := range page.Items {
			t.row(v.ID, v.Name, v.Customer.Name, v.State, fmt.Sprintf("%d of %d", v.Posture.Verified, v.Posture.Needs),
				v.Posture.Open(), v.Posture.SecurityOpen, v.Posture.Failed, v.Agent.LastSeen)
		}
		t.total(len(page.Items), page.Total)
	})
}

// device connects, and finds the ID of a device that is named by it or by its name.
func (g *Globals) device(ctx context.Context, name string) (*client.Client, string, error) {
	c, err := g.connect()
	if err != nil {
		return nil, "", err
	}
	id, err := deviceID(ctx, c, name)
	return c, id, err
}

// DeviceShow shows a device.
type DeviceShow struct {
	Device string `arg:"" help:"ID or name."`
}

// deviceAnswer is a device with its needs, as --json prints it.
type deviceAnswer struct {
	Device view.DeviceDetail `json:"device"`
	Needs  []view.Need       `json:"needs"`
}

// Run prints the device and its needs.
func (s *DeviceShow) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, s.Device)
	if err != nil {
		return err
	}
	d, err := client.Get[view.DeviceDetail](ctx, c, "/devices/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	needs, err := client.List[view.Need](ctx, c, "/devices/"+url.PathEscape(id)+"/needs", nil, 0)
	if err != nil {
		return err
	}
	return g.show(deviceAnswer{d, needs.Items}, func(t *table) {
		t.row(d.Name, d.ID)
		t.row("customer", d.Customer.Name+", "+d.Site.Name)
		t.row("system", d.OSName)
		t.row("state", d.State)
		t.row("agent", string(d.Agent.Mode)+" "+d.Agent.Build)
		t.row("last seen", d.Agent.LastSeen)
		t.row("last scan", d.ScannedAt)
		t.row("window", d.Window.Sentence)
		standingRows(t, d.Standing)
		restartRows(t, d)
		postureRows(t, d.Posture)
		t.row("")
		needRows(t, needs.Items)
	})
}

// restartRows say why a restart is asked for, who makes it, and what is wrong with a manager.
func restartRows(t *table, d view.DeviceDetail) {
	if d.BootedAt != nil {
		t.row("last start", *d.BootedAt)
	}
	if d.RestartPlan != "" {
		t.row("restart", strings.Join(d.Restart.Reasons, ", "))
		t.row("", d.RestartPlan)
	}
	for _, s := range d.Sources {
		if r := s.Repair; r != nil && r.Why != "" {
			t.row(s.Name, strings.TrimSpace(r.Why+" "+r.Code), string(r.Turn), r.Next)
		}
	}
}

func needRows(t *table, needs []view.Need) {
	t.row("ITEM", "DEVICE", "INSTALLED", "AVAILABLE", "VERDICT", "SINCE", "WHY")
	for _, n := range needs {
		t.row(called(n.Item.Name, n.Title), n.Device.Name, n.Installed, n.Available, n.Verdict.Name, n.Verdict.Since, n.Verdict.Sentence)
	}
}

// mark is what tells updates of one number apart, at the end of their names.
var mark = regexp.MustCompile(` \([0-9a-f]{8}\)$`)

// called is a name with the title that its publisher gave it beside, which may say it again.
func called(name, title string) string {
	unmarked := mark.ReplaceAllString(name, "")
	if title = strings.Join(strings.Fields(strings.Replace(title, "("+unmarked+")", "", 1)), " "); title == "" || title == unmarked {
		return name
	}
	return name + " (" + title + ")"
}

// mends tells what an update mends, and since when that can be mended.
func mends(t *table, advisories []string, first *time.Time) {
	if len(advisories) > 0 {
		t.row("mends", strings.Join(advisories, " "))
	}
	if first != nil {
		t.row("fix known since", *first)
	}
}

// DeviceRename renames a device.
type DeviceRename struct {
	Device string `arg:"" help:"ID or name."`
	Name   string `arg:"" help:"The new name; empty gives it its host name back."`
}

// Run renames it.
func (n *DeviceRename) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, n.Device)
	if err != nil {
		return err
	}
	v, err := client.Send[view.DeviceDetail](ctx, c, http.MethodPatch, "/devices/"+url.PathEscape(id), api.DeviceChange{Name: n.Name})
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row(v.ID, v.Name) })
}

// DeviceRetire retires a device.
type DeviceRetire struct {
	Device  string `arg:"" help:"ID or name."`
	Confirm string `help:"The device's name once more: this cannot be undone." required:""`
}

// Run retires it.
func (n *DeviceRetire) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, n.Device)
	if err != nil {
		return err
	}
	if _, err := c.Do(ctx, http.MethodDelete, "/devices/"+url.PathEscape(id), query("confirm", n.Confirm), nil, nil); err != nil {
		return err
	}
	return g.say("Retired.")
}

// DeviceHistory lists what the managers on a device say they did.
type DeviceHistory struct {
	Device string `arg:"" help:"ID or name."`
	Q      string `short:"q" help:"Text to look for."`
	Limit  int    `help:"How many rows; 0 is all." default:"50"`
	Result string `help:"Only what ended so: succeeded, partly, failed, aborted, in_progress or unknown."`
}

// Run prints the list.
func (l *DeviceHistory) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, l.Device)
	if err != nil {
		return err
	}
	page, err := client.List[view.HistoryEvent](ctx, c, "/devices/"+url.PathEscape(id)+"/history", query("q", l.Q, "result", l.Result), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("AT", "WHAT", "RESULT", "CODE", "ASKED BY", "WHY")
		for _, v := range page.Items {
			result := string(v.Result)
			if v.Removal {
				result = "removal " + result
			}
			t.row(v.At, called(v.Name, v.Title), result, v.Code, v.By, v.Why)
		}
		t.total(len(page.Items), page.Total)
	})
}

// DeviceStory prints all that happened to a device.
type DeviceStory struct {
	Device string `arg:"" help:"ID or name."`
}

// Run prints it, as JSON whatever is asked for: it is made for a file.
func (n *DeviceStory) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, n.Device)
	if err != nil {
		return err
	}
	v, err := client.Get[view.Story](ctx, c, "/devices/"+url.PathEscape(id)+"/story", nil)
	if err != nil {
		return err
	}
	g.JSON = true
	return g.show(v, nil)
}

// DeviceCheckIn asks a device to check in.
type DeviceCheckIn struct {
	Device string `arg:"" help:"ID or name."`
}

// Run asks.
func (n *DeviceCheckIn) Run(ctx context.Context, g *Globals) error {
	c, id, err := g.device(ctx, n.Device)
	if err != nil {
		return err
	}
	if _, err := c.Do(ctx, http.MethodPost, "/devices/"+url.PathEscape(id)+"/checkin", nil, nil, nil); err != nil {
		return err
	}
	return g.say("Asked. The answer shows in patchbay device show.")
}

// Update are the commands for updates.
type Update struct {
	List  UpdateList  `cmd:"" help:"List updates over all devices."`
	Story UpdateStory `cmd:"" help:"Print all that happened around an update, with its receipts, for patchbay verify story."`
	Show  UpdateShow  `cmd:"" help:"Show where an update stands."`
}

// UpdateStory prints all that happened around an update.
type UpdateStory struct {
	Update string `arg:"" help:"ID."`
}

// Run prints it, as JSON whatever is asked for: it is made for a file.
func (n *UpdateStory) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Get[view.UpdateStory](ctx, c, "/updates/"+url.PathEscape(n.Update)+"/story", nil)
	if err != nil {
		return err
	}
	g.JSON = true
	return g.show(v, nil)
}

// OfClass chooses by what updates are for.
type OfClass struct {
	Class string `help:"Only this class: security, bugfix, critical, feature, definition, rollup, service_pack, driver, tool, preview or other."`
}

// UpdateList lists updates.
type UpdateList struct {
	Listing
	Customer string `help:"Only this customer's devices."`
	OfClass
	State string `help:"Only those with a need in this state, such as waits_person."`
}

// Run prints the list.
func (l *UpdateList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.Update](ctx, c, "/updates",
		query("q", l.Q, "sort", l.Sort, "customer", customer, "class", l.Class, "state", l.State), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "NAME", "AVAILABLE", "CLASSES", "DEVICES", "VERIFIED", "WAITS FOR A PERSON", "FAILED", "FIRST SEEN")
		for _, v := range page.Items {
			t.row(v.ID, called(v.Name, v.Title), v.Available, v.Classes, v.Devices, v.Counts.Verified, v.Counts.WaitsPerson, v.Counts.Failed, v.FirstSeen)
		}
		t.total(len(page.Items), page.Total)
	})
}

// UpdateShow shows an update.
type UpdateShow struct {
	Update string `arg:"" help:"ID."`
}

// Run prints the update per customer.
func (s *UpdateShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Get[view.UpdateDetail](ctx, c, "/updates/"+url.PathEscape(s.Update), nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) {
		t.row(called(v.Name, v.Title), v.Available, v.Origin, v.Suite)
		mends(t, v.Advisories, v.FirstAt)
		t.row("CUSTOMER", "DEVICES", "SILENT", "VERIFIED", "WAITS FOR A PERSON", "WAITS FOR TIME", "FAILED")
		for _, u := range v.ByCustomer {
			t.row(u.Customer.Name, u.Devices, u.Silent, u.Counts.Verified, u.Counts.WaitsPerson, u.Counts.WaitsTime, u.Counts.Failed)
		}
	})
}

// Need are the commands for needs.
type Need struct {
	List  NeedList  `cmd:"" help:"List needs and their verdicts."`
	Show  NeedShow  `cmd:"" help:"Show a need's whole chain: why is this not patched?"`
	Retry NeedRetry `cmd:"" help:"Try a failed one again."`
}

// NeedList lists needs.
type NeedList struct {
	Listing
	Customer string `help:"Only this customer's."`
	Device   string `help:"Only this device's."`
	Update   string `help:"Only needs for this update (ID)."`
	Verdict  string `help:"Only this verdict, such as FAILED."`
	State    string `help:"Only this state, such as waits_person."`
	OfClass
}

// Run prints the list.
func (l *NeedList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	device, err := deviceID(ctx, c, l.Device)
	if err != nil {
		return err
	}
	page, err := client.List[view.Need](ctx, c, "/needs", query("q", l.Q, "sort", l.Sort, "customer", customer, "device", device,
		"update", l.Update, "verdict", l.Verdict, "state", l.State, "class", l.Class), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		needRows(t, page.Items)
		t.total(len(page.Items), page.Total)
	})
}

// NeedShow shows a need.
type NeedShow struct {
	Need string `arg:"" help:"ID."`
}

// Run prints the chain.
func (s *NeedShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Get[view.NeedDetail](ctx, c, "/needs/"+url.PathEscape(s.Need), nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) {
		t.row(called(v.Item.Name, v.Title), v.Device.Name, v.Installed+" -> "+v.Available)
		mends(t, v.Advisories, v.FirstAt)
		if v.Why != "" {
			t.row("how soon", v.Why)
		}
		t.row(v.Verdict.Name, v.Verdict.Sentence)
		t.row("turn of", v.Verdict.Owner)
		t.row("next try", v.Verdict.Next)
		for _, l := range v.Chain {
			mark := "-"
			if l.Met {
				mark = "+"
			}
			t.row(mark+" "+string(l.Link), l.Sentence)
		}
	})
}

// NeedRetry retries a need.
type NeedRetry struct {
	Need string `arg:"" help:"ID."`
}

// Run asks for another attempt.
func (n *NeedRetry) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Send[api.JobRef](ctx, c, http.MethodPost, "/needs/"+url.PathEscape(n.Need)+"/retry", nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) { t.row("job", v.Job) })
}
