package server

import (
	"net/netip"
	"path/filepath"

	"patchbay/server/catalog/feeds"
	"patchbay/server/catalog/kinds"
)

// Feeds says what the server gets to know the world by.
type Feeds struct {
	All   []feeds.Feed
	Allow []netip.Prefix // networks that are not on the internet and may be got from
	Keys  [][]byte       // Ed25519 public keys, one of which suffices under a bundle
}

// openFeeds reads what is here of them. Getting begins with Run.
func (s *Server) openFeeds() (err error) {
	s.Keeper, err = feeds.Open(feeds.Options{Path: FeedsIn(s.Data), Feeds: s.Feeds.All, Kinds: kinds.All(), Allow: s.Feeds.Allow, Around: s.Around,
		Now: s.Now, Log: s.Log})
	if err != nil {
		return err
	}
	s.recall() // before any device is looked at
	return nil
}

// FeedsIn is the folder of the feeds in a folder of data.
func FeedsIn(data string) string { return filepath.Join(data, "feeds") }
