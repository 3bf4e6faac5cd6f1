// Command exchange measures what the exchange between agents and server costs: a real
// server and a real agent, a fleet that speaks the real protocol, and beside the server a
// bare echo over mutual TLS that carries the same bodies on the same connections.
//
// It prints one line a figure:
//
//	FIGURE name value unit compared-with value ratio bound
//
// A bound that ends in x is one of the ratio. What does not apply is "-".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"patchbay/test/bench/measure"
)

func main() {
	bin := flag.String("bin", "bin", "folder with patchbay and patchbay-agent, stripped")
	fleet := flag.Int("fleet", 1000, "agents that check in")
	held := flag.Int("wake", 0, "measure only how soon so many agents that hold a line hear of a person's wish")
	idle := flag.Duration("idle", 75*time.Second, "how long the agent is left alone before its memory is read")
	echo := flag.String("echo", "", "be the echo server with the keys in this folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return exchange(ctx, *bin, *fleet, *idle) }
	if *held > 0 {
		run = func() error { return wakes(ctx, *bin, *held) }
	}
	if *echo != "" {
		run = func() error { return serveEcho(ctx, *echo) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "exchange:", err)
		os.Exit(1)
	}
}

// exchange does everything in a folder of its own, and ends what it started.
func exchange(ctx context.Context, bin string, fleet int, idle time.Duration) (err error) {
	in, err := start(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.stop()) }()

	agent, err := in.startAgent(ctx)
	if err != nil {
		return fmt.Errorf("starting an agent: %w", err)
	}
	began := time.Now()
	if err := sizes(bin); err != nil {
		return err
	}
	if err := rates(ctx, in, fleet); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(0, idle-time.Since(began))):
	}
	rss, err := measure.ResidentKB(agent.Process.Pid)
	if err != nil {
		return fmt.Errorf("reading the agent's memory: %w", err)
	}
	measure.Figure("agent_idle_rss", float64(rss)/1024, "MB", "-", 0, "<=20")
	return nil
}

// sizes tells how large the programs are.
func sizes(bin string) error {
	for _, of := range []struct{ file, name, bound string }{
		{"patchbay-agent", "agent_binary", "<=15"},
		{"patchbay", "server_binary", "-"},
	} {
		info, err := os.Stat(filepath.Join(bin, of.file))
		if err != nil {
			return err
		}
		measure.Figure(of.name, float64(info.Size())/1e6, "MB", "-", 0, of.bound)
	}
	return nil
}
