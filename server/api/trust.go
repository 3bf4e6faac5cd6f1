package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// Documents are the signed documents that limit what this server may do.
type Documents interface {
	// State is what an agent believes that has them all.
	State(ctx context.Context) trust.State
	// Publish takes one that was signed elsewhere, if it follows from what is held.
	Publish(ctx context.Context, by store.Who, e wire.Envelope) error
}

// Agents counts what agents said of themselves.
type Agents interface {
	// Holding counts those that hold a root and limits of these versions.
	Holding(root, limits int64) view.Holding
	// Programs counts the devices that have each package of the signed catalogue.
	Programs(now time.Time) map[view.PackageKey]view.Presence
}

// Trust is who may sign what in this installation, and what agents are held to.
type Trust struct {
	Root      *TrustRoot    `json:"root,omitempty"`
	Limits    *wire.Limits  `json:"limits,omitempty"`
	Catalog   *TrustCatalog `json:"catalog,omitempty"`
	ServerKey string        `json:"server_key" doc:"Name of the key that signs orders and time"`
	Addresses []string      `json:"addresses" doc:"Where agents look for this server"`
	Missing   []string      `json:"missing" doc:"What is not there, and what that means: a sentence each"`
	Holding   view.Holding  `json:"holding" doc:"How many agents hold the newest root and limits"`
	AsOf      time.Time     `json:"as_of"`
}

// TrustRoot is the root document, with keys by their names.
type TrustRoot struct {
	Version      int64       `json:"version"`
	Installation string      `json:"installation"`
	IssuedAt     time.Time   `json:"issued_at"`
	Expires      time.Time   `json:"expires"`
	Roles        []TrustRole `json:"roles"`
	Limits       int64       `json:"limits" doc:"Lowest version of the limits that agents accept; 0 asks for none"`
}

// TrustCatalog is what the publisher signed for, in numbers.
type TrustCatalog struct {
	Version  int64     `json:"version"`
	IssuedAt time.Time `json:"issued_at"`
	Expires  time.Time `json:"expires" doc:"From then on agents install nothing of it"`
	Packages int       `json:"packages"`
}

// TrustRole is who may sign for something.
type TrustRole struct {
	Name      string   `json:"name" enum:"root,publisher,approver,server"`
	Threshold int      `json:"threshold"`
	Keys      []string `json:"keys"`
}

func (s *Server) trust(ctx context.Context, _ *Empty) (*Out[Trust], error) {
	state := s.Documents.State(ctx)
	t := Trust{Limits: state.Limits, Addresses: state.Addresses, Missing: missing(state, s.Now()), AsOf: s.Now()}
	var err error
	if len(state.Orders) > 0 {
		if t.ServerKey, err = wire.KeyName(state.Keys()[0]); err != nil {
			return nil, err
		}
	}
	if state.Root != nil {
		if t.Root, err = trustRoot(*state.Root); err != nil {
			return nil, err
		}
	}
	if state.Catalog != nil {
		c, err := state.Catalog.Read()
		if err != nil {
			return nil, err
		}
		t.Catalog = &TrustCatalog{c.Version, c.IssuedAt, c.Expires, len(c.Packages)}
	}
	var root, limits int64
	if state.Root != nil {
		root = state.Root.Version
	}
	if state.Limits != nil {
		limits = state.Limits.Version
	}
	t.Holding = s.Agents.Holding(root, limits)
	return out(t), nil
}

func trustRoot(r wire.Root) (*TrustRoot, error) {
	t := &TrustRoot{Version: r.Version, Installation: r.Installation, IssuedAt: r.IssuedAt, Expires: r.Expires, Limits: r.Limits}
	for _, role := range r.Roles() {
		keys, err := wire.KeyNames(role.Public()...)
		if err != nil {
			return nil, err
		}
		t.Roles = append(t.Roles, TrustRole{Name: role.Name, Threshold: role.Threshold, Keys: keys})
	}
	return t, nil
}

// soon is how long before their end a root or limits are asked for anew: people who keep
// keys in safes have to meet for it.
const soon = 30 * 24 * time.Hour

// The kinds of attention that a root or limits ask for.
const (
	trustEnded = "trust_ended"
	trustEnds  = "trust_ends"
)

// missing says what is not there, or not for long, in sentences for the MSP.
func missing(s trust.State, now time.Time) []string {
	all := []string{}
	say := func(text string) { all = append(all, text) }
	for _, l := range lapses(s, now) {
		say(l.Sentence)
	}
	switch {
	case s.Root == nil:
		say("There are no root and publisher keys. Agents install only what their own package managers verify, and nothing limits what a stolen server may select.")
	case s.Root.Publisher.Empty():
		say("The root names no publisher, so there can be no limits.")
	case !s.Limited():
		say("There are no limits: nothing limits what a stolen server may select from what package managers verify.")
	}
	if s.Root != nil && s.Root.Server.Empty() {
		say("The root names no server key: whoever steals this server can pass its rights on to a key of their own. Name the server's key in the next root.")
	}
	if s.Limits != nil && s.Limits.DevicesPerHour == 0 {
		say("The limits set no rate: a stolen server can have all devices begin at once.")
	}
	return all
}

// lapses says which of the root and the limits ended, or end soon, and what that means.
func lapses(s trust.State, now time.Time) []view.Attention {
	var list []view.Attention
	add := func(what, is string, ends time.Time) {
		a := view.Attention{Link: view.Link{Page: "settings"}, Act: "See it"}
		day := ends.UTC().Format(time.DateOnly)
		switch {
		case !now.Before(ends):
			a.Kind, a.Sentence = trustEnded, fmt.Sprintf("The %s ended on %s: agents install only security updates, in their windows, until the next %[1]s %[3]s published.", what, day, is)
		case ends.Sub(now) < soon:
			a.Kind, a.Sentence = trustEnds, fmt.Sprintf("The %s will end on %s: from then on agents install only security updates, in their windows. Publish the next %[1]s before.", what, day)
		default:
			return
		}
		list = append(list, a)
	}
	if s.Root == nil {
		return nil
	}
	add("root", "is", s.Root.Expires)
	switch {
	case s.Limits != nil:
		add("limits", "are", s.Limits.Expires)
	case s.Limited():
		list = append(list, view.Attention{Kind: trustEnded, Link: view.Link{Page: "settings"}, Act: "See it",
			Sentence: "The root asks for limits and there are none: agents install only security updates, in their windows, until limits are published."})
	}
	return append(list, catalogLapse(s, now)...)
}

// catalogLapse says whether the catalogue ended, or ends soon.
func catalogLapse(s trust.State, now time.Time) []view.Attention {
	if s.Catalog == nil {
		return nil
	}
	c, err := s.Catalog.Read()
	if err != nil { // it was read before it was kept
		return nil
	}
	a := view.Attention{Link: view.Link{Page: "catalog"}, Act: "See it"}
	day := c.Expires.UTC().Format(time.DateOnly)
	switch {
	case !now.Before(c.Expires):
		a.Kind, a.Sentence = trustEnded, fmt.Sprintf("The catalogue ended on %s: agents install nothing of it until the next one is published.", day)
	case c.Expires.Sub(now) < soon:
		a.Kind, a.Sentence = trustEnds, fmt.Sprintf("The catalogue will end on %s: from then on agents install nothing of it. Publish the next one before.", day)
	default:
		return nil
	}
	return []view.Attention{a}
}

// PublishIn is a document that was signed elsewhere.
type PublishIn struct{ Body wire.Envelope }

func (s *Server) publish(ctx context.Context, in *PublishIn) (*Out[Trust], error) {
	if err := s.Documents.Publish(ctx, who(ctx), in.Body); err != nil {
		return nil, err
	}
	return s.trust(ctx, nil)
}

// DraftIn says what to draft a signed approval for.
type DraftIn struct {
	Body struct {
		Needs  []string `json:"needs" minItems:"1" maxItems:"500" doc:"The needs to approve"`
		Undo   bool     `json:"undo,omitempty" doc:"To take the updates back, instead of installing them"`
		Forced bool     `json:"forced,omitempty" doc:"Also outside the window"`
		Hours  int      `json:"hours,omitempty" minimum:"1" maximum:"336" default:"24" doc:"For how long it holds"`
		Note   string   `json:"note,omitempty" maxLength:"500"`
	}
}

// Draft is an approval to be signed, and what this server calls the things in it. Only the
// document is signed; the names are the server's word.
type Draft struct {
	Document wire.Envelope     `json:"document"`
	Names    map[string]string `json:"names" doc:"By the name of an agent's key, how its device is called here"`
}

func (s *Server) draftApproval(ctx context.Context, in *DraftIn) (*Out[Draft], error) {
	state := s.Documents.State(ctx)
	if state.Root == nil || state.Root.Approver.Empty() {
		return nil, problem(http.StatusConflict, "The root names no approvers, so nobody could sign this.")
	}
	now := s.Now().UTC().Truncate(time.Second)
	a := wire.Approval{ID: patch.NewID("apv"), Root: state.Root.Version, IssuedAt: now,
		Expires: now.Add(time.Duration(max(in.Body.Hours, 1)) * time.Hour), Forced: in.Body.Forced, Note: in.Body.Note}
	d := Draft{Names: map[string]string{}}
	for _, id := range in.Body.Needs {
		n, ok := s.Fleet.Need(s.Now(), id)
		to, verb := n.Available, ""
		if in.Body.Undo {
			to, verb = n.Previous, wire.VerbUndo
		}
		if !ok || to == "" {
			return nil, problem(http.StatusNotFound, fmt.Sprintf("There is no update to approve for need %.80s.", id))
		}
		key, err := s.agentKey(ctx, n.Customer.ID, n.Device.ID)
		if err != nil {
			return nil, err
		}
		d.Names[key] = n.Device.Name
		if !slices.Contains(a.Agents, key) {
			a.Agents = append(a.Agents, key)
		}
		u := wire.ApprovedUpdate{Provider: n.Item.Provider, Name: n.Item.Name, Architecture: n.Item.Architecture, To: to, Verb: verb}
		if !slices.Contains(a.Updates, u) {
			a.Updates = append(a.Updates, u)
		}
	}
	slices.Sort(a.Agents)
	var err error
	d.Document, err = wire.Draft(wire.ApprovalDocument, a)
	return out(d), err
}

// agentKey is the name of the key of a device's agent.
func (s *Server) agentKey(ctx context.Context, customer, device string) (string, error) {
	h := s.Store.Customer(who(ctx), customer)
	d, err := h.Device(ctx, device)
	if err != nil {
		return "", err
	}
	a, err := h.Agent(ctx, d.Agent)
	if err != nil {
		return "", err
	}
	return a.KeyName()
}
