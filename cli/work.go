package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"patchbay/client"
	"patchbay/server/api"
	"patchbay/server/view"
	"patchbay/wire"
)

// Where says where an answer holds.
type Where struct {
	Customer string `help:"At this customer." xor:"where"`
	Site     string `help:"At this site." xor:"where"`
	Device   string `help:"On this device." xor:"where"`
	MSP      bool   `name:"everywhere" help:"At every customer that needs the update." xor:"where"`
	DryRun   bool   `help:"Only say what would happen."`
}

// wish turns the place into an answer that is not complete yet.
func (w Where) wish(ctx context.Context, c *client.Client) (api.ApprovalWish, error) {
	var a api.ApprovalWish
	var err error
	switch {
	case w.MSP:
		a.Level = "msp"
	case w.Customer != "":
		a.Level = "customer"
		a.Target, err = customerID(ctx, c, w.Customer)
	case w.Site != "":
		a.Level = "site"
		a.Target, err = siteID(ctx, c, w.Site)
	case w.Device != "":
		a.Level = "device"
		a.Target, err = deviceID(ctx, c, w.Device)
	default:
		err = errors.New("say where: --device, --site, --customer or --everywhere")
	}
	return a, err
}

// send previews or gives the answer.
func (w Where) send(ctx context.Context, g *Globals, c *client.Client, a api.ApprovalWish) error {
	if w.DryRun {
		p, err := client.Send[api.Preview](ctx, c, http.MethodPost, "/approvals/preview", a)
		if err != nil {
			return err
		}
		return g.show(p, func(t *table) { previewRows(t, p) })
	}
	done, err := client.Send[api.Approved](ctx, c, http.MethodPost, "/approvals", a)
	if err != nil {
		return err
	}
	return g.show(done, func(t *table) {
		previewRows(t, done.Preview)
		t.row(fmt.Sprintf("%d answers written.", len(done.Approvals)))
	})
}

func previewRows(t *table, p api.Preview) {
	t.row(p.Sentence)
	for _, r := range p.Held {
		t.row("  "+r.Key, r.Sentence)
	}
	for _, u := range p.UpdatesList {
		t.row("  "+u.Name, u.Available, fmt.Sprintf("devices: %d", u.Devices))
	}
}

// Approve approves updates.
type Approve struct {
	Update        string   `help:"This update (ID)." xor:"what"`
	Need          string   `help:"This need (ID)." xor:"what"`
	Security      bool     `help:"All security updates needed there now." xor:"what"`
	Class         string   `help:"All updates of this class needed there now: bugfix, critical, feature, definition, rollup, service_pack, driver, tool or other. Previews and optional ones are approved by their names." xor:"what"`
	Fix           string   `help:"Every update on offer that mends this CVE." xor:"what" placeholder:"CVE"`
	All           bool     `help:"All updates needed there now." xor:"what"`
	Now           bool     `help:"Outside the window, for four hours."`
	Follow        bool     `help:"Also newer versions of the same origin; security updates do so anyway."`
	NoFollow      bool     `help:"Only these very versions."`
	AllowRemovals []string `help:"Packages that may be removed."`
	Despite       []string `help:"Recalls (FEED/ID) in spite of which it is installed here; needs --reason."`
	Reason        string   `help:"Why, for the record."`
	Where
}

// Run gives the answer and prints what it means.
func (a *Approve) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	wish, err := a.wish(ctx, c)
	if err != nil {
		return err
	}
	wish.Answer, wish.Now, wish.Reason, wish.AllowRemovals = "approve", a.Now, a.Reason, a.AllowRemovals
	wish.Despite = a.Despite
	wish.What = api.ApprovalTarget{Update: a.Update, Need: a.Need, Class: a.Class, Fix: a.Fix, All: a.All}
	if a.Security {
		wish.What.Class = "security"
	}
	if a.Follow || a.NoFollow {
		follow := a.Follow
		wish.Follow = &follow
	}
	return a.send(ctx, g, c, wish)
}

// Reject rejects an update.
type Reject struct {
	Update string `help:"This update (ID)." xor:"what"`
	Need   string `help:"This need (ID)." xor:"what"`
	Reason string `help:"Why." required:""`
	Follow bool   `help:"Also newer versions of the same origin."`
	Where
}

// Run gives the answer and prints what it means.
func (r *Reject) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	wish, err := r.wish(ctx, c)
	if err != nil {
		return err
	}
	wish.Answer, wish.Reason, wish.Follow = "reject", r.Reason, &r.Follow
	wish.What = api.ApprovalTarget{Update: r.Update, Need: r.Need}
	return r.send(ctx, g, c, wish)
}

// Undo takes an update back.
type Undo struct {
	Update string `help:"This update (ID)." xor:"what"`
	Need   string `help:"This need (ID)." xor:"what"`
	Reason string `help:"Why." required:""`
	Now    bool   `help:"Outside the window, for four hours."`
	Where
}

// Run asks for it and prints what it means.
func (u *Undo) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	wish, err := u.wish(ctx, c)
	if err != nil {
		return err
	}
	wish.Answer, wish.Reason, wish.Now = "undo", u.Reason, u.Now
	wish.What = api.ApprovalTarget{Update: u.Update, Need: u.Need}
	return u.send(ctx, g, c, wish)
}

// Approval are the commands for answers given so far.
type Approval struct {
	List     ApprovalList     `cmd:"" help:"List answers."`
	Withdraw ApprovalWithdraw `cmd:"" help:"Withdraw an answer."`
}

// ApprovalList lists answers.
type ApprovalList struct {
	Listing
	Customer string `help:"Only this customer's."`
	Device   string `help:"Only those that hold for this device."`
}

// Run prints the list.
func (l *ApprovalList) Run(ctx context.Context, g *Globals) error {
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
	page, err := client.List[view.Approval](ctx, c, "/approvals", query("q", l.Q, "customer", customer, "device", device), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "ANSWER", "ITEM", "VERSION", "WHERE", "BY", "AT", "REASON")
		for _, v := range page.Items {
			answer := v.Answer
			if v.WithdrawnAt != nil {
				answer += " (withdrawn)"
			}
			t.row(v.ID, answer, v.Name, v.Version, v.Level+" "+v.TargetName, v.By.Name, v.At, v.Reason)
		}
		t.total(len(page.Items), page.Total)
	})
}

// ApprovalWithdraw withdraws an answer.
type ApprovalWithdraw struct {
	Approval string `arg:"" help:"ID."`
}

// Run withdraws it.
func (n *ApprovalWithdraw) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	if _, err := c.Do(ctx, http.MethodDelete, "/approvals/"+url.PathEscape(n.Approval), nil, nil, nil); err != nil {
		return err
	}
	return g.say("Withdrawn.")
}

// Job are the commands for jobs.
type Job struct {
	List JobList `cmd:"" help:"List jobs."`
	Show JobShow `cmd:"" help:"Show a job, its outcomes and its receipt."`

	Receipt JobReceipt `cmd:"" help:"Print a job's receipt as the agent signed it, for patchbay verify receipt."`
}

// JobList lists jobs.
type JobList struct {
	Listing
	Customer string `help:"Only this customer's."`
	Device   string `help:"Only this device's."`
	State    string `help:"Only those: running, ended or failed."`
}

// Run prints the list.
func (l *JobList) Run(ctx context.Context, g *Globals) error {
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
	page, err := client.List[view.Job](ctx, c, "/jobs",
		query("q", l.Q, "sort", l.Sort, "customer", customer, "device", device, "state", l.State), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("ID", "DEVICE", "ITEM", "TO", "STEP", "RESULT", "SINCE", "WHY")
		for _, v := range page.Items {
			t.row(v.ID, v.Device.Name, v.Item.Name, v.To, v.Step, v.Result, v.StepSince, v.Why+v.Message)
		}
		t.total(len(page.Items), page.Total)
	})
}

// JobShow shows a job.
type JobShow struct {
	Job string `arg:"" help:"ID."`
}

// Run prints the job.
func (s *JobShow) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Get[view.JobDetail](ctx, c, "/jobs/"+url.PathEscape(s.Job), nil)
	if err != nil {
		return err
	}
	return g.show(v, func(t *table) {
		t.row(v.Item.Name, v.Device.Name, v.From+" -> "+v.To)
		t.row("step", v.Step)
		t.row("message", v.Message)
		for _, o := range v.Outcomes {
			t.row(o.Seq, o.ReceivedAt, o.Step, o.Result, o.Message)
		}
		if r := v.Receipt; r != nil {
			t.row("receipt", fmt.Sprintf("verified %t, signature good %t, %s -> %s", r.Verified, r.SignatureOK, r.Before, r.After))
		}
	})
}

// JobReceipt prints a receipt.
type JobReceipt struct {
	Job     string `arg:"" help:"ID."`
	Outcome int64  `help:"Number of an outcome that the agent signed a record of: what people were told or asked. The job's end when left out." placeholder:"SEQ"`
}

// Run prints it, as JSON whatever is asked for: it is made for a file.
func (r *JobReceipt) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	q := query()
	if r.Outcome > 0 {
		q = query("outcome", strconv.FormatInt(r.Outcome, 10))
	}
	v, err := client.Get[wire.SignedReceipt](ctx, c, "/jobs/"+url.PathEscape(r.Job)+"/receipt", q)
	if err != nil {
		return err
	}
	g.JSON = true
	return g.show(v, nil)
}

// Activity are the commands for the audit chain.
type Activity struct {
	List   ActivityList   `cmd:"" help:"List acts."`
	Verify ActivityVerify `cmd:"" help:"Check that the audit chains are whole."`
}

// ActivityList lists acts.
type ActivityList struct {
	Listing
	Customer string `help:"Only this customer's."`
}

// Run prints the list.
func (l *ActivityList) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	customer, err := customerID(ctx, c, l.Customer)
	if err != nil {
		return err
	}
	page, err := client.List[view.Activity](ctx, c, "/activity", query("q", l.Q, "customer", customer), l.Limit)
	if err != nil {
		return err
	}
	return g.show(page, func(t *table) {
		t.row("AT", "CHAIN", "SEQ", "WHO AND WHAT")
		for _, v := range page.Items {
			t.row(v.At, v.ChainName, v.Seq, v.Actor.Name+" "+v.Sentence)
		}
		t.total(len(page.Items), page.Total)
	})
}

// ActivityVerify checks the chains.
type ActivityVerify struct{}

// Run prints each chain and fails when one is not whole.
func (ActivityVerify) Run(ctx context.Context, g *Globals) error {
	c, err := g.connect()
	if err != nil {
		return err
	}
	v, err := client.Get[api.ChainChecks](ctx, c, "/activity/verify", nil)
	if err != nil {
		return err
	}
	broken := 0
	err = g.show(v, func(t *table) {
		t.row("CHAIN", "ROWS", "WHOLE", "")
		for _, c := range v.Chains {
			t.row(c.Name, c.Rows, c.OK, c.Problem)
		}
	})
	for _, c := range v.Chains {
		if !c.OK {
			broken++
		}
	}
	if err == nil && broken > 0 {
		err = fmt.Errorf("%d audit chains are not whole", broken)
	}
	return err
}
