package agent

import (
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/wire"
	"patchbay/wire/trust"
)

// Holding is what this machine holds its server to: the root it follows, the limits, and how
// it knows the server. It is read from the disk, also while the agent runs.
type Holding struct {
	Key          string        `json:"key"` // name of the agent's own key, which signs receipts
	Installation string        `json:"installation,omitempty"`
	Root         int64         `json:"root,omitempty"` // its version; 0 is none
	RootEnds     time.Time     `json:"root_ends,omitzero"`
	Pinned       bool          `json:"pinned,omitempty"` // the root was there at enrolment, and was not taken on the server's word
	Roles        []HoldingRole `json:"roles,omitempty"`
	Limits       *wire.Limits  `json:"limits,omitempty"`
	Catalog      int64         `json:"catalog,omitempty"` // the version of what the publisher signed for; 0 is none
	CatalogEnds  time.Time     `json:"catalog_ends,omitzero"`
	Packages     int           `json:"packages,omitempty"` // in it
	Lapsed       string        `json:"lapsed,omitempty"`   // why only security updates are installed, "" when they are not all
	ServerKeys   []string      `json:"server_keys"`        // names of the keys whose orders are believed
	Addresses    []string      `json:"addresses"`
	ServerTime   time.Time     `json:"server_time,omitzero"` // it is not earlier than that
}

// HoldingRole is who may sign for something, by the names of their keys.
type HoldingRole struct {
	Name      string   `json:"name"`
	Threshold int      `json:"threshold"`
	Keys      []string `json:"keys"`
}

// Holds reads what the machine holds its server to. It is identity.ErrNone before enrolment.
func Holds(dir disk.Dir, now time.Time) (Holding, error) {
	id, err := identity.Load(dir)
	if err != nil {
		return Holding{}, err
	}
	b, err := identity.LoadBelief(dir, id)
	if err != nil {
		return Holding{}, err
	}
	h, err := holding(b.State, now)
	if err != nil {
		return h, err
	}
	leaf, err := x509.ParseCertificate(id.Certificate)
	if err == nil {
		h.Key, err = wire.KeyName(leaf.PublicKey)
	}
	if err != nil {
		return h, fmt.Errorf("reading the agent's certificate: %w", err)
	}
	return h, nil
}

func holding(s trust.State, now time.Time) (Holding, error) {
	if s.Time.After(now) {
		now = s.Time // as the rules take it
	}
	h := Holding{Pinned: s.Pinned, Limits: s.Limits, Lapsed: s.Lapsed(now), Addresses: s.Addresses, ServerTime: s.Time}
	var err error
	if h.ServerKeys, err = wire.KeyNames(s.Keys()...); err != nil || s.Root == nil {
		return h, err
	}
	if s.Catalog != nil {
		c, err := s.Catalog.Read()
		if err != nil {
			return h, err
		}
		h.Catalog, h.CatalogEnds, h.Packages = c.Version, c.Expires, len(c.Packages)
	}
	h.Installation, h.Root, h.RootEnds = s.Root.Installation, s.Root.Version, s.Root.Expires
	for _, role := range s.Root.Roles() {
		names, err := wire.KeyNames(role.Public()...)
		if err != nil {
			return h, err
		}
		h.Roles = append(h.Roles, HoldingRole{Name: role.Name, Threshold: role.Threshold, Keys: names})
	}
	return h, nil
}

// Print says it in a few lines. Names of keys are to be compared with those on paper.
func (h Holding) Print(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("Own key", "%s", h.Key)
	h.printRoot(line)
	h.printLimits(line)
	if h.Catalog > 0 {
		line("Catalogue", "version %d, until %s, packages: %d", h.Catalog, h.CatalogEnds.UTC().Format(time.DateOnly), h.Packages)
	}
	if h.Lapsed != "" {
		line("Problem", "%s Until there is a newer one, only security updates are installed, in their windows.", h.Lapsed)
	}
	for _, key := range h.ServerKeys {
		line("Server key", "%s", key)
	}
	for _, a := range h.Addresses {
		line("Server at", "%s", printable(a))
	}
	if !h.ServerTime.IsZero() {
		line("Server's time", "%s or later", h.ServerTime.UTC().Format(time.RFC3339))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type printLine func(name, format string, args ...any)

func (h Holding) printRoot(line printLine) {
	if h.Root == 0 {
		line("Root", "none: this machine does what its server orders, within what its package managers verify")
		return
	}
	how := "was there at enrolment"
	if !h.Pinned {
		how = "was taken on the server's word: compare the keys with those on paper"
	}
	line("Root", "version %d, until %s; the first %s", h.Root, h.RootEnds.UTC().Format(time.DateOnly), how)
	line("Installation", "%s", printable(h.Installation))
	for _, r := range h.Roles {
		switch {
		case len(r.Keys) == 0:
			line("  "+r.Name, "nobody")
		case r.Name == "approver":
			line("  "+r.Name, "each of %d: %s", len(r.Keys), strings.Join(r.Keys, " "))
		default:
			line("  "+r.Name, "%d of %d: %s", r.Threshold, len(r.Keys), strings.Join(r.Keys, " "))
		}
	}
}

func (h Holding) printLimits(line printLine) {
	l := h.Limits
	if l == nil {
		line("Limits", "none")
		return
	}
	line("Limits", "version %d, until %s", l.Version, l.Expires.UTC().Format(time.DateOnly))
	line("  verbs", "%s", printable(strings.Join(l.Verbs, " ")))
	for _, s := range l.Sources {
		origin := "any origin that it trusts"
		if s.Origin != "" {
			origin = "origin " + printable(s.Origin)
		}
		line("  source", "%s, %s", printable(s.Provider), origin)
	}
	rate := "none: all devices may begin at once"
	if l.DevicesPerHour > 0 {
		rate = fmt.Sprintf("about %d of %d devices begin in an hour; beyond it, what %d of the approvers signed", l.DevicesPerHour, l.Fleet, l.Approvals)
		if l.Approvals == 0 {
			rate = fmt.Sprintf("about %d of %d devices begin in an hour, and nobody may let more", l.DevicesPerHour, l.Fleet)
		}
	}
	line("  rate", "%s", rate)
	forced := "out of a window, whatever the server says"
	if l.Forced > 0 {
		forced = fmt.Sprintf("out of a window, what %d of the approvers signed", l.Forced)
	}
	line("  forced", "%s", forced)
}

// printable is text of a document with all that could move a cursor written as an escape.
func printable(s string) string {
	quoted := fmt.Sprintf("%+q", s)
	return quoted[1 : len(quoted)-1]
}
