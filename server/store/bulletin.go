package store

import (
	"context"
	"encoding/binary"
	"iter"
	"slices"
	"time"

	"patchbay/server/bulletin"
)

const bulletinColumns = `id, kind, feed, title, cves, updates, published, seen_at`

func scanBulletin(r scanner) (b bulletin.Bulletin, err error) {
	var kind string
	err = r.Scan(&b.ID, &kind, &b.Feed, &b.Title, decoded{&b.CVEs}, decoded{&b.Updates}, at(&b.Published), at(&b.SeenAt))
	b.Kind = bulletin.Kind(kind)
	return b, err
}

// Bulletins lists those that were first seen at a time or later, newest first; the zero time is
// all.
func (m *MSP) Bulletins(ctx context.Context, since time.Time) ([]bulletin.Bulletin, error) {
	if since.IsZero() {
		since = time.UnixMilli(0)
	}
	return reading(ctx, m.handle, "bulletins", func(t *tx) ([]bulletin.Bulletin, error) {
		return list(ctx, t, scanBulletin, `SELECT `+bulletinColumns+` FROM bulletin WHERE seen_at >= $1 ORDER BY seen_at DESC, id, kind, feed`, millis(since))
	})
}

// Learn keeps what is news of all that feeds say, and what was seen of them, in one step: what
// was told is never told again, whichever server tells it. It gives the bulletins that are new.
func (m *MSP) Learn(ctx context.Context, now time.Time, said iter.Seq[bulletin.Said]) (told []bulletin.Bulletin, err error) {
	err = m.record(ctx, now, func(t *tx) error {
		// Holds the row until the commit: two servers learn in turn.
		_, err := t.exec(ctx, `INSERT INTO bulletin_known (source, sums, since, read_at) VALUES ('', $1, $2, $2)
			ON CONFLICT (source) DO UPDATE SET read_at = $2`, []byte{}, millis(now))
		if err != nil {
			return err
		}
		known, err := t.known(ctx)
		if err != nil {
			return err
		}
		news, next := bulletin.News(known, said, now)
		told = nil
		for _, b := range news {
			fresh, err := t.tell(ctx, b)
			if err != nil {
				return err
			}
			if fresh {
				told = append(told, b)
			}
		}
		for source, k := range next {
			_, err := t.exec(ctx, `INSERT INTO bulletin_known (source, sums, since, read_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (source) DO UPDATE SET sums = $2, since = $3, read_at = $4`, source, packed(k.Sums), millis(k.Since), millis(k.Read))
			if err != nil {
				return err
			}
		}
		return t.forgetBulletins(ctx, now)
	})
	return told, doing("keeping bulletins", err)
}

// known is what was seen of each source.
func (t *tx) known(ctx context.Context) (map[string]bulletin.Known, error) {
	known := map[string]bulletin.Known{}
	err := t.each(ctx, func(r scanner) error {
		var source string
		var sums []byte
		var k bulletin.Known
		if err := r.Scan(&source, &sums, at(&k.Since), at(&k.Read)); err != nil {
			return err
		}
		k.Sums = unpacked(sums)
		known[source] = k
		return nil
	}, `SELECT source, sums, since, read_at FROM bulletin_known WHERE source <> ''`)
	return known, err
}

// tell writes a bulletin, and reports whether it is new. One that is there gets what it did not
// name yet.
func (t *tx) tell(ctx context.Context, b bulletin.Bulletin) (bool, error) {
	n, err := t.exec(ctx, `INSERT INTO bulletin (`+bulletinColumns+`) VALUES (`+marks(1, 8)+`) ON CONFLICT (id, kind, feed) DO NOTHING`,
		b.ID, string(b.Kind), b.Feed, b.Title, encoded{b.CVEs}, encoded{b.Updates}, millis(b.Published), millis(b.SeenAt))
	if err != nil || n > 0 {
		return n > 0, err
	}
	old, err := one(ctx, t, "bulletin", b.ID, scanBulletin, `SELECT `+bulletinColumns+` FROM bulletin WHERE id = $1 AND kind = $2 AND feed = $3`,
		b.ID, string(b.Kind), b.Feed)
	if err != nil {
		return false, err
	}
	_, err = t.exec(ctx, `UPDATE bulletin SET cves = $4, updates = $5 WHERE id = $1 AND kind = $2 AND feed = $3`, b.ID, string(b.Kind), b.Feed,
		encoded{bulletin.Union(old.CVEs, b.CVEs)}, encoded{bulletin.Union(old.Updates, b.Updates)})
	return false, err
}

// forgetBulletins takes away what is old, and the oldest of too many.
func (t *tx) forgetBulletins(ctx context.Context, now time.Time) error {
	_, err := t.exec(ctx, `DELETE FROM bulletin WHERE seen_at < $1 OR seen_at < (SELECT seen_at FROM bulletin ORDER BY seen_at DESC LIMIT 1 OFFSET $2)`,
		millis(now.Add(-bulletin.Keep)), bulletin.Most-1)
	return err
}

// packed writes sums eight bytes each.
func packed(sums []uint64) []byte {
	b := make([]byte, 0, 8*len(sums))
	for _, s := range sums {
		b = binary.BigEndian.AppendUint64(b, s)
	}
	return b
}

func unpacked(b []byte) []uint64 {
	sums := make([]uint64, 0, len(b)/8)
	for len(b) >= 8 {
		sums, b = append(sums, binary.BigEndian.Uint64(b)), b[8:]
	}
	slices.Sort(sums)
	return sums
}
