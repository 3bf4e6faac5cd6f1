// Package roles says what a device is for, how much depends on it, and who reaches it.
//
// The one idea: what a device shows of itself and what a person said are kept apart. What is
// detected comes anew with every scan and names what showed it; what a person said stays until
// a person says otherwise, and the nearest place wins: the device's own, then its site's, then
// its customer's. Nothing shown and nothing said is not known, and stands where not knowing
// stands.
package roles

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/server/catalog/priority"
)

// Role is what a device is for. A device may have several.
type Role string

// The roles.
const (
	DomainController Role = "domain_controller"
	Hypervisor       Role = "hypervisor"
	SQL              Role = "sql"
	Mail             Role = "mail"
	Web              Role = "web"
	File             Role = "file"
	POS              Role = "pos" // point of sale
)

// All are the roles in the order in which they are shown.
func All() []Role { return []Role{DomainController, Hypervisor, SQL, Mail, Web, File, POS} }

// Words says a role as people do: "a domain controller".
func (r Role) Words() string {
	return map[Role]string{DomainController: "a domain controller", Hypervisor: "a virtualisation host", SQL: "a database server", Mail: "a mail server",
		Web: "a web server", File: "a file server", POS: "a point of sale"}[r]
}

// vital are the roles whose loss is the loss of more than the device, as long as no person says
// how much depends on it: who has the domain or the host of machines has all that hangs on it,
// and a till takes money.
func (r Role) vital() bool { return r == DomainController || r == Hypervisor || r == POS }

// The names of what a person may say; of a role it is RoleName.
const (
	Criticality = "criticality"
	Exposure    = "exposure"
)

// RoleName is the name of what is said of a role, whose value is Yes or No.
func RoleName(r Role) string { return "role:" + string(r) }

// The values of what is said of a role.
const (
	Yes = "yes"
	No  = "no"
)

// Criticalities are the values of criticality, the least first.
func Criticalities() []string { return []string{"low", "medium", "high", "very_high"} }

// Exposures are the values of exposure, the least first, as SSVC calls them.
func Exposures() []string {
	return []string{string(priority.Small), string(priority.Controlled), string(priority.Open)}
}

// May reports whether a person may say a value of a name. "" takes back what was said.
func May(name, value string) bool {
	if value == "" {
		return true
	}
	switch name {
	case Criticality:
		return slices.Contains(Criticalities(), value)
	case Exposure:
		return slices.Contains(Exposures(), value)
	}
	role, ok := strings.CutPrefix(name, "role:")
	return ok && slices.Contains(All(), Role(role)) && (value == Yes || value == No)
}

// Level is how near to the device something was said.
type Level string

// The levels, by the words of the store.
const (
	Customer Level = "customer"
	Site     Level = "site"
	Device   Level = "device"
)

func (l Level) nearness() int { return slices.Index([]Level{Customer, Site, Device}, l) }

// Said is what a person said of a device, or of all devices of a site or a customer.
type Said struct {
	Level Level
	Name  string
	Value string
	By    string // as the person was called then
	At    time.Time
}

// Answer is a value that somebody gave. Without a value nobody said anything.
type Answer struct {
	Value string
	Level Level
	By    string
	At    time.Time
}

// Held is one role of a device, or one that a person took away from it.
type Held struct {
	Role Role
	Has  bool
	From string // what showed it; "" when nothing did
	By   string // who said so; "" when it is only detected
	At   time.Time
}

// Standing is all that is known of a device's place among others.
type Standing struct {
	Roles       []Held // in the order of All
	Criticality Answer
	Exposure    Answer
}

// Of puts together what a device shows and what people said. What a person said of a role
// holds, whatever is detected.
func Of(detected []Detected, said []Said) Standing {
	s := Standing{Criticality: nearest(said, Criticality), Exposure: nearest(said, Exposure)}
	for _, role := range All() {
		h := Held{Role: role}
		if i := slices.IndexFunc(detected, func(d Detected) bool { return d.Role == role }); i >= 0 {
			h.Has, h.From = true, detected[i].From
		}
		if a := nearest(said, RoleName(role)); a.Value != "" {
			h.Has, h.By, h.At = a.Value == Yes, a.By, a.At
		}
		if h.From != "" || h.By != "" {
			s.Roles = append(s.Roles, h)
		}
	}
	return s
}

// nearest is what was said nearest to the device; of two at one place the later one.
func nearest(said []Said, name string) Answer {
	var best *Said
	for i := range said {
		s := &said[i]
		if s.Name != name || s.Value == "" || !May(name, s.Value) || s.Level.nearness() < 0 {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(s.Level.nearness(), best.Level.nearness()), s.At.Compare(best.At), strings.Compare(s.Value, best.Value)) > 0 {
			best = s
		}
	}
	if best == nil {
		return Answer{}
	}
	return Answer{Value: best.Value, Level: best.Level, By: best.By, At: best.At}
}

// Has reports whether the device has a role.
func (s Standing) Has(r Role) bool {
	return slices.ContainsFunc(s.Roles, func(h Held) bool { return h.Role == r && h.Has })
}

// Priority is what of it decides where a finding stands in the queue. A role makes the device
// one on which much depends where no person said how much does, and never one on which less does.
func (s Standing) Priority() priority.Device {
	d := priority.Device{Exposure: priority.Exposure(s.Exposure.Value)}
	switch s.Criticality.Value {
	case "low":
		d.Impact = priority.Low
	case "high":
		d.Impact = priority.High
	case "very_high":
		d.Impact = priority.VeryHigh
	case "":
		if s.vital() != nil {
			d.Impact = priority.High
		}
	}
	return d // medium is what saying nothing means
}

func (s Standing) vital() *Held {
	i := slices.IndexFunc(s.Roles, func(h Held) bool { return h.Has && h.Role.vital() })
	if i < 0 {
		return nil
	}
	return &s.Roles[i]
}

// Cites says who set what decides, and when, in sentences; "" when nobody did.
func (s Standing) Cites() string {
	var all []string
	if s.Exposure.Value != "" {
		all = append(all, "Who reaches the device was "+s.Exposure.set()+".")
	}
	switch h := s.vital(); {
	case s.Criticality.Value != "":
		all = append(all, "How much depends on it was "+s.Criticality.set()+".")
	case h != nil && h.By != "":
		all = append(all, fmt.Sprintf("Much depends on it as on %s, which %s set on %s.", h.Role.Words(), h.By, day(h.At)))
	case h != nil:
		all = append(all, fmt.Sprintf("Much depends on it as on %s: %s.", h.Role.Words(), h.From))
	}
	return strings.Join(all, " ")
}

func (a Answer) set() string {
	where := map[Level]string{Device: "", Site: " for its site", Customer: " for its customer"}[a.Level]
	return fmt.Sprintf("set by %s on %s%s", a.By, day(a.At), where)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
