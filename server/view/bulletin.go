package view

import (
	"time"

	"patchbay/patch"
)

// Bulletin is one piece of news of a feed, and whom it touches now.
type Bulletin struct {
	ID        string         `json:"id" doc:"Opaque and stable"`
	Name      string         `json:"name" doc:"A CVE number, the ID of an advisory or of a recall, or a month or day of Microsoft's"`
	Kind      string         `json:"kind" enum:"new,fixed,exploited,raised,monthly,out-of-band,recalled,trouble" doc:"What the news is"`
	Feed      string         `json:"feed"`
	Title     string         `json:"title,omitempty" doc:"Its publisher's own words"`
	CVEs      []string       `json:"cves,omitempty" doc:"That it stands for; a list names at most five"`
	CVECount  int            `json:"cve_count" doc:"How many these are"`
	Updates   []string       `json:"updates,omitempty" doc:"Names of the updates that it brings or is about; a list names at most five"`
	Published *time.Time     `json:"published,omitempty" doc:"By its publisher's word"`
	SeenAt    time.Time      `json:"seen_at" doc:"When it was first seen here"`
	Severity  patch.Severity `json:"severity,omitempty" doc:"The gravest of what is open here; left out when nothing is"`
	Step      string         `json:"step,omitempty" doc:"How soon that is to be mended"`
	Touch
}

// Touch counts the devices that a bulletin touches now: on which what it speaks of is open, or
// that have what was taken back. A device counts once.
type Touch struct {
	Devices   int `json:"devices"`
	Customers int `json:"customers"`
	Mendable  int `json:"mendable" doc:"Of these, where a version that mends all of it is published"`
	Unmended  int `json:"unmended" doc:"Of these, where for some of it none is"`
	Held      int `json:"held" doc:"Of a recall: where the version is on offer and held"`
	Installed int `json:"installed" doc:"Of a recall: where the version is installed"`
	Enrolled  int `json:"enrolled" doc:"Devices that were looked at: the denominator"`
	Unread    int `json:"unread" doc:"Of these, devices whose software is not known or of whose system no feed speaks"`
}

// BulletinDetail is a bulletin with what it touches by customer.
type BulletinDetail struct {
	Bulletin
	Why        string             `json:"why,omitempty" doc:"A sentence on how soon the gravest of it is to be mended"`
	ByCustomer []BulletinCustomer `json:"by_customer,omitempty" doc:"The one with the most devices first"`
	Offers     []Ref              `json:"offers,omitempty" doc:"Updates on offer that mend some of it, or are held by it, at most 50"`
	Open       []string           `json:"open,omitempty" doc:"CVEs of it that are open on any device, at most 100"`
	Recall     *Recall            `json:"recall,omitempty" doc:"Of a recall: what its feed says of it now; left out when that says nothing any more"`
}

// BulletinCustomer is whom a bulletin touches at one customer. A device counts once, by the
// worst of its items.
type BulletinCustomer struct {
	Customer  Ref `json:"customer"`
	Devices   int `json:"devices"`
	Silent    int `json:"silent" doc:"Of these, silent ones"`
	Offered   int `json:"offered" doc:"Of these, where everything that mends it is on offer"`
	Unoffered int `json:"unoffered" doc:"Of these, where a fix is published and not on offer"`
	None      int `json:"none" doc:"Of these, where nothing mends it"`
	Held      int `json:"held" doc:"Of a recall: where it is on offer and held"`
	Installed int `json:"installed" doc:"Of a recall: where it is installed"`
}

// Count counts a device by the worst of what can be done there.
func (c *BulletinCustomer) Count(fix string) {
	switch fix {
	case FixOffered:
		c.Offered++
	case FixPublished:
		c.Unoffered++
	case FixNone:
		c.None++
	}
}

// BulletinID is the ID of a bulletin.
func BulletinID(kind, feed, name string) string { return "bul_" + digest(kind, feed, name) }
