package agent

import (
	"fmt"

	"patchbay/agent/inventory"
	"patchbay/patch"
	"patchbay/wire"
)

// maxPrograms is how many programs one device's orders may speak of.
const maxPrograms = 1000

// wishes is what the orders in force want of one provider's programs.
func (a *Agent) wishes(kind string) []patch.Wish {
	device, _ := a.device()
	var own []patch.Wish
	for _, w := range device.Programs {
		if w.Provider == kind {
			own = append(own, w)
		}
	}
	return own
}

// unoffered says why a job for what is not there is not run, "" when it may be: the device
// itself must have it on offer, as its catalogue and the orders in force make it.
func unoffered(r inventory.Report, t wire.Target) string {
	u, ok := r.Offered[t.Key()]
	switch {
	case t.Source == "":
		return t.Name + " is not installed here, so there is nothing to update."
	case !ok || u.Installed != "" || u.Source != t.Source || u.Available != t.To || u.Block.Keeps():
		return fmt.Sprintf("%s is not installed here, and this device has no %s of it on offer.", t.Name, t.To)
	}
	return ""
}

// named is a job's target by the name that the item gives itself.
func named(r inventory.Report, t wire.Target) wire.Target {
	if item, ok := r.Item(t); ok && t.Source != "" {
		t.Name, t.Architecture, t.Instance = item.Name, item.Architecture, item.Instance
	}
	return t
}
