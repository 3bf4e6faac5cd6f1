package store

import (
	"context"
	"time"
)

// Feeds lie on the disk of a server; the database only knows what people did with them.

// FeedAccept is a version of a feed that a person lets in although much went with it.
type FeedAccept struct {
	Feed                     string
	SHA256                   string // of the version
	Records                  int
	Before, Removed, Changed int
}

// AcceptFeed notes that a person lets a version in.
func (m *MSP) AcceptFeed(ctx context.Context, now time.Time, a FeedAccept) error {
	return doing("noting what is let in", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "feed.accept", object: a.Feed, payload: fields{"version": a.SHA256, "records": a.Records, "before": a.Before,
			"removed": a.Removed, "changed": a.Changed}})
		return nil
	}))
}

// ImportFeeds notes that a person brings a bundle of feeds.
func (m *MSP) ImportFeeds(ctx context.Context, now, made time.Time, feeds, signers []string) error {
	return doing("noting a bundle of feeds", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "feed.import", payload: fields{"made_at": made.UTC(), "feeds": feeds, "keys": signers}})
		return nil
	}))
}

// AskFeed notes that a person has a feed looked for at once.
func (m *MSP) AskFeed(ctx context.Context, now time.Time, feed string) error {
	return doing("noting a question", m.change(ctx, now, func(t *tx) error {
		t.note(note{act: "feed.ask", object: feed})
		return nil
	}))
}
