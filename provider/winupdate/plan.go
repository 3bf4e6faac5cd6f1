package winupdate

import (
	"fmt"

	"patchbay/patch"
	"patchbay/provider"
)

// present is what the engine has at this moment.
type present struct {
	installed, offered, hidden []provider.EngineUpdate
	graph                      *graph
	replaced                   map[string]string
}

// plan finds the very updates that were approved, by their ID and revision, in what the engine
// has. What is installed already is left out. A request of which one part may not be is
// refused whole, and says why.
func (n present) plan(ups []patch.Update) ([]provider.EngineUpdate, error) {
	var wanted []provider.EngineUpdate
	for _, up := range ups {
		id, err := named(up)
		if err != nil {
			return nil, err
		}
		if has, ok := find(n.installed, id.Update); ok && has.ID.Revision >= id.Revision {
			continue
		}
		if why := n.unfit(up.Name, id); why != "" {
			return nil, fmt.Errorf("%w: %s", provider.ErrRefused, why)
		}
		u, _ := find(n.offered, id.Update)
		wanted = append(wanted, u)
	}
	return wanted, nil
}

// named is the ID and revision that a request names.
func named(up patch.Update) (provider.EngineID, error) {
	n := provider.EngineID{Update: up.Source}
	var err error
	n.Revision, err = revision(up.Available)
	if err != nil || !validID.MatchString(n.Update) || up.Instance != "" && up.Instance != n.Update || up.Scope != "" || up.Architecture != "" {
		return n, fmt.Errorf("%w: %.200q in revision %.20q is no update of Windows Update", provider.ErrRefused, up.Key().String(), up.Available)
	}
	return n, nil
}

func find(list []provider.EngineUpdate, id string) (provider.EngineUpdate, bool) {
	for _, u := range list {
		if u.ID.Update == id {
			return u, true
		}
	}
	return provider.EngineUpdate{}, false
}

// unfit says why an approved update may not be installed now; "" when it may.
func (n present) unfit(called string, id provider.EngineID) string {
	u, offered := find(n.offered, id.Update)
	_, hidden := find(n.hidden, id.Update)
	by, superseded := find(n.offered, n.replaced[id.Update])
	if !offered && !superseded {
		by, superseded = n.successor(id.Update)
	}
	switch {
	case hidden:
		return fmt.Sprintf("somebody hid %s on this device since it was approved", called)
	case superseded:
		return fmt.Sprintf("%s was superseded by %s since it was approved, which needs an answer of its own", called, name(by))
	case !offered:
		return fmt.Sprintf("Windows Update does not have %s on offer any more: it was withdrawn, or is not for this machine as it is now", called)
	case u.ID.Revision != id.Revision:
		return fmt.Sprintf("%s was approved in revision %d, and Windows Update now offers revision %d, which needs an answer of its own", called, id.Revision, u.ID.Revision)
	case u.Asks:
		return fmt.Sprintf("%s may ask a person something while it installs, and nobody is there to answer", called)
	}
	return ""
}

// successor is the update on offer, or else the one installed, that took the place of one.
func (n present) successor(id string) (provider.EngineUpdate, bool) {
	for _, list := range [][]provider.EngineUpdate{n.offered, n.installed} {
		for _, v := range list {
			if v.ID.Update != id && n.graph.over(v.ID.Update, id) {
				return v, true
			}
		}
	}
	return provider.EngineUpdate{}, false
}
