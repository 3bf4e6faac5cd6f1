package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// DevicesParams are what the list of devices takes.
type DevicesParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Site     string `query:"site" maxLength:"60"`
	Program  string `query:"program" maxLength:"200" doc:"Only those that have this package of the catalogue, as provider/ID"`
	Role     string `query:"role" enum:"domain_controller,hypervisor,sql,mail,web,file,pos" doc:"Only those that have this role"`
	Group    string `query:"group" maxLength:"60" doc:"Only those in this group"`
	State    string `query:"state" enum:"talking,silent,never_scanned,not_back,observe"`
	Sort     string `query:"sort" enum:"name,-name,customer,-customer,last_seen,-last_seen,open,-open,security_open,-security_open,failed,-failed" doc:"name by default"`
}

func (s *Server) devices(_ context.Context, in *DevicesParams) (*Out[view.Page[view.Device]], error) {
	f, err := in.filter(in.Sort)
	if err != nil {
		return nil, err
	}
	f.Customer, f.Site, f.State, f.Program = in.Customer, in.Site, in.State, in.Program
	f.Role, f.Group = in.Role, in.Group
	now := s.Now()
	return page(s.Fleet.Devices(now, f), f, now), nil
}

// DevicePath names a device.
type DevicePath struct {
	Device string `path:"device" maxLength:"60"`
}

// found gives a device of the index and the handle of its customer.
func (s *Server) found(ctx context.Context, id string) (view.Device, *store.Customer, error) {
	d, ok := s.Fleet.Device(s.Now(), id)
	if !ok {
		return d, nil, notFound()
	}
	return d, s.Store.Customer(who(ctx), d.Customer.ID), nil
}

func (s *Server) device(ctx context.Context, in *DevicePath) (*Out[view.DeviceDetail], error) {
	d, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	detail := view.DeviceDetail{Device: d, Can: deviceCan(d)}
	site, err := h.Site(ctx, d.Site.ID)
	if err == nil {
		detail.Zone = site.Zone
	}
	if err := copies(ctx, h, &detail); err != nil {
		return nil, err
	}
	detail.RestartBy, detail.RestartPlan = restartPlan(d, site.Policy.Reboots.When, s.restartsOurs(d.ID))
	rows, err := h.Sections(ctx, []string{d.ID})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		detail.Sections = append(detail.Sections, view.Section{
			Name: row.Name, State: row.State, Error: row.Error, ScannedAt: row.ScannedAt,
			FailedAt: row.FailedAt, Items: elements(row.Body),
		})
		if strings.HasSuffix(row.Name, "/"+wire.SourcesSection) {
			// What cannot be read shows in the section's own state.
			detail.Sources = append(detail.Sources, sound(decoded[patch.Source](row.Body))...)
		}
	}
	return out(detail), nil
}

// copies adds what is known of the device's disk being on another machine too, or set back,
// and of its last start.
func copies(ctx context.Context, h *store.Customer, d *view.DeviceDetail) error {
	row, err := h.Device(ctx, d.ID)
	if err != nil {
		return err
	}
	d.BootedAt, d.RestartSources = row.Facts.BootedAt, soundRestart(row.Facts.Restart.Sources)
	if row.CopyOf != "" {
		original, err := h.Device(ctx, row.CopyOf)
		if err != nil {
			return err
		}
		d.CopyOf = &view.Ref{ID: original.ID, Name: original.Name}
	}
	others, err := h.Devices(ctx, store.DeviceFilter{CopyOf: d.ID})
	if err != nil {
		return err
	}
	for _, c := range others {
		d.Copies = append(d.Copies, view.Ref{ID: c.ID, Name: c.Name})
	}
	acts, err := h.Audit(ctx, store.AuditFilter{Act: "agent.restored", Device: d.ID, Limit: 1})
	if err == nil && len(acts) > 0 {
		d.SetBack = &acts[0].At
	}
	return err
}

// elements counts the elements of a JSON array; anything else has none.
func elements(body json.RawMessage) int { return len(decoded[json.RawMessage](body)) }

// decoded reads a JSON array of a section; one that cannot be read is empty.
func decoded[T any](body json.RawMessage) []T {
	var rows []T
	if json.Unmarshal(body, &rows) != nil {
		return nil
	}
	return rows
}

func deviceCan(d view.Device) view.DeviceCan {
	var can view.DeviceCan
	if d.Agent.Mode == wire.Observe {
		can.Now = "The agent was set up to observe only."
	}
	if d.Silent {
		can.Now = "The device is silent: it will hear when it talks again."
		can.CheckIn = "The device is silent."
	}
	return can
}

// DeviceChange changes what is set.
type DeviceChange struct {
	Name string `json:"name" maxLength:"100" doc:"Empty gives the device its host name back"`
}

func (s *Server) changeDevice(ctx context.Context, in *struct {
	DevicePath
	Body DeviceChange
}) (*Out[view.DeviceDetail], error) {
	name := in.Body.Name
	if name != "" {
		var err error
		if name, err = cleanName("name", name); err != nil {
			return nil, err
		}
	}
	_, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	if err := h.RenameDevice(ctx, s.Now(), in.Device, name); err != nil {
		return nil, err
	}
	s.Engine.Due(in.Device)
	return s.device(ctx, &in.DevicePath)
}

// RetireParams name a device twice: what cannot be undone asks for the name.
type RetireParams struct {
	DevicePath
	Confirm string `query:"confirm" maxLength:"200" doc:"The device's name, as it is shown"`
}

func (s *Server) retireDevice(ctx context.Context, in *RetireParams) (*Empty, error) {
	d, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	if in.Confirm != d.Name && in.Confirm != shownName(d.Name) {
		p := problem(422, "Retiring a device cannot be undone: give its name as confirm.")
		p.Errors = []ProblemField{{"query.confirm", "must be the name of the device"}}
		return nil, p
	}
	if err := h.RetireDevice(ctx, s.Now(), d.ID); err != nil {
		return nil, err
	}
	s.Engine.Due(d.ID)
	return nil, nil
}

func (s *Server) checkIn(ctx context.Context, in *DevicePath) (*Empty, error) {
	d, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	if err := h.WantFresh(ctx, s.Now(), d.ID); err != nil {
		return nil, err
	}
	s.Engine.CheckInNow(d.ID)
	return nil, nil
}

// ItemsParams are what the list of a device's items takes.
type ItemsParams struct {
	DevicePath
	ListParams
	State string `query:"state" enum:"orphan,self_updating,personal,broken,held" doc:"Only those that nobody updates, that something else updates, that one person has, that are not completely installed, that were told to stay"`
}

// isItem reports whether an item is in a state that is asked for.
func isItem(state string, i patch.Item) bool {
	switch state {
	case "orphan":
		return i.Orphan && i.Updater == ""
	case "self_updating":
		return i.Updater != ""
	case "personal":
		return i.Scope != ""
	case "broken":
		return i.Broken != ""
	case "held":
		return i.Held
	}
	return true
}

func (s *Server) items(ctx context.Context, in *ItemsParams) (*Out[view.Page[view.Item]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	_, h, err := s.found(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	rows, err := h.Sections(ctx, []string{in.Device})
	if err != nil {
		return nil, err
	}
	d, err := h.Device(ctx, in.Device)
	if err != nil {
		return nil, err
	}
	var items []view.Item
	for _, row := range rows {
		name, kind, _ := strings.Cut(row.Name, "/")
		if kind != wire.InstalledSection {
			continue
		}
		catalogued := slices.ContainsFunc(d.Facts.Providers, func(p wire.ProviderFacts) bool { return p.Name == name && p.Traits.Catalog })
		for _, i := range decoded[patch.Item](row.Body) {
			if isItem(in.State, i) && matches(f.Q, i.Name, i.Title, i.Source, i.Version, i.Origin, i.Updater, i.Scope) {
				items = append(items, itemView(i, catalogued))
			}
		}
	}
	p := view.Paginate(items, f, false, func(i view.Item) string { return view.Fold(i.Name) },
		func(i view.Item) string { return i.Key().String() + " " + i.Version })
	return page(p, f, s.Now()), nil
}

// itemView tells of which package of the catalogue an item is, where its provider has one.
func itemView(i patch.Item, catalogued bool) view.Item {
	v := view.Item{Item: i}
	if catalogued && i.Source != "" {
		v.Catalog = view.PackageKey{Provider: i.Provider, ID: i.Source}.String()
	}
	return v
}
