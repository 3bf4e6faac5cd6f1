package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"patchbay/server/assess"
	"patchbay/server/bulletin"
	"patchbay/server/view"
)

// Bulletins says whom bulletins touch.
type Bulletins interface {
	// Bulletins lists bulletins with whom they touch now: those that touch anybody first, then
	// the newest. Filter: Customer, Site, State ("touching").
	Bulletins(f view.Filter, list []bulletin.Bulletin) view.Page[view.Bulletin]
	// Bulletin says by customer whom one touches. Filter: Customer, Site.
	Bulletin(now time.Time, f view.Filter, b bulletin.Bulletin) view.BulletinDetail
}

// BulletinsParams are what the list of bulletins takes.
type BulletinsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Kind     string `query:"kind" enum:"new,fixed,exploited,raised,monthly,out-of-band,recalled,trouble"`
	Touching bool   `query:"touching" doc:"Only those that touch a device now"`
	Days     int    `query:"days" minimum:"1" maximum:"180" doc:"Only those that were first seen in the last so many days"`
}

func (s *Server) bulletins(ctx context.Context, in *BulletinsParams) (*Out[view.Page[view.Bulletin]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	now := s.Now()
	f.Customer, f.Site = in.Customer, in.Site
	if in.Touching {
		f.State = "touching"
	}
	since := time.Time{}
	if in.Days > 0 {
		since = now.AddDate(0, 0, -in.Days)
	}
	list, err := s.Store.MSP(who(ctx)).Bulletins(ctx, since)
	if err != nil {
		return nil, err
	}
	list = chosen(list, func(b bulletin.Bulletin) bool {
		return (in.Kind == "" || in.Kind == string(b.Kind)) && matches(f.Q, append(append([]string{b.ID, b.Title, b.Feed}, b.CVEs...), b.Updates...)...)
	})
	return page(s.Fleet.Bulletins(f, list), f, now), nil
}

// BulletinPath names a bulletin.
type BulletinPath struct {
	Bulletin string `path:"bulletin" maxLength:"60"`
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
}

func (s *Server) bulletin(ctx context.Context, in *BulletinPath) (*Out[view.BulletinDetail], error) {
	list, err := s.Store.MSP(who(ctx)).Bulletins(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(b bulletin.Bulletin) bool { return view.BulletinID(string(b.Kind), b.Feed, b.ID) == in.Bulletin })
	if i < 0 {
		return nil, problem(http.StatusNotFound, "There is no such bulletin, or it is no longer kept: they are kept for half a year.")
	}
	d := s.Fleet.Bulletin(s.Now(), view.Filter{Customer: in.Customer, Site: in.Site}, list[i])
	if s.Recalls != nil {
		all := s.Recalls().All()
		if i := slices.IndexFunc(all, func(r assess.Recall) bool { return r.Key() == d.Feed+"/"+d.Name }); i >= 0 && (d.Kind == "recalled" || d.Kind == "trouble") {
			recall := view.RecallOf(all[i])
			d.Recall = &recall
		}
	}
	return out(d), nil
}

// freshDays is for how many days a bulletin is pointed out.
const freshDays = 7

// news points out the bulletins of the last days that touch a device.
func (s *Server) news(ctx context.Context, customer string, now time.Time) ([]view.Attention, error) {
	list, err := s.Store.MSP(who(ctx)).Bulletins(ctx, now.AddDate(0, 0, -freshDays))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	rows := s.Fleet.Bulletins(view.Filter{Customer: customer, State: "touching", Limit: few}, list)
	if rows.Total == 0 {
		return nil, nil
	}
	a := view.Attention{Kind: "bulletin", Count: rows.Total, Act: "Read them", Link: view.Link{Page: "bulletins", Params: map[string]string{"state": "touching"}},
		Sentence: fmt.Sprintf("%s of the last %d days touch devices here, the newest %s.", plural(rows.Total, "bulletin"), freshDays, called(rows.Items[0]))}
	if rows.Total == 1 {
		a.Act, a.Sentence = "Read it", fmt.Sprintf("A bulletin of the last %d days touches %s: %s.", freshDays, plural(rows.Items[0].Devices, "device"), called(rows.Items[0]))
	}
	return []view.Attention{a}, nil
}

// called says in a few words what a bulletin is.
func called(b view.Bulletin) string {
	words := map[string]string{"new": "%s", "fixed": "a fix for %s", "exploited": "%s, used by attackers", "raised": "%s, more urgent than before", "monthly": "Microsoft's updates of %s",
		"out-of-band": "Microsoft's updates of %s outside its monthly day", "recalled": "%s, an update that was recalled", "trouble": "%s, an update that makes trouble"}
	name := b.Name
	switch {
	case len(b.Updates) > 0 && (b.Kind == "recalled" || b.Kind == "trouble"):
		name = b.Updates[0]
	case b.CVECount == 1 && len(b.CVEs) == 1:
		name = b.CVEs[0]
	}
	return fmt.Sprintf(words[b.Kind], name)
}
