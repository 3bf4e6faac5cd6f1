package winupdate

import (
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// recordFile is what this provider keeps, in Env.Records.
const recordFile = "winupdate.json"

// Bounds on what is remembered of what this agent installed.
const (
	maxApplied  = 50
	keepApplied = 60 * 24 * time.Hour
)

// record is what outlives the process.
type record struct {
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`
	Error       string    `json:"error,omitempty"` // why the last search failed
	Seen        []seen    `json:"seen,omitempty"`
	Applied     []applied `json:"applied,omitempty"` // the newest first
	Trouble     *trouble  `json:"trouble,omitempty"`
	Repaired    time.Time `json:"repaired,omitzero"` // when something was last repaired, whatever it was
	Failed      *failed   `json:"failed,omitempty"`  // the last search, where it failed
	Repairs     []done    `json:"repairs,omitempty"` // the newest first
}

// applied is an update whose installation was begun here, with what its mark goes by.
type applied struct {
	ID       string                 `json:"id"`
	Revision int                    `json:"revision"`
	Title    string                 `json:"title"`
	KBs      []string               `json:"kbs,omitempty"`
	Classes  []string               `json:"classes,omitempty"` // IDs of categories
	Driver   *provider.EngineDriver `json:"driver,omitempty"`
	At       time.Time              `json:"at"`
}

func (w *Windows) record() record {
	var rec record
	w.env.ReadRecord(recordFile, &rec)
	return rec
}

func appliedOf(u provider.EngineUpdate, now time.Time) applied {
	a := applied{ID: u.ID.Update, Revision: u.ID.Revision, Title: u.Title, KBs: kbs(u), Driver: u.Driver, At: now.UTC()}
	for _, c := range u.Categories {
		if _, ok := classOf(c); ok {
			a.Classes = append(a.Classes, c.ID)
		}
	}
	return a
}

func (a applied) update() provider.EngineUpdate {
	u := provider.EngineUpdate{ID: provider.EngineID{Update: a.ID, Revision: a.Revision}, Title: a.Title, KBs: a.KBs, Driver: a.Driver}
	for _, id := range a.Classes {
		u.Categories = append(u.Categories, provider.EngineCategory{ID: id})
	}
	return u
}

// item is the update as one that is not completely there.
func (a applied) item(broken string) patch.Item {
	u := a.update()
	return patch.Item{Provider: Name, Name: itemName(u), Title: u.Title, Instance: a.ID, Source: a.ID, Origin: origin, Broken: broken}
}

// applied are the updates whose installation was begun here.
func (r record) applied() []provider.EngineUpdate {
	var list []provider.EngineUpdate
	for _, a := range r.Applied {
		list = append(list, a.update())
	}
	return list
}

// began puts updates before those of earlier times, and forgets the oldest.
func (r *record) began(list []provider.EngineUpdate, now time.Time) {
	var all []applied
	for _, u := range list {
		all = append(all, appliedOf(u, now))
	}
	for _, a := range r.Applied {
		fresh := now.Sub(a.At) < keepApplied
		if fresh && !slices.ContainsFunc(all, func(b applied) bool { return a.ID == b.ID }) {
			all = append(all, a)
		}
	}
	r.Applied = all[:min(len(all), maxApplied)]
}
