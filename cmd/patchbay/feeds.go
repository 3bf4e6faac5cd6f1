package main

import (
	"fmt"
	"os"

	"patchbay/server"
	"patchbay/server/catalog/feeds"
	"patchbay/server/catalog/kinds"
	"patchbay/sign"
)

// feedsOf reads which feeds are got: public for those built in, none, or a file.
func feedsOf(which string) (server.Feeds, error) {
	var data []byte
	switch which {
	case "none":
		return server.Feeds{}, nil
	case "public":
		data = kinds.Public()
	default:
		var err error
		if data, err = os.ReadFile(which); err != nil {
			return server.Feeds{}, fmt.Errorf("reading --feeds: %w", err)
		}
	}
	c, err := feeds.ReadConfig(data, kinds.All())
	if err != nil {
		return server.Feeds{}, fmt.Errorf("reading --feeds: %w", err)
	}
	f := server.Feeds{All: c.Feeds, Allow: c.Allow}
	for _, line := range c.Keys {
		p, err := sign.ParsePublic(line)
		if err != nil {
			return f, fmt.Errorf("reading --feeds: a key whose bundles are believed: %w", err)
		}
		f.Keys = append(f.Keys, p.Key)
	}
	return f, nil
}
