package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"patchbay/server/store"
	"patchbay/sim"
	"patchbay/test/bench/measure"
)

// herd is one run.
type herd struct {
	plan
	dir      string
	database string // address, "" is each server's own
	cluster  *cluster
	servers  []*instance
	key      string
	fleet    fleet
	window   int // seconds over which the servers have first tries spread
}

// stop ends what still runs, the simulators first.
func (h *herd) stop() error {
	problems := []error{h.fleet.stop()}
	for _, s := range h.servers {
		problems = append(problems, end(s.cmd, syscall.SIGTERM))
	}
	if h.cluster != nil {
		problems = append(problems, h.cluster.stop())
		h.cluster = nil
	}
	return errors.Join(problems...)
}

// measure goes through the phases and prints the figures.
func (h *herd) measure(ctx context.Context) error {
	if h.postgres != "" {
		c, err := startCluster(h.postgres, filepath.Join(h.dir, "postgres"))
		if h.cluster = c; err != nil {
			return err
		}
		h.database = c.url()
	}
	if err := h.startServers(ctx); err != nil {
		return err
	}
	if err := h.startFleet(ctx); err != nil {
		return err
	}
	if err := h.gather(ctx); err != nil {
		return err
	}
	h.window = h.fleet.most(window)
	killed := h.servers[len(h.servers)-1]
	own := h.of(killed)
	cameBefore := own.sum(back) // a server that is busy sends agents away while they enrol
	there, err := h.kill(ctx, killed)
	if err != nil {
		return err
	}
	mine, all, err := h.comeBack(ctx, killed, own, cameBefore, there)
	if err != nil {
		return err
	}
	if err := h.until(ctx, "all is told", func() bool { return h.fleet.sum(waiting) < 1+h.agents/100 }); err != nil {
		say("%v", err) // what still waits is counted below
	}
	if err := h.spread(mine, there, all); err != nil {
		return err
	}
	return h.account(ctx)
}

// gather enrols everybody and waits until some work.
func (h *herd) gather(ctx context.Context) error {
	var first time.Time
	err := h.until(ctx, "all are enrolled", func() bool {
		if first.IsZero() && h.fleet.sum(enrolled) > 0 {
			first = time.Now()
		}
		return h.fleet.sum(enrolled) == h.agents
	})
	if err != nil {
		return err
	}
	measure.Figure(h.name("enrolments"), float64(h.agents)/time.Since(first).Seconds(), "/s", "-", 0, "-")
	return h.until(ctx, "all have told everything and some work", func() bool {
		return h.fleet.sum(settled) == h.agents && h.fleet.sum(made) > h.agents/100
	})
}

// name tells the figures of several servers apart from those of one.
func (h *herd) name(figure string) string {
	figure = fmt.Sprintf("herd_of_%d,_%s", h.agents, figure)
	if h.replicas > 1 {
		figure = fmt.Sprintf("%d_servers,_%s", h.replicas, figure)
	}
	return figure
}

// kill ends a server without a word, and starts it again after a while.
func (h *herd) kill(ctx context.Context, s *instance) (there time.Time, err error) {
	say("the server is killed: %s", &h.fleet)
	gone := time.Now()
	if err := end(s.cmd, syscall.SIGKILL); err != nil {
		return there, err
	}
	before := h.fleet.sum(made)
	select {
	case <-ctx.Done():
		return there, ctx.Err()
	case <-time.After(h.away):
	}
	if err := h.startServer(ctx, s); err != nil {
		return there, err
	}
	there = time.Now()
	say("it answers again after %s, in which machines made %d outcomes", there.Sub(gone).Round(time.Millisecond), h.fleet.sum(made)-before)
	return there, nil
}

// of is the part of the fleet that has the server as its own.
func (h *herd) of(s *instance) *fleet {
	own := &fleet{}
	for i, p := range h.fleet.parts {
		if i%len(h.servers) == s.number {
			own.parts = append(own.parts, p)
		}
	}
	return own
}

// mostBack reports whether all but one in a hundred of those who lost their server have it
// again: so many came, and so few are away, for one that came twice is no two.
func mostBack(mine, came, away int) bool { return came >= mine-mine/100 && away <= mine/100 }

// comeBack waits for the fleet of a server and says how it came, of which some came back
// before the server was killed. It gives how many they are and when the last was back.
func (h *herd) comeBack(ctx context.Context, s *instance, own *fleet, cameBefore int, there time.Time) (mine int, all time.Time, err error) {
	pid := s.cmd.Process.Pid
	before, err := measure.ProcessorTime(pid)
	if err != nil {
		return 0, all, err
	}
	mine = own.sum(agents)
	var most time.Time // when all but one in a hundred were back
	whole := func() bool {
		if most.IsZero() && mostBack(mine, own.sum(back)-cameBefore, own.sum(away)) {
			most = time.Now()
		}
		return h.fleet.sum(away) == 0 && !most.IsZero()
	}
	if err := h.until(ctx, "all are back", whole); err != nil {
		return 0, all, err
	}
	all = time.Now()
	after, err := measure.ProcessorTime(pid)
	if err != nil {
		return 0, all, err
	}
	rss, err := measure.ResidentKB(pid)
	if err != nil {
		return 0, all, err
	}
	say("all are back: %s", &h.fleet)
	bare, err := h.bareReconnects(ctx)
	if err != nil {
		return 0, all, err
	}
	measure.Figure(h.name("99_%_back"), most.Sub(there).Seconds(), "s", "window", float64(h.window), "<=2x")
	measure.Figure(h.name("all_back"), all.Sub(there).Seconds(), "s", "window", float64(h.window), "-")
	measure.Figure(h.name("reconnect"), 1000*(after-before).Seconds()/float64(mine), "CPU-s/1k", "mutual-TLS_echo", bare, "-")
	measure.Figure(h.name("server_RSS"), float64(rss)/1024, "MB", "-", 0, "-")
	return mine, all, nil
}

// spread stops the fleet and looks at each second since the server was there again.
func (h *herd) spread(mine int, there, all time.Time) error {
	if err := h.fleet.stop(); err != nil {
		return err
	}
	seconds := map[int64]sim.Second{}
	for _, p := range h.fleet.parts {
		r := p.report()
		for i, s := range r.Seconds {
			sum := seconds[r.Begin.Unix()+int64(i)]
			sum.Retries, sum.Failed = sum.Retries+s.Retries, sum.Failed+s.Failed
			seconds[r.Begin.Unix()+int64(i)] = sum
		}
	}
	most, wasted := 0, 0
	for at, s := range seconds {
		if at > there.Unix() && at <= all.Unix() {
			most, wasted = max(most, s.Retries), wasted+s.Failed
		}
	}
	measure.Figure(h.name("peak_of_retries"), float64(most), "/s", "evenly_spread", float64(mine)/float64(h.window), "<=2x")
	measure.Figure(h.name("wasted_attempts"), float64(wasted), "", "agents", float64(mine), "<=0.01x")
	return nil
}

// account stops the servers and compares every outcome on the machines with the database.
func (h *herd) account(ctx context.Context) error {
	for _, s := range h.servers {
		if err := end(s.cmd, syscall.SIGTERM); err != nil {
			return err
		}
	}
	url := h.database
	if url == "" {
		url = "sqlite:" + filepath.Join(h.servers[0].data, "patchbay.db")
	}
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.MSP(store.Who{ID: "herd", Name: "herd"}).Outcomes(ctx, store.OutcomeFilter{})
	if err != nil {
		return err
	}
	entries, err := h.fleet.ledger()
	if err != nil {
		return err
	}
	lost, waits, doubled := compare(entries, rows)
	say("%d outcomes were made, %d are in the database, %d wait on their machines", len(entries), len(rows), waits)
	measure.Figure(h.name("outcomes_lost"), float64(lost), "", "made", float64(len(entries)), "<=0")
	measure.Figure(h.name("outcomes_doubled"), float64(doubled), "", "made", float64(len(entries)), "<=0")
	return nil
}

// compare counts the outcomes that a server acknowledged and does not hold, those that still
// wait, and the jobs that ended twice.
func compare(entries []sim.Entry, rows []store.OutcomeRow) (lost, waits, doubled int) {
	type key struct {
		agent, job, step string
		seq              int64
	}
	held, ends := map[key]bool{}, map[string]int{}
	for _, o := range rows {
		held[key{o.Agent, o.Job, string(o.Step), o.Seq}] = true
		if o.Step.Ended() {
			ends[o.Job]++
		}
	}
	for _, e := range entries {
		there := held[key{e.Agent, e.Job, e.Step, e.Seq}]
		switch {
		case e.Acked && !there:
			lost++
		case !e.Acked && !there:
			waits++
		}
	}
	for _, n := range ends {
		if n > 1 {
			doubled++
		}
	}
	return lost, waits, doubled
}
