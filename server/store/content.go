package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"patchbay/wire"
)

// Content is a file that the installation has for its agents. The rows are here; the files
// lie in a folder, and a row whose file is gone can be filled again.
type Content struct {
	SHA256  string // lower-case hex; the file is known by it
	Size    int64
	Name    string // of the file, as people call it
	Source  string // the address it was fetched from, "" when it was uploaded
	AddedAt time.Time
	AddedBy string     // a person's ID
	UsedAt  *time.Time // when an agent last asked for it
}

const contentColumns = `sha256, size, name, source, added_at, added_by, used_at`

func scanContent(r scanner) (c Content, err error) {
	err = r.Scan(&c.SHA256, &c.Size, &c.Name, &c.Source, at(&c.AddedAt), &c.AddedBy, maybe(&c.UsedAt))
	return c, err
}

// Contents lists all content, by hash.
func (m *MSP) Contents(ctx context.Context) ([]Content, error) {
	return reading(ctx, m.handle, "content", func(t *tx) ([]Content, error) {
		return list(ctx, t, scanContent, `SELECT `+contentColumns+` FROM content ORDER BY sha256`)
	})
}

// Content gives the row of one file.
func (m *MSP) Content(ctx context.Context, sha256 string) (Content, error) {
	return reading(ctx, m.handle, "content", func(t *tx) (Content, error) {
		return one(ctx, t, "content", sha256, scanContent, `SELECT `+contentColumns+` FROM content WHERE sha256 = $1`, sha256)
	})
}

// AddContent keeps the row of a file, and puts the file in its place before that is
// committed: who sees the row finds the file. place may be called more than once. here says
// whether the file was in its place before; then, where the row is here as well, nothing
// changes but that the file is the new one, which has the same bytes.
func (m *MSP) AddContent(ctx context.Context, now time.Time, c Content, here func() bool, place func() error) error {
	c.AddedAt, c.AddedBy = now, m.who.ID
	return doing("keeping content", m.record(ctx, now, func(t *tx) error {
		n, err := t.keep(ctx, c)
		if err != nil {
			return err
		}
		if n > 0 || !here() {
			t.note(note{act: "content.add", object: c.SHA256, payload: fields{"name": c.Name, "size": c.Size, "source": c.Source}})
		}
		return place()
	}))
}

// keepTries is how often a row may be removed in the moment in which it is found.
const keepTries = 20

// keep writes the row of a file, or holds the one that is there, so that nobody removes the
// file that is about to come; 1 is a new row, 0 is one that was there. Whoever removes it at that
// very moment is waited for, and then there is none to hold: it is written after all.
func (t *tx) keep(ctx context.Context, c Content) (int64, error) {
	for range keepTries {
		n, err := t.exec(ctx, `INSERT INTO content (`+contentColumns+`) VALUES (`+marks(1, 6)+`, NULL) ON CONFLICT (sha256) DO NOTHING`,
			c.SHA256, c.Size, c.Name, c.Source, millis(c.AddedAt), c.AddedBy)
		if err != nil || n > 0 {
			return n, err
		}
		held, err := t.exec(ctx, `UPDATE content SET size = size WHERE sha256 = $1`, c.SHA256)
		if err != nil || held > 0 {
			return 0, err
		}
	}
	return 0, fmt.Errorf("the file %s is added and removed all the time", c.SHA256)
}

// RemoveContent forgets a file, and removes it before that is committed: where it fails
// after that, the row stands without its file, and shows so. allowed looks at what needs the
// file; what it refuses stays. evicted says that it goes to make room.
func (m *MSP) RemoveContent(ctx context.Context, now time.Time, sha256 string, evicted bool, allowed func(ContentPins) error, remove func() error) error {
	return doing("removing content", m.change(ctx, now, func(t *tx) error {
		c, err := one(ctx, t, "content", sha256, scanContent, `DELETE FROM content WHERE sha256 = $1 RETURNING `+contentColumns, sha256)
		if err != nil {
			return err
		}
		pins, err := t.contentPins(ctx, now, `$1`, sha256)
		if err == nil {
			err = allowed(pins[sha256])
		}
		if err != nil {
			return err
		}
		act := "content.remove"
		if evicted {
			act = "content.evict"
		}
		t.note(note{act: act, object: sha256, payload: fields{"name": c.Name, "size": c.Size}})
		return remove()
	}))
}

// UsedContent notes when agents last asked for files, by hash.
func (m *MSP) UsedContent(ctx context.Context, now time.Time, used map[string]time.Time) error {
	return doing("noting the use of content", m.record(ctx, now, func(t *tx) error {
		for sha256, at := range used {
			_, err := t.exec(ctx, `UPDATE content SET used_at = $2 WHERE sha256 = $1 AND (used_at IS NULL OR used_at < $2)`, sha256, millis(at))
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// ContentPins are what needs a file.
type ContentPins struct {
	Jobs      int // that are not over and install it
	Rollbacks int // devices on which it is what an update of the last days put there, or replaced
}

// RollbackMemory is for how long after an update the version before it is kept.
const RollbackMemory = OfferMemory

// ContentPins says what needs each file, by hash; what nothing needs is not in it.
func (m *MSP) ContentPins(ctx context.Context, now time.Time) (map[string]ContentPins, error) {
	return reading(ctx, m.handle, "what needs content", func(t *tx) (map[string]ContentPins, error) {
		return t.contentPins(ctx, now, `SELECT sha256 FROM content`)
	})
}

// contentPins looks at the jobs of the hashes that the query which gives.
func (t *tx) contentPins(ctx context.Context, now time.Time, which string, args ...any) (map[string]ContentPins, error) {
	pins := map[string]ContentPins{}
	err := t.each(ctx, func(r scanner) error {
		var sha256 string
		var n int
		err := r.Scan(&sha256, &n)
		pins[sha256] = ContentPins{Jobs: n}
		return err
	}, `SELECT sha256, COUNT(*) FROM job WHERE sha256 <> '' AND sha256 IN (`+which+`) AND ended_at IS NULL GROUP BY sha256`, args...)
	if err != nil {
		return nil, err
	}
	rollbacks, err := t.rollbacks(ctx, now, which, args...)
	for sha256, n := range rollbacks {
		p := pins[sha256]
		p.Rollbacks = n
		pins[sha256] = p
	}
	return pins, err
}

// rollbacks counts the devices on which a file is what the newest update of an item put
// there, or the one before it, where that update is young.
func (t *tx) rollbacks(ctx context.Context, now time.Time, which string, args ...any) (map[string]int, error) {
	type done struct {
		sha256 string
		at     time.Time
	}
	of := func(device string, j wire.Job) string { return device + " " + j.Target.Key().String() }
	last := map[string][]done{} // by item of a device, the newest first
	err := t.each(ctx, func(r scanner) error {
		var d done
		var device string
		var j wire.Job
		if err := r.Scan(&device, &d.sha256, at(&d.at), decoded{&j}); err != nil {
			return err
		}
		last[of(device, j)] = append(last[of(device, j)], d)
		return nil
	}, `SELECT device, sha256, ended_at, body FROM job WHERE step = 'done' AND ended_at IS NOT NULL AND sha256 <> ''
		AND device IN (SELECT device FROM job WHERE sha256 <> '' AND sha256 IN (`+which+`)) ORDER BY ended_at DESC`, args...)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, all := range last {
		if all[0].at.Before(now.Add(-RollbackMemory)) {
			continue
		}
		count[all[0].sha256]++
		if len(all) > 1 && all[1].sha256 != all[0].sha256 {
			count[all[1].sha256]++
		}
	}
	return count, nil
}

// Wants reports whether an open job of one of the agent's devices is about a file.
func (c *Customer) Wants(ctx context.Context, agent, sha256 string) (bool, error) {
	return reading(ctx, c.handle, "jobs", func(t *tx) (bool, error) {
		var one int
		err := t.row(ctx, `SELECT 1 FROM job WHERE customer = $1 AND sha256 = $3 AND sha256 <> '' AND ended_at IS NULL
			AND device IN (SELECT id FROM device WHERE customer = $1 AND agent = $2 AND retired_at IS NULL) LIMIT 1`, c.customer, agent, sha256).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		return err == nil, err
	})
}
