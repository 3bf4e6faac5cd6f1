package view

import "time"

// The states of support.
const (
	SupportEnded     = "ended"
	SupportEnding    = "ending"
	SupportSupported = "supported"
	SupportUnknown   = "unknown"
)

// SupportFilter is what of support is asked for.
type SupportFilter struct {
	Filter        // State: one of those above, "" for what ended or is ending; Sort: last, devices, title
	Kind   string // "" is all
	Within int    // days
}

// SupportEnd is when one kind of support ends.
type SupportEnd struct {
	Day  string `json:"day,omitempty" doc:"YYYY-MM-DD, the last one; left out where no day is known"`
	Over string `json:"over,omitempty" enum:"yes,no" doc:"Whether it is over; left out when not known"`
}

// Support is for how long anybody mends a line of releases.
type Support struct {
	Kind     string     `json:"kind" enum:"os,application,hardware"`
	Product  string     `json:"product,omitempty" doc:"As endoflife.date calls it; left out where it knows none"`
	Title    string     `json:"title"`
	Cycle    string     `json:"cycle,omitempty" doc:"The line of releases"`
	Label    string     `json:"label,omitempty" doc:"What that is called, where it has another name"`
	State    string     `json:"state" enum:"ended,ending,supported,unknown"`
	Last     string     `json:"last,omitempty" doc:"YYYY-MM-DD: the last day on which anybody mends it for everybody"`
	Vendor   SupportEnd `json:"vendor" doc:"What its vendor gives to everybody"`
	LTS      SupportEnd `json:"lts" doc:"What others give to everybody"`
	Paid     SupportEnd `json:"paid" doc:"What has to be paid for: told, and never counted"`
	PaidName string     `json:"paid_name,omitempty" doc:"What that is called"`
	By       string     `json:"by,omitempty" doc:"Whose word it is; left out where nobody says"`
	Why      string     `json:"why" doc:"A sentence"`
}

// SupportRow is a line of releases that devices have.
type SupportRow struct {
	ID string `json:"id"`
	Support
	Called    []string `json:"called,omitempty" doc:"Versions of it, and what systems call themselves; at most five"`
	Devices   int      `json:"devices" doc:"That have it, silent ones included"`
	Customers int      `json:"customers"`
}

// SupportDevice is a device that has something of a line of releases.
type SupportDevice struct {
	Device   Ref    `json:"device"`
	Customer Ref    `json:"customer"`
	Site     Ref    `json:"site"`
	Item     string `json:"item"`
	Version  string `json:"version,omitempty"`
	Silent   bool   `json:"silent,omitempty"`
}

// SupportKind counts what is known of one kind of things.
type SupportKind struct {
	Kind         string `json:"kind" enum:"os,application,hardware"`
	Devices      int    `json:"devices" doc:"Enrolled: the denominator"`
	Ended        int    `json:"ended" doc:"Devices with something that nobody mends any more"`
	Ending       int    `json:"ending" doc:"Devices with something that ends within the days asked for, and nothing that ended"`
	Unknown      int    `json:"unknown" doc:"Devices of whose system or hardware nobody says when it ends; of applications, devices whose software was not read"`
	Items        int    `json:"items" doc:"Of applications: items installed"`
	Distribution int    `json:"distribution" doc:"Of these, those of the system's own distribution: supported as long as it is"`
	Known        int    `json:"known" doc:"Of these, those of a product whose end of support somebody tells"`
	Unmapped     int    `json:"unmapped" doc:"Of these, those of which nobody says anything"`
	Why          string `json:"why,omitempty" doc:"A sentence"`
}

// SupportMonth is a month in which the support of something ends.
type SupportMonth struct {
	Month        string   `json:"month" doc:"YYYY-MM"`
	Systems      int      `json:"systems" doc:"Devices whose system ends in it"`
	Applications int      `json:"applications" doc:"Devices with an application that ends in it"`
	What         []string `json:"what,omitempty" doc:"What ends, at most ten"`
}

// SupportSummary is how it stands with ends of support.
type SupportSummary struct {
	Within   int            `json:"within" doc:"Days"`
	Kinds    []SupportKind  `json:"kinds"`
	Months   []SupportMonth `json:"months" doc:"This one and the 23 after it"`
	Products int            `json:"products" doc:"That the feed which holds knows; 0: none holds"`
	AsOf     time.Time      `json:"as_of"`
}

// DeviceSupport is for how long what a device has is supported.
type DeviceSupport struct {
	System       *Support      `json:"system,omitempty" doc:"Left out where the device does not say what it runs"`
	Applications []ItemSupport `json:"applications,omitempty" doc:"What ended first"`
	Counts       SupportKind   `json:"counts" doc:"Of its applications"`
	Hardware     string        `json:"hardware" doc:"A sentence"`
}

// ItemSupport is the support of an item.
type ItemSupport struct {
	Item    string `json:"item"`
	Version string `json:"version"`
	Support
}
