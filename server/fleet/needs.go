package fleet

import (
	"fmt"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/policy"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
)

// place is one need and the device it is on.
type place struct {
	entry *Entry
	need  *Need
}

// Needs lists needs that are not gone.
func (x *Index) Needs(now time.Time, f view.Filter) view.Page[view.Need] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	field, descending := f.Field("name")
	rows := newSheet[place](f, descending)
	for _, e := range x.within(f) {
		for i := range e.Needs {
			n := &e.Needs[i]
			if matches(e, n, f) {
				rows.add(needKey(e, n, field), n.id, place{e, n})
			}
		}
	}
	return page(rows, now, func(p place) view.Need { return p.show() })
}

func matches(e *Entry, n *Need, f view.Filter) bool {
	switch {
	case n.Verdict.State == verdict.Gone && f.Verdict == "",
		f.Verdict != "" && string(n.Verdict.Name) != f.Verdict,
		f.State != "" && string(n.Verdict.State) != f.State,
		f.Class != "" && !n.Update.Is(patch.Class(f.Class)),
		f.Update != "" && n.update != f.Update,
		f.Mends != "" && !(n.Offered && slices.Contains(n.Update.Advisories, f.Mends)):
		return false
	}
	return f.Q == "" || contains(view.Fold(f.Q), n.Key.Name, n.Update.Title, n.Key.Provider, e.Device.Name, e.Customer.Name, n.Update.Available)
}

func needKey(e *Entry, n *Need, field string) string {
	switch field {
	case "device":
		return view.Fold(e.Device.Name) + "\x00" + n.Key.Name
	case "customer":
		return view.Fold(e.Customer.Name) + "\x00" + view.Fold(e.Device.Name) + "\x00" + n.Key.Name
	case "since":
		return view.Moment(&n.Verdict.Since)
	case "verdict":
		return string(n.Verdict.State) + "\x00" + string(n.Verdict.Name) + "\x00" + n.Key.Name
	case "size":
		return view.Number(n.Update.Size)
	case "place":
		return n.placeKey()
	}
	return n.Key.Name
}

// Need gives a need with its chain.
func (x *Index) Need(now time.Time, id string) (view.NeedDetail, bool) {
	e, ok := x.Entry(view.NeedDevice(id))
	if !ok {
		return view.NeedDetail{}, false
	}
	i := slices.IndexFunc(e.Needs, func(n Need) bool { return n.id == id })
	if i < 0 {
		return view.NeedDetail{}, false
	}
	n := &e.Needs[i]
	detail := view.NeedDetail{Need: place{e, n}.show(), Mends: mends(n.Update)}
	for _, l := range verdict.Explain(n.Verdict) {
		link := view.ChainLink{Link: l.Link, Met: l.Met, Sentence: l.Sentence}
		if at := linkTime(e, n, l.Link); l.Met && !at.IsZero() {
			link.At = &at
		}
		detail.Chain = append(detail.Chain, link)
	}
	return detail, true
}

// linkTime is the stored time of the fact behind a link that is met, zero when there is none.
func linkTime(e *Entry, n *Need, l verdict.Link) time.Time {
	switch l {
	case verdict.Known:
		return n.ScannedAt
	case verdict.Offered:
		return n.Since
	case verdict.Decided, verdict.Approved:
		if n.Decision.Kind != policy.Wait {
			return n.Decision.At
		}
	case verdict.Reachable:
		return e.Agent.LastSeen
	case verdict.Verified:
		return n.ScannedAt
	}
	return time.Time{}
}

// show builds what is shown of a need.
func (p place) show() view.Need {
	e, n := p.entry, p.need
	v := view.Need{
		ID: n.id, Device: view.Ref{ID: e.Device.ID, Name: e.Device.Name},
		Customer: e.Customer, Site: view.Ref{ID: e.Site.ID, Name: e.Site.Name}, Item: view.ItemKeyOf(n.Key),
		Title: n.Update.Title, Installed: n.Installed, Available: n.target(), Origin: n.Update.Origin, Suite: n.Update.Suite,
		Classes: n.Update.Classes, Severity: n.Update.Severity, Size: n.Update.Size, Reboot: n.Update.Reboot,
		Block: n.Update.Block, Licence: n.Update.Licence, Update: n.update, Verdict: n.Verdict, Can: n.can(e),
		Previous: n.Previous, Source: n.Update.Source, Reversibility: n.Update.Reversibility, ReversibilityWhy: n.Update.ReversibilityWhy,
	}
	if n.first != nil {
		f := view.FindingOf(*n.first)
		e.cite(&f)
		v.Step, v.Why = f.Step, f.Why
	}
	for _, r := range n.Held {
		v.Held = append(v.Held, view.RecallOf(r))
	}
	if job := n.Work.Tried.Open; job != nil {
		since := n.Work.Since
		v.Job = &view.NeedJob{ID: job.ID, Verb: job.Verb, Step: n.Work.Step, Since: &since, Why: n.Work.Why}
	}
	return v
}

// can says why an act is not possible; "" means that it is.
func (n *Need) can(e *Entry) view.NeedCan {
	can := view.NeedCan{Undo: n.cannotUndo(e)}
	why := ""
	switch {
	case n.Blind != nil:
		why = "what is missing here is not known, so there is nothing to answer"
	case n.Reached:
		why = "it is installed already"
	case !n.Offered && n.Absent:
		why = "the device has nothing of it on offer"
	case !n.Offered:
		why = "it is no longer on offer"
	}
	if why != "" {
		can.Approve, can.Reject, can.Force, can.Retry = why, why, why, why
		if n.Decision.Kind == policy.Undo && n.Verdict.Name == verdict.FAILED {
			can.Retry = ""
		}
		return can
	}
	if n.Decision.Kind == policy.Install && n.Decision.By != "" {
		can.Approve = "it is approved already"
	}
	if n.Decision.Kind == policy.Reject {
		can.Reject = "it is rejected already"
	}
	if n.Decision.Kind == policy.Hold {
		can.Approve = "it is held for now"
	}
	switch {
	case n.Decision.Kind == policy.Hold:
		can.Force = "it is held for now"
	case e.Agent.Mode == wire.Observe:
		can.Force = "the agent on this device was set up to observe only"
	case n.Update.Block.Keeps():
		can.Force = fmt.Sprintf("the device itself keeps it back (%s)", n.Update.Block)
	case n.Work.Tried.Open != nil && n.Work.Tried.Open.Forced != "":
		can.Force = "it is on its way already"
	}
	switch {
	case n.Verdict.Name != verdict.FAILED:
		can.Retry = "it has not failed"
	case verdict.IsNotBack(n.Verdict):
		can.Retry = "the machine has to come back first"
	}
	return can
}

// undoWaits reports whether an undo was asked for that has not begun and was not forced: it may
// be asked for anew, at once.
func (n *Need) undoWaits() bool {
	job := n.Work.Tried.Open
	return job != nil && !job.Begun && job.Forced == ""
}

// cannotUndo says why the update cannot be taken back, "" when it can.
func (n *Need) cannotUndo(e *Entry) string {
	switch {
	case n.Blind != nil:
		return "what is installed here is not known"
	case n.Decision.Kind == policy.Undo && (n.Installed != n.Update.Available || !n.undoWaits()):
		return "it was taken back already, or is about to be"
	case n.Installed == "" || n.Installed != n.Update.Available || n.Broken != "":
		return "this version is not installed here"
	case e.Agent.Mode == wire.Observe:
		return "the agent on this device was set up to observe only"
	case n.Previous == "":
		return "the device keeps no older version that it could go back to"
	}
	return ""
}
