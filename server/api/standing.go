package api

import (
	"context"
	"slices"

	"patchbay/server/roles"
	"patchbay/server/store"
	"patchbay/server/view"
)

// DevicesChange is what a person says of several devices at once. What is left out stays as it
// is; an empty value takes back what was said at the device, so that its site's or its
// customer's word holds again, or what it shows itself.
type DevicesChange struct {
	Devices     []string          `json:"devices" minItems:"1" maxItems:"500" doc:"IDs"`
	Roles       map[string]string `json:"roles,omitempty" doc:"By role: yes, no, or empty to go by what the device shows"`
	Criticality *string           `json:"criticality,omitempty" maxLength:"20" doc:"How much depends on it: low, medium, high, very_high, or empty"`
	Exposure    *string           `json:"exposure,omitempty" maxLength:"20" doc:"Who reaches it: small, controlled, open, or empty"`
	Join        []string          `json:"join,omitempty" maxItems:"50" doc:"IDs of groups that they come into"`
	Leave       []string          `json:"leave,omitempty" maxItems:"50" doc:"IDs of groups that they go out of"`
}

// DevicesChanged says what was changed.
type DevicesChanged struct {
	Devices int `json:"devices"`
}

// values checks what is said.
func (c DevicesChange) values() (map[string]string, error) {
	values, err := AttributesChange{c.Criticality, c.Exposure}.values()
	for role, value := range c.Roles {
		if !roles.May(roles.RoleName(roles.Role(role)), value) || role == "" {
			return nil, wrong("roles", "A role is one of domain_controller, hypervisor, sql, mail, web, file and pos, and it is yes, no, or empty to go by what the device shows.")
		}
		values[roles.RoleName(roles.Role(role))] = value
	}
	return values, err
}

// AttributesChange is what a person says of all devices of a site or a customer.
type AttributesChange struct {
	Criticality *string `json:"criticality,omitempty" maxLength:"20" doc:"How much depends on them: low, medium, high, very_high, or empty to take it back"`
	Exposure    *string `json:"exposure,omitempty" maxLength:"20" doc:"Who reaches them: small, controlled, open, or empty to take it back"`
}

func (c AttributesChange) values() (map[string]string, error) {
	values := map[string]string{}
	if c.Criticality != nil {
		if values[roles.Criticality] = *c.Criticality; !roles.May(roles.Criticality, *c.Criticality) {
			return nil, wrong("criticality", "How much depends on a device is low, medium, high or very_high, or empty to take back what was said.")
		}
	}
	if c.Exposure != nil {
		if values[roles.Exposure] = *c.Exposure; !roles.May(roles.Exposure, *c.Exposure) {
			return nil, wrong("exposure", "Who reaches a device is small, controlled or open, or empty to take back what was said.")
		}
	}
	return values, nil
}

// changeDevices changes devices of any customers. All of them are found first; a customer's are
// changed together.
func (s *Server) changeDevices(ctx context.Context, in *struct{ Body DevicesChange }) (*Out[DevicesChanged], error) {
	values, err := in.Body.values()
	if err != nil {
		return nil, err
	}
	change := store.DeviceChange{Values: values, Join: in.Body.Join, Leave: in.Body.Leave}
	if len(values)+len(change.Join)+len(change.Leave) == 0 {
		return nil, wrong("devices", "Say what is to be changed: roles, criticality, exposure, or groups to join or to leave.")
	}
	byCustomer, order := map[string][]string{}, []string{}
	for _, id := range in.Body.Devices {
		d, ok := s.Fleet.Device(s.Now(), id)
		if !ok {
			return nil, wrong("devices", "One of the devices is not there, or no longer: choose them anew.")
		}
		of := d.Customer.ID
		if byCustomer[of] == nil {
			order = append(order, of)
		}
		if !slices.Contains(byCustomer[of], id) {
			byCustomer[of] = append(byCustomer[of], id)
		}
	}
	if len(order) > 1 && len(change.Join)+len(change.Leave) > 0 {
		return nil, wrong("devices", "A group is of one customer: choose devices of that customer alone.")
	}
	done := DevicesChanged{}
	for _, of := range order {
		if err := s.Store.Customer(who(ctx), of).ChangeDevices(ctx, s.Now(), byCustomer[of], change); err != nil {
			return nil, err
		}
		done.Devices += len(byCustomer[of])
		s.Engine.Due(byCustomer[of]...)
	}
	return out(done), nil
}

func (s *Server) customerAttributes(ctx context.Context, in *CustomerPath) (*Out[view.Attributes], error) {
	h := s.Store.Customer(who(ctx), in.Customer)
	if _, err := h.Get(ctx); err != nil {
		return nil, err
	}
	return attributes(ctx, h, store.LevelCustomer, in.Customer)
}

func (s *Server) siteAttributes(ctx context.Context, in *SitePath) (*Out[view.Attributes], error) {
	row, err := s.siteRow(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	return attributes(ctx, s.Store.Customer(who(ctx), row.Customer), store.LevelSite, row.ID)
}

// attributes are what was said of one place itself.
func attributes(ctx context.Context, h *store.Customer, level store.Level, target string) (*Out[view.Attributes], error) {
	rows, err := h.Attributes(ctx, target)
	if err != nil {
		return nil, err
	}
	var said []roles.Said
	for _, a := range rows {
		if a.Level == level {
			said = append(said, roles.Said{Level: roles.Level(a.Level), Name: a.Name, Value: a.Value, By: a.ByName, At: a.At})
		}
	}
	v := view.StandingOf(roles.Of(nil, said), nil)
	return out(view.Attributes{Criticality: v.Criticality, Exposure: v.Exposure}), nil
}

func (s *Server) changeCustomerAttributes(ctx context.Context, in *struct {
	CustomerPath
	Body AttributesChange
}) (*Out[view.Attributes], error) {
	if err := s.setAttributes(ctx, in.Customer, store.LevelCustomer, in.Customer, in.Body); err != nil {
		return nil, err
	}
	return s.customerAttributes(ctx, &in.CustomerPath)
}

func (s *Server) changeSiteAttributes(ctx context.Context, in *struct {
	SitePath
	Body AttributesChange
}) (*Out[view.Attributes], error) {
	row, err := s.siteRow(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	if err := s.setAttributes(ctx, row.Customer, store.LevelSite, row.ID, in.Body); err != nil {
		return nil, err
	}
	return s.siteAttributes(ctx, &in.SitePath)
}

func (s *Server) setAttributes(ctx context.Context, customer string, level store.Level, target string, change AttributesChange) error {
	values, err := change.values()
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return wrong("criticality", "Say what is to be changed: criticality or exposure.")
	}
	if err := s.Store.Customer(who(ctx), customer).SetAttributes(ctx, s.Now(), level, target, values); err != nil {
		return err
	}
	s.Engine.DueCustomer(customer)
	return nil
}
