package agent

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode"

	"patchbay/agent/disk"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

const (
	ordersFile = "orders.json"
	maxJobs    = 10_000 // in one document
	maxName    = 256    // bytes of a name or version in a job

	maxApprovals = 100 // signed ones in one document
)

// Why orders are not accepted.
var (
	errKnown   = errors.New("these orders are known already")
	errOld     = errors.New("these orders are older than others that were accepted")
	errExpired = errors.New("these orders have expired")
	errOther   = errors.New("these orders are for another agent")
)

// readOrders reads orders that carry the right signature and name this agent.
func readOrders(e *wire.Envelope, keys []crypto.PublicKey, agent string) (wire.Orders, error) {
	var o wire.Orders
	if _, err := e.Open(wire.OrdersDocument, &o, keys...); err != nil {
		return wire.Orders{}, err
	}
	if o.Agent != agent {
		return wire.Orders{}, errOther
	}
	jobs, programs := 0, 0
	for _, d := range o.Devices {
		jobs += len(d.Jobs)
		programs = max(programs, len(d.Programs))
	}
	if len(o.Devices) > wire.MaxDevices || jobs > maxJobs || programs > maxPrograms || len(o.Approvals) > maxApprovals {
		return wire.Orders{}, errors.New("these orders hold more devices, jobs or programs than an agent takes")
	}
	return o, nil
}

// acceptOrders reads orders and says whether they take the place of those seen before. now
// is the server's time.
func acceptOrders(e *wire.Envelope, keys []crypto.PublicKey, agent string, seen wire.OrdersVersion, now time.Time) (wire.Orders, error) {
	o, err := readOrders(e, keys, agent)
	switch {
	case err != nil:
		return wire.Orders{}, err
	case o.Seen == seen:
		return wire.Orders{}, errKnown
	case !o.Seen.Newer(seen):
		return wire.Orders{}, errOld
	case !now.Before(o.Expires):
		return wire.Orders{}, errExpired
	}
	return o, nil
}

func loadOrders(dir disk.Dir) (*wire.Envelope, error) {
	data, err := dir.Read(ordersFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the orders: %w", err)
	}
	var e wire.Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("reading the orders: %w", err)
	}
	return &e, nil
}

func saveOrders(dir disk.Dir, e *wire.Envelope) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding the orders: %w", err)
	}
	return dir.Write(ordersFile, data)
}

// guard says in a sentence why a job is never run here, "" when it may be. It looks at the
// job alone.
func guard(device string, j wire.Job, can []string, kind func(string) (provider.Kind, bool)) string {
	t := j.Target
	k, known := kind(t.Provider)
	switch {
	case len(can) == 0:
		return "This agent only observes: it installs nothing, whatever it is told."
	case !slices.Contains(can, j.Verb):
		return fmt.Sprintf("This agent has no verb %q.", short(j.Verb))
	case j.ID != wire.JobID(device, j.Verb, t, j.Decision, j.Attempt):
		return "The job's ID does not belong to what the job says."
	case t.Name == "" || t.To == "":
		return "The job names no item or no version."
	case !known:
		return fmt.Sprintf("There is no provider called %q in this agent.", short(t.Provider))
	case k.Traits.ReadOnly:
		return fmt.Sprintf("What %s shows can be read here and not changed.", k.Name)
	}
	for _, s := range append([]string{t.Name, t.Architecture, t.From, t.To, t.Scope, t.Instance, t.SHA256, t.Source}, j.AllowRemovals...) {
		if !plain(s) {
			return fmt.Sprintf("The job holds a name or version that nothing has: %q.", short(s))
		}
	}
	return guardVersions(k, j.Verb, t)
}

// guardVersions holds that an install goes up and an undo down.
func guardVersions(k provider.Kind, verb string, t wire.Target) string {
	undo := verb == wire.VerbUndo
	if t.From == "" {
		if undo {
			return "The job does not say which version it takes back."
		}
		return ""
	}
	if undo && t.To == patch.Nothing && k.Traits.Adds {
		return ""
	}
	c, err := patch.CompareVersions(k.Traits.Versions, t.To, t.From)
	switch {
	case err != nil:
		return fmt.Sprintf("The versions cannot be compared: %v.", err)
	case !undo && c < 0:
		return fmt.Sprintf("The job would lower the version from %s to %s.", t.From, t.To)
	case undo && c >= 0:
		return fmt.Sprintf("The job would take %s back to %s, which is no older.", t.From, t.To)
	}
	return ""
}

// plain reports whether text may be a name or version at all. What is not never reaches a
// program. Programs of people have spaces in their names; a name is one argument all the same.
func plain(s string) bool {
	return len(s) <= maxName && !strings.HasPrefix(s, "-") && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) && r != ' ' || r == unicode.ReplacementChar
	})
}

// short cuts text for a sentence.
func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
