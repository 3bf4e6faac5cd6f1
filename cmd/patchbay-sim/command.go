package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"patchbay/sim"
)

// command is the command line.
type command struct {
	Server string `help:"Where agents reach the server, such as https://127.0.0.1:8421." required:""`
	API    string `name:"api" help:"Where the console is reached, to make customers, sites and tokens." default:"http://127.0.0.1:8420"`
	Key    string `help:"API key of a person, for --api." env:"PATCHBAY_KEY"`
	Token  string `help:"Enrolment token for all machines, instead of --key." env:"PATCHBAY_TOKEN"`
	State  string `help:"Folder in which the fleet is kept, so that it can be stopped and go on later. It holds the machines' keys." type:"path"`

	Devices     int     `help:"Machines. Customers and inventories follow in proportion." default:"20000"`
	Customers   int     `help:"Customers; 0 is in proportion." default:"0"`
	Inventories int     `help:"Distinct inventories; 0 is in proportion." default:"0"`
	Items       int     `help:"Most items per package manager; 0 is as many as such machines have." default:"0"`
	Seed        uint64  `help:"What the fleet grows from: the same seed is the same fleet." default:"1"`
	Auto        float64 `help:"Share of sites that install security updates without asking." default:"0.5"`
	Always      bool    `help:"Windows are open all week."`
	Part        string  `help:"Which part of the fleet this process is, such as 2/3." default:"1/1"`

	For       time.Duration `help:"How long the fleet lives, in its own time; 0 is until it is stopped." default:"0"`
	Speed     float64       `help:"Seconds of the fleet in a real one." default:"1"`
	Pace      float64       `help:"How long work takes, of what it takes in reality." default:"1"`
	Ramp      time.Duration `help:"Over what time the machines are switched on." default:"1m"`
	Reconnect time.Duration `help:"Over what time first tries are spread when the server was lost and has not said." default:"2m"`
	Requests  int           `help:"Requests at once." default:"64"`
	Wake      bool          `help:"Hold a wake-up call open for each machine."`
	Stay      bool          `help:"Keep to --server whatever addresses it tells, as behind a balancer."`
	Keep      bool          `help:"Keep connections open between check-ins, as real agents do."`

	Silent     float64       `help:"Share of machines that fall silent." default:"0.05"`
	Lost       float64       `help:"Share of replies that are lost after the server had the check-in." default:"0"`
	Doubled    float64       `help:"Share of check-ins that arrive twice." default:"0"`
	Clones     float64       `help:"Share of machines that are copied and run twice." default:"0"`
	Restored   float64       `help:"Share of machines that are put back to a snapshot." default:"0"`
	RestoreAge time.Duration `help:"How old that snapshot is, in the fleet's time." default:"2h"`
	WrongClock float64       `help:"Share of machines whose clock is wrong by up to ten years." default:"0"`
	FailedJobs float64       `help:"Share of jobs that fail." default:"0.02"`

	JSON   bool          `name:"json" help:"Report as JSON."`
	Every  time.Duration `help:"Report also while it runs, this often; with --json a line each." default:"0"`
	Ledger string        `help:"Write every outcome that was made to this file at the end, as JSON." type:"path"`
	Check  bool          `help:"Ask the server at the end for every outcome it acknowledged. Needs --key."`
}

// Run lets the fleet live.
func (c *command) Run(ctx context.Context) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	s, err := sim.New(o)
	if err != nil {
		return err
	}
	if err := c.prepare(ctx, s); err != nil {
		return err
	}
	if c.Every > 0 {
		c.reportEvery(s, time.Now())
	}
	s.Run(ctx, c.For)
	return errors.Join(c.finish(context.WithoutCancel(ctx), s), c.print(s.Report(), true))
}

// options puts the flags into the simulation's own words.
func (c *command) options() (sim.Options, error) {
	shape := sim.Scaled(c.Devices)
	shape.Seed, shape.Silent, shape.Items, shape.Auto, shape.Always = c.Seed, c.Silent, c.Items, c.Auto, c.Always
	if c.Customers > 0 {
		shape.Customers = c.Customers
	}
	if c.Inventories > 0 {
		shape.Inventories = c.Inventories
	}
	var part, parts int
	if _, err := fmt.Sscanf(c.Part, "%d/%d", &part, &parts); err != nil || part < 1 || part > parts {
		return sim.Options{}, fmt.Errorf("the part must be like 2/3, not %q", c.Part)
	}
	return sim.Options{Shape: shape, Part: part - 1, Parts: parts, Server: c.Server, Token: c.Token, Ramp: c.Ramp, Reconnect: c.Reconnect,
		Speed: c.Speed, Pace: c.Pace, Requests: c.Requests, Wake: c.Wake, Stay: c.Stay, Keep: c.Keep, Seconds: c.JSON, Now: time.Now,
		Faults: sim.Faults{LostReplies: c.Lost, Doubled: c.Doubled, Clones: c.Clones, Restored: c.Restored, RestoreTo: c.RestoreAge,
			WrongClock: c.WrongClock, FailedJobs: c.FailedJobs}}, nil
}

// prepare takes up a fleet that was stopped, or makes the places for a new one.
func (c *command) prepare(ctx context.Context, s *sim.Simulator) error {
	if c.State != "" {
		if there, err := s.Load(c.State); err != nil || there {
			return err
		}
	}
	switch {
	case c.Key != "":
		if err := s.Settle(ctx, c.api()); err != nil {
			return err
		}
	case c.Token == "":
		return errors.New("give the API key of a person with --key, or an enrolment token with --token")
	}
	if c.State == "" {
		return nil
	}
	return s.Save(c.State) // the tokens, before any is used
}

func (c *command) api() sim.API { return sim.API{URL: c.API, Key: c.Key, Client: http.DefaultClient} }

// reportEvery prints the report again and again while the fleet lives.
func (c *command) reportEvery(s *sim.Simulator, at time.Time) {
	at = at.Add(c.Every)
	s.At(at, func() {
		r := s.Report()
		r.Seconds = nil
		_ = c.print(r, false) // whoever reads it has gone; the fleet lives on
		c.reportEvery(s, at)
	})
}

// finish writes what is kept and checks that nothing was lost.
func (c *command) finish(ctx context.Context, s *sim.Simulator) error {
	if c.State != "" {
		if err := s.Save(c.State); err != nil {
			return err
		}
	}
	if c.Ledger != "" {
		text, err := json.Marshal(s.Ledger())
		if err == nil {
			err = os.WriteFile(c.Ledger, text, 0o600)
		}
		if err != nil {
			return fmt.Errorf("writing the ledger: %w", err)
		}
	}
	if !c.Check {
		return nil
	}
	missing, err := s.Missing(ctx, c.api())
	if err == nil && missing > 0 {
		err = fmt.Errorf("the server acknowledged %d outcomes that it does not hold", missing)
	}
	return err
}

func (c *command) print(r sim.Report, whole bool) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	if !whole {
		_, err := fmt.Printf("%s: %d enrolled, %d settled, %d away, %d check-ins, outcomes %d made and %d acknowledged\n",
			r.Now.Sub(r.Begin).Round(time.Second), r.Enrolled, r.Settled, r.Away, r.CheckIns, r.Outcomes.Made, r.Outcomes.Acknowledged)
		return err
	}
	return text(os.Stdout, r)
}

// text tells a report to a person.
func text(w io.Writer, r sim.Report) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{name}, args...)...)
	}
	line("fleet", "%s", r.Fleet)
	line("lived", "%s", r.Now.Sub(r.Begin).Round(time.Second))
	line("agents", "%d, %d enrolled, %d known whole to the server, %d silent on purpose, %d copies, %d away now",
		r.Agents, r.Enrolled, r.Settled, r.Silent, r.Copies, r.Away)
	line("check-ins", "%d, %d calls, %d doubts, %d renewals, %d bytes out, %d in", r.CheckIns, r.Calls, r.Doubts, r.Renewed, r.BytesOut, r.BytesIn)
	line("outcomes", "%d made, %d acknowledged, %d wait, %d undone with a disk", r.Outcomes.Made, r.Outcomes.Acknowledged, r.Outcomes.Waiting(), r.Outcomes.Undone)
	line("jobs", "%s", counts(r.Jobs))
	line("errors", "%s", counts(r.Errors))
	line("retries", "at most %d in one second", r.MostRetries)
	for i, n := range r.Back {
		if n > 0 {
			line("back after", "%4d to %d s: %d", 10*i, 10*i+10, n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// counts lists what was counted, by name.
func counts(of map[string]int) string {
	var all []string
	for name, n := range of {
		all = append(all, fmt.Sprintf("%s %d", name, n))
	}
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
