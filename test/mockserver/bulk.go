package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/engine"
	"patchbay/server/policy"
	"patchbay/server/store"
	"patchbay/wire"
)

// whole is how many devices live through the whole month. Those beyond stand only in the
// index, decided by the real engine from invented facts: enough for lists of any length.
const whole = 40

// bulk puts devices from whole to count into the index.
func (w *world) bulk(ctx context.Context, count int, places []place, random *rand.Rand) error {
	if count <= whole {
		return nil
	}
	now := time.Now()
	msp := w.store.MSP(w.by)
	customers, err := msp.Customers(ctx)
	if err != nil {
		return err
	}
	sites, err := msp.Sites(ctx)
	if err != nil {
		return err
	}
	byID, siteByID := map[string]store.CustomerRow{}, map[string]store.Site{}
	for _, c := range customers {
		byID[c.ID] = c
	}
	for _, s := range sites {
		siteByID[s.ID] = s
	}
	for i := whole; i < count; i++ {
		d := invent(i, places, random)
		d.offers(time.Minute, now, random)
		f := factsOf(d, byID[d.customer], siteByID[d.site], now, random)
		f.Know(w.engine.Knowledge())
		for n := range f.Stocks {
			f.Stocks[n].Hash = d.id // each has an inventory of its own
		}
		result := engine.Decide(f, now)
		for _, j := range result.Plan.Make {
			f.Jobs = append(f.Jobs, progressed(j, d, now, random))
		}
		result = engine.Decide(f, now)
		w.index.Put(&result.Entry)
		if i%5000 == 4999 {
			fmt.Println(i+1, "devices invented")
		}
	}
	return nil
}

func factsOf(d *device, c store.CustomerRow, s store.Site, now time.Time, random *rand.Rand) engine.Facts {
	seen := now.Add(-time.Duration(random.IntN(900)) * time.Second)
	if d.quiet {
		seen = now.Add(-time.Duration(2+random.IntN(40)) * day)
	}
	d.id, d.agent = patch.NewID(patch.DeviceID), patch.NewID(patch.AgentID)
	ok := assess.Section{State: wire.SectionOK, ScannedAt: seen}
	var providers []assess.Provider
	for _, is := range d.facts.Providers {
		p := assess.Provider{Name: is.Name, Versions: is.Traits.Versions, ReadOnly: is.Traits.ReadOnly, Adds: is.Traits.Adds, Installed: ok, Offered: ok,
			Items: of(is.Name, d.installed, itemOf), Sources: of(is.Name, d.sources, sourceOf)}
		for _, u := range of(is.Name, d.offered, updateOf) {
			seen := now.Add(-time.Duration(1+random.IntN(20)) * day)
			if u.ReleasedAt != nil {
				seen = *u.ReleasedAt
			}
			p.Offers = append(p.Offers, assess.Offer{Update: u, FirstSeen: seen})
		}
		providers = append(providers, p)
	}
	f := engine.Facts{
		Customer: c, Site: s, Silent: 24 * time.Hour, Sources: d.sources,
		Agent: store.Agent{ID: d.agent, Customer: c.ID, Site: s.ID, Build: "0.1.0", Mode: d.mode, EnrolledAt: now.Add(-60 * day), LastSeen: seen,
			Held: &store.Held{Root: d.holds.Root, Limits: d.holds.Limits}},
		Device: store.Device{ID: d.id, Customer: c.ID, Site: s.ID, Agent: d.agent, Name: d.facts.Hostname, Facts: d.facts,
			ScannedAt: &seen, EnrolledAt: now.Add(-60 * day)},
		Inventory: assess.Device{EnrolledAt: now.Add(-60 * day), Facts: d.facts, Providers: providers},
	}
	for _, u := range d.offered {
		if random.IntN(3) == 0 {
			f.Answers = append(f.Answers, policy.Answer{ID: patch.NewID(patch.ApprovalID), Level: policy.DeviceLevel, Yes: random.IntN(6) > 0,
				Key: patch.Key{Provider: u.Provider, Name: u.Name}, Version: u.Available, Origin: u.Origin, By: w0, At: now.Add(-day), Reason: "Asked the vendor."})
		}
	}
	return f
}

// w0 is who answered for the invented devices.
const w0 = "Mia Berger"

// progressed is a job somewhere on its way.
func progressed(j wire.Job, d *device, now time.Time, random *rand.Rand) store.Job {
	at := now.Add(-time.Duration(random.IntN(3000)) * time.Second)
	row := store.Job{Job: j, Customer: d.customer, Device: d.id, CreatedAt: at, StepSince: &at}
	steps := []wire.Step{"", wire.StepStaging, wire.StepWaiting, wire.StepWaiting, wire.StepWaiting, wire.StepApplying, wire.StepVerifying}
	row.Step = steps[random.IntN(len(steps))]
	if why := d.fails[j.Target.Name]; why != "" {
		row.Step, row.Result, row.Message, row.EndedAt = wire.StepFailed, wire.ResultFailed, why, &at
	}
	return row
}
