package store

import (
	"cmp"
	"strings"
	"time"
)

// ApplicationRule says what becomes of one program.
type ApplicationRule struct {
	Provider string          `json:"provider"`
	Package  string          `json:"package"` // the item's name, or that of its source package
	Wish     ApplicationWish `json:"wish"`
	Pin      string          `json:"pin,omitempty"` // a version, or a line of versions such as 8.6., beyond which it does not go
	Reason   string          `json:"reason,omitempty"`
	By       string          `json:"by"` // who wrote it, as people called them then
	At       time.Time       `json:"at"`
}

// ApplicationWish is what a rule wants of a program.
type ApplicationWish string

// The wishes of rules.
const (
	LeaveAlone ApplicationWish = "leave"
	UpdateOnly ApplicationWish = "update"  // where it is installed
	InstallToo ApplicationWish = "install" // and installed where it is not
)

// Compare orders rules by provider and package. Rules that it calls equal are for one program.
func (r ApplicationRule) Compare(o ApplicationRule) int {
	return cmp.Or(strings.Compare(r.Provider, o.Provider), strings.Compare(strings.ToLower(r.Package), strings.ToLower(o.Package)))
}

// Same reports whether two rules say the same, whoever wrote them.
func (r ApplicationRule) Same(o ApplicationRule) bool {
	r.By, r.At = o.By, o.At
	return r == o
}
