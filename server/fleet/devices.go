package fleet

import (
	"slices"
	"strings"
	"time"

	"patchbay/server/roles"
	"patchbay/server/view"
	"patchbay/wire"
)

// Devices lists devices.
func (x *Index) Devices(now time.Time, f view.Filter) view.Page[view.Device] {
	x.mu.RLock()
	defer x.mu.RUnlock()
	field, descending := f.Field("name")
	q := view.Fold(f.Q)
	rows := newSheet[*Entry](f, descending)
	for _, e := range x.within(f) {
		if (f.Program == "" || e.has(f.Program)) && e.belongs(f) && x.deviceMatches(e, f.State, q, now) {
			rows.add(x.deviceKey(e, field, now), e.Device.ID, e)
		}
	}
	return page(rows, now, func(e *Entry) view.Device { return x.device(e, now) })
}

func (x *Index) deviceMatches(e *Entry, state, q string, now time.Time) bool {
	switch state {
	case "talking":
		if x.isSilent(e, now) {
			return false
		}
	case "silent":
		if !x.isSilent(e, now) {
			return false
		}
	case "never_scanned":
		if !neverRead(e) {
			return false
		}
	case "not_back":
		if !e.notBack {
			return false
		}
	case "observe":
		if e.Agent.Mode != wire.Observe {
			return false
		}
	}
	return q == "" || contains(q, e.Device.Name, e.Device.ID, e.Customer.Name, e.Site.Name, e.Device.Facts.OSName)
}

// belongs reports whether a device has the role and is in the group that are asked for.
func (e *Entry) belongs(f view.Filter) bool {
	return (f.Role == "" || e.Standing.Has(roles.Role(f.Role))) &&
		(f.Group == "" || slices.ContainsFunc(e.Groups, func(g view.Ref) bool { return g.ID == f.Group }))
}

func contains(q string, texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(view.Fold(t), q) {
			return true
		}
	}
	return false
}

func (x *Index) deviceKey(e *Entry, field string, now time.Time) string {
	name := view.Fold(e.Device.Name)
	switch field {
	case "customer":
		return view.Fold(e.Customer.Name) + "\x00" + name
	case "last_seen":
		at := x.lastSeen(e)
		return view.Moment(&at)
	case "open":
		return view.Number(x.posture(e, now).Open())
	case "security_open":
		return view.Number(x.posture(e, now).SecurityOpen)
	case "failed":
		return view.Number(x.posture(e, now).Failed)
	}
	return name
}

// Device gives one device.
func (x *Index) Device(now time.Time, id string) (view.Device, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e, ok := x.entries[id]
	if !ok {
		return view.Device{}, false
	}
	return x.device(e, now), true
}

// device builds what is shown of a device; the caller holds the lock.
func (x *Index) device(e *Entry, now time.Time) view.Device {
	d, f := e.Device, e.Device.Facts
	v := view.Device{
		ID: d.ID, Name: d.Name, Customer: e.Customer, Site: view.Ref{ID: e.Site.ID, Name: e.Site.Name},
		OS: f.OS, Edition: f.Edition, Channel: f.Channel, OSName: f.OSName, Release: f.Release, SupportEnds: f.SupportEnds, Kernel: f.Kernel,
		Architecture: f.Architecture, Container: f.Container,
		Agent: view.Agent{ID: e.Agent.ID, Mode: e.Agent.Mode, Build: e.Agent.Build, LastSeen: x.lastSeen(e),
			EnrolledAt: e.Agent.EnrolledAt, ClockOffSeconds: int(e.Agent.ClockOff.Seconds())},
		ScannedAt: d.ScannedAt, Posture: x.posture(e, now), Patchers: f.Patchers, Presence: view.PresenceOf(f.Presence),
		Restart: view.Restart{Machine: f.Restart.Machine, Reasons: f.Restart.Reasons, Services: f.Restart.Services, Unknown: f.Restart.Unknown, Old: f.Restart.Old},
		Window:  view.WindowAt(e.Windows, now), State: view.DeviceOK, Standing: view.StandingOf(e.Standing, e.Groups),
	}
	if h := e.Agent.Held; h != nil {
		v.Agent.HeldRoot, v.Agent.HeldLimits = &h.Root, &h.Limits
	}
	if x.isSilent(e, now) {
		since := v.Agent.LastSeen
		v.Silent, v.SilentSince = true, &since
	}
	v.State = state(e, v.Silent)
	return v
}

// state says whether what is known of the device can be believed, the worst first.
func state(e *Entry, silent bool) view.DeviceState {
	switch {
	case e.notBack:
		return view.DeviceNotBack
	case silent:
		return view.DeviceSilent
	case neverRead(e):
		return view.DeviceNeverScanned
	}
	for i := range e.Needs {
		if e.Needs[i].Blind != nil {
			return view.DeviceScanFailed
		}
	}
	return view.DeviceOK
}

// neverRead reports a device of which nothing was ever read: no complete scan and not a
// single section.
func neverRead(e *Entry) bool {
	return e.Device.ScannedAt == nil && !slices.ContainsFunc(e.Sections, func(s view.Section) bool { return s.State == wire.SectionOK })
}
