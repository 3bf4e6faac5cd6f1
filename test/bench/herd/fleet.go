package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"patchbay/sim"
)

// fleet is the simulator's processes and what they last reported.
type fleet struct {
	parts []*part
}

// part is one process.
type part struct {
	cmd    *exec.Cmd
	ledger string

	mu   sync.Mutex
	last sim.Report
	done chan struct{}
}

// startFleet starts the simulators, each at one of the servers.
func (h *herd) startFleet(ctx context.Context) error {
	for i := range h.processes {
		s := h.servers[i%len(h.servers)]
		p := &part{ledger: filepath.Join(h.dir, fmt.Sprintf("ledger-%d.json", i)), done: make(chan struct{})}
		p.cmd = exec.CommandContext(ctx, filepath.Join(h.bin, "patchbay-sim"), "--server", "https://"+s.agents, "--api", "http://"+h.servers[0].people,
			"--devices", strconv.Itoa(h.agents), "--seed", strconv.FormatUint(h.seed, 10), "--part", fmt.Sprintf("%d/%d", i+1, h.processes),
			"--items", "8", "--auto", fmt.Sprint(h.working), "--always", "--pace", "0.4", "--silent", "0", "--ramp", (time.Duration(h.agents) * time.Second / 150).String(), "--requests", "4000",
			"--wake", "--stay", "--json", "--every", "500ms", "--ledger", p.ledger)
		p.cmd.Env = append(os.Environ(), "PATCHBAY_KEY="+h.key)
		p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
		p.cmd.Stderr = os.Stderr
		out, err := p.cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := p.cmd.Start(); err != nil {
			return fmt.Errorf("starting a simulator: %w", err)
		}
		go p.read(json.NewDecoder(bufio.NewReader(out)))
		h.fleet.parts = append(h.fleet.parts, p)
	}
	return nil
}

// read keeps the newest report until there are no more.
func (p *part) read(reports *json.Decoder) {
	defer close(p.done)
	for {
		var r sim.Report
		if reports.Decode(&r) != nil {
			return
		}
		p.mu.Lock()
		p.last = r
		p.mu.Unlock()
	}
}

func (p *part) report() sim.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// sum adds something up over all parts.
func (f *fleet) sum(of func(sim.Report) int) (n int) {
	for _, p := range f.parts {
		n += of(p.report())
	}
	return n
}

// most is the largest over all parts.
func (f *fleet) most(of func(sim.Report) int) (n int) {
	for _, p := range f.parts {
		n = max(n, of(p.report()))
	}
	return n
}

func agents(r sim.Report) int   { return r.Agents }
func enrolled(r sim.Report) int { return r.Enrolled }
func settled(r sim.Report) int  { return r.Settled }
func away(r sim.Report) int     { return r.Away }
func made(r sim.Report) int     { return r.Outcomes.Made }
func waiting(r sim.Report) int  { return r.Outcomes.Waiting() }
func window(r sim.Report) int   { return int(r.Reconnect / time.Second) }
func back(r sim.Report) (n int) {
	for _, x := range r.Back {
		n += x
	}
	return n
}

// until waits until the reports say that something is so.
func (h *herd) until(ctx context.Context, what string, so func() bool) error {
	for began, told := time.Now(), time.Now(); !so(); {
		if time.Since(began) > h.patience {
			return fmt.Errorf("%s did not happen within %s: %s", what, h.patience, &h.fleet)
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			say("waiting until %s: %s", what, &h.fleet)
		}
		for _, p := range h.fleet.parts {
			select {
			case <-p.done:
				return errors.New("a simulator ended")
			default:
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// String is where the fleet stands.
func (f *fleet) String() string {
	return fmt.Sprintf("%d enrolled, %d settled, %d away, %d back, %d outcomes made, %d wait",
		f.sum(enrolled), f.sum(settled), f.sum(away), f.sum(back), f.sum(made), f.sum(waiting))
}

// stop ends the simulators, which then report whole.
func (f *fleet) stop() error {
	var problems []error
	for _, p := range f.parts {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		}
	}
	for _, p := range f.parts {
		<-p.done
		if p.cmd.ProcessState == nil {
			problems = append(problems, p.cmd.Wait())
		}
	}
	return errors.Join(problems...)
}

// ledger is every outcome on the machines.
func (f *fleet) ledger() ([]sim.Entry, error) {
	var all []sim.Entry
	for _, p := range f.parts {
		text, err := os.ReadFile(p.ledger)
		if err != nil {
			return nil, err
		}
		var entries []sim.Entry
		if err := json.Unmarshal(text, &entries); err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return all, nil
}
