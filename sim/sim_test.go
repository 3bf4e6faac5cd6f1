package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"patchbay/wire"
)

// everything is a fleet to which everything happens.
func everything(o *Options) {
	o.Faults = Faults{LostReplies: 0.1, Doubled: 0.1, Clones: 0.2, Restored: 0.2, RestoreTo: 20 * time.Minute, WrongClock: 0.2, FailedJobs: 0.1}
}

// traced lives three hours and gives all that happened.
func traced(t *testing.T, seed uint64) []string {
	t.Helper()
	var all []string
	s := simulate(t, newFake(t), func(o *Options) {
		everything(o)
		o.Shape = small(12)
		o.Seed = seed
		o.Trace = func(at time.Time, device, copy int, what string) {
			all = append(all, fmt.Sprintf("%s %d/%d %s", at.Sub(epoch), device, copy, what))
		}
	})
	s.Run(t.Context(), 3*time.Hour)
	return all
}

func TestTheSameSeedIsTheSameRun(t *testing.T) {
	a, b := traced(t, 1), traced(t, 1)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("event %d is %q and then %q", i, a[i], b[i])
		}
	}
	if len(a) != len(b) || len(a) < 1000 {
		t.Errorf("%d events and then %d", len(a), len(b))
	}
	if slices.Equal(a, traced(t, 2)) {
		t.Error("another seed is the same run")
	}
}

// laws are what must hold of any run against the fake, whatever happened in it.
func laws(t *testing.T, f *fake, s *Simulator) {
	t.Helper()
	for _, e := range s.Ledger() {
		if o := f.agents[e.Agent].outcomes[e.Seq]; e.Acked && (o.Job != e.Job || string(o.Step) != e.Step) {
			t.Errorf("outcome %d of %s is %s of job %s on the machine and %s of %s on the server", e.Seq, e.Agent, e.Step, e.Job, o.Step, o.Job)
		}
	}
	for id, a := range f.agents {
		ends := map[string]int{}
		for _, o := range a.outcomes {
			if o.Step.Ended() {
				ends[o.Job]++
				var r wire.Receipt
				if _, err := o.Receipt.Open(wire.ReceiptDocument, &r, a.key); err != nil || r.Job != o.Job {
					t.Errorf("the receipt of %s by %s: %v", o.Job, id, err)
				}
			}
		}
		for job, n := range ends {
			if n != 1 {
				t.Errorf("job %s of %s ended %d times", job, id, n)
			}
		}
	}
}

func TestEveryJobEndsOnceAndIsToldWhateverIsLostOrDoubled(t *testing.T) {
	f := newFake(t)
	s := simulate(t, f, func(o *Options) {
		o.Faults = Faults{LostReplies: 0.2, Doubled: 0.2, WrongClock: 0.3, FailedJobs: 0.2}
	})
	s.Run(t.Context(), 6*time.Hour)
	laws(t, f, s)
	r := s.Report()
	if r.Enrolled != 30 || r.Settled != 30 || r.Silent != 2 || r.Jobs["done"] < 40 || r.Jobs["failed"] == 0 {
		t.Errorf("%+v", r)
	}
	if r.Outcomes.Waiting() != 0 || r.Errors[errLost.Error()] == 0 {
		t.Errorf("%d outcomes wait; errors are %v", r.Outcomes.Waiting(), r.Errors)
	}
	for _, m := range s.machines {
		if open := m.standing(); len(open) > 0 && !m.Quiet {
			t.Errorf("device %d still has %d open jobs", m.Number, len(open))
		}
	}
}

func TestAMachineThatWasPutBackTellsNothingUnderAnOldNumber(t *testing.T) {
	f := newFake(t)
	s := simulate(t, f, func(o *Options) { o.Faults = Faults{Restored: 1, RestoreTo: 5 * time.Minute} })
	s.Run(t.Context(), 3*time.Hour)
	if r := s.Report(); r.Outcomes.Waiting() != 0 {
		t.Errorf("%d outcomes wait", r.Outcomes.Waiting())
	}
	for _, e := range s.Ledger() {
		if o := f.agents[e.Agent].outcomes[e.Seq]; o.Job != e.Job || string(o.Step) != e.Step {
			t.Errorf("outcome %d of %s is not what the server holds under that number", e.Seq, e.Agent)
		}
	}
}

func TestACopyBecomesADeviceOfItsOwn(t *testing.T) {
	f := newFake(t)
	s := simulate(t, f, func(o *Options) { o.Faults.Clones, o.Silent = 1, 0 })
	s.Run(t.Context(), 10*time.Minute)
	for _, a := range f.agents { // by now the fake would have noticed
		a.fenced = true
	}
	s.Run(t.Context(), 50*time.Minute)
	r := s.Report()
	if r.Copies != 30 || len(f.agents) != 60 || r.Renewed != 30 {
		t.Errorf("%d copies, %d agents, %d renewals, errors %v", r.Copies, len(f.agents), r.Renewed, r.Errors)
	}
	seen := map[string]bool{}
	for _, m := range s.machines {
		if seen[m.Agent] {
			t.Errorf("two machines are still %s", m.Agent)
		}
		seen[m.Agent] = true
	}
}

// A server that was away meets its fleet spread over the whole time it asked for.
func TestAFleetComesBackSpread(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 600 keys and lives for twenty minutes with them")
	}
	f := newFake(t)
	gone, back := epoch.Add(10*time.Minute), epoch.Add(11*time.Minute)
	f.away = func(now time.Time) bool { return !now.Before(gone) && now.Before(back) }
	s := simulate(t, f, func(o *Options) { o.Shape, o.Silent, o.Ramp = small(600), 0, 2*time.Minute })
	s.Run(t.Context(), 10*time.Minute)
	f.attempts = nil
	s.Run(t.Context(), 12*time.Minute)
	perSecond := map[int]int{}
	for _, at := range f.attempts {
		perSecond[int(at.Sub(back)/time.Second)]++
	}
	most := 0
	for _, n := range perSecond {
		most = max(most, n)
	}
	if r := s.Report(); r.Away != 0 || sum(r.Back) < 560 {
		t.Errorf("%d are still away, %d came back", r.Away, sum(r.Back))
	}
	if most > 40 { // 600 check in 10 times a second anyway
		t.Errorf("%d attempts in one second", most)
	}
}

func sum(all []int) (n int) {
	for _, x := range all {
		n += x
	}
	return n
}

func TestABusyServerIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	f := newFake(t)
	from, to := epoch.Add(5*time.Minute), epoch.Add(8*time.Minute)
	f.busy = func(now time.Time) bool { return !now.Before(from) && now.Before(to) }
	last, told := map[int]time.Time{}, map[int]time.Time{}
	s := simulate(t, f, func(o *Options) {
		o.Silent = 0
		o.Trace = func(at time.Time, device, _ int, what string) {
			if what != "check-in" {
				return
			}
			if since, ok := told[device]; ok && at.Sub(since) < time.Minute {
				t.Errorf("device %d came back after %s", device, at.Sub(since))
			}
			delete(told, device)
			if f.busy(at) {
				told[device] = at
			}
			last[device] = at
		}
	})
	s.Run(t.Context(), 20*time.Minute)
	if s.Report().Errors["overload"] == 0 || s.Report().Away != 0 {
		t.Errorf("%+v", s.Report())
	}
}

func TestAStoppedFleetGoesOn(t *testing.T) {
	dir, f := t.TempDir(), newFake(t)
	first := simulate(t, f, nil)
	first.Run(t.Context(), 4*time.Minute)
	if err := first.Save(dir); err != nil {
		t.Fatal(err)
	}
	made := first.Report().Outcomes.Made
	second := simulate(t, f, func(o *Options) { o.Begin = epoch.Add(time.Hour) })
	if there, err := second.Load(dir); err != nil || !there {
		t.Fatal(there, err)
	}
	second.Run(t.Context(), 3*time.Hour)
	laws(t, f, second)
	r := second.Report()
	if len(f.agents) != 30 || r.Outcomes.Waiting() != 0 || r.Outcomes.Made <= made {
		t.Errorf("%d agents; %d outcomes before and %+v after", len(f.agents), made, r.Outcomes)
	}
	other := simulate(t, f, func(o *Options) { o.Seed = 7 })
	if _, err := other.Load(dir); err == nil {
		t.Error("another fleet was taken up")
	}
}
