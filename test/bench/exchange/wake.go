package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/agent/link"
	"patchbay/test/bench/measure"
	"patchbay/wire"
)

// wakes measures how soon a whole customer's agents hear of a person's wish: from the moment
// "now" is pressed until each has the orders in hand, over lines that are held open. The
// agents are simulated in this process, on the same processors; what they cost is told.
func wakes(ctx context.Context, bin string, n int) (err error) {
	in, err := start(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.stop()) }()
	fleet, customer, err := enrolFleet(ctx, in, n, wire.Manage)
	if err != nil {
		return fmt.Errorf("enrolling the fleet: %w", err)
	}
	for _, first := range []bool{true, false} {
		if err := inParallel(fleet, func(a *simulated) error { return a.checkIn(ctx, first) }); err != nil && !errors.Is(err, errNews) {
			return fmt.Errorf("checking in: %w", err)
		}
	}
	server := in.server().Process.Pid
	quiet(ctx, server, 10*time.Second)
	before, err := measure.ResidentKB(server)
	if err != nil {
		return err
	}
	h := hold(ctx, fleet)
	defer h.stop()
	quiet(ctx, server, 10*time.Second)
	// A line takes the connection that the agent had; the next check-in makes another, which
	// stays as well.
	if err := inParallel(fleet, func(a *simulated) error { return a.checkIn(ctx, false) }); err != nil && !errors.Is(err, errNews) {
		return fmt.Errorf("checking in: %w", err)
	}
	quiet(ctx, server, 10*time.Second)
	after, err := measure.ResidentKB(server)
	if err != nil {
		return err
	}
	if open := h.open.Load(); open < int64(n) {
		fmt.Fprintf(os.Stderr, "of %d lines, %d are open\n", n, open)
	}
	measure.Figure(fmt.Sprintf("a_held_line,_of_%d", n), float64(after-before)/float64(n), "KB", "-", 0, "<=60")
	return h.press(ctx, in, customer, server)
}

// held is a fleet that holds its lines.
type held struct {
	fleet []*simulated
	open  atomic.Int64
	stop  func()

	mu    sync.Mutex
	began []time.Time // when each had the orders
}

func hold(ctx context.Context, fleet []*simulated) *held {
	ctx, cancel := context.WithCancel(ctx)
	h := &held{fleet: fleet}
	var lines sync.WaitGroup
	h.stop = func() { cancel(); lines.Wait() }
	for _, a := range fleet {
		lines.Go(func() {
			h.open.Add(1)
			defer h.open.Add(-1)
			_ = a.link.Listen(ctx, link.Stream{Boot: boot, Beat: link.BeatMost, Now: time.Now, Call: func() { h.call(ctx, a) }})
		})
	}
	return h
}

// call is an agent being called: it checks in, as real ones do.
func (h *held) call(ctx context.Context, a *simulated) {
	if err := a.checkIn(ctx, false); err != nil && !errors.Is(err, errNews) || a.jobs == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.began = append(h.began, time.Now())
}

// press presses "now" for the whole customer and waits until all have begun.
func (h *held) press(ctx context.Context, in *installation, customer string, server int) error {
	spent, err := measure.ProcessorTime(server)
	if err != nil {
		return err
	}
	own, err := measure.ProcessorTime(os.Getpid())
	if err != nil {
		return err
	}
	pressed := time.Now()
	if err := in.ask(ctx, "POST", "/approvals", map[string]any{"level": "customer", "target": customer, "answer": "approve", "now": true,
		"what": map[string]any{"all": true}}, nil); err != nil {
		return err
	}
	answered := time.Since(pressed)
	for limit := time.Now().Add(2 * time.Minute); time.Now().Before(limit); time.Sleep(50 * time.Millisecond) {
		h.mu.Lock()
		n := len(h.began)
		h.mu.Unlock()
		if n == len(h.fleet) {
			break
		}
	}
	spentAfter, err := measure.ProcessorTime(server)
	if err != nil {
		return err
	}
	ownAfter, err := measure.ProcessorTime(os.Getpid())
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.began) < len(h.fleet) {
		fmt.Fprintf(os.Stderr, "of %d agents, %d began within two minutes\n", len(h.fleet), len(h.began))
	}
	name := func(what string) string { return fmt.Sprintf("wake_of_%d,_%s", len(h.fleet), what) }
	measure.Figure(name("answer"), answered.Seconds(), "s", "-", 0, "-")
	measure.Figure(name("p50"), since(pressed, h.began, 0.50), "s", "-", 0, "-")
	measure.Figure(name("p99"), since(pressed, h.began, 0.99), "s", "-", 0, "<=2")
	measure.Figure(name("server"), (spentAfter - spent).Seconds(), "CPU-s", "the_agents'_own_share", (ownAfter - own).Seconds(), "-")
	return nil
}

// since is how long after the start that share of the moments was over, in seconds.
func since(start time.Time, moments []time.Time, share float64) float64 {
	if len(moments) == 0 {
		return -1
	}
	slices.SortFunc(moments, func(a, b time.Time) int { return a.Compare(b) })
	return moments[min(len(moments)-1, int(share*float64(len(moments))))].Sub(start).Seconds()
}
