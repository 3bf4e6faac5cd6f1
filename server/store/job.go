package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"patchbay/wire"
)

const jobColumns = `customer, device, body, created_at, step, step_since, why, result, message, ended_at, withdrawn_at`

func scanJob(r scanner) (j Job, err error) {
	err = r.Scan(&j.Customer, &j.Device, decoded{&j.Job}, at(&j.CreatedAt), &j.Step, maybe(&j.StepSince), &j.Why,
		&j.Result, &j.Message, maybe(&j.EndedAt), maybe(&j.WithdrawnAt))
	return j, err
}

// JobFilter says which jobs; the zero value is all.
type JobFilter struct {
	Open     bool     // not ended
	ID       string   //
	Devices  []string //
	Decision string   // the approval or rule that caused it
	Limit    int      // 0 is all
}

// Jobs lists jobs, newest first.
func (h handle) Jobs(ctx context.Context, f JobFilter) ([]Job, error) {
	return reading(ctx, h, "jobs", func(t *tx) ([]Job, error) {
		q := newFilter(t)
		q.text("id", f.ID)
		q.in("device", f.Devices)
		q.text("decision", f.Decision)
		if f.Open {
			q.only("ended_at IS NULL")
		}
		return list(ctx, t, scanJob, `SELECT `+jobColumns+` FROM job`+q.String()+` ORDER BY created_at DESC, id`+limit(f.Limit), q.args...)
	})
}

// Job gives one job.
func (c *Customer) Job(ctx context.Context, id string) (Job, error) {
	return reading(ctx, c.handle, "a job", func(t *tx) (Job, error) {
		return one(ctx, t, "job", id, scanJob, `SELECT `+jobColumns+` FROM job WHERE customer = $1 AND id = $2`, c.customer, id)
	})
}

// Wish is what is wished of one device.
type Wish struct {
	Device string
	Read   []Job    // the device's jobs as they were when this was decided
	Wanted []Job    // to be made
	Gone   []string // IDs of jobs whose wish is gone
}

// Saved is what became of a wish.
type Saved struct {
	Changed   bool // something was written
	Overtaken bool // nothing was, since the device's jobs are others by now: decide anew
	Ended     bool // a job was made whose end is known already, as after a restore
}

// SaveJobs writes wishes for devices of the customer, and says what became of each. A wish is
// written only on top of the jobs that it was decided from: of two servers that decide at
// once, the second is told to decide on what the first has written.
//
// Doing it again changes nothing and writes no audit row. A job wished for again after it
// was withdrawn is the same job and goes on; one that is done or failed stays as it is. A
// job that has begun to apply runs to its end though its wish is gone.
func (c *Customer) SaveJobs(ctx context.Context, now time.Time, wishes []Wish) (saved []Saved, err error) {
	err = c.record(ctx, now, func(t *tx) error {
		saved = make([]Saved, len(wishes))
		held, err := t.lockJobs(ctx, wishes)
		if err != nil {
			return err
		}
		for i, w := range wishes {
			if !slices.EqualFunc(held[w.Device], w.Read, func(a, b Job) bool { return reflect.DeepEqual(a, b) }) {
				saved[i].Overtaken = true
				continue
			}
			before := len(t.notes)
			if saved[i].Ended, err = t.wish(ctx, now, w); err != nil {
				return err
			}
			saved[i].Changed = len(t.notes) > before
		}
		return nil
	})
	if err != nil {
		return nil, doing("saving jobs", err)
	}
	return saved, nil
}

// lockJobs gives the jobs of devices, which no other server changes until the commit.
func (t *tx) lockJobs(ctx context.Context, wishes []Wish) (map[string][]Job, error) {
	devices := make([]string, 0, len(wishes))
	for _, w := range wishes {
		devices = append(devices, w.Device)
	}
	slices.Sort(devices) // always locked in one order
	for _, d := range devices {
		if err := t.must(ctx, "device", d, `UPDATE device SET digest = digest WHERE customer = $1 AND id = $2`, t.customer, d); err != nil {
			return nil, err
		}
	}
	jobs, err := t.reading().Jobs(ctx, JobFilter{Devices: devices})
	held := map[string][]Job{}
	for _, j := range jobs {
		held[j.Device] = append(held[j.Device], j)
	}
	return held, err
}

func (t *tx) wish(ctx context.Context, now time.Time, w Wish) (ended bool, err error) {
	for i := range w.Wanted {
		known, err := t.want(ctx, now, w.Device, &w.Wanted[i])
		if err != nil {
			return false, err
		}
		ended = ended || known
	}
	for _, id := range w.Gone {
		if err := t.unwish(ctx, now, w.Device, id); err != nil {
			return false, err
		}
	}
	return ended, nil
}

// want makes a job, or goes on with it. It reports true when it was made and its end is known.
func (t *tx) want(ctx context.Context, now time.Time, device string, j *Job) (ended bool, err error) {
	body, err := json.Marshal(j.Job)
	if err != nil {
		return false, err
	}
	made, err := t.exec(ctx, `INSERT INTO job (customer, id, device, decision, body, created_at, step, step_since, why, result, message,
			outcome_seq, ended_at, withdrawn_at, sha256)
		VALUES ($1, $2, $3, $4, $5, $6, '', NULL, '', '', '', 0, NULL, NULL, $7)
		ON CONFLICT (customer, id) DO NOTHING`, t.customer, j.ID, device, j.Decision, string(body), millis(now), j.Target.SHA256)
	if err != nil {
		return false, err
	}
	act := "job.create"
	if made > 0 {
		if ended, err = t.ended(ctx, now, device, j.ID); err != nil {
			return false, err
		}
	} else {
		act = "job.update"
		made, err = t.exec(ctx, `UPDATE job SET body = $4, withdrawn_at = NULL, ended_at = NULL, sha256 = $5
			WHERE customer = $1 AND id = $2 AND device = $3 AND step NOT IN ('done', 'failed')
			AND (body <> $4 OR withdrawn_at IS NOT NULL)`, t.customer, j.ID, device, string(body), j.Target.SHA256)
	}
	if made > 0 {
		t.note(note{act: act, object: j.ID, device: device, payload: fields{"job": j.Job}})
	}
	return ended, err
}

func (t *tx) unwish(ctx context.Context, now time.Time, device, id string) error {
	var job wire.Job
	err := t.row(ctx, `UPDATE job SET withdrawn_at = $4,
			ended_at = CASE WHEN step IN ('applying', 'rebooting', 'verifying') THEN NULL ELSE CAST($4 AS BIGINT) END
		WHERE customer = $1 AND id = $2 AND device = $3 AND withdrawn_at IS NULL AND ended_at IS NULL RETURNING body`,
		t.customer, id, device, now.UnixMilli()).Scan(decoded{&job})
	if errors.Is(err, sql.ErrNoRows) {
		return nil // its wish is gone already, or it has ended
	}
	t.note(note{act: "job.withdraw", object: id, device: device, payload: fields{"job": job}})
	return err
}

// OutcomeFilter says which outcomes; the zero value is all of the customer.
type OutcomeFilter struct {
	Device string
	Job    string
	Limit  int // 0 is all
}

// Outcomes lists outcomes, the newest first.
func (h handle) Outcomes(ctx context.Context, f OutcomeFilter) ([]OutcomeRow, error) {
	return reading(ctx, h, "outcomes", func(t *tx) ([]OutcomeRow, error) {
		q := newFilter(t)
		q.text("device", f.Device)
		q.text("job", f.Job)
		return list(ctx, t, scanOutcome, `SELECT customer, agent, seq, device, job, step, result, at, message, detail, receipt, received_at
			FROM outcome`+q.String()+` ORDER BY received_at DESC, customer, agent, seq DESC`+limit(f.Limit), q.args...)
	})
}

func scanOutcome(r scanner) (o OutcomeRow, err error) {
	err = r.Scan(&o.Customer, &o.Agent, &o.Seq, &o.Device, &o.Job, &o.Step, &o.Result, at(&o.At), &o.Message, &o.Detail,
		decoded{&o.Receipt}, at(&o.ReceivedAt))
	return o, err
}

// outcome writes one outcome and what it says of its job. It reports false when the outcome
// was here before.
func (t *tx) outcome(ctx context.Context, now time.Time, agent string, o wire.Outcome) (bool, error) {
	var receipt any
	if o.Receipt != nil {
		receipt = encoded{o.Receipt}
	}
	n, err := t.exec(ctx, `INSERT INTO outcome (customer, agent, seq, device, job, step, result, at, message, detail, receipt, received_at)
		VALUES (`+marks(1, 12)+`) ON CONFLICT (customer, agent, seq) DO NOTHING`,
		t.customer, agent, o.Seq, clip(o.Device), clip(o.Job), string(o.Step), string(o.Result), millis(o.At), o.Message, o.Detail, receipt, millis(now))
	if err != nil || n == 0 {
		return false, err
	}
	if o.Result == wire.ResultTold {
		return true, nil // what people were told says nothing of how the job stands
	}
	var ended any
	if o.Step.Ended() {
		ended = now.UnixMilli()
	}
	// An agent may speak only of jobs of its own devices, and an end stays an end.
	_, err = t.exec(ctx, `UPDATE job SET result = $5, message = $6, outcome_seq = $7,
			step = CASE WHEN CAST($8 AS BIGINT) IS NULL THEN step ELSE $9 END,
			step_since = CASE WHEN CAST($8 AS BIGINT) IS NULL THEN step_since ELSE $8 END,
			why = CASE WHEN CAST($8 AS BIGINT) IS NULL THEN why ELSE '' END,
			ended_at = CASE WHEN CAST($8 AS BIGINT) IS NULL THEN ended_at ELSE $8 END
		WHERE customer = $1 AND id = $2 AND device = $3 AND outcome_seq < $7 AND step NOT IN ('done', 'failed')
		AND device IN (SELECT id FROM device WHERE customer = $1 AND agent = $4)`,
		t.customer, o.Job, o.Device, agent, string(o.Result), o.Message, o.Seq, ended, string(o.Step))
	return true, err
}

// standing writes where an unfinished job stands. A withdrawn job that applies after all is
// open again.
func (t *tx) standing(ctx context.Context, device string, s wire.JobStep, since time.Time) (bool, error) {
	n, err := t.exec(ctx, `UPDATE job SET step = $4, step_since = $5, why = $6,
			ended_at = CASE WHEN $4 IN ('applying', 'rebooting', 'verifying') THEN NULL ELSE ended_at END
		WHERE customer = $1 AND id = $2 AND device = $3 AND step NOT IN ('done', 'failed')
		AND (step <> $4 OR why <> $6)`,
		t.customer, s.Job, device, string(s.Step), millis(since), s.Why)
	return n > 0, err
}
