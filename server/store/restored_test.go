package store

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/server/rival"
	"patchbay/wire"
)

// The clock of a restore is after every earlier restore's, so epochs given after the backup
// was taken are below too.
func TestEveryRestoreBeginsAnEpochAboveAllBefore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		now, given, backup := day0, int64(1), int64(1)
		for range rapid.IntRange(1, 20).Draw(r, "events") {
			now = now.Add(time.Duration(rapid.IntRange(1, 1000).Draw(r, "seconds")) * time.Second)
			switch rapid.IntRange(0, 2).Draw(r, "what") {
			case 0: // a backup is taken
				backup = given
			case 1: // an agent claims to have seen more, and the server goes one above
				if given < now.Unix()-1 {
					given++
				}
			case 2: // it is restored
				epoch := epochAfter(backup, now)
				if epoch <= given {
					r.Fatalf("restored into epoch %d after %d", epoch, given)
				}
				given = epoch
			}
		}
	})
}

func TestARestoredDatabaseReliesOnNothingThatMayHaveChanged(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		brimming(t, s)
		later := day0.Add(2 * time.Hour)
		a := company{Customer: s.Customer(ann, "cus_alpha"), id: "cus_alpha", agent: "agt_alpha", device: "dev_alpha"}
		_, err := a.next(a.agent, "one")
		ok(t, err)
		r, err := s.MSP(ann).Restored(ctx, later, day0)
		ok(t, err)
		if r.Sessions != 1 || r.Tokens != 2 || r.Epoch != later.Unix() {
			t.Errorf("%+v", r)
		}
		v, err := a.next(a.agent, "one")
		ok(t, err)
		if v != (wire.OrdersVersion{Epoch: r.Epoch, Version: 1}) {
			t.Errorf("the same orders are now %+v", v)
		}
		_, err = s.MSP(ann).SessionByHash(ctx, day0, "hash")
		refused(t, ErrNotFound, err)
		refused(t, ErrToken, a.Enroll(ctx, day0, "secret of alpha", Agent{ID: "agt_x", PublicKey: []byte{1}}, Device{ID: "dev_x"}))
		_, err = a.Speak(ctx, later, a.agent, "boot", "a nonce", "word", func(held rival.Record) rival.Decision {
			d := rival.Hear(held, rival.Claim{Boot: held.Boot, Nonce: "given after the backup"}, later, time.Minute)
			if d.Sign != rival.None || !d.Renew {
				t.Errorf("an agent that is ahead of the server was taken for one that is behind: %+v", d)
			}
			return d
		})
		ok(t, err)
		whole(t, s)
		second, err := s.MSP(ann).Restored(ctx, day0, day0) // by a clock that is behind
		ok(t, err)
		if second.Epoch <= r.Epoch {
			t.Errorf("epoch %d after %d", second.Epoch, r.Epoch)
		}
	})
}

// After a restore an outcome may come before its job is made again.
func TestAJobWhoseEndIsKnownIsNeverOpen(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, b := founded(t, s, "alpha"), founded(t, s, "beta")
		a.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{a.done(1, "job_done"), {Seq: 2, Device: a.device, Job: "job_begun", Step: wire.StepApplying, Result: wire.ResultOK, At: day0}}})
		b.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{{Seq: 1, Device: a.device, Job: "job_others", Step: wire.StepDone, Result: wire.ResultOK, At: day0}}})
		wanted := []Job{install("job_done"), install("job_begun"), install("job_others")}
		saved, err := a.wish(a.device, wanted)
		ok(t, err)
		if !saved.Ended {
			t.Error("nobody learns that a job that was made has ended")
		}
		for i, open := range []bool{false, true, true} {
			j, err := a.Job(ctx, wanted[i].ID)
			ok(t, err)
			if (j.EndedAt == nil) != open || !open && (j.Step != wire.StepDone || j.Result != wire.ResultOK) {
				t.Errorf("%s is open: want %v, have %+v", j.ID, open, j)
			}
		}
	})
}
