package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/access"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/window"
	"patchbay/wire"
)

const day = 24 * time.Hour

// populate makes the person, then the customers and their devices, and lets a month pass.
func (w *world) populate(ctx context.Context, o options) (cookie string, err error) {
	token, err := w.access.SetupToken(ctx)
	if err != nil {
		return "", err
	}
	c, cookie, err := w.access.Setup(ctx, access.First{Token: token, Email: email, Name: "Mia Berger", Password: password, Address: "127.0.0.1"})
	if err != nil || o.empty {
		return cookie, err
	}
	w.by = store.Who{ID: c.Person.ID, Name: c.Person.Name}
	defer func() { w.now = time.Now }()
	sites, err := w.places(ctx, o.devices, time.Now().Add(-31*day))
	if err != nil {
		return "", err
	}
	return cookie, w.month(ctx, o.devices, sites)
}

// place is a site and the token for enrolling there.
type place struct{ customer, site, token string }

func (w *world) places(ctx context.Context, devices int, now time.Time) ([]place, error) {
	saturday := []window.Weekly{{Zone: "Europe/Berlin", Days: []string{"sat"}, Start: "22:00", Minutes: 240}}
	always := []window.Weekly{{Zone: "Europe/Vienna", Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, Start: "00:00", Minutes: 1440}}
	plans := []struct {
		customer, site, zone string
		policy               store.SitePolicy
	}{
		{"Müller Maschinenbau GmbH", "Werk Ulm", "Europe/Berlin", store.SitePolicy{Auto: store.Security, Windows: saturday, Reboots: wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}, Restarts: store.InWindow}},
		{"Müller Maschinenbau GmbH", "Büro Stuttgart", "Europe/Berlin", store.SitePolicy{Auto: store.ByHand, Windows: saturday, Applications: rules(w.by.Name, now)}},
		{"Praxis Dr. Lang", "Praxis", "Europe/Vienna", store.SitePolicy{Auto: store.ByHand, Windows: always, Reboots: wire.Reboots{When: wire.RebootAsk, Postpone: 3, DeadlineHours: 48, Daily: wire.UsualDaily}}},
		{"Hafen Logistik und Containerumschlag Beteiligungsgesellschaft Ost mbH & Co. KGaA", "Terminal <b>Ost</b> & Rechenzentrum mit einem sehr langen Namen, der gekürzt werden muss", "America/New_York", store.SitePolicy{Auto: store.ByHand}},
	}
	for i := len(plans); i < devices/60; i++ {
		plans = append(plans, plans[i%4])
		plans[i].customer, plans[i].site = fmt.Sprintf("Customer %03d", i/2), fmt.Sprintf("Site %d", i)
	}
	customers := map[string]string{}
	var places []place
	for _, p := range plans {
		if customers[p.customer] == "" {
			customers[p.customer] = patch.NewID(patch.CustomerID)
			row := store.CustomerRow{ID: customers[p.customer], Name: p.customer, CreatedAt: now}
			if err := w.store.MSP(w.by).CreateCustomer(ctx, now, row); err != nil {
				return nil, err
			}
		}
		at := place{customers[p.customer], patch.NewID(patch.SiteID), patch.NewID("pbt")}
		h := w.store.Customer(w.by, at.customer)
		site := store.Site{ID: at.site, Customer: at.customer, Name: p.site, Zone: p.zone, Policy: p.policy, CreatedAt: now, ChangedAt: now}
		if err := h.CreateSite(ctx, now, site); err != nil {
			return nil, err
		}
		token := store.Token{ID: patch.NewID(patch.TokenID), Customer: at.customer, Site: at.site, Note: "first machines", Mode: wire.Manage,
			MaxUses: devices + 1, CreatedAt: now, CreatedBy: w.by.ID, ExpiresAt: now.Add(30 * day)}
		if err := h.CreateToken(ctx, now, token, access.TokenHash(at.token)); err != nil {
			return nil, err
		}
		places = append(places, at)
	}
	return places, nil
}

// month lets time pass: devices come, updates come out, people answer, devices work.
func (w *world) month(ctx context.Context, count int, places []place) error {
	now := time.Now()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range min(count, whole) {
		d := invent(i, places, random)
		if kind, n := kindOf(i); kind == 'L' && (n == 1 || n == 3) && d.customer == places[0].customer { // made from the disk of the first
			d.copyOf = w.devices[0]
		}
		token := places[slices.IndexFunc(places, func(p place) bool { return p.site == d.site })].token
		if err := w.enroll(ctx, d, token, now.Add(-30*day)); err != nil {
			return err
		}
	}
	for _, age := range []time.Duration{29 * day, 20 * day, 9 * day, 5 * day, 2 * day, 20 * time.Hour, 2 * time.Hour, time.Minute} {
		if err := w.pass(ctx, now.Add(-age), age, random); err != nil {
			return err
		}
		if err := w.record(ctx, now.Add(-age)); err != nil {
			return err
		}
	}
	if err := w.setBack(ctx, w.devices[0], now.Add(-3*day)); err != nil {
		return err
	}
	if err := w.undone(ctx, now.Add(-30*time.Second)); err != nil {
		return err
	}
	if err := w.stand(ctx, places, now.Add(-4*day)); err != nil {
		return err
	}
	return w.bulk(ctx, count, places, random)
}

// pass is one day of the month: what came out since is on offer, answers are given, and
// everybody who is not quiet works through what is ordered.
func (w *world) pass(ctx context.Context, now time.Time, age time.Duration, random *rand.Rand) error {
	w.now = func() time.Time { return now }
	for i, d := range w.devices {
		if d.fresh || d.quiet && age < 6*day {
			if err := w.engine.Step(ctx, d.id); err != nil {
				return err
			}
			continue
		}
		d.offers(age, now, random)
		if err := w.checkIn(ctx, d, now); err != nil {
			return err
		}
		if i%4 != 1 {
			if err := w.answer(ctx, d, now, random); err != nil {
				return err
			}
		}
		turns := 7
		if age < time.Hour {
			turns = 1 + i%4 // something is at work when the page opens
		}
		for range turns {
			if err := w.work(ctx, d, now); err != nil {
				return err
			}
		}
		if d.lost && age < 3*time.Hour {
			if err := w.goesDown(ctx, d, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer approves about half of what waits on a device, and rejects a little.
func (w *world) answer(ctx context.Context, d *device, now time.Time, random *rand.Rand) error {
	entry, ok := w.index.Entry(d.id)
	if !ok {
		return nil
	}
	var rows []store.Approval
	chance := map[string]int{} // what is of one source is answered alike
	for i := range entry.Needs {
		n := &entry.Needs[i]
		if d.left[n.Key.Name] {
			continue
		}
		source := cmp.Or(n.Update.Source, n.Key.Name)
		if _, ok := chance[source]; !ok {
			chance[source] = random.IntN(42)
		}
		dice := chance[source]
		story := told(d.facts.Hostname, n.Key.Name) && n.Verdict.State == verdict.WaitsTime
		if !story && (n.Verdict.Name != verdict.WAITS_DECISION || d.removes[n.Key.Name] == nil && dice%3 == 0) {
			continue
		}
		a := store.Approval{ID: patch.NewID(patch.ApprovalID), Customer: d.customer, Level: store.LevelDevice, Target: d.id,
			Provider: n.Key.Provider, Name: n.Key.Name, Architecture: n.Key.Architecture, Version: n.Update.Available, Origin: n.Update.Origin,
			Answer: store.Approve, By: w.by.ID, ByName: w.by.Name, At: now}
		until := now.Add(4 * time.Hour)
		if told(d.facts.Hostname, n.Key.Name) {
			a.ForcedUntil = &until
		} else if d.removes[n.Key.Name] != nil {
			a.Reason = "Security comes first." // what stands in its way is told by trying
		} else if dice%7 == 0 {
			a.Answer, a.Reason = store.Reject, "Breaks the printer driver; asked the vendor."
		} else if dice%2 == 0 {
			a.ForcedUntil = &until
		}
		rows = append(rows, a)
	}
	if err := w.store.Customer(w.by, d.customer).CreateApprovals(ctx, now, rows); err != nil {
		return err
	}
	return w.engine.Step(ctx, d.id)
}

// record writes the day's facts down.
func (w *world) record(ctx context.Context, now time.Time) error {
	type key struct{ customer, verdict, class string }
	counts := map[key]int{}
	for _, d := range w.devices {
		entry, ok := w.index.Entry(d.id)
		if !ok {
			continue
		}
		for i := range entry.Needs {
			class := "other"
			if slices.Contains(entry.Needs[i].Update.Classes, patch.Security) {
				class = "security"
			}
			counts[key{d.customer, string(entry.Needs[i].Verdict.Name), class}]++
		}
	}
	facts := map[string][]store.DailyFact{}
	for k, n := range counts {
		facts[k.customer] = append(facts[k.customer], store.DailyFact{Customer: k.customer, Day: now.UTC().Format(time.DateOnly),
			Verdict: k.verdict, Class: k.class, Needs: n})
	}
	for customer, rows := range facts {
		if err := w.store.Customer(store.Who{ID: "system", Name: "mock"}, customer).RecordDaily(ctx, now, rows); err != nil {
			return err
		}
	}
	return nil
}

// busy reports whether the device has something to do.
func (w *world) busy(ctx context.Context, d *device) bool {
	jobs, err := w.store.Customer(store.Who{ID: "system", Name: "mock"}, d.customer).Jobs(ctx, store.JobFilter{Open: true, Devices: []string{d.id}})
	return err != nil || len(jobs) > 0
}

// live keeps a few devices working for as long as the program runs.
func (w *world) live(ctx context.Context) {
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for i := turn % 4; i < min(len(w.devices), 40); i += 4 {
			d := w.devices[i]
			if d.quiet || d.fresh || turn%20 > 3 && !w.busy(ctx, d) { // who has nothing to do checks in once a minute
				continue
			}
			if err := w.work(ctx, d, time.Now()); err != nil && ctx.Err() == nil {
				fmt.Println("a device stumbled:", err)
			}
		}
	}
}

// rules are for programs of an office, one of each kind.
func rules(by string, now time.Time) []store.ApplicationRule {
	return []store.ApplicationRule{
		{Provider: "apt", Package: "firefox-esr", Wish: store.UpdateOnly, Pin: "115.", Reason: "The dispatch portal is only released for 115.", By: by, At: now.Add(-9 * day)},
		{Provider: "winget", Package: "7zip.7zip", Wish: store.InstallToo, By: by, At: now.Add(-40 * day)},
		{Provider: "winget", Package: "Adobe.Acrobat.Reader.64-bit", Wish: store.LeaveAlone, Reason: "Updates itself.", By: by, At: now.Add(-40 * day)},
		{Provider: "winget", Package: "TheDocumentFoundation.LibreOffice.LTS.Extended.Support.Release", Wish: store.InstallToo, Pin: "24.8.", Reason: "Macros of accounting were tried with 24.8 alone, and the supplier answers for no other version.", By: by, At: now.Add(-2 * day)},
	}
}
