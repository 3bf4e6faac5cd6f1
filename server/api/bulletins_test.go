package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/bulletin"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// Bulletins are those that the fleet of the test says touch as many devices as their name says:
// "CVE-2" touches two.
func (f *invented) Bulletins(q view.Filter, list []bulletin.Bulletin) view.Page[view.Bulletin] {
	var rows []view.Bulletin
	for _, b := range list {
		row := view.Bulletin{ID: view.BulletinID(string(b.Kind), b.Feed, b.ID), Name: b.ID, Kind: string(b.Kind), Feed: b.Feed, SeenAt: b.SeenAt}
		if row.Devices = int(b.ID[len(b.ID)-1] - '0'); q.State != "touching" || row.Devices > 0 {
			rows = append(rows, row)
		}
	}
	return view.Paginate(rows, q, true, func(b view.Bulletin) string { return view.Number(one(b.Devices > 0)) + view.Moment(&b.SeenAt) }, func(b view.Bulletin) string { return b.ID })
}

func (f *invented) Bulletin(_ time.Time, q view.Filter, b bulletin.Bulletin) view.BulletinDetail {
	return view.BulletinDetail{Bulletin: f.Bulletins(view.Filter{}, []bulletin.Bulletin{b}).Items[0]}
}

// publishes has the server learn of bulletins now.
func (w *world) publishes(kind bulletin.Kind, ids ...string) {
	w.t.Helper()
	said := []bulletin.Said{{Source: string(kind)}}
	if _, err := w.store.MSP(store.Who{ID: "system"}).Learn(w.t.Context(), w.now, slices.Values(said)); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range ids {
		said = append(said, bulletin.Said{Source: string(kind), Key: id, News: func(func(string) bool) bulletin.Bulletin {
			return bulletin.Bulletin{ID: id, Kind: kind, Feed: "feed", Title: "Of " + id}
		}})
	}
	if _, err := w.store.MSP(store.Who{ID: "system"}).Learn(w.t.Context(), w.now, slices.Values(said)); err != nil {
		w.t.Fatal(err)
	}
}

func bulletinNames(p view.Page[view.Bulletin]) string {
	var list []string
	for _, b := range p.Items {
		list = append(list, b.Name)
	}
	return strings.Join(list, " ")
}

func TestBulletinsAreListedWithWhomTheyTouchFirst(t *testing.T) {
	w := newWorld(t, false).populated()
	w.publishes(bulletin.New, "CVE-0", "CVE-2")
	w.now = w.now.Add(time.Hour)
	w.publishes(bulletin.Exploited, "CVE-10", "CVE-3")
	list := func(q string) view.Page[view.Bulletin] {
		return do[view.Page[view.Bulletin]](w, 200, "GET", "/bulletins"+q, nil)
	}
	if got := bulletinNames(list("")); !strings.HasPrefix(got, "CVE-3 CVE-2 CVE-10 ") {
		t.Errorf("%s", got)
	}
	if got := bulletinNames(list("?touching=true")); got != "CVE-3 CVE-2" {
		t.Errorf("%s", got)
	}
	if got := bulletinNames(list("?kind=new")); got != "CVE-2 CVE-0" {
		t.Errorf("%s", got)
	}
	if got := bulletinNames(list("?q=of%20cve-1")); got != "CVE-10" {
		t.Errorf("%s", got)
	}
	first := list("?limit=1")
	if got := bulletinNames(list("?limit=1&after=" + url.QueryEscape(first.Next))); got != "CVE-2" || first.Total != 4 {
		t.Errorf("%s of %d", got, first.Total)
	}
	do[Problem](w, http.StatusUnprocessableEntity, "GET", "/bulletins?kind=odd", nil)
	if d := do[view.BulletinDetail](w, 200, "GET", "/bulletins/"+first.Items[0].ID, nil); d.Name != "CVE-3" || d.Kind != "exploited" {
		t.Errorf("%+v", d)
	}
	do[Problem](w, http.StatusNotFound, "GET", "/bulletins/bul_none", nil)
}

// Whoever opens the console sees what touches somebody before they ask, and for a week.
func TestHomeTellsOfBulletinsThatTouch(t *testing.T) {
	w := newWorld(t, false)
	today := w.now
	w.now = today.AddDate(0, 0, -8) // of a week ago, and no news any more
	w.publishes(bulletin.Raised, "CVE-9")
	w.now = today
	w.populated()
	said := func() string {
		for _, a := range do[view.Overview](w, 200, "GET", "/overview", nil).Attention {
			if a.Kind == "bulletin" {
				return a.Sentence + " " + a.Link.Page
			}
		}
		return ""
	}
	w.publishes(bulletin.New, "CVE-0")
	if got := said(); got != "" {
		t.Errorf("one that touches nobody: %s", got)
	}
	w.publishes(bulletin.OutOfBand, "2026-Jan-22")
	if got := said(); got != "A bulletin of the last 7 days touches 2 devices: Microsoft's updates of 2026-Jan-22 outside its monthly day. bulletins" {
		t.Errorf("%s", got)
	}
	w.now = w.now.Add(time.Hour)
	w.publishes(bulletin.Exploited, "CVE-3")
	if got := said(); got != "2 bulletins of the last 7 days touch devices here, the newest CVE-3, used by attackers. bulletins" {
		t.Errorf("%s", got)
	}
}

// A recall is set aside by name, with a reason, for one update, and that is kept.
func TestARecallIsSetAsideByName(t *testing.T) {
	w := newWorld(t, false).populated()
	id := w.fleet.need(w.device, "lib", "2", verdict.HELD, verdict.Decided, patch.Security)
	r := assess.Recall{Feed: "acme", ID: "A-1", Publisher: "Acme", Trouble: "It breaks.", Since: w.now}
	for i := range w.fleet.needs {
		if w.fleet.needs[i].ID == id {
			w.fleet.needs[i].Held = []view.Recall{view.RecallOf(r)}
		}
	}
	wish := ApprovalWish{Level: "device", Target: w.device, What: ApprovalTarget{Need: id}, Answer: "approve"}
	p := do[Preview](w, 200, "POST", "/approvals/preview", wish)
	if len(p.Held) != 1 || p.Held[0].Key != "acme/A-1" || p.Held[0].Devices != 1 || !strings.Contains(p.Sentence, "held until acme/A-1 is over") {
		t.Errorf("%+v", p)
	}
	wish.Despite = []string{"acme/A-1"}
	do[Problem](w, http.StatusUnprocessableEntity, "POST", "/approvals", wish) // without a reason
	wish.Reason = "the till does not use it"
	if p := do[Preview](w, 200, "POST", "/approvals/preview", wish); len(p.Held) != 0 {
		t.Errorf("%+v", p)
	}
	done := do[Approved](w, 201, "POST", "/approvals", wish)
	if len(done.Approvals) != 1 || !slices.Equal(done.Approvals[0].Despite, []string{"acme/A-1"}) {
		t.Errorf("%+v", done)
	}
	kept := do[view.Page[view.Approval]](w, 200, "GET", "/approvals", nil)
	if kept.Total != 1 || !slices.Equal(kept.Items[0].Despite, []string{"acme/A-1"}) {
		t.Errorf("%+v", kept)
	}
	wish.Despite = []string{"acme/A-2"}
	do[Problem](w, http.StatusUnprocessableEntity, "POST", "/approvals", wish)
	wish.Despite, wish.What = []string{"acme/A-1"}, ApprovalTarget{All: true}
	do[Problem](w, http.StatusUnprocessableEntity, "POST", "/approvals", wish)
}
