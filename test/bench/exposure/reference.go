// Package exposure measures how fast it is told whom an advisory touches, on a fleet that is
// made up for that.
package exposure

import (
	"fmt"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/fleet"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// Shared is a CVE that four versions of one package have, and Spread one that every fiftieth
// item of the reference fleet has; Package is one that a fiftieth of the affected devices have.
const (
	Shared  = "CVE-2026-40100"
	Spread  = "CVE-2026-60000"
	Package = "p100"
)

// packages is how many a device has that advisories speak of, and of how many different ones.
const packages, different, affected = 1000, 5000, 100

// Reference fills an index with the fleet of figures: 300 customers; three of twenty devices
// have 1,000 packages each, of which 100 are affected by three advisories; of five of them three
// have an inventory of their own.
func Reference(devices int, now time.Time) *fleet.Index {
	x := fleet.New(0)
	pool := make([]*assess.Found, 4*different)
	for i := range pool {
		pool[i] = found(i)
	}
	for n := range devices {
		e := device(n, now)
		if n%20 < 3 {
			stock(e, n%(devices*12/20), pool)
		}
		x.Put(e)
	}
	return x
}

func found(i int) *assess.Found {
	f := &assess.Found{Release: "Debian:12", Name: fmt.Sprintf("p%d", i/4), Version: fmt.Sprintf("1.%d", i%4)}
	for _, cve := range []string{fmt.Sprintf("CVE-2026-%05d", 10_000+i), fmt.Sprintf("CVE-2026-%05d", 40_000+i/4), fmt.Sprintf("CVE-2026-%05d", 60_000+i%50)} {
		f.List = append(f.List, assess.Finding{Advisory: cve, CVEs: []string{cve}, Status: assess.Affected, Fixed: "9", Severity: patch.SeverityHigh, Source: "osv"})
	}
	return f
}

func device(n int, now time.Time) *fleet.Entry {
	c := n % 300
	return &fleet.Entry{
		Device: store.Device{ID: fmt.Sprintf("dev_%07d", n), Customer: fmt.Sprintf("cus_%d", c), Site: fmt.Sprintf("site_%d", c), Name: fmt.Sprintf("pc-%07d", n), ScannedAt: &now},
		Agent:  store.Agent{ID: fmt.Sprintf("agt_%07d", n), Mode: wire.Manage, LastSeen: now},
		Site:   store.Site{ID: fmt.Sprintf("site_%d", c), Name: "HQ"}, Customer: view.Ref{ID: fmt.Sprintf("cus_%d", c), Name: fmt.Sprintf("Customer %d", c)},
	}
}

// stock gives a device one of the inventories.
func stock(e *fleet.Entry, inventory int, pool []*assess.Found) {
	s := fleet.Stock{Provider: "apt", Hash: fmt.Sprint(inventory), Release: "Debian:12"}
	for i := range packages {
		s.Names = append(s.Names, fmt.Sprintf("p%d", (inventory*7+i*5)%different))
	}
	held := map[patch.Key]*assess.Found{}
	for i := range affected {
		f := pool[((inventory*7+i*5)%different)*4+inventory%4]
		held[patch.Key{Provider: "apt", Name: f.Name, Architecture: "amd64"}] = f
	}
	e.Found, e.Stocks = fleet.HeldBy(held), []fleet.Stock{s}
}
