package view

import (
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// DeviceState says whether what is known of a device can be believed.
type DeviceState string

// The states of a device, worst last.
const (
	DeviceOK           DeviceState = "ok"
	DeviceScanFailed   DeviceState = "scan_failed"   // it talks, but a section could not be read
	DeviceNotBack      DeviceState = "not_back"      // its machine was told to restart, and nothing was heard since
	DeviceNeverScanned DeviceState = "never_scanned" // enrolled, no complete scan yet
	DeviceSilent       DeviceState = "silent"        // not heard of for too long
)

// Device is a thing that is patched.
type Device struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	Customer     Ref            `json:"customer"`
	Site         Ref            `json:"site"`
	OS           string         `json:"os,omitempty" doc:"Such as linux, windows, darwin"`
	OSName       string         `json:"os_name,omitempty"`
	Edition      string         `json:"edition,omitempty" doc:"Of a Windows, such as Professional"`
	Channel      string         `json:"channel,omitempty" doc:"By which a Windows is serviced: gac, ltsc, annual, or one of Insiders, such as insider_beta"`
	Release      string         `json:"release,omitempty"`
	SupportEnds  string         `json:"support_ends,omitempty" doc:"YYYY-MM-DD; left out when not known"`
	Kernel       string         `json:"kernel,omitempty" doc:"The one that runs"`
	Architecture string         `json:"architecture,omitempty"`
	Container    bool           `json:"container"`
	Agent        Agent          `json:"agent"`
	Silent       bool           `json:"silent"`
	SilentSince  *time.Time     `json:"silent_since,omitempty"`
	ScannedAt    *time.Time     `json:"scanned_at,omitempty" doc:"Of the last complete scan"`
	Posture      Posture        `json:"posture"`
	Restart      Restart        `json:"restart"`
	Patchers     []string       `json:"patchers,omitempty" doc:"Other programs that install updates there"`
	Presence     DevicePresence `json:"presence" doc:"Whether somebody is at it, when it was last read"`
	Window       Window         `json:"window"`
	Standing     Standing       `json:"standing" doc:"What it is for, how much depends on it, who reaches it"`
	State        DeviceState    `json:"state" enum:"ok,scan_failed,never_scanned,not_back,silent"`
}

// DevicePresence says whether somebody is at a device. What is left out is not known.
type DevicePresence struct {
	LoggedIn   patch.Answer `json:"logged_in,omitempty" enum:"yes,no"`
	Locked     patch.Answer `json:"locked,omitempty" enum:"yes,no" doc:"Nobody who is logged in sees their screen"`
	Presenting patch.Answer `json:"presenting,omitempty" enum:"yes,no" doc:"Somebody shows something to others, or a program fills the screen"`
	Battery    patch.Answer `json:"battery,omitempty" enum:"yes,no" doc:"It runs on its battery"`
}

// PresenceOf takes from facts what can be so: what a device says else is not known.
func PresenceOf(p wire.Presence) DevicePresence {
	known := func(a patch.Answer) patch.Answer {
		if a == patch.Yes || a == patch.No {
			return a
		}
		return patch.Unknown
	}
	return DevicePresence{LoggedIn: known(p.LoggedIn), Locked: known(p.Locked), Presenting: known(p.Presenting), Battery: known(p.Battery)}
}

// Agent is the program that speaks for a device.
type Agent struct {
	ID              string    `json:"id"`
	Mode            wire.Mode `json:"mode" enum:"observe,manage"`
	Build           string    `json:"build,omitempty"`
	LastSeen        time.Time `json:"last_seen" doc:"By the server's clock"`
	EnrolledAt      time.Time `json:"enrolled_at"`
	ClockOffSeconds int       `json:"clock_off_seconds" doc:"The device's clock minus the server's"`
	HeldRoot        *int64    `json:"held_root,omitempty" doc:"Version of the root that it said it holds, 0 for none; left out before it said so"`
	HeldLimits      *int64    `json:"held_limits,omitempty" doc:"The same of the limits"`
}

// Holding is how many agents hold the newest of what they are to be held to.
type Holding struct {
	Agents  int `json:"agents" doc:"Those that speak for devices"`
	Root    int `json:"root" doc:"Of these, those that said they hold the newest root"`
	Limits  int `json:"limits" doc:"The same of the limits"`
	Unknown int `json:"unknown" doc:"Those that have not said what they hold; they are counted for nothing else"`
}

// Restart is what still runs in an old version.
type Restart struct {
	Machine  bool     `json:"machine" doc:"A reboot is asked for"`
	Reasons  []string `json:"reasons,omitempty"`
	Services []string `json:"services,omitempty"`
	Unknown  []string `json:"unknown,omitempty" doc:"What could not be read: the answer is partly unknown"`
	// Old are the same services with the packages whose replaced files they use.
	Old []wire.OldUse `json:"old,omitempty" doc:"The services with the packages whose replaced files they use; none named means that nothing says"`
}

// DeviceDetail is a device with what its own page shows.
type DeviceDetail struct {
	Device
	Zone     string         `json:"zone" doc:"IANA zone of its site"`
	Sections []Section      `json:"sections,omitempty"`
	Sources  []patch.Source `json:"sources,omitempty"`
	Can      DeviceCan      `json:"can"`
	CopyOf   *Ref           `json:"copy_of,omitempty" doc:"The device whose disk this one began with"`
	Copies   []Ref          `json:"copies,omitempty" doc:"Devices that began with this one's disk"`
	SetBack  *time.Time     `json:"set_back,omitempty" doc:"When it was last seen that its disk had been set back, as by restoring a snapshot"`
	BootedAt *time.Time     `json:"booted_at,omitempty" doc:"When the machine last started, as it says; left out when not known"`

	RestartSources []wire.RestartSource `json:"restart_sources,omitempty" doc:"Of a Windows: the places in which it says that it waits for a restart, each with what it says. Left out where none was ever looked into"`
	RestartPlan    string               `json:"restart_plan,omitempty" doc:"Who makes the restart that is asked for, and when; left out when none is"`
	RestartBy      string               `json:"restart_by,omitempty" enum:"person,device" doc:"Who makes it, in a word"`
}

// HistoryEvent is one line of what a manager on a device says it did.
type HistoryEvent struct {
	patch.Event
	Provider string `json:"provider"`
	Need     string `json:"need,omitempty" doc:"The ID of the need for the same item, where there is one now"`
}

// Item is one installed thing.
type Item struct {
	patch.Item
	Catalog string `json:"catalog,omitempty" doc:"Its package in the signed catalogue, as provider/ID; left out when it is of none"`
}

// Section is one part of a device's inventory: where it stands, without its body.
type Section struct {
	Name      string            `json:"name"`
	State     wire.SectionState `json:"state" enum:"ok,failed,absent"`
	Error     string            `json:"error,omitempty"`
	ScannedAt time.Time         `json:"scanned_at" doc:"When what is shown was read"`
	FailedAt  *time.Time        `json:"failed_at,omitempty"`
	Items     int               `json:"items"`
}

// DeviceCan says per act why it is not possible; "" means that it is.
type DeviceCan struct {
	Approve string `json:"approve"`
	Now     string `json:"now"`
	Retire  string `json:"retire"`
	CheckIn string `json:"checkin"`
}

// TimelineEntry is one thing that happened to a device.
type TimelineEntry struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind" enum:"enrolled,scan,outcome,notice,approval,job,audit"`
	Title    string    `json:"title"`
	Sentence string    `json:"sentence,omitempty"`
	Actor    string    `json:"actor,omitempty"`
	Job      string    `json:"job,omitempty"`
	Detail   string    `json:"detail,omitempty" doc:"The manager's own words"`
	Device   *Ref      `json:"device,omitempty" doc:"In what tells of several devices: the one it is about"`
}

// Story is all that happened to a device, to be taken along.
type Story struct {
	Device   Ref       `json:"device"`
	Customer Ref       `json:"customer"`
	Site     Ref       `json:"site"`
	AsOf     time.Time `json:"as_of"`

	RetiredAt *time.Time           `json:"retired_at,omitempty" doc:"Since when it is no longer looked after"`
	Entries   []TimelineEntry      `json:"entries" doc:"The newest first"`
	Receipts  []wire.SignedReceipt `json:"receipts" doc:"Of every job that is over, and of what people were told or asked, as the agent signed them, the newest first"`
}
