package winget

import (
	"errors"
	"slices"

	"patchbay/patch"
	"patchbay/patch/arp"
	"patchbay/provider"
)

// historyRecord is the file of what this device updated itself.
const historyRecord = "winget-history.json"

// history is, by key, the last step that this device made with a program.
type history map[string]step

// step is one update, or one that is being taken back.
type step struct {
	From string `json:"from"` // the version before
	To   string `json:"to"`
	// Removed is the entry that was there before, until the step is over: it is removed on the
	// way. Where it is not there any more, it is told as broken and can be installed again.
	Removed *arp.Entry `json:"removed,omitempty"`
}

// history is what was written down; nothing when that cannot be read, because then nothing
// may be taken back to it.
func (w *Winget) history() history {
	h := history{}
	w.env.ReadRecord(historyRecord, &h)
	if h == nil { // "null" is JSON too
		return history{}
	}
	return h
}

// note writes down a step before it is made.
func (w *Winget) note(k patch.Key, s step) error {
	if w.env.Records == nil {
		return errors.New("nothing can be written down here, so nothing is begun")
	}
	h := w.history()
	h[k.String()] = s
	return w.env.WriteRecord(historyRecord, h)
}

// previous is the version that a program can be taken back to: the one before the last
// update that this device made itself, where the catalogue has it.
func (h history) previous(p program) string {
	s, ok := h[p.item.Key().String()]
	if !ok || s.From == "" || !same(s.To, p.item.Version) {
		return ""
	}
	if _, ok := back(p, s.From); !ok {
		return ""
	}
	return s.From
}

// arrived forgets the removal of programs that are there again: whoever removes them later is
// somebody else, but for the one that an installer is still about. It reports whether there
// was one.
func (h history) arrived(there []program, busy string) bool {
	changed := false
	for _, p := range there {
		if s, ok := h[p.item.Key().String()]; ok && s.Removed != nil && p.item.Key().String() != busy {
			s.Removed, changed = nil, true
			h[p.item.Key().String()] = s
		}
	}
	return changed
}

// removed are the programs that were removed to be taken back, and are not there again.
func (h history) removed(there []program, c provider.Catalog, here machineFacts) []program {
	var entries []arp.Entry
	for _, s := range h {
		if s.Removed != nil {
			entries = append(entries, *s.Removed)
		}
	}
	return slices.DeleteFunc(recognise(entries, c.Packages, here), func(p program) bool {
		return slices.ContainsFunc(there, func(o program) bool {
			return o.item.Key() == p.item.Key() || p.of != nil && o.is(p.of.ID) && o.item.Scope == p.item.Scope // by another name
		})
	})
}
