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
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "folder with patchbay and patchbay-agent, stripped")
	fleet := flag.Int("fleet", 1000, "agents that check in")
	idle := flag.Duration("idle", 75*time.Second, "how long the agent is left alone before its memory is read")
	echo := flag.String("echo", "", "be the echo server with the keys in this folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return measure(ctx, *bin, *fleet, *idle) }
	if *echo != "" {
		run = func() error { return serveEcho(ctx, *echo) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "exchange:", err)
		os.Exit(1)
	}
}

// measure does everything in a folder of its own, and ends what it started.
func measure(ctx context.Context, bin string, fleet int, idle time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "patchbay-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	in, err := start(ctx, bin, dir)
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
	rss, err := residentKB(agent.Process.Pid)
	if err != nil {
		return fmt.Errorf("reading the agent's memory: %w", err)
	}
	figure("agent_idle_rss", float64(rss)/1024, "MB", "-", 0, "<=20")
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
		figure(of.name, float64(info.Size())/1e6, "MB", "-", 0, of.bound)
	}
	return nil
}

// figure prints one line; other is what it is compared with, 0 for nothing.
func figure(name string, value float64, unit, than string, other float64, bound string) {
	beside, ratio := "-", "-"
	if other != 0 {
		beside, ratio = fmt.Sprintf("%.1f", other), fmt.Sprintf("%.2f", value/other)
	}
	fmt.Printf("FIGURE %s %.1f %s %s %s %s %s\n", name, value, unit, than, beside, ratio, bound)
}

// spawn starts a program whose words go to a file.
func spawn(ctx context.Context, log string, args ...string) (*exec.Cmd, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, cmd.Start()
}
