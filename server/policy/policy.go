// Package policy decides, for every need, whether it may be installed, and says why.
//
// A person's answer beats a rule; among answers the nearest to the device wins, and at the
// same level no wins over yes. The package is pure: needs, answers and rules in, decisions
// out.
package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/server/assess"
)

// Kind is what was decided.
type Kind string

// The kinds of decision.
const (
	Install Kind = "install"
	Wait    Kind = "wait"   // until a person or a rule answers
	Reject  Kind = "reject" // a person or a rule said no
	Undo    Kind = "undo"   // a person said no, and that it is taken back where it is installed
	// Contested is a yes where another program installs the same: whose turn it is, a person has to say.
	Contested Kind = "contested"
	// Hold is for what was taken back or makes trouble: nothing installs it until that is over.
	Hold Kind = "hold"
)

// Decision is the answer for one need, always with its reason.
type Decision struct {
	Kind          Kind
	ID            string // the approval or rule that caused it; "" while nobody has answered
	Reason        string // a sentence
	By            string // who answered, as people call them; "" for a rule
	At            time.Time
	ForcedUntil   time.Time // until when it runs outside the window; zero when not forced
	AllowRemovals []string
	Despite       []string // recalls that whoever answered knows of, by their keys, and that hold nothing up
}

// Level is how near an answer is to the device.
type Level int

// The levels, nearest last.
const (
	CustomerLevel Level = iota
	SiteLevel
	DeviceLevel
)

// Answer is what a person said about an item's version.
type Answer struct {
	ID            string
	Level         Level
	Yes           bool
	Undo          bool      // a no that also takes the version back where it is installed
	Key           patch.Key // Architecture "" answers for all of them; Scope and Instance are not asked
	Version       string
	Origin        string
	Follow        bool // answers also for newer versions of this origin
	Reason        string
	By            string
	At            time.Time
	ForcedUntil   time.Time
	AllowRemovals []string
	Despite       []string // recalls that it is said in spite of, by their keys
}

// Rule answers where no person did.
type Rule struct {
	ID       string        // such as the site's
	Place    string        // where it stands, as people call it
	Security bool          // security updates need no answer
	Classes  []patch.Class // nor do updates of these classes, of which AutoClasses says what may be
	At       time.Time
	// Applications are rules for single programs.
	Applications []Application
}

// Decide gives exactly one decision per need, in the order of needs. versions names the
// version order of a provider.
func Decide(needs []assess.Need, answers []Answer, rule Rule, versions func(provider string) string) []Decision {
	decisions := make([]Decision, len(needs))
	for i, n := range needs {
		decisions[i] = decide(n, answers, rule, versions)
	}
	return decisions
}

func decide(n assess.Need, answers []Answer, rule Rule, versions func(string) string) Decision {
	var best *Answer
	about := concerning(n.Update, answers, versions(n.Key.Provider))
	for i := range about {
		if a := &about[i]; best == nil || a.beats(*best) {
			best = a
		}
	}
	switch {
	case best != nil && best.Yes:
		d := Decision{Kind: Install, ID: best.ID, Reason: "approved by " + best.By, By: best.By, At: best.At, AllowRemovals: best.AllowRemovals, Despite: best.Despite}
		if best.Version == n.Update.Available { // what follows it was not there to be forced
			d.ForcedUntil = best.ForcedUntil
		}
		return d
	case best != nil && best.Undo:
		return Decision{Kind: Undo, ID: best.ID, Reason: best.Reason, By: best.By, At: best.At,
			ForcedUntil: best.ForcedUntil, AllowRemovals: best.AllowRemovals}
	case best != nil:
		return Decision{Kind: Reject, ID: best.ID, Reason: best.Reason, By: best.By, At: best.At}
	case n.Blind != nil:
	case rule.application(n.Update) != nil && (n.Offered || n.Broken == ""): // what is broken is no wish of a rule
		return rule.application(n.Update).decide(n, versions(n.Key.Provider))
	case rule.takes(n.Update) != "":
		return Decision{Kind: Install, ID: rule.ID, At: rule.At,
			Reason: fmt.Sprintf("%s are approved by themselves at %s", rule.takes(n.Update), rule.Place)}
	}
	return Decision{Kind: Wait, Reason: "nobody has answered yet", At: n.Since}
}

// classWords are the classes that a rule may approve by themselves, in the words of a reason. A
// new release and what is not finished are for people to choose.
func classWords() map[patch.Class]string {
	return map[patch.Class]string{
		patch.Critical: "critical updates", patch.Definition: "definitions", patch.Rollup: "rollups", patch.BugFix: "bug fixes",
		patch.ServicePack: "service packs", patch.Driver: "drivers", patch.Tool: "tools",
	}
}

// AutoClasses are the classes that a rule may approve by themselves beside security, sorted.
func AutoClasses() []patch.Class { return slices.Sorted(maps.Keys(classWords())) }

// takes says as what the rule approves an update by itself; "" when it does not. No rule
// chooses what is left to people.
func (r Rule) takes(u patch.Update) string {
	if u.Is(patch.Preview) || u.Is(patch.Feature) && !u.Is(patch.Security) || u.Block == patch.Optional {
		return ""
	}
	if r.Security && u.Is(patch.Security) {
		return "security updates"
	}
	for _, c := range r.Classes {
		if u.Is(c) {
			return classWords()[c]
		}
	}
	return ""
}

// concerning are the answers about this very update. A yes counts no more where the version
// was taken back after it, also from a wider place: whoever said so saw the devices it is on.
func concerning(u patch.Update, answers []Answer, scheme string) []Answer {
	var about []Answer
	for _, a := range answers {
		if a.concerns(u, scheme) {
			about = append(about, a)
		}
	}
	return slices.DeleteFunc(slices.Clone(about), func(a Answer) bool {
		return a.Yes && slices.ContainsFunc(about, func(b Answer) bool { return b.Undo && b.Level <= a.Level && !b.At.Before(a.At) })
	})
}

// concerns reports whether the answer is about this very update. A yes is to what one origin
// publishes; a no holds for the version, whoever publishes it. Where versions are revisions a yes is
// for one of them. Whose it is on a device, and
// which of several there, makes it no other update.
func (a Answer) concerns(u patch.Update, scheme string) bool {
	k := u.Key()
	k.Scope, k.Instance = "", ""
	if a.Key.Architecture == "" {
		k.Architecture = ""
	}
	if a.Key != k {
		return false
	}
	if a.Version == u.Available && (a.Origin == u.Origin || !a.Yes) {
		return true
	}
	if !a.Follow || a.Origin != u.Origin || a.Yes && scheme == patch.SchemeRevision { // another revision is another thing under the same name
		return false
	}
	order, err := patch.CompareVersions(scheme, u.Available, a.Version)
	return err == nil && order > 0
}

// beats reports whether a wins over b: the nearer level, then no over yes, then the later.
func (a Answer) beats(b Answer) bool {
	no := func(x Answer) int {
		if x.Yes {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(no(a), no(b)), a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) > 0
}
