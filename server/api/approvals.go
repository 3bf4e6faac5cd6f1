package api

import (
	"context"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/server/view"
)

// forcedFor is how long "now" lets jobs run outside the window.
const forcedFor = 4 * time.Hour

// ApprovalWish is a person's answer as it is asked for.
type ApprovalWish struct {
	Level         string         `json:"level" enum:"msp,customer,site,device" doc:"msp answers one update at every customer that needs it"`
	Target        string         `json:"target,omitempty" maxLength:"60" doc:"The ID of what level names; empty for msp"`
	What          ApprovalTarget `json:"what"`
	Answer        string         `json:"answer" enum:"approve,reject,undo" doc:"undo takes the version back where it is installed, and rejects it"`
	Reason        string         `json:"reason,omitempty" maxLength:"1000" doc:"Required to reject and to undo"`
	Follow        *bool          `json:"follow,omitempty" doc:"Also for newer versions of the same origin; by default for security updates"`
	Now           bool           `json:"now,omitempty" doc:"Run outside the window, for four hours"`
	AllowRemovals []string       `json:"allow_removals,omitempty" maxItems:"100" doc:"Names of packages that may be removed"`
	Despite       []string       `json:"despite,omitempty" maxItems:"20" doc:"Recalls, by their keys, that do not hold it up here; needs a reason"`
}

// ApprovalTarget says what is answered: exactly one of its fields.
type ApprovalTarget struct {
	Update string `json:"update,omitempty" maxLength:"60"`
	Need   string `json:"need,omitempty" maxLength:"80"`
	Class  string `json:"class,omitempty" enum:"security,bugfix,critical,feature,definition,rollup,service_pack,driver,tool,other" doc:"Previews are answered one by one"`
	Fix    string `json:"fix,omitempty" maxLength:"100" doc:"A CVE, or the ID of an advisory that stands for none: every update on offer that mends it"`
	All    bool   `json:"all,omitempty"`
}

// Preview is what an answer would do.
type Preview struct {
	Sentence      string          `json:"sentence"`
	Needs         int             `json:"needs"`
	Devices       int             `json:"devices"`
	Updates       int             `json:"updates"`
	Reboots       int             `json:"reboots" doc:"Devices that an update asks to reboot"`
	OutsideWindow int             `json:"outside_window" doc:"Devices whose window is closed now"`
	ObservedOnly  int             `json:"observed_only" doc:"Devices whose agent installs nothing"`
	Silent        int             `json:"silent"`
	Licences      int             `json:"licences" doc:"Updates whose licence is agreed to with it"`
	Held          []PreviewRecall `json:"held" doc:"Recalls that hold it up: it waits until they are over, unless the answer names them under despite"`
	LeftOut       int             `json:"left_out" doc:"Updates that are previews or optional: they are answered one by one, and this leaves them as they are"`
	CannotUndo    int             `json:"cannot_undo" doc:"Devices that nothing takes back to the version before"`
	Reversible    view.Reversible `json:"reversible" doc:"Devices by how the updates could be taken back there, the worst of several"`
	UpdatesList   []PreviewUpdate `json:"updates_list"`
}

// PreviewRecall is a recall that holds up what is approved.
type PreviewRecall struct {
	view.Recall
	Devices int `json:"devices" doc:"On which it does"`
}

// PreviewUpdate is one update in a preview.
type PreviewUpdate struct {
	Name      string `json:"name"`
	Title     string `json:"title,omitempty"`
	Available string `json:"available"`
	Devices   int    `json:"devices"`
}

// Approved is what was written.
type Approved struct {
	Approvals []view.Approval `json:"approvals"`
	Preview   Preview         `json:"preview"`
}

func (s *Server) previewApproval(ctx context.Context, in *struct{ Body ApprovalWish }) (*Out[Preview], error) {
	p, err := s.planned(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return out(p.preview), nil
}

func (s *Server) approve(ctx context.Context, in *struct{ Body ApprovalWish }) (*Out[Approved], error) {
	p, err := s.planned(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if len(p.rows) == 0 {
		return nil, problem(409, "There is nothing to answer: no need matches that is not done or answered already.")
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	done := Approved{Approvals: []view.Approval{}, Preview: p.preview}
	for _, customer := range p.customers() {
		rows := p.rows[customer]
		h := s.Store.Customer(who(ctx), customer)
		if err := h.CreateApprovals(ctx, p.now, rows); err != nil {
			return nil, err
		}
		if p.wish.Answer != "undo" { // which wins over a yes as it is, and leaves one that follows to later versions
			if err := withdrawOpposite(ctx, h, p.now, rows); err != nil {
				return nil, err
			}
		}
		for _, row := range rows {
			done.Approvals = append(done.Approvals, s.approvalView(row, names))
		}
	}
	s.Engine.Due(p.devices...)
	return out(done), nil
}

// withdrawOpposite takes back what was answered the other way for the same version of the
// same item at the same place: the newest word of people holds. Should it be cut off
// half-way, a rejection is left standing, which is the safe side.
func withdrawOpposite(ctx context.Context, h *store.Customer, now time.Time, rows []store.Approval) error {
	open, err := h.Approvals(ctx, store.ApprovalFilter{Open: true, Targets: []string{rows[0].Target}})
	if err != nil {
		return err
	}
	for _, old := range open {
		opposite := slices.ContainsFunc(rows, func(a store.Approval) bool {
			return old.Answer != a.Answer && old.Level == a.Level && old.Provider == a.Provider && old.Name == a.Name &&
				(old.Architecture == a.Architecture || old.Architecture == "") && old.Origin == a.Origin &&
				(old.Version == a.Version || old.Follow)
		})
		if opposite {
			if err := h.WithdrawApproval(ctx, now, old.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// ApprovalsParams are what the list of approvals takes.
type ApprovalsParams struct {
	ListParams
	Customer string `query:"customer" maxLength:"60"`
	Device   string `query:"device" maxLength:"60" doc:"Answers that hold for this device"`
	Open     bool   `query:"open" doc:"Only those that were not withdrawn"`
}

func (s *Server) approvals(ctx context.Context, in *ApprovalsParams) (*Out[view.Page[view.Approval]], error) {
	f, err := in.filter("")
	if err != nil {
		return nil, err
	}
	filter := store.ApprovalFilter{Open: in.Open}
	customer := in.Customer
	if in.Device != "" {
		d, _, err := s.found(ctx, in.Device)
		if err != nil {
			return nil, err
		}
		customer, filter.Targets = d.Customer.ID, []string{d.ID, d.Site.ID, d.Customer.ID}
	}
	rows, err := s.approvalRows(ctx, customer, filter)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	var views []view.Approval
	for _, row := range rows {
		if v := s.approvalView(row, names); matches(f.Q, v.Name, v.TargetName, v.Reason, v.By.Name) {
			views = append(views, v)
		}
	}
	p := view.Paginate(views, f, true, func(v view.Approval) string { return view.Moment(&v.At) },
		func(v view.Approval) string { return v.ID })
	return page(p, f, s.Now()), nil
}

func (s *Server) approvalRows(ctx context.Context, customer string, f store.ApprovalFilter) ([]store.Approval, error) {
	if customer == "" {
		return s.Store.MSP(who(ctx)).Approvals(ctx, f)
	}
	return s.Store.Customer(who(ctx), customer).Approvals(ctx, f)
}

// ApprovalPath names an approval.
type ApprovalPath struct {
	Approval string `path:"approval" maxLength:"60"`
}

func (s *Server) withdraw(ctx context.Context, in *ApprovalPath) (*Empty, error) {
	rows, err := s.Store.MSP(who(ctx)).Approvals(ctx, store.ApprovalFilter{ID: in.Approval})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound()
	}
	if err := s.Store.Customer(who(ctx), rows[0].Customer).WithdrawApproval(ctx, s.Now(), in.Approval); err != nil {
		return nil, err
	}
	s.Engine.DueCustomer(rows[0].Customer)
	return nil, nil
}

func (s *Server) approvalView(a store.Approval, names names) view.Approval {
	v := view.Approval{
		ID: a.ID, Customer: names.customer(a.Customer), Level: string(a.Level), Target: a.Target,
		Provider: a.Provider, Name: a.Name, Architecture: a.Architecture, Version: a.Version, Origin: a.Origin,
		Answer: string(a.Answer), Follow: a.Follow, Reason: a.Reason, By: view.Ref{ID: a.By, Name: a.ByName},
		At: a.At, ForcedUntil: a.ForcedUntil, WithdrawnAt: a.WithdrawnAt, Despite: a.Despite,
	}
	switch a.Level {
	case store.LevelCustomer:
		v.TargetName = names.customers[a.Target]
	case store.LevelSite:
		v.TargetName = names.sites[a.Target]
	default:
		v.TargetName = a.Target
		if d, ok := s.Fleet.Device(s.Now(), a.Target); ok {
			v.TargetName = d.Name
		}
	}
	return v
}

// approvedAlready reports whether the chain is past a yes.
func approvedAlready(v verdict.Verdict) bool {
	chain := verdict.Chain()
	return slices.Index(chain, v.Link) > slices.Index(chain, verdict.Approved)
}

func rowOf(n view.Need, wish ApprovalWish) store.Approval {
	follow := slices.Contains(n.Classes, patch.Security) && wish.Answer != "undo"
	if wish.Follow != nil {
		follow = *wish.Follow
	}
	return store.Approval{
		Customer: n.Customer.ID, Provider: n.Item.Provider, Name: n.Item.Name, Architecture: n.Item.Architecture,
		Version: n.Available, Origin: n.Origin, Answer: store.Answer(wish.Answer), Follow: follow,
		Reason: wish.Reason, AllowRemovals: wish.AllowRemovals, Despite: wish.Despite,
	}
}
