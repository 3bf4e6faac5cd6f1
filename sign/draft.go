package sign

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"patchbay/wire"
	"patchbay/wire/trust"
)

// RootChange is what the next root has otherwise than the one before. What is empty stays.
type RootChange struct {
	AddRoot, RemoveRoot         []Public
	AddApprover, RemoveApprover []Public
	Publisher, Server           []Public // in place of all before
	RootThreshold               int      // 0 stays
	PublisherThreshold          int      // 0 stays, or is 1 where the publishers are new
	Limits                      *int64
	Expires                     time.Time
}

// FirstRoot is version 1 of an installation's root.
func FirstRoot(installation string, c RootChange, now time.Time) (wire.Root, error) {
	return NextRoot(wire.Root{Installation: installation}, c, now)
}

// NextRoot is the root after one, made now.
func NextRoot(r wire.Root, c RootChange, now time.Time) (wire.Root, error) {
	r.Version, r.IssuedAt, r.Expires = r.Version+1, now.UTC().Truncate(time.Second), c.Expires.UTC()
	var err error
	if r.Root, err = altered("root", r.Root, c.AddRoot, c.RemoveRoot); err != nil {
		return r, err
	}
	if r.Approver, err = altered("approver", r.Approver, c.AddApprover, c.RemoveApprover); err != nil {
		return r, err
	}
	r.Publisher, r.Server = replaced(r.Publisher, c.Publisher), replaced(r.Server, c.Server)
	for _, t := range []struct {
		role *wire.Role
		to   int
	}{{&r.Root, c.RootThreshold}, {&r.Publisher, c.PublisherThreshold}} {
		if t.to > 0 {
			t.role.Threshold = t.to
		}
	}
	if c.Limits != nil {
		r.Limits = *c.Limits
	}
	if err := trust.RootForm(r); err != nil {
		return r, fmt.Errorf("drafting a root: %w", err)
	}
	return r, nil
}

// altered is a role with some keys more and some fewer.
func altered(name string, r wire.Role, add, remove []Public) (wire.Role, error) {
	r.Keys = slices.Clone(r.Keys)
	for _, p := range add {
		if holds(r, p.Key) {
			return r, fmt.Errorf("drafting a root: %s has the role %s already", p.Name(), name)
		}
		r.Keys = append(r.Keys, p.Key)
	}
	for _, p := range remove {
		if !holds(r, p.Key) {
			return r, fmt.Errorf("drafting a root: %s does not have the role %s", p.Name(), name)
		}
		r.Keys = slices.DeleteFunc(r.Keys, func(k []byte) bool { return bytes.Equal(k, p.Key) })
	}
	switch {
	case r.Empty():
		return wire.Role{}, nil
	case r.Threshold == 0:
		r.Threshold = 1
	}
	return r, nil
}

func replaced(r wire.Role, by []Public) wire.Role {
	if len(by) == 0 {
		return r
	}
	r = wire.Role{Threshold: 1}
	for _, p := range by {
		r.Keys = append(r.Keys, p.Key)
	}
	return r
}

// Key finds a key of a root by its name.
func Key(r wire.Root, name string) (Public, error) {
	for _, role := range r.Roles() {
		for _, k := range role.Keys {
			if p := (Public{Key: k}); p.Name() == name {
				return p, nil
			}
		}
	}
	return Public{}, fmt.Errorf("the root names no key %s", ascii(name, 60))
}

// LimitsChange is what the next limits have otherwise than those before. What is nil stays.
type LimitsChange struct {
	Verbs                     []string // in place of all before
	AddSources, RemoveSources []wire.LimitSource
	DevicesPerHour, Fleet     *int
	Approvals, Forced         *int
	Expires                   time.Time
}

// NextLimits are the limits after some, made now under a root. Before the first are none.
func NextLimits(l wire.Limits, root wire.Root, c LimitsChange, now time.Time) (wire.Limits, error) {
	l.Version, l.Root = max(l.Version+1, root.Limits), root.Version
	l.IssuedAt, l.Expires = now.UTC().Truncate(time.Second), c.Expires.UTC()
	if len(c.Verbs) > 0 {
		l.Verbs = c.Verbs
	}
	l.Sources = slices.Clone(l.Sources)
	for _, s := range c.AddSources {
		if slices.Contains(l.Sources, s) {
			return l, fmt.Errorf("drafting limits: %s is allowed already", source(s))
		}
		l.Sources = append(l.Sources, s)
	}
	for _, s := range c.RemoveSources {
		if !slices.Contains(l.Sources, s) {
			return l, fmt.Errorf("drafting limits: %s was not allowed before", source(s))
		}
		l.Sources = slices.DeleteFunc(l.Sources, func(o wire.LimitSource) bool { return o == s })
	}
	for _, n := range []struct{ to, from *int }{{&l.DevicesPerHour, c.DevicesPerHour}, {&l.Fleet, c.Fleet}, {&l.Approvals, c.Approvals}, {&l.Forced, c.Forced}} {
		if n.from != nil {
			*n.to = *n.from
		}
	}
	if err := trust.LimitsForm(l); err != nil {
		return l, fmt.Errorf("drafting limits: %w", err)
	}
	return l, nil
}
