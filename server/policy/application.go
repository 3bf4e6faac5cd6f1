package policy

import (
	"fmt"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
)

// Wish is what a rule wants of a program.
type Wish string

// The wishes.
const (
	LeaveAlone Wish = "leave"   // it is not touched, whatever is on offer
	UpdateOnly Wish = "update"  // it is updated where it is
	InstallToo Wish = "install" // and installed where it is not
)

// Application is a rule for one program. It decides where no person did, and before the rule
// for all updates of its place.
type Application struct {
	ID       string // stable: jobs are known by it
	Place    string // where it stands, as people call it
	Provider string
	Package  string // the item's name, or that of its source package
	Wish     Wish
	Pin      string // beyond which it does not go (patch.Beyond); "" is none
	Reason   string
	At       time.Time
}

// application is the rule for an update, nil when there is none. One that names the item is
// nearer than one that names its source package.
func (r Rule) application(u patch.Update) *Application {
	var found *Application
	for i := range r.Applications {
		a := &r.Applications[i]
		if a.Provider != u.Provider || !patch.Names(a.Package, u.Name, u.Source) {
			continue
		}
		if found == nil || strings.EqualFold(a.Package, u.Name) {
			found = a
		}
	}
	return found
}

// decide is what the rule says of a need. What is not there is installed only where that is
// wanted.
func (a Application) decide(n assess.Need, scheme string) Decision {
	d := Decision{Kind: Install, ID: a.ID, At: a.At}
	switch {
	case a.Wish == LeaveAlone:
		d.Kind, d.Reason = Reject, fmt.Sprintf("A rule at %s leaves %s alone.", a.Place, n.Key.Name)
	case patch.Beyond(scheme, n.Update.Available, a.Pin):
		d.Kind, d.Reason = Reject, fmt.Sprintf("A rule at %s keeps %s at %s", a.Place, n.Key.Name, strings.TrimSuffix(a.Pin, ".")+".")
	case n.Absent && a.Wish != InstallToo:
		return Decision{Kind: Wait, Reason: "nobody has answered yet", At: n.Since}
	default:
		d.Reason = fmt.Sprintf("A rule at %s keeps %s up to date.", a.Place, n.Key.Name)
	}
	if a.Reason != "" {
		d.Reason += " " + a.Reason
	}
	return d
}
