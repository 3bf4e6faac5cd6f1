package assess

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
)

// Recall says that versions of an item should not be installed now.
type Recall struct {
	Feed      string // that says so
	ID        string // in that feed
	Back      bool   // whoever made it took it back; otherwise it is known to make trouble
	Publisher string // who says so
	Own       bool   // it is the MSP's to end, and not the vendor's
	Provider  string
	Name      string   // of an item or of its source package; "" where KB is set
	KB        string   // of an update of Windows
	Versions  []string // none is all of a KB
	Trouble   string   // a sentence
	Since     time.Time
	Resolved  time.Time // from when on it says nothing any more; zero while nobody knows
	Source    string    // an address that says more
}

// Key tells it from all others: the feed and its ID there.
func (r Recall) Key() string { return r.Feed + "/" + r.ID }

// Holds reports whether it says something at a time. One that names a day to come as its first
// holds at once: who knows of trouble does not wait for it.
func (r Recall) Holds(now time.Time) bool { return r.Resolved.IsZero() || now.Before(r.Resolved) }

// About reports whether it is about a version of an item.
func (r Recall) About(provider, name, source, version string) bool {
	if r.Provider != provider {
		return false
	}
	if r.KB != "" {
		if first, _, _ := strings.Cut(name, " "); !strings.EqualFold(first, r.KB) {
			return false
		}
		return len(r.Versions) == 0 || slices.Contains(r.Versions, version)
	}
	return patch.Names(r.Name, name, source) && slices.Contains(r.Versions, version)
}

// Same reports whether both say the same.
func (r Recall) Same(s Recall) bool {
	versions := slices.Equal(r.Versions, s.Versions)
	same := r.Since.Equal(s.Since) && r.Resolved.Equal(s.Resolved)
	return same && versions && r.Key() == s.Key() && r.Back == s.Back && r.Publisher == s.Publisher && r.Own == s.Own && r.Provider == s.Provider &&
		r.Name == s.Name && r.KB == s.KB && r.Trouble == s.Trouble && r.Source == s.Source
}

// Sentence says what a recall says, who says so and where more of it stands.
func (r Recall) Sentence() string {
	how := "says that it makes trouble"
	if r.Back {
		how = "recalled it"
	}
	trouble := strings.TrimSpace(r.Trouble)
	if !strings.ContainsAny(trouble[len(trouble)-min(1, len(trouble)):], ".!?") {
		trouble += "."
	}
	text := fmt.Sprintf("%s %s: %s", r.Publisher, how, trouble)
	if r.Source != "" {
		text += " See " + r.Source + "."
	}
	return text
}

// Recalls are all that are known, by what they are about. They do not change; nil are none.
type Recalls struct{ by map[string][]Recall }

// NewRecalls puts recalls in order.
func NewRecalls(list []Recall) *Recalls {
	r := &Recalls{by: map[string][]Recall{}}
	for _, one := range list {
		k := under(one.Provider, cmp.Or(one.KB, one.Name))
		r.by[k] = append(r.by[k], one)
	}
	for _, all := range r.by {
		slices.SortFunc(all, func(a, b Recall) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Key(), b.Key())) })
	}
	return r
}

func under(provider, name string) string { return provider + "\x00" + strings.ToLower(name) }

// All lists them, in no order.
func (r *Recalls) All() []Recall {
	var list []Recall
	if r != nil {
		for _, all := range r.by {
			list = append(list, all...)
		}
	}
	return list
}

// Of lists those that hold at a time for a version of an item, the oldest first.
func (r *Recalls) Of(provider, name, source, version string, now time.Time) []Recall {
	return slices.DeleteFunc(r.About(provider, name, source, version), func(one Recall) bool { return !one.Holds(now) })
}

// About lists those that are about a version of an item, also those that are resolved.
func (r *Recalls) About(provider, name, source, version string) []Recall {
	if r == nil || len(r.by) == 0 || version == "" {
		return nil
	}
	names := []string{name, source}
	if first, _, more := strings.Cut(name, " "); more {
		names = append(names, first)
	}
	var found []Recall
	for i, n := range names {
		if n == "" || slices.ContainsFunc(names[:i], func(s string) bool { return strings.EqualFold(s, n) }) {
			continue
		}
		for _, one := range r.by[under(provider, n)] {
			if one.About(provider, name, source, version) {
				found = append(found, one)
			}
		}
	}
	return found
}

// Differs lists the recalls of which others say another thing: those that came, went, or were
// changed, each as it is now where it is.
func (r *Recalls) Differs(was *Recalls) []Recall {
	old, changed := map[string]Recall{}, []Recall(nil)
	for _, one := range was.All() {
		old[one.Key()] = one
	}
	for _, one := range r.All() {
		before, there := old[one.Key()]
		delete(old, one.Key())
		if there && before.Same(one) {
			continue
		}
		changed = append(changed, one)
		if there { // it may be about something else now
			changed = append(changed, before)
		}
	}
	for _, gone := range old {
		changed = append(changed, gone)
	}
	return changed
}

// recalled tells each need which recalls are about the version on offer, and about the one that
// is installed. What is installed and has no need otherwise gets one: somebody has to know.
func recalled(p Provider, r *Recalls, needs []Need, now time.Time) []Need {
	if r == nil || len(r.by) == 0 {
		return needs
	}
	at := map[patch.Key]int{}
	for i := range needs {
		n := &needs[i]
		at[n.Key] = i
		if n.Offered && !n.Reached {
			n.Held = r.Of(n.Key.Provider, n.Key.Name, n.Update.Source, n.Update.Available, now)
		}
	}
	for _, item := range p.Items {
		of := r.Of(item.Provider, item.Name, item.Source, item.Version, now)
		if len(of) == 0 {
			continue
		}
		i, told := at[item.Key()]
		if !told {
			i = len(needs)
			needs = append(needs, Need{Key: item.Key(), Installed: item.Version, Previous: item.Previous, Reached: true, Since: of[0].Since, ScannedAt: p.Installed.ScannedAt,
				Update: patch.Update{Provider: item.Provider, Scope: item.Scope, Name: item.Name, Title: item.Title, Architecture: item.Architecture,
					Instance: item.Instance, Installed: item.Version, Available: item.Version, Source: item.Source, Origin: item.Origin}})
		}
		needs[i].Recalled = of
	}
	return needs
}

// ends is when the first of a need's recalls says nothing any more; zero when none does.
func (n Need) ends() time.Time {
	var first time.Time
	for _, r := range append(slices.Clip(n.Held), n.Recalled...) {
		if !r.Resolved.IsZero() && (first.IsZero() || r.Resolved.Before(first)) {
			first = r.Resolved
		}
	}
	return first
}

// RecallsEnd is the next moment at which a recall of any need ends by the clock; zero when none
// does.
func RecallsEnd(needs []Need) time.Time {
	var first time.Time
	for _, n := range needs {
		if t := n.ends(); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
