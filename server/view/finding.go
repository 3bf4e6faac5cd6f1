package view

import (
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/verdict"
)

// Finding is what an advisory says of an installed item.
type Finding struct {
	Advisory    string               `json:"advisory,omitempty" doc:"Left out for an item of a publisher whose advisories are not known"`
	CVEs        []string             `json:"cves,omitempty"`
	Status      assess.FindingStatus `json:"status" doc:"affected and no-fix are open; the others are told and are no alarm"`
	Fixed       string               `json:"fixed,omitempty" doc:"The version that mends it, of the source package where its publisher speaks of these"`
	Severity    patch.Severity       `json:"severity" doc:"The gravest that any source says"`
	Exploited   *time.Time           `json:"exploited,omitempty" doc:"Since when attackers are known to use it"`
	Published   *time.Time           `json:"published,omitempty"`
	Source      string               `json:"source" doc:"The feed that says so"`
	Step        string               `json:"step,omitempty" doc:"How soon it is to be mended: defer, scheduled, out-of-cycle or immediate"`
	Why         string               `json:"why,omitempty" doc:"A sentence on that, with what it rests on"`
	Note        string               `json:"note,omitempty" doc:"A sentence"`
	Unconfirmed bool                 `json:"unconfirmed,omitempty" doc:"It is so by a product's name in NVD's records alone; the publisher of the item does not say so"`
	Place       uint64               `json:"-"` // in the queue, on its device: the greater one goes first
}

// FindingOf turns a finding into its JSON form.
func FindingOf(f assess.Finding) Finding {
	return Finding{Advisory: f.Advisory, CVEs: f.CVEs, Status: f.Status, Fixed: f.Fixed, Severity: f.Severity, Exploited: some(f.Exploited), Published: some(f.Published), Source: f.Source, Step: f.Step, Why: f.Why, Note: f.Note, Unconfirmed: f.Unconfirmed, Place: f.Place}
}

func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ItemFindings is an item of a device and what affects it.
type ItemFindings struct {
	Item      ItemKey   `json:"item"`
	Installed string    `json:"installed"`
	Need      string    `json:"need,omitempty" doc:"The need that it is part of"`
	Findings  []Finding `json:"findings"`
}

// DeviceFindings is what advisories affect on a device.
type DeviceFindings struct {
	Compared  bool           `json:"compared" doc:"Whether any feed speaks of the device's system; otherwise nothing is known, which is not nothing"`
	Providers []ComparedWith `json:"providers,omitempty" doc:"Whose items were compared"`
	Items     []ItemFindings `json:"items,omitempty" doc:"The item with the gravest finding first"`
}

// ComparedWith says with which release's advisories a provider's items were compared.
type ComparedWith struct {
	Provider string `json:"provider"`
	Release  string `json:"release" doc:"As the schema of OSV writes it, such as Debian:12"`
}

// The ways in which something can be mended on a device.
const (
	FixOffered   = "offered"   // an update that mends it is on offer there
	FixPublished = "published" // a version that mends it exists and is not on offer there
	FixNone      = "none"      // nothing mends it
	FixNoNeed    = "no_need"   // it is no alarm there
)

// Exposure is who is exposed to a CVE.
type Exposure struct {
	ID         string            `json:"id"`
	Severity   patch.Severity    `json:"severity"`
	Exploited  *time.Time        `json:"exploited,omitempty"`
	Step       string            `json:"step,omitempty" doc:"How soon it is to be mended where that is soonest: defer, scheduled, out-of-cycle or immediate"`
	Why        string            `json:"why,omitempty" doc:"A sentence on that, with what it rests on"`
	Published  *time.Time        `json:"published,omitempty" doc:"The earliest of its advisories"`
	Advisories []string          `json:"advisories,omitempty" doc:"That stand for it, as far as anybody here has what they name"`
	Customers  []ExposedCustomer `json:"customers,omitempty"`
	Devices    int               `json:"devices" doc:"On which it is open"`
	Silent     int               `json:"silent" doc:"Of these, silent ones"`
	Offered    int               `json:"offered" doc:"Of these, where everything that mends it is on offer"`
	Waiting    int               `json:"waiting" doc:"Of all these, where an update that mends it waits for somebody to approve it"`
	Unoffered  int               `json:"unoffered" doc:"Of these, where a fix is published and not on offer"`
	None       int               `json:"none" doc:"Of these, where nothing mends it"`
	NoNeed     int               `json:"no_need" doc:"Devices on which it is no alarm"`
	Enrolled   int               `json:"enrolled" doc:"Devices that were looked at: the denominator"`
	Unread     int               `json:"unread" doc:"Of these, devices whose software is not known or of whose system no feed speaks"`
	Updates    []string          `json:"updates,omitempty" doc:"IDs of the updates on offer that mend it"`
	Mended     Mended            `json:"mended" doc:"Where scans have shown that it is not open any more, also where it is open in something else"`
}

// Mended is where a CVE was mended since this installation looks at the devices.
type Mended struct {
	Devices int            `json:"devices"`
	First   *time.Time     `json:"first,omitempty" doc:"Of the scans that showed it"`
	Last    *time.Time     `json:"last,omitempty"`
	Newest  []MendedDevice `json:"newest,omitempty" doc:"The newest, at most 100"`
}

// MendedDevice is an item of a device that went to a version which is not affected.
type MendedDevice struct {
	Customer Ref       `json:"customer"`
	Device   Ref       `json:"device" doc:"Without a name when it is not enrolled any more"`
	Item     string    `json:"item"`
	From     string    `json:"from"`
	To       string    `json:"to,omitempty" doc:"Left out when it was taken off"`
	At       time.Time `json:"at" doc:"Of the scan that showed it"`
}

// ExposedCustomer is a customer with the devices that have it.
type ExposedCustomer struct {
	Customer Ref             `json:"customer"`
	Items    int             `json:"items" doc:"On its devices"`
	Devices  []ExposedDevice `json:"devices,omitempty" doc:"The first of these items in the queue: 500 in all, shared out among the customers"`
}

// ExposedDevice is one item of a device that is exposed.
type ExposedDevice struct {
	Device    Ref              `json:"device"`
	Site      Ref              `json:"site"`
	Item      ItemKey          `json:"item"`
	Installed string           `json:"installed"`
	Silent    bool             `json:"silent,omitempty"`
	Finding   Finding          `json:"finding"`
	Fix       string           `json:"fix" enum:"offered,published,none,no_need"`
	Need      string           `json:"need,omitempty"`
	Update    string           `json:"update,omitempty" doc:"The update on offer that mends it"`
	Verdict   *verdict.Verdict `json:"verdict,omitempty" doc:"Of the need"`
}

// ExposedTo is a CVE in the list of what is open.
type ExposedTo struct {
	ID        string         `json:"id"`
	Severity  patch.Severity `json:"severity"`
	Exploited *time.Time     `json:"exploited,omitempty"`
	Step      string         `json:"step,omitempty"`
	Why       string         `json:"why,omitempty"`
	Published *time.Time     `json:"published,omitempty"`
	Items     []string       `json:"items,omitempty" doc:"Names of packages, at most five"`
	Devices   int            `json:"devices" doc:"On which it is open"`
	Customers int            `json:"customers"`
	Fixable   bool           `json:"fixable" doc:"Whether a version that mends it is published for every item"`
	Sources   []string       `json:"sources,omitempty" doc:"The feeds that say so"`
	Place     uint64         `json:"-"` // in the queue: the greater one goes first
}
