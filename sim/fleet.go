package sim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"patchbay/provider"
	"patchbay/window"
)

// Shape says how large a fleet is and from which seed it grows.
type Shape struct {
	Seed        uint64  `json:"seed"`
	Customers   int     `json:"customers"`
	Devices     int     `json:"devices"`
	Inventories int     `json:"inventories"` // distinct ones; the devices beyond have the same software as others
	Silent      float64 `json:"silent"`      // share of devices that fall silent after their first word
	Items       int     `json:"items"`       // most items per provider; 0 is as many as such machines have
	Auto        float64 `json:"auto"`        // share of sites that install security updates without asking
	Always      bool    `json:"always"`      // their windows are open all week, so that work begins at once
}

// Reference is the fleet that figures name: 300 customers, 20,000 devices, 12,000 distinct
// inventories, 5 % silent, in 40 time zones.
func Reference() Shape {
	return Shape{Seed: 1, Customers: 300, Devices: 20_000, Inventories: 12_000, Silent: 0.05, Auto: 0.5}
}

// Scaled is the reference fleet with another number of devices, and all else in proportion.
func Scaled(devices int) Shape {
	s := Reference()
	s.Customers = max(1, devices*s.Customers/s.Devices)
	s.Inventories = max(1, devices*s.Inventories/s.Devices)
	s.Devices = devices
	return s
}

// String names the shape, as it is printed beside figures.
func (s Shape) String() string {
	return fmt.Sprintf("seed %d: %d customers, %d devices, %d distinct inventories, %g %% silent",
		s.Seed, s.Customers, s.Devices, s.Inventories, 100*s.Silent)
}

// Fleet is a fleet before anything has happened.
type Fleet struct {
	Shape
	Customers []Customer
	Sites     []Site
	Devices   []Device
	catalog   catalog
}

// Customer is one customer; its number is its place in the fleet.
type Customer struct {
	Name string `json:"name"`
}

// Site is one place of a customer.
type Site struct {
	Customer int             `json:"customer"`
	Name     string          `json:"name"`
	Zone     string          `json:"zone"`
	Auto     bool            `json:"auto"` // security updates need no answer
	Reboot   bool            `json:"reboot"`
	Windows  []window.Weekly `json:"windows"`
}

// Device is one machine.
type Device struct {
	Site      int    `json:"site"`
	System    int    `json:"system"` // place in the catalog
	Release   int    `json:"release"`
	Hostname  string `json:"hostname"`
	Inventory int    `json:"inventory"` // devices with the same number have the same software
	Silent    bool   `json:"silent,omitempty"`
}

//go:embed catalog.json
var catalogText []byte

// catalog is what fleets are made of: names, and the software of each kind of machine. It is
// data, so that no provider's name stands in the code.
type catalog struct {
	Zones   []string `json:"zones"`
	Firms   []string `json:"firms"`
	Trades  []string `json:"trades"`
	Towns   []string `json:"towns"`
	Systems []system `json:"systems"`
}

// system is one kind of machine.
type system struct {
	OS           string    `json:"os"`
	Percent      int       `json:"percent"` // of all devices
	Architecture string    `json:"architecture"`
	Prefix       []string  `json:"prefix"` // of host names
	Releases     []release `json:"releases"`
	Providers    []source  `json:"providers"` // sorted by name
}

type release struct {
	Distro  string `json:"distro"`
	Release string `json:"release"`
	Name    string `json:"name"`
	Kernel  string `json:"kernel"`
}

// source is one provider of a kind of machine.
type source struct {
	Name       string          `json:"name"`
	Traits     provider.Traits `json:"traits"`
	Origin     string          `json:"origin"`
	Source     string          `json:"source"`
	ThirdParty bool            `json:"third_party"`
	Suffix     string          `json:"suffix"` // between a version and its revision; "" is no revision
	Items      []string        `json:"items"`
	Few        int             `json:"few"`  // items at least
	Many       int             `json:"many"` // and at most
	Offers     int             `json:"offers"`
	Reboots    []string        `json:"reboots"` // items whose updates ask for a reboot
}

// Grow makes the fleet of a shape. The same shape is the same fleet, byte for byte, on any
// machine: only whole numbers and the seed go into it.
func Grow(s Shape) (*Fleet, error) {
	f := &Fleet{Shape: s}
	if s.Customers < 1 || s.Devices < 1 || s.Inventories < 1 {
		return nil, fmt.Errorf("a fleet needs at least one customer, device and inventory, not %d, %d and %d", s.Customers, s.Devices, s.Inventories)
	}
	if err := json.Unmarshal(catalogText, &f.catalog); err != nil {
		return nil, fmt.Errorf("reading the catalog of the fleet: %w", err)
	}
	f.growCustomers()
	f.growDevices(f.growSites())
	return f, nil
}

func (f *Fleet) growCustomers() {
	for i := range f.Shape.Customers {
		d := roll(f.Seed, "customer", i)
		f.Customers = append(f.Customers, Customer{Name: fmt.Sprintf("%s %s %03d",
			f.catalog.Firms[d.below(len(f.catalog.Firms))], f.catalog.Trades[d.below(len(f.catalog.Trades))], i+1)})
	}
}

// sizes shares the devices out: a few customers are large, most are small, each has one.
func (f *Fleet) sizes() []int {
	n, left := f.Shape.Customers, f.Shape.Devices
	sizes, weights, total := make([]int, n), make([]int, n), 0
	for i := range n {
		weights[i] = 1_000_000 / (i + 10)
		total += weights[i]
	}
	spare := max(0, left-n)
	for i := range n {
		sizes[i] = min(1, left) + spare*weights[i]/total
		left -= sizes[i]
	}
	for i := 0; left > 0; i = (i + 1) % n { // what rounding left over
		sizes[i]++
		left--
	}
	return sizes
}

// perSite is how many devices one place has at most.
const perSite = 80

// growSites makes the sites and says how many devices each has.
func (f *Fleet) growSites() []int {
	var counts []int
	for rank, size := range f.sizes() {
		d := roll(f.Seed, "sites", rank)
		home := f.zone(len(f.Sites))
		for n := 0; n == 0 || size > 0; n++ {
			zone := home
			if n > 0 && d.below(3) == 0 { // a branch abroad
				zone = f.zone(d.below(len(f.catalog.Zones)))
			}
			f.Sites = append(f.Sites, f.site(rank, n, zone, &d))
			counts = append(counts, min(size, perSite))
			size -= min(size, perSite)
		}
	}
	return counts
}

// zone deals the zones out in turns, so that every one is used by fleets of that many sites.
func (f *Fleet) zone(n int) string { return f.catalog.Zones[n%len(f.catalog.Zones)] }

func (f *Fleet) site(customer, n int, zone string, d *dice) Site {
	s := Site{Customer: customer, Zone: zone, Auto: d.hits(f.Auto), Reboot: d.below(4) > 0,
		Name: fmt.Sprintf("%s %d", f.catalog.Towns[d.below(len(f.catalog.Towns))], n+1)}
	days := [][]string{{"sat"}, {"sun"}, {"sat", "sun"}, {"tue", "thu"}, {"mon", "tue", "wed", "thu", "fri"}}[d.below(5)]
	s.Windows = []window.Weekly{{Zone: zone, Days: days, Start: fmt.Sprintf("%02d:00", (20+d.below(8))%24), Minutes: 60 * d.between(2, 6)}}
	if f.Always {
		s.Windows = []window.Weekly{{Zone: zone, Days: []string{"mon"}, Start: "00:00", Minutes: 7 * 24 * 60}}
	}
	return s
}

// growDevices deals systems, inventories and silence out in exact shares.
func (f *Fleet) growDevices(counts []int) {
	d := roll(f.Seed, "devices", 0)
	order, quiet := d.order(f.Shape.Devices), d.order(f.Shape.Devices)
	silent := int(f.Silent*float64(f.Shape.Devices) + 0.5)
	nth := make([]int, len(f.catalog.Systems)) // how many of a system there are so far
	for site, count := range counts {
		for range count {
			i := len(f.Devices)
			system := f.systemOf(order[i])
			device := Device{Site: site, System: system, Inventory: f.inventoryOf(system, nth[system], i), Silent: quiet[i] < silent}
			nth[system]++
			kind := roll(f.Seed, "release", device.Inventory)
			device.Release = kind.below(len(f.catalog.Systems[system].Releases))
			device.Hostname = f.hostname(i, system)
			f.Devices = append(f.Devices, device)
		}
	}
}

// systemOf shares 0 to Devices-1 out by the percentages.
func (f *Fleet) systemOf(place int) int {
	percent := 0
	for i, s := range f.catalog.Systems {
		if percent += s.Percent; place*100 < percent*f.Shape.Devices {
			return i
		}
	}
	return len(f.catalog.Systems) - 1
}

// inventoryOf numbers the software of the nth device of a system. Each system has its part
// of the numbers; when they are used up, devices get one that is there already.
func (f *Fleet) inventoryOf(system, nth, device int) int {
	before := 0
	for _, s := range f.catalog.Systems[:system] {
		before += s.Percent
	}
	first := f.Inventories * before / 100
	pool := max(1, f.Inventories*(before+f.catalog.Systems[system].Percent)/100-first)
	if nth >= pool {
		d := roll(f.Seed, "shared", device)
		nth = d.below(pool)
	}
	return first + nth
}

// hostname names a device. One in fifty has a name of 80 characters: whatever shows names
// has to live with that.
func (f *Fleet) hostname(i, system int) string {
	d := roll(f.Seed, "hostname", i)
	prefix := f.catalog.Systems[system].Prefix
	name := fmt.Sprintf("%s-%05d", prefix[d.below(len(prefix))], i+1)
	if d.below(50) == 0 {
		name += "-" + strings.Repeat("second-floor-left-behind-the-large-printer-", 2)
		name = name[:79] + "x" // never ends in a hyphen
	}
	return name
}
