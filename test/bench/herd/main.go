// Command herd measures what happens when a whole fleet loses its server at one moment: a
// real server is killed while simulated agents hold calls to it and work, stays away for a
// while, and is started again. It prints figures as the other benches do.
//
// With a folder of PostgreSQL's programs it measures several servers on one database instead,
// of which one is killed.
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
)

// plan is what is asked for.
type plan struct {
	bin       string // folder with patchbay, patchbay-sim and exchange
	agents    int
	processes int // of the simulator
	replicas  int
	postgres  string        // folder with PostgreSQL's programs; "" is the embedded database
	seed      uint64        //
	away      time.Duration // how long the server is dead
	working   float64       // share of sites whose machines install updates meanwhile
	patience  time.Duration // for each phase
}

func main() {
	var p plan
	flag.StringVar(&p.bin, "bin", "bin", "folder with patchbay, patchbay-sim and exchange")
	flag.IntVar(&p.agents, "agents", 12_000, "agents asked for")
	flag.IntVar(&p.processes, "processes", 1, "processes that the agents are simulated in")
	flag.IntVar(&p.replicas, "replicas", 1, "servers; more than one needs -postgres")
	flag.StringVar(&p.postgres, "postgres", "", "folder with PostgreSQL's programs, for a database of its own")
	flag.Uint64Var(&p.seed, "seed", 1, "seed of the fleet")
	flag.DurationVar(&p.away, "away", 5*time.Second, "how long the server is away")
	flag.Float64Var(&p.working, "working", 0.2, "share of sites that install updates meanwhile")
	flag.DurationVar(&p.patience, "patience", 5*time.Minute, "how long each phase may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p); err != nil {
		fmt.Fprintln(os.Stderr, "herd:", err)
		os.Exit(1)
	}
}

// run does everything in a folder of its own, and ends what it started.
func run(ctx context.Context, p plan) (err error) {
	p = p.fit()
	if p.bin, err = filepath.Abs(p.bin); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "patchbay-herd-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil || os.Getenv("PATCHBAY_KEEP") == "" {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	h := &herd{plan: p, dir: dir}
	defer func() { err = errors.Join(err, h.stop()) }()
	return h.measure(ctx)
}

// fit asks for no more than the limit of open files lets through, and says so: each agent
// holds a connection, which is a file for its simulator and one for its server.
func (p plan) fit() plan {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		say("the limit of open files is not known: %v", err)
		return p
	}
	const others = 1500 // the listeners, the database, and second connections while agents speak
	most := (int(min(limit.Cur, 1<<30)) - others) * min(p.processes, p.replicas)
	if asked := p.agents; asked > most {
		p.agents = most
		say("of %d agents asked for, %d run at once: a process here may open %d files, and there are %d simulators and %d servers",
			asked, most, limit.Cur, p.processes, p.replicas)
	}
	return p
}

// say tells how it goes, beside the figures.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
