package store

import (
	"encoding/json"
	"time"

	"patchbay/patch"
	"patchbay/window"
	"patchbay/wire"
)

// CustomerRow is a company the MSP looks after.
type CustomerRow struct {
	ID        string
	Name      string // unique among customers, by folded case
	Note      string
	CreatedAt time.Time
	ClosedAt  *time.Time // no longer looked after: its agents are refused
}

// Site is a place of a customer, and for now also its policy.
type Site struct {
	ID        string
	Customer  string
	Name      string // unique within the customer
	Zone      string // IANA name
	Policy    SitePolicy
	CreatedAt time.Time
	ChangedAt time.Time // of the policy
}

// SitePolicy is the first, small policy: what goes by itself, and when. It is stored as one
// JSON object.
type SitePolicy struct {
	Auto    Auto            `json:"auto"`
	Classes []patch.Class   `json:"classes,omitempty"` // of updates that need no answer either, sorted
	Windows []window.Weekly `json:"windows"`           // none: nothing happens here unless forced
	// Reboots says when devices may reboot by themselves, and who is asked.
	Reboots wire.Reboots `json:"reboots"`
	// Restarts says who restarts services that use old files of an update; "" is by hand.
	Restarts Restarts `json:"restarts,omitempty"`
	// InUse is what is done about programs that somebody has open.
	InUse wire.InUse `json:"in_use,omitempty"`
	// Beside names other programs that decide over what is installed here, and of which a
	// person said that Patchbay installs beside them. Sorted.
	Beside []string `json:"beside,omitempty"`
	// Applications are rules for single programs, sorted by provider and package, one for each.
	Applications []ApplicationRule `json:"applications,omitempty"`
}

// UnmarshalJSON reads a policy, also one from when it said of reboots only whether they may be
// made in the window: a server of then may run beside this one, and the audit chain keeps such.
// What this one writes means never to that one.
func (p *SitePolicy) UnmarshalJSON(data []byte) error {
	type plain SitePolicy
	old := struct {
		*plain
		Reboot bool `json:"reboot"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(data, &old); err != nil {
		return err
	}
	if p.Reboots.When == "" && old.Reboot {
		p.Reboots = wire.Reboots{When: wire.RebootWindow, Daily: wire.UsualDaily}
	}
	return nil
}

// Restarts says who restarts services.
type Restarts string

// The ways of restarting services.
const (
	RestartByHand Restarts = "by_hand"
	InWindow      Restarts = "in_window" // the device itself, for what a job updated
)

// Auto says which updates need no person's answer.
type Auto string

// The kinds of automatic approval.
const (
	ByHand   Auto = "by_hand"
	Security Auto = "security"
)

// Token is an enrolment token without its secret, of which only a hash is stored.
type Token struct {
	ID        string
	Customer  string
	Site      string
	Note      string
	Mode      wire.Mode // the most an agent enrolled with it may do
	MaxUses   int
	Used      int
	CreatedAt time.Time
	CreatedBy string // a person's ID, or "system"
	ExpiresAt time.Time
	RevokedAt *time.Time
}

// Agent is a program with a key.
type Agent struct {
	ID           string
	Customer     string
	Site         string
	PublicKey    []byte // PKIX, DER
	Build        string
	Mode         wire.Mode
	Capabilities []string
	Token        string // the token it enrolled with
	EnrolledAt   time.Time
	RevokedAt    *time.Time
	LastSeen     time.Time          // by the server's clock; written at most every few seconds
	ClockOff     time.Duration      // the agent's clock minus the server's, when it last spoke
	Seen         wire.OrdersVersion // the highest orders it said it accepted
	Acknowledged int64              // outcomes through this number are stored
	Held         *Held              // nil before it said so
}

// Held are the versions of the signed documents that an agent said it holds; 0 is none.
type Held struct{ Root, Limits int64 }

// Device is a thing that is patched.
type Device struct {
	ID         string
	Customer   string
	Site       string
	Agent      string
	Name       string // the host name, until a person names it
	Facts      wire.Facts
	ScannedAt  *time.Time // of the last complete scan
	FreshAfter *time.Time // a person wants it read anew, its sources too, from then on
	Digest     string     // over the sections held
	EnrolledAt time.Time
	RetiredAt  *time.Time // a person said it is gone; its agent is refused
	CopyOf     string     // the device whose disk it began with, "" when it is no copy
}

// SectionRow is what is held of one section of a device.
type SectionRow struct {
	Device    string
	Name      string
	Hash      string
	State     wire.SectionState
	Error     string
	ScannedAt time.Time  // when Body was read on the device
	FailedAt  *time.Time // since when the section has been failing, nil when it is not
	Body      json.RawMessage
}

// Offer is one version that was on offer for one item of a device, from when to when. Rows
// are never removed while the device exists and anything younger than the retention needs them.
type Offer struct {
	Device    string
	Update    patch.Update // as last offered
	FirstSeen time.Time    // the server's clock, when the section that first had it arrived
	GoneAt    *time.Time   // when a section arrived without it
}

// Approval is a person's answer, yes or no. It is a fact that is read again whenever a
// device is stepped; nothing fans out from it.
type Approval struct {
	ID            string
	Customer      string // an answer for the whole MSP is one row per customer
	Level         Level
	Target        string // the ID of the customer, site or device that Level names
	Provider      string
	Name          string // item
	Architecture  string // "" answers for every architecture
	Version       string // the version looked at when answering
	Origin        string // the origin of that version
	Answer        Answer
	Follow        bool   // also answers for newer versions of the same origin
	Reason        string // always set for a rejection and an undo
	AllowRemovals []string
	// ForcedUntil makes jobs of this approval run outside the window until then.
	ForcedUntil *time.Time
	By          string // a person's ID
	ByName      string // as the person was called then
	At          time.Time
	Despite     []string // recalls, by their keys, that do not hold it up
	WithdrawnAt *time.Time
}

// Level is how near a decision is to the device; nearer wins.
type Level string

// The levels, farthest first.
const (
	LevelCustomer Level = "customer"
	LevelSite     Level = "site"
	LevelDevice   Level = "device"
)

// Answer is what a person said.
type Answer string

// The answers.
const (
	Approve Answer = "approve"
	Reject  Answer = "reject"
	Undo    Answer = "undo" // rejected, and taken back where it is installed
)

// Job is a job as the engine made it and what is known of it.
type Job struct {
	wire.Job
	Customer    string
	Device      string
	CreatedAt   time.Time
	Step        wire.Step // as last reported; "" until the agent has it
	StepSince   *time.Time
	Why         string      // while it waits
	Result      wire.Result // of the last ended step
	Message     string
	EndedAt     *time.Time // done or failed was reported, or it was withdrawn
	WithdrawnAt *time.Time // the wish is gone
}

// OutcomeRow is an outcome as it arrived.
type OutcomeRow struct {
	wire.Outcome
	Customer   string
	Agent      string
	ReceivedAt time.Time
}

// Person is somebody who works with the console.
type Person struct {
	ID           string
	Email        string // unique, folded case
	Name         string
	PasswordHash string
	TOTPSecret   []byte     // sealed by the server's secret; nil before enrolment
	TOTPAt       *time.Time // when it was confirmed
	TOTPLast     int64      // the last time step used, so that a code works once
	CreatedAt    time.Time
	DisabledAt   *time.Time
}

// Session is a signed-in browser. Only a hash of its cookie is stored.
type Session struct {
	ID           string
	Person       string
	CreatedAt    time.Time
	SeenAt       time.Time
	ExpiresAt    time.Time
	SecondFactor bool   // TOTP was shown in this session
	Remote       string // address it was opened from
}

// APIKey lets a program act as a person. Only a hash of it is stored.
type APIKey struct {
	ID        string
	Person    string
	Name      string
	CreatedAt time.Time
	SeenAt    *time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
}

// AuditRow is one link of an audit chain.
type AuditRow struct {
	Chain       string // a customer's ID, or "msp"
	Seq         int64  // from 1, without gaps
	At          time.Time
	Actor       string // a person's ID, "engine", "agent:ID" or "system"
	ActorName   string
	Act         string          // verb and noun, such as "approval.create"
	Object      string          // the ID of what it is about
	Device      string          // when it is about one device
	Payload     json.RawMessage // erasable; its hash stays
	PayloadHash string
	Previous    string // hash of the row before
	Hash        string
}

// DailyFact is one day's count for one customer. It is written once and never recomputed.
type DailyFact struct {
	Customer string
	Day      string // YYYY-MM-DD, UTC
	Verdict  string
	Class    string // security or other
	Needs    int    // how many
	Devices  int    // on how many devices
	Silent   int    // needs of these on devices that are silent
}
