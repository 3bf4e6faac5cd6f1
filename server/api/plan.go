package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
	"patchbay/wire"
)

// plan is an answer taken apart: the rows to write per customer, and what they would do.
// The preview and the deed are made by the same code.
type plan struct {
	now     time.Time
	wish    ApprovalWish
	rows    map[string][]store.Approval // by customer
	devices []string
	known   map[string]bool // the same devices
	preview Preview
}

func (p plan) customers() []string { return slices.Sorted(maps.Keys(p.rows)) }

// planned checks a wish and takes it apart, by what the fleet needs now.
func (s *Server) planned(ctx context.Context, wish ApprovalWish) (plan, error) {
	wish.Reason = strings.TrimSpace(wish.Reason)
	if err := checkWish(wish); err != nil {
		return plan{}, err
	}
	f, place, err := s.scope(ctx, wish)
	if err != nil {
		return plan{}, err
	}
	now := s.Now()
	if wish.What.Need != "" {
		n, ok := s.Fleet.Need(now, wish.What.Need)
		if !ok || n.Update == "" {
			return plan{}, wrong("what.need", "There is no such need, or nothing is on offer for it.")
		}
		f.Update = n.Update
	}
	p := plan{now: now, wish: wish, rows: map[string][]store.Approval{}, known: map[string]bool{}}
	all := s.Fleet.Needs(now, f).Items
	needs := chosen(all, wish.answers)
	if wish.Answer == "undo" {
		p.preview.CannotUndo = cannotUndo(all)
		f.Update = ""
		needs = withSisters(needs, chosen(s.Fleet.Needs(now, f).Items, wish.answers))
	}
	if err := despite(wish, needs); err != nil {
		return plan{}, err
	}
	c := caller(ctx)
	for _, n := range needs {
		p.add(n, c.Person)
	}
	p.preview.LeftOut = countUpdates(chosen(all, wish.leavesOut))
	if wish.Answer == "approve" {
		p.preview.Licences = countUpdates(chosen(needs, func(n view.Need) bool { return n.Licence }))
	}
	p.describe(s.Fleet, needs, place)
	return p, nil
}

// checkWish holds what the schema cannot say.
func checkWish(w ApprovalWish) error {
	said := 0
	for _, set := range []bool{w.What.Update != "", w.What.Need != "", w.What.Class != "", w.What.Fix != "", w.What.All} {
		if set {
			said++
		}
	}
	single := w.What.Update != "" || w.What.Need != ""
	switch {
	case said != 1:
		return wrong("what", "Say exactly one of update, need, class, fix and all.")
	case w.Answer != "approve" && w.Reason == "":
		return wrong("reason", "Say why: to reject or undo an update needs a reason.")
	case len(w.Despite) > 0 && (w.Answer != "approve" || !single):
		return wrong("despite", "A recall is set aside for one update or need that is approved.")
	case len(w.Despite) > 0 && w.Reason == "":
		return wrong("reason", "Say why: what was taken back, or makes trouble, is installed all the same.")
	case w.Answer != "approve" && !single:
		return wrong("what", "Reject or undo one update or need at a time.")
	case w.Answer == "undo" && w.Follow != nil && *w.Follow:
		return wrong("follow", "An undo is of one version: leave follow out.")
	case w.Answer == "reject" && w.Now:
		return wrong("now", "A rejection has no time: leave now out.")
	case w.Level == "msp" && w.What.Update == "" && w.What.Fix == "":
		return wrong("what", "Over all customers one update at a time can be answered, or what mends one CVE: name it.")
	case w.Level == "msp" && w.Target != "":
		return wrong("target", "Leave the target out for msp.")
	case w.Level != "msp" && w.Target == "":
		return wrong("target", "Name the customer, site or device.")
	}
	return nil
}

// scope finds what the wish is about: a filter for needs, and the place's name.
func (s *Server) scope(ctx context.Context, w ApprovalWish) (view.Filter, string, error) {
	f := view.Filter{Update: w.What.Update, Class: w.What.Class, Mends: w.What.Fix}
	missing := wrong("target", "There is no such customer, site or device.")
	switch w.Level {
	case "customer":
		row, err := s.Store.Customer(who(ctx), w.Target).Get(ctx)
		if err != nil {
			return f, "", orMissing(err, missing)
		}
		f.Customer = w.Target
		return f, row.Name, nil
	case "site":
		row, err := s.siteRow(ctx, w.Target)
		if err != nil {
			return f, "", orMissing(err, missing)
		}
		f.Customer, f.Site = row.Customer, row.ID
		return f, row.Name, nil
	case "device":
		d, _, err := s.found(ctx, w.Target)
		if err != nil {
			return f, "", orMissing(err, missing)
		}
		f.Customer, f.Device = d.Customer.ID, d.ID
		return f, d.Name, nil
	}
	return f, "all customers", nil
}

// answers reports whether the wish answers a need. What is named is answered anew; "all"
// and a class leave alone what people choose by its name, what a person rejected and, without
// "now", what was approved.
func (w ApprovalWish) answers(n view.Need) bool {
	if w.Answer == "undo" {
		return n.Can.Undo == ""
	}
	if n.Available == "" || n.Verdict.State == verdict.Good || n.Verdict.State == verdict.Gone {
		return false
	}
	if w.What.Update != "" || w.What.Need != "" {
		return true
	}
	return !isChosen(n) && n.Verdict.State != verdict.Excused && (w.Now || !approvedAlready(n.Verdict))
}

// isChosen reports whether an update is for a person to choose by its name: previews, and what
// its publisher calls optional. A licence is agreed to by a class too.
func isChosen(n view.Need) bool {
	return slices.Contains(n.Classes, patch.Preview) || n.Block == patch.Optional && !n.Licence
}

// leavesOut reports whether a need is of what "all" or a class leaves to people to choose.
func (w ApprovalWish) leavesOut(n view.Need) bool {
	named := w.What.Update != "" || w.What.Need != ""
	return !named && isChosen(n) && n.Available != "" && n.Verdict.State != verdict.Good && n.Verdict.State != verdict.Gone && n.Verdict.State != verdict.Excused
}

// countUpdates counts the updates that needs wait for.
func countUpdates(needs []view.Need) int {
	updates := map[string]bool{}
	for _, n := range needs {
		updates[n.Update] = true
	}
	return len(updates)
}

// add makes the row for a need, once per version of an item and place.
func (p *plan) add(n view.Need, by store.Person) {
	row := rowOf(n, p.wish)
	row.Level, row.Target = store.Level(p.wish.Level), p.wish.Target
	if p.wish.Level == "msp" {
		row.Level, row.Target = store.LevelCustomer, n.Customer.ID
	}
	if !p.known[n.Device.ID] {
		p.known[n.Device.ID] = true
		p.devices = append(p.devices, n.Device.ID)
	}
	same := slices.ContainsFunc(p.rows[n.Customer.ID], func(a store.Approval) bool {
		return a.Provider == row.Provider && a.Name == row.Name && a.Architecture == row.Architecture &&
			a.Version == row.Version && a.Origin == row.Origin
	})
	if same {
		return
	}
	row.ID, row.By, row.ByName, row.At = patch.NewID(patch.ApprovalID), by.ID, by.Name, p.now
	if p.wish.Now {
		until := p.now.Add(forcedFor)
		row.ForcedUntil = &until
	}
	p.rows[n.Customer.ID] = append(p.rows[n.Customer.ID], row)
}

// withSisters adds what has to be taken back together: packages of one source depend on each
// other's exact versions as a rule.
func withSisters(needs, all []view.Need) []view.Need {
	type source struct{ device, provider, name string }
	of := func(n view.Need) source {
		return source{n.Device.ID, n.Item.Provider, cmp.Or(n.Source, n.Item.Name)}
	}
	asked, have := map[source]bool{}, map[string]bool{}
	for _, n := range needs {
		asked[of(n)], have[n.ID] = true, true
	}
	for _, n := range all {
		if asked[of(n)] && !have[n.ID] {
			needs = append(needs, n)
		}
	}
	return needs
}

// cannotUndo counts devices that have the version and cannot go back.
func cannotUndo(needs []view.Need) int {
	devices := map[string]bool{}
	for _, n := range needs {
		if n.Can.Undo != "" && n.Installed != "" && n.Installed == n.Available && n.Verdict.Name != verdict.ROLLED_BACK {
			devices[n.Device.ID] = true
		}
	}
	return len(devices)
}

// reversible counts devices by how what is approved could be taken back there: where that
// differs between updates, by the worst, and what is not known is worse than a snapshot.
func reversible(needs []view.Need) view.Reversible {
	badness := map[patch.Reversibility]int{patch.ByManager: 1, patch.ByKept: 2, patch.BySnapshot: 3, patch.NotAtAll: 5}
	of := func(c patch.Reversibility) int { return cmp.Or(badness[c], 4) }
	worst := map[string]patch.Reversibility{}
	for _, n := range needs {
		if old, ok := worst[n.Device.ID]; !ok || of(n.Reversibility) > of(old) {
			worst[n.Device.ID] = n.Reversibility
		}
	}
	var counts view.Reversible
	for _, c := range worst {
		counts.Count(c)
	}
	return counts
}

// describe counts what the answer would do.
func (p *plan) describe(fleet Fleet, needs []view.Need, place string) {
	type version struct{ provider, name, available, origin string }
	titles := map[version]string{} // in the language of one of the devices
	updates, reboots := map[version]map[string]bool{}, map[string]bool{}
	for _, n := range needs {
		v := version{n.Item.Provider, n.Item.Name, n.Available, n.Origin}
		if updates[v] == nil {
			updates[v] = map[string]bool{}
		}
		updates[v][n.Device.ID], titles[v] = true, n.Title
		if n.Reboot == patch.Yes {
			reboots[n.Device.ID] = true
		}
	}
	cannot, back := p.preview.CannotUndo, reversible(needs)
	if p.wish.Answer == "approve" {
		cannot = back.NotAtAll
	}
	p.preview = Preview{Needs: len(needs), Devices: len(p.devices), Updates: len(updates), Reboots: len(reboots), CannotUndo: cannot,
		Held: heldUp(p.wish, needs), Licences: p.preview.Licences, LeftOut: p.preview.LeftOut, Reversible: back, UpdatesList: []PreviewUpdate{}}
	for _, id := range p.devices {
		d, ok := fleet.Device(p.now, id)
		if !ok {
			continue
		}
		p.preview.Silent += one(d.Silent)
		p.preview.ObservedOnly += one(d.Agent.Mode == wire.Observe)
		p.preview.OutsideWindow += one(!d.Window.Open)
	}
	for v, devices := range updates {
		p.preview.UpdatesList = append(p.preview.UpdatesList, PreviewUpdate{v.name, titles[v], v.available, len(devices)})
	}
	slices.SortFunc(p.preview.UpdatesList, func(a, b PreviewUpdate) int {
		return cmp.Or(b.Devices-a.Devices, strings.Compare(a.Name, b.Name), strings.Compare(a.Available, b.Available))
	})
	p.preview.UpdatesList = p.preview.UpdatesList[:min(50, len(p.preview.UpdatesList))]
	p.preview.Sentence = p.sentence(place)
}

// sentence says the preview as a person would.
func (p *plan) sentence(place string) string {
	v := p.preview
	if v.Needs == 0 && p.wish.Answer == "undo" {
		return "Nothing to take back here: this version is not installed, or the devices keep nothing to go back to."
	}
	if v.Needs == 0 {
		return "Nothing to answer here: all that matches is done or answered already" + leftWords(v, ", or") + "."
	}
	word := map[string]string{"approve": "Approves", "reject": "Rejects", "undo": "Takes back"}[p.wish.Answer]
	where := plural(v.Devices, "device") + " of " + place
	if p.wish.Level == "device" {
		where = place
	}
	parts := []string{fmt.Sprintf("%s %s on %s", word, plural(v.Updates, "update"), where)}
	if p.wish.Answer != "reject" {
		if v.Reboots > 0 && p.wish.Answer == "approve" {
			parts = append(parts, plural(v.Reboots, "device")+" will be asked to reboot")
		}
		if v.Licences > 0 {
			parts = append(parts, "the licence of "+plural(v.Licences, "update")+" is agreed to")
		}
		if v.CannotUndo > 0 {
			parts = append(parts, plural(v.CannotUndo, "device")+" cannot go back")
		}
		if p.wish.Now {
			parts = append(parts, fmt.Sprintf("%s outside the window, now", plural(v.OutsideWindow, "device")))
		}
		for _, r := range v.Held {
			parts = append(parts, fmt.Sprintf("%s held until %s is over", plural(r.Devices, "device"), r.Key))
		}
		if v.ObservedOnly > 0 {
			parts = append(parts, plural(v.ObservedOnly, "device")+" only observed: nothing is installed there")
		}
		if v.Silent > 0 {
			parts = append(parts, plural(v.Silent, "device")+" silent: told when heard of again")
		}
	}
	return strings.Join(parts, "; ") + leftWords(v, ";") + "."
}

// leftWords says what is left to people to choose by its name; "" when that is nothing.
func leftWords(v Preview, join string) string {
	if v.LeftOut == 0 {
		return ""
	}
	return fmt.Sprintf("%s %s left out, previews and optional ones: approve each by its name", join, plural(v.LeftOut, "update"))
}

// orMissing puts a problem of the body in the place of "there is no such thing".
func orMissing(err error, missing *Problem) error {
	var p *Problem
	if errors.Is(err, store.ErrNotFound) || errors.As(err, &p) && p.Status == http.StatusNotFound {
		return missing
	}
	return err
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
