package store

import (
	"context"
	"math"
	"testing"
	"time"

	"patchbay/wire"
)

// wish writes a wish for a device on top of the jobs it has.
func (c company) wish(device string, wanted []Job, gone ...string) (Saved, error) {
	ctx := context.Background()
	read, err := c.Jobs(ctx, JobFilter{Devices: []string{device}})
	if err != nil {
		return Saved{}, err
	}
	saved, err := c.SaveJobs(ctx, day0, []Wish{{Device: device, Read: read, Wanted: wanted, Gone: gone}})
	if err != nil {
		return Saved{}, err
	}
	return saved[0], nil
}

// next numbers orders of an agent whose content has this hash.
func (c company) next(agent, hash string) (wire.OrdersVersion, error) {
	given, err := c.NextOrders(context.Background(), day0, []string{agent}, func(*Customer, []string) (map[string]string, error) {
		return map[string]string{agent: hash}, nil
	})
	return given[agent], err
}

// wishing calls SaveJobs and checks whether that changed anything.
func (c company) wishing(t *testing.T, want bool, wanted []Job, gone ...string) {
	t.Helper()
	saved, err := c.wish(c.device, wanted, gone...)
	ok(t, err)
	if saved.Changed != want || saved.Overtaken {
		t.Fatalf("%+v, want changed %v", saved, want)
	}
}

func (c company) standing(t *testing.T, job string, step wire.Step) {
	t.Helper()
	in := c.report(day0)
	in.Devices[0].Jobs = []wire.JobStep{{Job: job, Step: step, Since: day0}}
	c.receive(t, day0, in)
}

func (c company) job(t *testing.T, id string) Job {
	t.Helper()
	j, err := c.Job(context.Background(), id)
	ok(t, err)
	return j
}

func TestWishingTwiceChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		c.wishing(t, false, nil)
		c.wishing(t, true, []Job{install("job_1")})
		before, job := acts(t, s), c.job(t, "job_1")
		c.wishing(t, false, []Job{install("job_1")})
		same(t, c.job(t, "job_1"), job)
		if acts(t, s) != before {
			t.Error("doing nothing is in the audit chain")
		}
		same(t, job.Job, install("job_1").Job)
		forced := install("job_1")
		forced.Forced = "Ann"
		c.wishing(t, true, []Job{forced})
		if c.job(t, "job_1").Forced != "Ann" {
			t.Error("not forced")
		}
	})
}

func TestWithdrawnJobsKeepTheirHistory(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		c.wishing(t, true, []Job{install("job_1"), install("job_2"), install("job_3")})
		c.standing(t, "job_1", wire.StepWaiting)
		c.standing(t, "job_2", wire.StepApplying)
		c.wishing(t, true, nil, "job_1", "job_2", "job_none")
		c.wishing(t, false, nil, "job_1", "job_2")
		if j := c.job(t, "job_1"); j.WithdrawnAt == nil || j.EndedAt == nil || j.Step != wire.StepWaiting {
			t.Errorf("waiting, then withdrawn: %+v", j)
		}
		if j := c.job(t, "job_2"); j.WithdrawnAt == nil || j.EndedAt != nil {
			t.Errorf("applying, then withdrawn: %+v", j)
		}
		open, err := s.MSP(ann).Jobs(context.Background(), JobFilter{Open: true})
		ok(t, err)
		if len(open) != 2 {
			t.Errorf("open: %+v", open)
		}
		c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{c.done(1, "job_2")}})
		if j := c.job(t, "job_2"); j.Step != wire.StepDone || j.EndedAt == nil || j.WithdrawnAt == nil {
			t.Errorf("withdrawn and done after all: %+v", j)
		}
		c.standing(t, "job_1", wire.StepWaiting) // it has not heard yet
		if j := c.job(t, "job_1"); j.EndedAt == nil {
			t.Errorf("withdrawn and waiting: %+v", j)
		}
		c.standing(t, "job_1", wire.StepApplying) // it began before it heard
		if j := c.job(t, "job_1"); j.EndedAt != nil {
			t.Errorf("withdrawn and applying: %+v", j)
		}
	})
}

func TestAWishThatIsBackGoesOnAndAnEndStaysAnEnd(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		c.wishing(t, true, []Job{install("job_1"), install("job_2")})
		c.wishing(t, true, nil, "job_1")
		c.wishing(t, true, []Job{install("job_1")})
		if j := c.job(t, "job_1"); j.WithdrawnAt != nil || j.EndedAt != nil {
			t.Errorf("%+v", j)
		}
		failed := c.done(1, "job_1")
		failed.Step, failed.Result, failed.Message = wire.StepFailed, wire.ResultFailed, "dpkg: error"
		c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{failed}})
		ended := c.job(t, "job_1")
		if ended.Step != wire.StepFailed || ended.Result != wire.ResultFailed || ended.Message != "dpkg: error" || !ended.EndedAt.Equal(day0) {
			t.Errorf("%+v", ended)
		}
		other := install("job_1")
		other.Forced = "Ann"
		c.wishing(t, false, []Job{other}, "job_1")
		c.standing(t, "job_1", wire.StepApplying)
		c.receive(t, day0.Add(time.Hour), wire.CheckIn{Outcomes: []wire.Outcome{c.done(2, "job_1")}})
		same(t, c.job(t, "job_1"), ended)
	})
}

// What people were told is kept with its receipt, and says nothing of how the job stands.
func TestWhatPeopleWereToldMovesNoJob(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		c.wishing(t, true, []Job{install("job_1")})
		c.standing(t, "job_1", wire.StepRebooting)
		before := c.job(t, "job_1")
		o := c.done(1, "job_1")
		o.Step, o.Result, o.Message, o.Receipt = wire.StepRebooting, wire.ResultTold, "ann was told.", &wire.Envelope{Type: wire.ReceiptDocument, Payload: []byte(`{}`)}
		c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{o}})
		same(t, c.job(t, "job_1"), before)
		kept, err := s.Customer(ann, c.id).Outcomes(context.Background(), OutcomeFilter{Job: "job_1"})
		ok(t, err)
		if len(kept) != 1 || kept[0].Receipt == nil || kept[0].Message != o.Message {
			t.Errorf("kept %+v", kept)
		}
		c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{c.done(2, "job_1")}})
		if j := c.job(t, "job_1"); j.Step != wire.StepDone {
			t.Errorf("%+v", j)
		}
	})
}

func TestAnAgentSpeaksOnlyForJobsOfItsOwnDevices(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		c := founded(t, s, "a")
		c.enroll(t, "agt_2", "dev_2")
		c.wishing(t, true, []Job{install("job_1")})
		before := c.job(t, "job_1")
		for i, device := range []string{c.device, "dev_2", ""} {
			o := c.done(int64(i+1), "job_1")
			o.Device = device
			taken := c.receive(t, day0, wire.CheckIn{Agent: "agt_2", Outcomes: []wire.Outcome{o}})
			if taken.Acknowledged != o.Seq {
				t.Errorf("what an agent says is kept, whatever it is: %+v", taken)
			}
		}
		in := wire.CheckIn{Agent: "agt_2", Devices: []wire.DeviceReport{{Device: "dev_2", Jobs: []wire.JobStep{{Job: "job_1", Step: wire.StepApplying}}}}}
		c.receive(t, day0, in)
		same(t, c.job(t, "job_1"), before)
	})
}

func TestOrdersCountUpWithTheirContent(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		for i, step := range []struct {
			seen    wire.OrdersVersion
			content string
			want    wire.OrdersVersion
		}{
			{wire.OrdersVersion{}, "x", wire.OrdersVersion{Epoch: 1, Version: 1}},
			{wire.OrdersVersion{}, "x", wire.OrdersVersion{Epoch: 1, Version: 1}},
			{wire.OrdersVersion{Epoch: 1, Version: 1}, "y", wire.OrdersVersion{Epoch: 1, Version: 2}},
			{wire.OrdersVersion{Epoch: 1, Version: 2}, "y", wire.OrdersVersion{Epoch: 1, Version: 2}},
			{wire.OrdersVersion{Epoch: 1, Version: 7}, "y", wire.OrdersVersion{Epoch: 2, Version: 1}}, // restored from a backup
			{wire.OrdersVersion{Epoch: 2, Version: 1}, "y", wire.OrdersVersion{Epoch: 2, Version: 1}},
			{wire.OrdersVersion{Epoch: 5, Version: 3}, "z", wire.OrdersVersion{Epoch: 6, Version: 1}},
		} {
			c.receive(t, day0, wire.CheckIn{Seen: step.seen})
			v, err := c.next(c.agent, step.content)
			ok(t, err)
			if v != step.want {
				t.Errorf("%d: %v, want %v", i, v, step.want)
			}
		}
		ok(t, s.MSP(ann).SetSetting(ctx, day0, epochSetting, []byte("40")))
		if v, err := c.next(c.agent, "z"); err != nil || v != (wire.OrdersVersion{Epoch: 40, Version: 1}) {
			t.Errorf("%v, %v", v, err)
		}
		c.receive(t, day0, wire.CheckIn{Seen: wire.OrdersVersion{Epoch: math.MaxInt64, Version: math.MaxInt64}})
		if v, err := c.next(c.agent, "q"); err == nil {
			t.Errorf("the last number there is was believed: %v", v)
		}
	})
}

func TestApprovalsAreAllOrNone(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		until := day0.Add(4 * time.Hour)
		a := Approval{Customer: c.id, ID: "apr_1", Level: LevelSite, Target: c.site, Provider: "apt", Name: "nginx", Architecture: "amd64",
			Version: "2", Origin: "Debian", Answer: Reject, Follow: true, Reason: "breaks the till", AllowRemovals: []string{"x"},
			ForcedUntil: &until, By: ann.ID, ByName: ann.Name, At: day0}
		bad := a
		bad.ID, bad.Target = "apr_2", "site_none"
		refused(t, ErrNotFound, c.CreateApprovals(ctx, day0, []Approval{a, bad}))
		bad.Target, bad.Level = c.site, "planet"
		refused(t, ErrNotFound, c.CreateApprovals(ctx, day0, []Approval{a, bad}))
		none, err := c.Approvals(ctx, ApprovalFilter{})
		ok(t, err)
		if len(none) > 0 {
			t.Error("half of the answers is there")
		}
		ok(t, c.CreateApprovals(ctx, day0, []Approval{a}))
		refused(t, ErrExists, c.CreateApprovals(ctx, day0, []Approval{a}))
		all, err := c.Approvals(ctx, ApprovalFilter{Open: true, Targets: []string{c.id, c.site}, Name: "nginx"})
		ok(t, err)
		same(t, all, []Approval{a})
		ok(t, c.WithdrawApproval(ctx, day0, "apr_1"))
		open, err := s.MSP(ann).Approvals(ctx, ApprovalFilter{Open: true})
		ok(t, err)
		kept, err := c.Approvals(ctx, ApprovalFilter{ID: "apr_1"})
		ok(t, err)
		if len(open) != 0 || len(kept) != 1 {
			t.Errorf("%v, %v", open, kept)
		}
	})
}

func TestASnapshotIsOneStateAndChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c, other := founded(t, s, "a"), founded(t, s, "b")
		ok(t, c.Snapshot(ctx, func(h *Customer) error {
			before, err := h.Jobs(ctx, JobFilter{})
			ok(t, err)
			c.wishing(t, true, []Job{install("job_1")})
			after, err := h.Jobs(ctx, JobFilter{})
			ok(t, err)
			if len(before) != 0 || len(after) != 0 {
				t.Error("the state changed under the snapshot")
			}
			if err := h.RenameDevice(ctx, day0, c.device, "x"); err == nil {
				t.Error("a snapshot changed something")
			}
			_, err = h.Device(ctx, other.device)
			refused(t, ErrNotFound, err)
			return nil
		}))
		if len(c.job(t, "job_1").ID) == 0 {
			t.Error("the job is lost")
		}
	})
}
