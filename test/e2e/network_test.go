package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// A second agent with the first one's state does not start; one with a state of its own is
// another device on the same machine. Both install what they are told, and it is installed once.
func twoAgents(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-lib=1.1")
	e := faulty(t, in, bed.Options{Name: "twice", Origin: origin, Install: []string{"bed-lib=1.0"}})
	e.expect("bed-lib", "WAITS_DECISION")
	r, err := e.Exec(t.Context(), "/usr/bin/patchbay-agent", "run")
	if err != nil || r.Code == 0 || !strings.Contains(r.Stderr, "another agent is running") {
		t.Errorf("a second agent ended with %d, %v: %s", r.Code, err, r.Stderr)
	}

	other := in.site(in.customer("twice too"), "HQ", byHand(always()))
	token := call[view.NewToken](in, "POST", "/sites/"+other+"/tokens", object{"mode": "manage", "uses": 1, "hours": 1})
	e.Must(t, append(strings.Fields(token.SecretLine), "--state", "/var/lib/second")...)
	second := &endpoint{Device: e.Device, in: in}
	second.agent = e.Spawn(t, "/usr/bin/patchbay-agent", "--state", "/var/lib/second", "run", "--reconnect", "1s")
	second.awaitListed(other)
	second.expect("bed-lib", "WAITS_DECISION")
	e.approve("bed-lib", true)
	second.approve("bed-lib", true)
	e.expect("bed-lib", "VERIFIED")
	second.expect("bed-lib", "VERIFIED")
	for _, each := range []*endpoint{e, second} {
		each.compare()
		each.over()
	}
	if n := e.upgrades("bed-lib", "1.1"); n != 1 {
		t.Errorf("it was installed %d times", n)
	}
}

// over waits until all jobs of the device are told as done.
func (e *endpoint) over() {
	e.in.t.Helper()
	e.waitFor("for the end of its jobs to be told", func() bool {
		jobs := call[view.Page[view.Job]](e.in, "GET", "/jobs?limit=500&device="+e.id, nil).Items
		for _, j := range jobs {
			if j.EndedAt == nil {
				return false
			}
		}
		return len(jobs) > 0
	})
}

// flapping pulls the plug for five seconds in every ten, from before the approval until all
// is told.
func flapping(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-lib=1.1", "bed-big=1.1")
	e := faulty(t, in, bed.Options{Name: "flapping", Origin: origin, Install: []string{"bed-lib=1.0", "bed-big=1.0"}})
	e.expect("bed-lib", "WAITS_DECISION")
	e.expect("bed-big", "WAITS_DECISION")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for down := true; ; down = !down {
			var err error
			if down {
				err = e.CutNetwork(ctx)
			} else {
				err = e.RestoreNetwork(ctx)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				ended <- e.RestoreNetwork(context.WithoutCancel(ctx))
				return
			}
			if err != nil && ctx.Err() == nil {
				ended <- err
				return
			}
		}
	}()
	e.proveOnce("bed-lib", "bed-big")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// losing loses three packets of ten, in both directions.
func losing(t *testing.T, in *installation) {
	archive, origin := offered(t, in)
	archive.Publish(t, bed.Stable, "bed-lib=1.1", "bed-big=1.1")
	e := faulty(t, in, bed.Options{Name: "losing", Origin: origin, Install: []string{"bed-lib=1.0", "bed-big=1.0"}})
	e.expect("bed-lib", "WAITS_DECISION")
	e.expect("bed-big", "WAITS_DECISION")
	if err := e.Lose(t.Context(), 30); err != nil {
		t.Fatal(err)
	}
	e.proveOnce("bed-lib", "bed-big")
	if err := e.Lose(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

// proveOnce approves 1.1 of the items, waits until they are proven and all is told, and holds
// that each was installed once.
func (e *endpoint) proveOnce(items ...string) {
	e.in.t.Helper()
	for _, item := range items {
		e.approve(item, true)
	}
	for _, item := range items {
		e.expect(item, "VERIFIED")
	}
	e.over()
	e.compare()
	e.whole()
	for _, item := range items {
		if n := e.upgrades(item, "1.1"); n != 1 {
			e.in.t.Errorf("%s was installed %d times", item, n)
		}
	}
}
