package view

import (
	"time"

	"patchbay/server/roles"
)

// DeviceRole is a role that a device has, or that a person took away from it.
type DeviceRole struct {
	Role  string     `json:"role" enum:"domain_controller,hypervisor,sql,mail,web,file,pos"`
	Has   bool       `json:"has" doc:"A person may have taken it away"`
	From  string     `json:"from,omitempty" doc:"What the device shows of it, as the end of a sentence; left out when it shows nothing"`
	By    string     `json:"by,omitempty" doc:"Who set it; left out when it is only detected"`
	SetAt *time.Time `json:"set_at,omitempty"`
}

// Attribute is what people said of how much depends on a device, or of who reaches it.
type Attribute struct {
	Value string     `json:"value" doc:"Empty when nobody said anything"`
	Level string     `json:"level,omitempty" enum:"customer,site,device" doc:"Where it was said; the nearest to the device holds"`
	By    string     `json:"by,omitempty"`
	SetAt *time.Time `json:"set_at,omitempty"`
}

// Standing is what a device is for, how much depends on it, and who reaches it.
type Standing struct {
	Roles       []DeviceRole `json:"roles,omitempty" doc:"None means that it showed none, which is not that it has none"`
	Criticality Attribute    `json:"criticality" doc:"How much depends on it: low, medium, high or very_high"`
	Exposure    Attribute    `json:"exposure" doc:"Who reaches it: small (hardly anybody), controlled (those who are let in) or open (anybody on the internet). Not known counts as open"`
	Groups      []Ref        `json:"groups,omitempty" doc:"By rank"`
}

// StandingOf turns a standing into its JSON form.
func StandingOf(s roles.Standing, groups []Ref) Standing {
	v := Standing{Criticality: attributeOf(s.Criticality), Exposure: attributeOf(s.Exposure), Groups: groups}
	for _, h := range s.Roles {
		v.Roles = append(v.Roles, DeviceRole{Role: string(h.Role), Has: h.Has, From: h.From, By: h.By, SetAt: some(h.At)})
	}
	return v
}

func attributeOf(a roles.Answer) Attribute {
	return Attribute{Value: a.Value, Level: string(a.Level), By: a.By, SetAt: some(a.At)}
}

// Attributes are what people said of a site or a customer, for all of its devices.
type Attributes struct {
	Criticality Attribute `json:"criticality"`
	Exposure    Attribute `json:"exposure"`
}

// Group is a named set of devices of one customer.
type Group struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Customer  Ref       `json:"customer"`
	Rank      int       `json:"rank" doc:"From 1, among the customer's groups: the first one decides where two would"`
	Devices   int       `json:"devices"`
	CreatedAt time.Time `json:"created_at"`
}
