package kev

import (
	"reflect"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
)

// Change is what differs between two catalogues. Each list is sorted by ID.
type Change struct {
	Added     []Entry `json:"added,omitempty"`
	Withdrawn []Entry `json:"withdrawn,omitempty"` // as they stood in the old one
	Flags     []Flag  `json:"flags,omitempty"`
	Dates     []Moved `json:"dates,omitempty"`
	Texts     []Entry `json:"texts,omitempty"` // as they stand in the new one
}

// Flag is an entry whose use by ransomware is told otherwise than before.
type Flag struct {
	ID     string       `json:"id"`
	Before patch.Answer `json:"before"`
	After  patch.Answer `json:"after"`
}

// Moved is an entry with another day on which it was added or is due.
type Moved struct {
	Before Entry `json:"before"`
	After  Entry `json:"after"`
}

// Delta tells what differs between an old catalogue and a new one, in whatever order they are.
func Delta(old, new []Entry) Change {
	var c Change
	before := map[string]Entry{}
	for _, e := range old {
		before[e.ID] = e
	}
	after := map[string]bool{}
	for _, e := range new {
		after[e.ID] = true
		if was, ok := before[e.ID]; !ok {
			c.Added = append(c.Added, e)
		} else {
			c.compare(was, e)
		}
	}
	for _, e := range old {
		if !after[e.ID] {
			c.Withdrawn = append(c.Withdrawn, e)
		}
	}
	for _, list := range [][]Entry{c.Added, c.Withdrawn, c.Texts} {
		slices.SortFunc(list, func(a, b Entry) int { return advisory.CompareIDs(a.ID, b.ID) })
	}
	slices.SortFunc(c.Flags, func(a, b Flag) int { return advisory.CompareIDs(a.ID, b.ID) })
	slices.SortFunc(c.Dates, func(a, b Moved) int { return advisory.CompareIDs(a.After.ID, b.After.ID) })
	return c
}

func (c *Change) compare(was, is Entry) {
	if was.Ransomware != is.Ransomware {
		c.Flags = append(c.Flags, Flag{is.ID, was.Ransomware, is.Ransomware})
	}
	if !was.Added.Equal(is.Added) || !was.Due.Equal(is.Due) {
		c.Dates = append(c.Dates, Moved{was, is})
	}
	texts := func(e Entry) []string {
		return append([]string{e.Vendor, e.Product, e.Title, e.Description, e.Action, e.Notes}, strings.Join(e.CWEs, " "))
	}
	if !reflect.DeepEqual(texts(was), texts(is)) {
		c.Texts = append(c.Texts, is)
	}
}
