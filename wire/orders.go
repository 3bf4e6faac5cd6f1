package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/window"
)

// Orders is the whole wish of the server for one agent, not a queue: a job listed again is
// the same job, a job no longer listed is withdrawn unless it has begun to apply. It is the
// payload of an envelope signed by the server's key.
type Orders struct {
	Agent    string         `json:"agent"`
	Seen     OrdersVersion  `json:"version"`
	IssuedAt time.Time      `json:"issued_at"`
	Expires  time.Time      `json:"expires"` // ends acceptance of this document, not its jobs
	Devices  []DeviceOrders `json:"devices"`
	// Approvals are documents signed by approvers, for jobs that need them under the limits.
	Approvals []Envelope `json:"approvals,omitempty"`
}

// DeviceOrders is the wish for one device.
type DeviceOrders struct {
	Device  string      `json:"device"`
	Windows window.Spec `json:"windows"` // when it may install and reboot
	// Reboot is for agents that know no Reboots: whether it may reboot by itself inside the window.
	Reboot bool `json:"reboot"`
	// Reboots says when it may reboot by itself, and who is asked. Rebooting reads it.
	Reboots *Reboots `json:"reboots,omitempty"`
	// Restart is whether it may restart services by itself inside the window: those that use
	// old files of what a job updated.
	Restart bool `json:"restart,omitempty"`
	// InUse says what is done about a program that somebody has open while it is to be replaced.
	InUse          InUse `json:"in_use,omitempty"`
	ScanSeconds    int   `json:"scan_seconds"`    // how often to scan
	RefreshSeconds int   `json:"refresh_seconds"` // how often to ask the sources anew; 0 never
	// FreshAfter asks for a scan, and for the sources asked anew where that is allowed, that
	// begin after it. A person pressed a button then.
	FreshAfter *time.Time `json:"fresh_after,omitempty"`
	// Programs is what its site's rules want of programs, sorted by provider and package. It
	// asks for nothing to be done: what is on offer follows it, and jobs come of that.
	Programs []patch.Wish `json:"programs,omitempty"`
	Jobs     []Job        `json:"jobs,omitempty"` // sorted by ID
}

// Reboots says when a machine may be restarted for updates that ask for it.
type Reboots struct {
	When RebootWhen `json:"when"`
	// Postpone is how often people may put it off where they are asked.
	Postpone int `json:"postpone,omitempty"`
	// DeadlineHours is for how long, from when the reboot was first asked for, people who are
	// asked decide. After it the machine restarts in a window.
	DeadlineHours int `json:"deadline_hours,omitempty"`
	// Daily is how many reboots a day there may be before the next one waits for tomorrow; 0 is
	// no limit.
	Daily int `json:"daily"`
}

// RebootWhen says when a machine may be restarted. What a reader does not know is never.
type RebootWhen string

// The ways.
const (
	RebootNever  RebootWhen = "never"
	RebootWindow RebootWhen = "window" // inside the window
	RebootAsk    RebootWhen = "ask"    // the same, and those who are logged in decide until the deadline
)

// Limits of what a site may say of reboots.
const (
	MaxPostpone      = 20
	MaxDeadlineHours = 14 * 24 // as long as a job lives
	MaxDailyReboots  = 24
	UsualDaily       = 2 // where nobody said
)

// Known is the policy as far as it can be followed: what is not known, or beyond the limits, is
// never.
func (r Reboots) Known() Reboots {
	ask := r.When == RebootAsk && r.DeadlineHours >= 1 && r.DeadlineHours <= MaxDeadlineHours && r.Postpone >= 0 && r.Postpone <= MaxPostpone
	if (r.When == RebootWindow || ask) && r.Daily >= 0 {
		return r
	}
	return Reboots{When: RebootNever, Daily: r.Daily}
}

// Rebooting is the policy for reboots. Orders of a server that knows no Reboots say only whether
// the window is enough.
func (d DeviceOrders) Rebooting() Reboots {
	switch {
	case d.Reboots != nil:
		return d.Reboots.Known()
	case d.Reboot:
		return Reboots{When: RebootWindow}
	}
	return Reboots{When: RebootNever}
}

// InUse says what is done about a program that somebody has open while it is to be replaced.
type InUse string

// The ways. Services and what runs for nobody's eyes are no such programs.
const (
	InUseWait  InUse = ""      // it waits until they closed it
	InUseAsk   InUse = "ask"   // they are asked whether it may be closed
	InUseClose InUse = "close" // they are told, and it is closed some minutes later
)

// Open begins what a waiting job says while somebody has its program open.
const Open = "Open on the machine: "

// Job is one device's work on one item.
type Job struct {
	ID            string    `json:"id"`
	Verb          string    `json:"verb"`
	Target        Target    `json:"target"`
	Decision      string    `json:"decision"` // the approval or rule that caused it
	Attempt       int       `json:"attempt"`  // counts from 1
	NotBefore     time.Time `json:"not_before"`
	NotAfter      time.Time `json:"not_after"`
	Forced        string    `json:"forced,omitempty"` // who asked for it outside the window; "" waits for the window
	AllowRemovals []string  `json:"allow_removals,omitempty"`
}

// JobID derives a job's ID from what makes it the same job: device, verb, the exact change,
// the decision that caused it and the attempt. Equal wishes have equal IDs.
func JobID(device, verb string, t Target, decision string, attempt int) string {
	h := sha256.New()
	parts := []string{device, verb, t.Provider, t.Scope, t.Name, t.Architecture, t.Instance,
		t.From, t.To, decision, strconv.Itoa(attempt)}
	if t.Source != "" {
		parts = append(parts, t.Source)
	}
	for _, s := range parts {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return "job_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Hash names a section's body. Bodies are made by Canonical, so equal content has an equal hash.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Canonical is the one encoding of a section's body: JSON with fields in declared order and
// no insignificant space. The caller sorts lists.
func Canonical(v any) (json.RawMessage, error) { return json.Marshal(v) }

// Digest is the hash over section heads in the order given, which must be by name. Two
// sides with the same digest hold the same sections in the same state. Times are left out:
// a section read again with the same result is the same section.
func Digest(sections []Section) string {
	var b strings.Builder
	for _, s := range sections {
		b.WriteString(s.Name + "\x00" + s.Hash + "\x00" + string(s.State) + "\x00" + s.Error + "\x00")
	}
	return Hash([]byte(b.String()))
}
