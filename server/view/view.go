// Package view holds what the server shows to people and programs: the resources of the
// REST API as they stand in its JSON. The fleet index makes them, the API answers with
// them, the command line reads them.
//
// The one idea: a resource is complete. A page shows it without asking a second time and
// without deciding anything: sentences, states and the reasons why an act is not possible
// ("can") are in it. A list inside a resource is left out of the JSON when it is empty; the
// items of a Page never are.
package view

import (
	"time"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/window"
)

// Ref names a thing: enough for a link.
type Ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Posture counts the needs of a device, a site, a customer or everything. Needs is the
// denominator: every need that applies, on silent devices too.
type Posture struct {
	Needs        int `json:"needs" doc:"All that apply: the denominator of Verified"`
	Verified     int `json:"verified"`
	Moving       int `json:"moving"`
	WaitsTime    int `json:"waits_time"`
	WaitsPerson  int `json:"waits_person"`
	Failed       int `json:"failed"`
	Excepted     int `json:"excepted"`
	Unknown      int `json:"unknown"`
	SecurityOpen int `json:"security_open" doc:"Security needs that are not verified"`
	Devices      int `json:"devices" doc:"Enrolled and not retired"`
	Silent       int `json:"silent" doc:"Devices not heard of for too long"`
	Enrolled     int `json:"enrolled" doc:"Devices ever enrolled and not retired: what the counts are of"`
	NeverScanned int `json:"never_scanned" doc:"Devices without a complete scan: nothing is known of them"`
}

// Plus adds two postures.
func (p Posture) Plus(o Posture) Posture {
	p.Needs += o.Needs
	p.Verified += o.Verified
	p.Moving += o.Moving
	p.WaitsTime += o.WaitsTime
	p.WaitsPerson += o.WaitsPerson
	p.Failed += o.Failed
	p.Excepted += o.Excepted
	p.Unknown += o.Unknown
	p.SecurityOpen += o.SecurityOpen
	p.Devices += o.Devices
	p.Silent += o.Silent
	p.Enrolled += o.Enrolled
	p.NeverScanned += o.NeverScanned
	return p
}

// Open is how many needs are not done: all but the verified and the excepted ones.
func (p Posture) Open() int { return p.Needs - p.Verified - p.Excepted }

// Count adds n needs of a state. Gone ones are counted nowhere.
func (p *Posture) Count(s verdict.State, security bool, n int) {
	if s == verdict.Gone {
		return
	}
	p.Needs += n
	if security && s != verdict.Good {
		p.SecurityOpen += n
	}
	switch s {
	case verdict.Good:
		p.Verified += n
	case verdict.Moving:
		p.Moving += n
	case verdict.WaitsTime:
		p.WaitsTime += n
	case verdict.WaitsPerson:
		p.WaitsPerson += n
	case verdict.Bad:
		p.Failed += n
	case verdict.Excused:
		p.Excepted += n
	default:
		p.Unknown += n
	}
}

// Window is where the maintenance window of a site stands.
type Window struct {
	Open       bool       `json:"open"`
	Sentence   string     `json:"sentence"`
	NextChange *time.Time `json:"next_change,omitempty"`
	NextOpen   *time.Time `json:"next_open,omitempty" doc:"The next opening that has not begun yet"`
}

// WindowAt says where a set of windows stands at now.
func WindowAt(set window.Set, now time.Time) Window {
	state := window.Open(set, now)
	w := Window{Open: state.Open, Sentence: state.Why}
	if !state.Until.IsZero() {
		w.NextChange = &state.Until
	}
	if from, _, ok := window.Next(set, now); ok {
		w.NextOpen = &from
	}
	return w
}

// Event says that something changed and which of the lists may show it.
type Event struct {
	Kind     string `json:"kind" enum:"device,need,job,customer,site,token,bulletin"`
	Customer string `json:"customer,omitempty"`
	Device   string `json:"device,omitempty"`
	Job      string `json:"job,omitempty"`
}

// ItemKey names the item a need or a job is about.
type ItemKey struct {
	Provider     string `json:"provider"`
	Name         string `json:"name"`
	Architecture string `json:"architecture,omitempty"`
	Scope        string `json:"scope,omitempty"`
	Instance     string `json:"instance,omitempty"`
}

// ItemKeyOf turns a key into its JSON form.
func ItemKeyOf(k patch.Key) ItemKey {
	return ItemKey{Provider: k.Provider, Name: k.Name, Architecture: k.Architecture, Scope: k.Scope, Instance: k.Instance}
}

// Key turns the JSON form back.
func (k ItemKey) Key() patch.Key {
	return patch.Key{Provider: k.Provider, Scope: k.Scope, Name: k.Name, Architecture: k.Architecture, Instance: k.Instance}
}
