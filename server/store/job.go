package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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
	Open     bool   // not ended
	ID       string //
	Device   string //
	Decision string // the approval or rule that caused it
	Limit    int    // 0 is all
}

// Jobs lists jobs, newest first.
func (h handle) Jobs(ctx context.Context, f JobFilter) ([]Job, error) {
	return reading(ctx, h, "jobs", func(t *tx) ([]Job, error) {
		q := newFilter(t)
		q.text("id", f.ID)
		q.text("device", f.Device)
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

// JobPlan says what is wished of one device: jobs to make, and IDs of jobs whose wish is
// gone. It decides from what it reads through the handle, and may be asked again.
type JobPlan func(*Customer) (wanted []Job, gone []string, err error)

// SaveJobs writes the wish for one device. The plan is asked while no other server can write
// one for the same device, and sees all that was committed before: of two servers that plan
// at once the second plans on what the first has written.
//
// Doing it again changes nothing and writes no audit row. A job wished for again after it
// was withdrawn is the same job and goes on; one that is done or failed stays as it is. A
// job that has begun to apply runs to its end though its wish is gone. A job whose end is
// known already, as after a restore, ends at once, and what the plan gave says so in EndedAt.
// SaveJobs reports whether anything changed.
func (c *Customer) SaveJobs(ctx context.Context, now time.Time, device string, plan JobPlan) (changed bool, err error) {
	err = c.record(ctx, now, func(t *tx) error {
		// Locks the row until the commit.
		if err := t.must(ctx, "device", device, `UPDATE device SET digest = digest WHERE customer = $1 AND id = $2`, c.customer, device); err != nil {
			return err
		}
		wanted, gone, err := plan(&Customer{t.reading()})
		if err != nil {
			return err
		}
		for i := range wanted {
			if err := t.wish(ctx, now, device, &wanted[i]); err != nil {
				return err
			}
		}
		for _, id := range gone {
			if err := t.unwish(ctx, now, device, id); err != nil {
				return err
			}
		}
		changed = len(t.notes) > 0
		return nil
	})
	return changed && err == nil, doing("saving jobs", err)
}

func (t *tx) wish(ctx context.Context, now time.Time, device string, j *Job) error {
	body, err := json.Marshal(j.Job)
	if err != nil {
		return err
	}
	made, err := t.exec(ctx, `INSERT INTO job (customer, id, device, decision, body, created_at, step, step_since, why, result, message,
			outcome_seq, ended_at, withdrawn_at)
		VALUES ($1, $2, $3, $4, $5, $6, '', NULL, '', '', '', 0, NULL, NULL)
		ON CONFLICT (customer, id) DO NOTHING`, t.customer, j.ID, device, j.Decision, string(body), millis(now))
	if err != nil {
		return err
	}
	act := "job.create"
	if made > 0 {
		if err := t.ended(ctx, now, device, j); err != nil {
			return err
		}
	} else {
		act = "job.update"
		made, err = t.exec(ctx, `UPDATE job SET body = $4, withdrawn_at = NULL, ended_at = NULL
			WHERE customer = $1 AND id = $2 AND device = $3 AND step NOT IN ('done', 'failed')
			AND (body <> $4 OR withdrawn_at IS NOT NULL)`, t.customer, j.ID, device, string(body))
	}
	if made > 0 {
		t.note(note{act: act, object: j.ID, device: device, payload: fields{"job": j.Job}})
	}
	return err
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
