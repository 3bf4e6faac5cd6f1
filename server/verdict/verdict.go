// Package verdict answers "why is this not patched?".
//
// For every need, which is one item on one device with something to do, there is exactly
// one verdict: VERIFIED, decided first and from the scan alone, or else the first unmet
// link of a fixed chain. It is computed from facts and never stored. The package does no
// I/O and takes the time as an argument.
package verdict

import "time"

// Link is one condition of the chain. A need is verified when all links hold.
type Link string

// The chain, in order.
const (
	Applicable Link = "applicable" // the item is there
	Known      Link = "known"      // a fresh scan says so
	Offered    Link = "offered"    // a source has something newer and the device would take it
	Decided    Link = "decided"    // a rule or a person has answered
	Approved   Link = "approved"   // and the answer was yes
	RingOpen   Link = "ring_open"  // the rollout has reached this device
	Reachable  Link = "reachable"  // the device is talking to us
	Staged     Link = "staged"     // what is needed has been downloaded
	InWindow   Link = "in_window"  // the maintenance window is open
	Preflight  Link = "preflight"  // space, power, no other package manager at work
	Applied    Link = "applied"    // the manager did it
	Active     Link = "active"     // what runs is the new version
	Verified   Link = "verified"   // a scan after all that shows it
)

// Chain lists the links in order.
func Chain() []Link {
	return []Link{Applicable, Known, Offered, Decided, Approved, RingOpen, Reachable, Staged,
		InWindow, Preflight, Applied, Active, Verified}
}

// Name is the verdict in one word.
type Name string

// The verdicts. Those that begin with WAITS_ move by themselves or by one answer.
const (
	VERIFIED                 Name = "VERIFIED"
	UNKNOWN                  Name = "UNKNOWN"                  // known: never read, or the last reading failed
	STALE                    Name = "STALE"                    // known: read too long ago to be believed, the silent device included
	DISPUTED                 Name = "DISPUTED"                 // known: two readings of the device do not agree
	HELD                     Name = "HELD"                     // offered: held or pinned on the device, by somebody there; decided: taken back, or known to make trouble
	KEPT_BACK                Name = "KEPT_BACK"                // offered: dependencies or phasing on the vendor's side
	NO_FIX                   Name = "NO_FIX"                   // offered: affected or wanted, and nobody offers what would do
	WITHDRAWN                Name = "WITHDRAWN"                // offered: the offer vanished and the old version is still there
	SUPERSEDED               Name = "SUPERSEDED"               // offered: a newer version took this one's place
	NOT_APPLICABLE           Name = "NOT_APPLICABLE"           // applicable: the item is gone
	RECALLED                 Name = "RECALLED"                 // decided: it is installed, and was taken back or makes trouble
	WAITS_DECISION           Name = "WAITS_DECISION"           // decided: nobody has answered
	TWO_MASTERS              Name = "TWO_MASTERS"              // decided: another program may install it here too, and nobody said who does
	REJECTED                 Name = "REJECTED"                 // approved: a person or a rule said no
	EXCEPTED                 Name = "EXCEPTED"                 // approved: an exception with an end
	WAITS_RING               Name = "WAITS_RING"               // ring_open
	OBSERVED                 Name = "OBSERVED"                 // reachable: the agent was set up to observe only
	WAITS_DEVICE             Name = "WAITS_DEVICE"             // reachable: decided, the device will hear at its next check-in
	STAGING                  Name = "STAGING"                  // staged
	WAITS_WINDOW             Name = "WAITS_WINDOW"             // in_window
	WAITS_USER               Name = "WAITS_USER"               // preflight: somebody has the program open
	PREFLIGHT                Name = "PREFLIGHT"                // preflight: with the reason it waits
	APPLYING                 Name = "APPLYING"                 // applied: at work now
	FAILED                   Name = "FAILED"                   // applied: with the manager's own message
	ROLLED_BACK              Name = "ROLLED_BACK"              // applied
	INSTALLED_PENDING_REBOOT Name = "INSTALLED_PENDING_REBOOT" // active
	RUNNING_OLD              Name = "RUNNING_OLD"              // active: a service still uses the old files
	VERIFYING                Name = "VERIFYING"                // verified: the scan afterwards is on its way
)

// Owner is whose turn it is.
type Owner string

// The owners.
const (
	MSP      Owner = "msp"
	Customer Owner = "customer"
	User     Owner = "user"
	Vendor   Owner = "vendor"
	Patchbay Owner = "patchbay"
	Nobody   Owner = "" // nothing is left to do
)

// State groups verdicts as the console shows them: one shape and colour each.
type State string

// The states.
const (
	Good        State = "verified"
	Moving      State = "moving"
	WaitsTime   State = "waits_time"
	WaitsPerson State = "waits_person"
	Bad         State = "failed"
	Excused     State = "excepted"
	NotKnown    State = "unknown"
	Gone        State = "gone" // no longer applies: counted nowhere
)

// Act is the one act that can help.
type Act string

// The acts.
const (
	ActNone    Act = ""
	ActApprove Act = "approve"
	ActForce   Act = "force" // "now"
	ActRetry   Act = "retry"
	ActUnhold  Act = "unhold" // on the device, by whoever held it
	ActLook    Act = "look"   // a person must look at the device
	ActManage  Act = "manage" // set the agent up to install
	ActSettle  Act = "settle" // say in the site's policy who installs there
	ActUndo    Act = "undo"   // take back what is installed
)

// Verdict is the answer for one need.
type Verdict struct {
	Name     Name       `json:"name"`
	State    State      `json:"state"`
	Link     Link       `json:"link"`     // the first unmet link; verified when none is
	Sentence string     `json:"sentence"` // for a customer
	Owner    Owner      `json:"owner"`
	Since    time.Time  `json:"since"`          // the stored time of the fact that opened the link
	Next     *time.Time `json:"next,omitempty"` // when something is tried next; nil when nothing will be by itself
	Act      Act        `json:"act,omitempty"`
	Facts    []Fact     `json:"facts,omitempty"`
	// Until is when the verdict may change by the clock alone; nil when it cannot.
	Until *time.Time `json:"-"`
}

// Fact is something a verdict rests on, and how old it is.
type Fact struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

var states = map[Name]State{
	VERIFIED: Good, UNKNOWN: NotKnown, STALE: NotKnown, DISPUTED: NotKnown,
	HELD: WaitsPerson, KEPT_BACK: WaitsTime, NO_FIX: WaitsTime, WITHDRAWN: NotKnown,
	SUPERSEDED: Gone, NOT_APPLICABLE: Gone, WAITS_DECISION: WaitsPerson, RECALLED: WaitsPerson, TWO_MASTERS: WaitsPerson, WAITS_USER: WaitsPerson, REJECTED: Excused,
	EXCEPTED: Excused, WAITS_RING: WaitsTime, OBSERVED: WaitsPerson, WAITS_DEVICE: WaitsTime,
	STAGING: Moving, WAITS_WINDOW: WaitsTime, PREFLIGHT: Moving, APPLYING: Moving,
	FAILED: Bad, ROLLED_BACK: Bad, INSTALLED_PENDING_REBOOT: WaitsTime, RUNNING_OLD: WaitsPerson,
	VERIFYING: Moving,
}

// StateOf gives the state a verdict is shown in. A name not known here is shown as unknown.
func StateOf(n Name) State {
	if s, ok := states[n]; ok {
		return s
	}
	return NotKnown
}

// Counted reports whether a need with this verdict is in the denominator. Everything is,
// except what no longer applies to the device.
func Counted(n Name) bool { return StateOf(n) != Gone }
