package knowledge

import (
	"bufio"
	"fmt"
	"io"

	"patchbay/server/assess"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/recall"
)

// Recalls reads what is not to be installed now, of all sources that say so. These are few and
// short, so they are read before everything else: at a start before any device is looked at.
func Recalls(sources []Source) (*assess.Recalls, error) {
	var list []assess.Recall
	for _, src := range sources {
		if src.Kind != kinds.Recalls {
			continue
		}
		err := src.Each(func(_ string, in io.Reader) error {
			_, err := recall.Read(bufio.NewReader(in), func(e recall.Entry) error {
				list = append(list, recallOf(src.Name, e))
				return nil
			})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the feed %s: %w", src.Name, err)
		}
	}
	return assess.NewRecalls(list), nil
}

// recallOf says in the server's words what an entry says.
func recallOf(feed string, e recall.Entry) assess.Recall {
	return assess.Recall{Feed: feed, ID: e.ID, Back: e.Kind == recall.Recalled, Publisher: e.Publisher, Own: e.Owner == recall.MSP, Provider: e.Provider,
		Name: e.Name, KB: e.KB, Versions: e.Versions, Trouble: e.Trouble, Since: e.Since, Resolved: e.Resolved, Source: e.Source}
}
