package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"patchbay/server"
	"patchbay/test/bed"
)

// aheadBy makes this program the server of a test, on the data of the real one, with a clock
// that is ahead: by how much, where its data are, and where it listens.
const aheadBy = "PATCHBAY_E2E_AHEAD"

// serveAhead is the server with another clock. Nothing else of it differs from the program's.
func serveAhead() error {
	f := strings.Split(os.Getenv(aheadBy), ",")
	ahead, err := time.ParseDuration(f[0])
	if err != nil || len(f) != 4 {
		return fmt.Errorf("%s is %q", aheadBy, f)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := server.New(ctx, server.Options{Data: f[1], Listen: f[2], AgentListen: f[3], Version: "test",
		Now: func() time.Time { return time.Now().Add(ahead) }, Log: slog.New(slog.NewJSONHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Run(ctx)
}

// returnAfter starts the server that was away, so much later by its own clock.
func (in *installation) returnAfter(d time.Duration) {
	in.t.Helper()
	in.ahead = d
	in.start(in.host(in.console), in.host(in.agents))
}

// The server goes away while a job is being applied and comes back three days later: the
// device has finished, and its word is still there. The three days are the server's clock;
// the device's stands where it was.
func TestAServerThatWasAwayHearsHowItEnded(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive, origin := offered(t, in)
	e := faulty(t, in, bed.Options{Name: "alone", Origin: origin, Install: []string{"bed-watch", "bed-halt", "bed-halt-lib"}})
	archive.Publish(t, bed.Stable, bed.HaltStep(1))
	e.refresh()
	e.scan()
	e.expect("bed-halt", "WAITS_DECISION")
	if err := e.HaltAt(bed.HaltPostinst); err != nil {
		t.Fatal(err)
	}
	e.approve("bed-halt", true)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := e.WaitHalted(ctx); err != nil {
		t.Fatal(err)
	}
	in.cmd.Process.Kill()
	in.cmd.Wait()
	if err := e.GoOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.waitForDevice("to finish alone", func() bool {
		p, err := e.Oracle().Package(t.Context(), "bed-halt")
		return err == nil && p.String() == "1.1 installed"
	})
	in.returnAfter(72 * time.Hour)
	e.expect("bed-halt", "VERIFIED")
	e.over()
	e.compare()
	e.whole()
	in.doneOnce(e.id, "bed-halt")
	if n := e.upgrades("bed-halt", "1.1"); n != 1 {
		t.Errorf("it was installed %d times", n)
	}
}

// A machine that was off for ninety days is not good meanwhile, and comes back by itself: its
// certificate ran out long ago. Both clocks say that ninety days have passed.
func TestNinetyDaysOffIsNotGoodAndComesBack(t *testing.T) {
	t.Parallel()
	const off = 90 * 24 * time.Hour
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	d := in.bed.Device(t, bed.Options{Name: "ninety-days", Origin: in.bed.Serve(t, archive), Install: []string{"bed-lib=1.0", "bed-conf=1.0"}})
	archive.Publish(t, bed.Stable, "bed-lib=1.1", "bed-conf=1.1")
	d.Must(t, "apt-get", "update")
	site := in.site(in.customer("Acme"), "HQ", byHand(always()))
	c := in.computer(d, site)
	e := &endpoint{Device: d, in: in}
	c.Start(t, time.Now())
	e.awaitListed(site)
	e.expect("bed-lib", "WAITS_DECISION")
	e.approve("bed-lib", true)
	e.expect("bed-lib", "VERIFIED")
	e.over()
	c.Cut(t)

	in.stop()
	in.returnAfter(off)
	says(t, e.expect("bed-conf", "STALE"), "too long ago")
	for name, n := range e.needs() {
		if string(n.Verdict.State) == "verified" {
			t.Errorf("%s counts as good on a device that was not heard for ninety days: %+v", name, n.Verdict)
		}
	}
	c.Start(t, time.Now().Add(off))
	e.expect("bed-conf", "WAITS_DECISION")
	e.approve("bed-conf", true)
	e.expect("bed-conf", "VERIFIED")
	e.over()
	c.Cut(t)
	upgradedOnce(t, c, "bed-lib", "bed-conf")
	in.doneOnce(e.id, "bed-lib", "bed-conf")
}

// waitForDevice is waitFor while there is no server to ask.
func (e *endpoint) waitForDevice(what string, holds func() bool) {
	e.in.t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			e.in.t.Fatalf("%s: waited %v %s", e.Name, patience, what)
		case <-tick.C:
		}
	}
}
