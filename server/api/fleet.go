package api

import (
	"context"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
)

// Fleet is the in-memory index of what is derived: devices with their counts, needs with
// their verdicts, updates over all customers. It must be safe for many callers at once, and
// what it returns must not change afterwards.
type Fleet interface {
	// Devices lists devices that are not retired. Filter: Customer, Site, State, Program, Role, Group, Q.
	// Sort: name, customer, last_seen, open, security_open, failed.
	Devices(now time.Time, f view.Filter) view.Page[view.Device]
	Device(now time.Time, id string) (view.Device, bool)
	// Needs lists needs that are not gone, verified ones included. Filter: everything.
	// Sort: name, device, customer, since, verdict, size, place.
	Needs(now time.Time, f view.Filter) view.Page[view.Need]
	// Need gives a need with its chain; approvals and jobs are added by the API.
	Need(now time.Time, id string) (view.NeedDetail, bool)
	// Updates lists updates that any device needs. Filter: Customer, Class, State, Q.
	// Sort: name, devices, waiting, released, size. Counts are those of the customer asked for.
	Updates(now time.Time, f view.Filter) view.Page[view.Update]
	Update(now time.Time, id string) (view.UpdateDetail, bool)
	Exposures
	Counts
}

// Exposures are what advisories say of the fleet.
type Exposures interface {
	// Findings lists what is open by CVE, the gravest first. Filter: Customer, Site, Device, Q.
	Findings(f view.Filter) view.Page[view.ExposedTo]
	// Exposed says who is exposed to a CVE. Filter: Customer, Site, Device.
	Exposed(now time.Time, f view.Filter, id string) view.Exposure
	DeviceFindings(device string) view.DeviceFindings
	Bulletins
}

// Counts are what is counted over many devices.
type Counts interface {
	// Classes counts updates on offer by class, in the order of patch.Classes; those of which
	// there is none are left out. Filter: Customer, Device.
	Classes(f view.Filter) []view.ClassCount
	// Postures counts per customer or per site or per device, by ID. Those without a device
	// may be left out.
	Postures(now time.Time, level store.Level) map[string]view.Posture
	// Masters counts the other programs that may install updates on a site's devices, by name.
	Masters(site string) []view.Master
	// Ages counts open security needs by age, in the order of the buckets. customer "" is all.
	Ages(now time.Time, customer string) []view.AgeCount
}

// Engine is told when a person changed what it decides from. Its methods return at once.
type Engine interface {
	// Due makes devices due now.
	Due(devices ...string)
	// DueCustomer makes every device of a customer due now.
	DueCustomer(customer string)
	// CheckInNow asks the device's agent to scan and check in.
	CheckInNow(device string)
	// Retry makes a new attempt of the failed job of an item, asked for by a person, and returns the job's ID.
	Retry(ctx context.Context, by view.Ref, device string, item patch.Key) (string, error)
}

// Events tells what changed, as it changes.
type Events interface {
	// Subscribe gives changes until ctx ends; then the channel is closed. A subscriber that
	// does not keep up loses events, never blocks others.
	Subscribe(ctx context.Context) <-chan view.Event
}
