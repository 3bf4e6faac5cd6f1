package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// few is how many rows of each kind the overview shows.
const few = 5

// OverviewParams narrow the overview.
type OverviewParams struct {
	Customer string `query:"customer" maxLength:"60"`
}

func (s *Server) overview(ctx context.Context, in *OverviewParams) (*Out[view.Overview], error) {
	now := s.Now()
	o := view.Overview{AsOf: now, SecurityOpenByAge: s.Fleet.Ages(now, in.Customer)}
	top := view.Filter{Customer: in.Customer, Limit: few}
	o.Failed = s.Fleet.Needs(now, with(top, string(verdict.Bad), "-since")).Items
	o.Waits = s.waits(now, top)
	o.Silent = s.Fleet.Devices(now, with(top, "silent", "last_seen")).Items
	customers, err := s.customerViews(ctx, now)
	if err != nil {
		return nil, err
	}
	if in.Customer != "" {
		customers = chosen(customers, func(c view.Customer) bool { return c.ID == in.Customer })
		if len(customers) == 0 {
			return nil, notFound()
		}
	}
	for _, c := range customers {
		o.Posture = o.Posture.Plus(c.Posture)
	}
	o.Worst = worst(customers)
	if o.Running, err = s.running(ctx, in.Customer); err != nil {
		return nil, err
	}
	if o.Trend, err = s.trend(ctx, in.Customer, now); err != nil {
		return nil, err
	}
	gone := notBack(s.Fleet.Devices(now, with(top, "not_back", "name")))
	news, err := s.news(ctx, in.Customer, now)
	if err != nil {
		return nil, err
	}
	o.Attention = append(append([]view.Attention{}, gone...), withLapses(attention(o.Posture, len(gone) > 0), lapses(s.Documents.State(ctx), now))...)
	o.Attention = withNews(o.Attention, news)
	o.Sentence = stateSentence(o.Posture, customers)
	o.Failed, o.Waits, o.Silent = filled(o.Failed), filled(o.Waits), filled(o.Silent)
	o.SecurityOpenByAge = filled(o.SecurityOpenByAge)
	return out(o), nil
}

// waits are the updates that wait for a person, security ones first.
func (s *Server) waits(now time.Time, top view.Filter) []view.Update {
	f := with(top, string(verdict.WaitsPerson), "-waiting")
	f.Class = string(patch.Security)
	rows := s.Fleet.Updates(now, f).Items
	f.Class = ""
	for _, u := range s.Fleet.Updates(now, f).Items {
		if len(rows) < few && !slices.ContainsFunc(rows, func(r view.Update) bool { return r.ID == u.ID }) {
			rows = append(rows, u)
		}
	}
	return rows
}

// filled makes a list that may be nil one that is only empty.
func filled[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

func with(f view.Filter, state, sort string) view.Filter {
	f.State, f.Sort = state, sort
	return f
}

// worst orders customers by open security needs, then by all open ones and silent devices.
func worst(customers []view.Customer) []view.WorstCustomer {
	list := []view.WorstCustomer{}
	for _, c := range customers {
		if p := c.Posture; p.Open() > 0 || p.Silent > 0 {
			list = append(list, view.WorstCustomer{Customer: view.Ref{ID: c.ID, Name: c.Name}, Open: p.Open(),
				SecurityOpen: p.SecurityOpen, Silent: p.Silent, Devices: p.Devices})
		}
	}
	slices.SortFunc(list, func(a, b view.WorstCustomer) int {
		return cmp.Or(b.SecurityOpen-a.SecurityOpen, b.Open-a.Open, b.Silent-a.Silent, strings.Compare(a.Customer.ID, b.Customer.ID))
	})
	return list[:min(10, len(list))]
}

// running gives the jobs that a device has begun.
func (s *Server) running(ctx context.Context, customer string) ([]view.Job, error) {
	rows, err := s.jobRows(ctx, customer, store.JobFilter{Open: true, Limit: newestJobs})
	if err != nil {
		return nil, err
	}
	rows = chosen(rows, func(j store.Job) bool { return j.Step != "" })
	slices.SortStableFunc(rows, func(a, b store.Job) int { return since(b).Compare(since(a)) })
	names, err := s.names(ctx)
	list := []view.Job{}
	for _, row := range rows[:min(few, len(rows))] {
		list = append(list, s.jobView(row, names))
	}
	return list, err
}

func since(j store.Job) time.Time {
	if j.StepSince != nil {
		return *j.StepSince
	}
	return j.CreatedAt
}

// trend adds the stored daily counts of up to 90 days up.
func (s *Server) trend(ctx context.Context, customer string, now time.Time) ([]view.TrendDay, error) {
	f := store.FactFilter{From: now.AddDate(0, 0, -90).UTC().Format(time.DateOnly)}
	var facts []store.DailyFact
	var err error
	if customer == "" {
		facts, err = s.Store.MSP(who(ctx)).DailyFacts(ctx, f)
	} else {
		facts, err = s.Store.Customer(who(ctx), customer).DailyFacts(ctx, f)
	}
	days := []view.TrendDay{}
	for _, fact := range facts {
		i := slices.IndexFunc(days, func(d view.TrendDay) bool { return d.Day == fact.Day })
		if i < 0 {
			i, days = len(days), append(days, view.TrendDay{Day: fact.Day})
		}
		switch verdict.StateOf(verdict.Name(fact.Verdict)) {
		case verdict.Good:
			days[i].Verified += fact.Needs
		case verdict.NotKnown:
			days[i].Unknown += fact.Needs
		case verdict.Gone, verdict.Excused:
		default:
			days[i].Open += fact.Needs
		}
	}
	slices.SortFunc(days, func(a, b view.TrendDay) int { return strings.Compare(a.Day, b.Day) })
	return days, err
}

// notBack asks for a look at machines that were told to restart and were not heard of since.
func notBack(devices view.Page[view.Device]) []view.Attention {
	if devices.Total == 0 {
		return nil
	}
	a := view.Attention{Kind: "not_back", Count: devices.Total, Act: "Look at them",
		Link:     view.Link{Page: "devices", Params: map[string]string{"state": "not_back"}},
		Sentence: plural(devices.Total, "device") + " told to restart and not heard of since."}
	if devices.Total == 1 {
		a.Act, a.Sentence = "Look at it", devices.Items[0].Name+" was told to restart and has not been heard of since."
	}
	return []view.Attention{a}
}

// attention lists what somebody should look at, the worst first.
func attention(p view.Posture, notBack bool) []view.Attention {
	list := []view.Attention{}
	add := func(n int, kind, sentence, page, state, act string) {
		if n > 0 {
			list = append(list, view.Attention{Kind: kind, Count: n, Sentence: sentence,
				Link: view.Link{Page: page, Params: map[string]string{"state": state}}, Act: act})
		}
	}
	if p.Devices == 0 {
		list = append(list, view.Attention{Kind: "enrol", Sentence: "No device is enrolled yet.",
			Link: view.Link{Page: "enrol"}, Act: "Enrol a device"})
	}
	failed := " failed to install."
	if notBack {
		failed = " failed, those on machines that did not come back among them."
	}
	add(p.Failed, "failed", plural(p.Failed, "update")+failed, "needs", "failed", "See why")
	add(p.Silent, "silent", plural(p.Silent, "device")+" silent: what is true there now is not known.", "devices", "silent", "Look at them")
	add(p.NeverScanned, "never_scanned", plural(p.NeverScanned, "device")+" without a scan yet.", "devices", "never_scanned", "Look at them")
	add(p.WaitsPerson, "waits_person", plural(p.WaitsPerson, "need")+" waiting for a person.", "updates", "waits_person", "Answer")
	add(p.Unknown, "unknown", plural(p.Unknown, "need")+" of which nothing certain is known.", "needs", "unknown", "See why")
	return list
}

// withNews puts bulletins behind what is broken, silent or ended, and before what only waits.
func withNews(list, news []view.Attention) []view.Attention {
	i := slices.IndexFunc(list, func(a view.Attention) bool {
		return a.Kind == "waits_person" || a.Kind == "unknown" || a.Kind == trustEnds
	})
	if i < 0 {
		i = len(list)
	}
	return slices.Insert(list, i, news...)
}

// withLapses puts what ended before everything, and what will end after it.
func withLapses(list, lapses []view.Attention) []view.Attention {
	for _, l := range slices.Backward(lapses) {
		if l.Kind == trustEnds {
			list = append(list, l)
		} else {
			list = slices.Insert(list, 0, l)
		}
	}
	return list
}

// stateSentence says in one sentence how things stand, of what.
func stateSentence(p view.Posture, customers []view.Customer) string {
	if p.Devices == 0 {
		return "No device is enrolled yet: make a customer and a site, and run the enrolment line on a machine."
	}
	open := 0
	for _, c := range customers {
		open += one(c.Posture.SecurityOpen > 0)
	}
	var said []string
	if p.SecurityOpen > 0 {
		said = append(said, fmt.Sprintf("%s open at %s", plural(p.SecurityOpen, "security update"), plural(open, "customer")))
	}
	if p.Failed > 0 {
		said = append(said, plural(p.Failed, "update")+" failed")
	}
	if p.Silent > 0 {
		said = append(said, fmt.Sprintf("%d of %d devices silent", p.Silent, p.Devices))
	}
	if p.NeverScanned > 0 {
		said = append(said, fmt.Sprintf("%d of %d devices not scanned yet", p.NeverScanned, p.Devices))
	}
	if p.Unknown > 0 && len(said) == 0 {
		said = append(said, plural(p.Unknown, "need")+" not known")
	}
	if len(said) == 0 {
		return fmt.Sprintf("%d of %d needs verified on %s enrolled; nothing failed, none silent.", p.Verified, p.Needs, plural(p.Devices, "device"))
	}
	return strings.Join(said, "; ") + "."
}
