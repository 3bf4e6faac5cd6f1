package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Restoration is what becoming another database's continuation changed.
type Restoration struct {
	Epoch    int64 // in which orders and documents are signed from now on
	Sessions int64 // of people, ended
	Tokens   int   // for enrolling, revoked
}

// Restored turns a database that was just loaded from a backup of the time taken into the
// installation's own again. What happened after the backup is not known here, so nothing is
// relied on that may have changed since: orders are signed in a new epoch, sessions end (one
// of them may have ended before), enrolment tokens are revoked (nobody knows how often they
// were used) and the agents' nonces are given anew (theirs are newer than the ones here).
// What agents did since, they tell again.
func (m *MSP) Restored(ctx context.Context, now, taken time.Time) (r Restoration, err error) {
	return r, doing("going on after a restore", m.change(ctx, now, func(t *tx) (err error) {
		if r.Epoch, err = t.newEpoch(ctx, now); err != nil {
			return err
		}
		if r.Sessions, err = t.exec(ctx, `DELETE FROM session`); err != nil {
			return err
		}
		if r.Tokens, err = t.revokeTokens(ctx, now); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE agent SET nonce = '', former_nonce = '', nonce_at = NULL`); err != nil {
			return err
		}
		t.note(note{act: "installation.restore", payload: fields{"taken_at": taken.UTC(), "epoch": r.Epoch, "sessions": r.Sessions, "tokens": r.Tokens}})
		return nil
	}))
}

// newEpoch begins a new epoch of orders.
func (t *tx) newEpoch(ctx context.Context, now time.Time) (int64, error) {
	held, err := t.epoch(ctx)
	if err != nil {
		return 0, err
	}
	var most int64
	err = t.row(ctx, `SELECT COALESCE(MAX(epoch), 0) FROM (SELECT seen_epoch AS epoch FROM agent UNION ALL
		SELECT orders_epoch FROM agent UNION ALL SELECT epoch FROM document) AS known`).Scan(&most)
	if err != nil {
		return 0, err
	}
	epoch := epochAfter(max(held, most), now)
	return epoch, t.setSetting(ctx, epochSetting, []byte(fmt.Sprint(epoch)))
}

// epochAfter is an epoch above all that were ever given, those after the backup was taken
// too: those were times of earlier restores, or counted up by one from such a time. So it is
// the present time in seconds, and at least one more than all that is known.
func epochAfter(known int64, now time.Time) int64 { return max(known+1, now.Unix()) }

// revokeTokens ends every enrolment token that could still be used, each with its own act.
func (t *tx) revokeTokens(ctx context.Context, now time.Time) (n int, err error) {
	tokens, err := list(ctx, t, scanToken, `UPDATE token SET revoked_at = $1 WHERE revoked_at IS NULL AND expires_at > $1 AND used < max_uses
		RETURNING `+tokenColumns, millis(now))
	for _, k := range tokens {
		t.note(note{chain: k.Customer, act: "token.revoke", object: k.ID, payload: fields{"site": k.Site, "note": k.Note}})
	}
	return len(tokens), err
}

// ended ends a job that was just made when its end is known already: the agent did it for
// this server before that was restored from a backup, told it again, and tells it no more.
func (t *tx) ended(ctx context.Context, now time.Time, device, job string) (bool, error) {
	var step, result, message string
	var seq int64
	err := t.row(ctx, `SELECT step, result, message, seq FROM outcome WHERE customer = $1 AND job = $2 AND device = $3
		AND step IN ('done', 'failed') AND agent IN (SELECT agent FROM device WHERE customer = $1 AND id = $3)
		ORDER BY seq DESC LIMIT 1`, t.customer, job, device).Scan(&step, &result, &message, &seq)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = t.exec(ctx, `UPDATE job SET step = $3, step_since = $4, ended_at = $4, result = $5, message = $6, outcome_seq = $7
		WHERE customer = $1 AND id = $2`, t.customer, job, step, millis(now), result, message, seq)
	return err == nil, err
}
