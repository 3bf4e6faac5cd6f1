package verdict

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/policy"
	"patchbay/server/rollout"
	"patchbay/window"
	"patchbay/wire"
)

// Quiet is how long an agent may say nothing before a decided job is said to wait for it.
const Quiet = 10 * time.Minute

// Device is what a verdict must know of the device.
type Device struct {
	Name     string
	Mode     wire.Mode // how much its agent is willing to do
	LastSeen time.Time // of its agent, by the server's clock; zero when never
	Windows  window.Set
	Silent   time.Duration // after which silence the device counts as silent
}

// Work is the job a decision led to, as the device last told of it.
type Work struct {
	Tried  rollout.Tried
	Step   wire.Step // of the open job; "" while the device has not heard of it
	Since  time.Time // of Step, or of the order
	Why    string    // a sentence while it waits
	Undone bool      // a job took, or tried to take, this update back
	// Of the last attempt that ended:
	Message string
	Receipt time.Time // when it ended
}

// Case is all a verdict rests on.
type Case struct {
	Need     assess.Need
	Decision policy.Decision
	Ring     rollout.Ring
	Device   Device
	Work     Work
}

// links is the chain with the test of each link, in order. A test gives the zero Verdict
// when its link holds.
var links = []struct {
	link Link
	test func(Case, time.Time) Verdict
}{
	{Applicable, applicable}, {Known, known}, {Offered, offered}, {Decided, decided},
	{Approved, approved}, {RingOpen, ringOpen}, {Reachable, reachable}, {Staged, staged},
	{InWindow, inWindow}, {Preflight, preflight}, {Applied, applied}, {Active, active},
	{Verified, verifying},
}

// Of gives the verdict for one need at one moment.
func Of(c Case, now time.Time) Verdict {
	if lost(c, now) {
		return finish(notBack(c), Reachable, c, now)
	}
	return untilLost(c, now, of(c, now))
}

func of(c Case, now time.Time) Verdict {
	if n := c.Need; n.Blind == nil && n.Reached && len(n.Recalled) == 0 && n.Restart == "" && n.Unsure == "" && len(n.Running) == 0 && c.met() && fresh(c, now) && !silent(c, now) {
		return done(c)
	}
	for _, l := range links {
		if v := l.test(c, now); v.Name != "" {
			return finish(v, l.link, c, now)
		}
	}
	return finish(Verdict{Name: VERIFYING, Owner: Patchbay, Since: c.Work.Since,
		Sentence: "The work is over; the reading that proves it is on its way."}, Verified, c, now)
}

// met reports whether the last reading shows what was decided: the version is there, or, for
// an undo, it is not.
func (c Case) met() bool {
	if c.Decision.Kind == policy.Undo {
		return c.Need.Installed != c.Need.Update.Available
	}
	return c.Need.Reached
}

// wish says in words what was decided, as a verdict's sentence begins.
func (c Case) wish() string {
	if c.Decision.Kind == policy.Undo {
		return c.Decision.By + " asked to take it back"
	}
	return "Approved"
}

// done is the verdict of a need that the last reading shows as met, whoever met it.
func done(c Case) Verdict {
	n := c.Need
	since := n.ScannedAt
	if n.GoneAt != nil {
		since = *n.GoneAt
	}
	var until *time.Time
	if c.Device.Silent > 0 {
		at := c.Device.LastSeen.Add(c.Device.Silent + time.Second)
		until = &at
	}
	return Verdict{Name: VERIFIED, State: Good, Link: Verified, Owner: Nobody, Since: since, Until: until,
		Sentence: fmt.Sprintf("%s %s is installed: the machine was read again and shows it.", n.Key.Name, n.Installed),
		Facts:    []Fact{{Text: "inventory read on the device", At: n.ScannedAt}}}
}

// finish fills in what every verdict has.
func finish(v Verdict, l Link, c Case, now time.Time) Verdict {
	v.Link, v.State = l, StateOf(v.Name)
	if !c.Need.ScannedAt.IsZero() {
		v.Facts = append(v.Facts, Fact{"inventory read on the device", c.Need.ScannedAt})
	}
	if !c.Device.LastSeen.IsZero() {
		v.Facts = append(v.Facts, Fact{"the device was last heard", c.Device.LastSeen})
	}
	if c.Need.Offered && !c.Need.Since.IsZero() {
		v.Facts = append(v.Facts, Fact{c.Need.Update.Available + " first seen on offer here", c.Need.Since})
	}
	for _, r := range c.Need.Recalled {
		if v.Name != RECALLED { // there is something newer: that is what the verdict is about
			v.Facts = append(v.Facts, Fact{fmt.Sprintf("%s is installed: %s", c.Need.Installed, r.Sentence()), r.Since})
		}
	}
	if v.Since.IsZero() {
		v.Since = c.Need.Since
	}
	if v.Next != nil && !v.Next.After(now) {
		v.Next = nil
	}
	return v
}

// fresh reports whether the reading the need rests on is young enough to be believed.
func fresh(c Case, now time.Time) bool { return now.Sub(c.Need.ScannedAt) <= assess.ScanAge }

// silent reports whether the device has said nothing for so long that nothing of it counts
// as good, however late it was read.
func silent(c Case, now time.Time) bool {
	return c.Device.Silent > 0 && now.Sub(c.Device.LastSeen) > c.Device.Silent
}

func applicable(c Case, _ time.Time) Verdict {
	n := c.Need
	if n.Blind != nil || n.Installed != "" || n.Offered || n.Absent || n.ScannedAt.IsZero() {
		return Verdict{}
	}
	since := n.ScannedAt
	if n.GoneAt != nil {
		since = *n.GoneAt
	}
	return Verdict{Name: NOT_APPLICABLE, Owner: Nobody, Since: since,
		Sentence: fmt.Sprintf("%s is no longer installed on this device.", n.Key.Name)}
}

func known(c Case, now time.Time) Verdict {
	n := c.Need
	switch {
	case n.Blind != nil && n.Blind.Aged:
		return Verdict{Name: STALE, Owner: MSP, Since: n.Blind.Since, Act: ActLook,
			Sentence: sentence(n.Blind.Sentence) + " What is missing here cannot be told."}
	case n.Blind != nil:
		return Verdict{Name: UNKNOWN, Owner: MSP, Since: n.Blind.Since, Act: ActLook,
			Sentence: sentence(n.Blind.Sentence) + " What is missing here cannot be told."}
	case !fresh(c, now):
		return Verdict{Name: STALE, Owner: MSP, Since: n.ScannedAt, Act: ActLook,
			Sentence: "The device was last read too long ago to be believed. It may be off, or its agent stopped."}
	case n.Reached && silent(c, now):
		return Verdict{Name: STALE, Owner: MSP, Since: c.Device.LastSeen, Act: ActLook,
			Sentence: fmt.Sprintf("%s was installed when the device was last heard, too long ago to count on. It may be off, or its agent stopped.", n.Installed)}
	case n.Disputed != "":
		return Verdict{Name: DISPUTED, Owner: MSP, Since: n.ScannedAt, Act: ActLook,
			Sentence: sentence(n.Disputed) + " Until both readings agree it counts as not installed."}
	case n.Leaving && c.Work.Tried.Open == nil:
		return Verdict{Name: INSTALLED_PENDING_REBOOT, Owner: User, Since: n.ScannedAt,
			Sentence: fmt.Sprintf("%s is being taken off: it is there until the machine restarts, which has not happened yet.", n.Key.Name)}
	case n.Installed == "" && !n.Absent:
		return Verdict{Name: UNKNOWN, Owner: MSP, Since: n.Since, Act: ActLook,
			Sentence: fmt.Sprintf("%s is on offer for this device, but what the device says is installed does not name it.", n.Update.Available)}
	}
	return Verdict{}
}

func offered(c Case, _ time.Time) Verdict {
	n := c.Need
	if n.Reached || n.Broken != "" || c.Decision.Kind == policy.Undo {
		return Verdict{}
	}
	if n.Exposed {
		return noFix(n)
	}
	if n.Replaced != "" && !n.Offered {
		return Verdict{Name: SUPERSEDED, Owner: Nobody, Since: *n.GoneAt, Sentence: fmt.Sprintf("%s took its place.", n.Replaced)}
	}
	if n.Absent && n.GoneAt != nil {
		return Verdict{Name: WITHDRAWN, Owner: Vendor, Since: *n.GoneAt, Act: ActLook,
			Sentence: fmt.Sprintf("%s is no longer on offer, and was not installed.", n.Key.Name)}
	}
	if n.Absent && !n.Offered {
		return Verdict{Name: NO_FIX, Owner: MSP, Since: n.Since, Act: ActLook, Sentence: fmt.Sprintf("A rule wants %s installed here. It is not, and the device has nothing on offer for it: "+
			"its catalogue does not have the package, or its agent does not install what is not there.", n.Key.Name)}
	}
	if !n.Offered {
		v := Verdict{Name: WITHDRAWN, Owner: Vendor, Act: ActLook,
			Sentence: fmt.Sprintf("%s is no longer on offer, and %s is still installed.", n.Update.Available, n.Installed)}
		if n.GoneAt != nil {
			v.Since = *n.GoneAt
		}
		return v
	}
	if !n.Update.Block.Keeps() {
		return Verdict{}
	}
	why := sentence(n.Update.BlockWhy)
	if why == "" {
		why = "The device keeps this update back and does not say why."
	}
	switch n.Update.Block {
	case patch.Held, patch.Pinned:
		return Verdict{Name: HELD, Owner: Customer, Since: n.Since, Act: ActUnhold, Sentence: why}
	}
	return Verdict{Name: KEPT_BACK, Owner: Vendor, Since: n.Since, Sentence: why}
}

func decided(c Case, _ time.Time) Verdict {
	if v := recalled(c); v.Name != "" {
		return v
	}
	if c.Decision.Kind == policy.Contested {
		return Verdict{Name: TWO_MASTERS, Owner: MSP, Since: later(c.Decision.At, c.Need.Since), Act: ActSettle,
			Sentence: sentence(c.Decision.Reason) + " Say in the site's policy that Patchbay installs beside it, or take it out of the other's hands."}
	}
	if c.Need.Reached || c.Need.Broken != "" && !c.Need.Offered || c.Decision.Kind != policy.Wait {
		return Verdict{}
	}
	return Verdict{Name: WAITS_DECISION, Owner: MSP, Since: c.Need.Since, Act: ActApprove,
		Sentence: "Nobody has approved or rejected this update yet, and no rule does it."}
}

func approved(c Case, _ time.Time) Verdict {
	never := c.Decision.Kind == policy.Undo && c.met() && !c.Work.Undone // taken back elsewhere, before it came here
	if c.Need.Reached || c.Decision.Kind != policy.Reject && !never {
		return Verdict{}
	}
	why := sentence(c.Decision.Reason)
	if why == "" {
		why = "No reason was given."
	}
	if c.Decision.By != "" { // otherwise a rule, which says itself what it is
		why = fmt.Sprintf("%s rejected this update. %s", c.Decision.By, why)
	}
	return Verdict{Name: REJECTED, Owner: MSP, Since: c.Decision.At, Act: ActApprove, Sentence: why}
}

func ringOpen(c Case, _ time.Time) Verdict {
	if c.met() || c.Ring.Open || c.Decision.Kind == policy.Undo {
		return Verdict{}
	}
	return Verdict{Name: WAITS_RING, Owner: Patchbay, Since: c.Decision.At, Sentence: sentence(c.Ring.Why)}
}

func reachable(c Case, now time.Time) Verdict {
	if c.met() || gaveUp(c) || restarting(c) {
		return Verdict{}
	}
	until := c.Device.LastSeen.Add(Quiet)
	switch {
	case c.Device.Mode == wire.Observe:
		return Verdict{Name: OBSERVED, Owner: MSP, Since: c.Decision.At, Act: ActManage,
			Sentence: c.wish() + ", but the agent on this device was set up to observe only: it installs nothing."}
	case now.After(until):
		return Verdict{Name: WAITS_DEVICE, Owner: User, Since: c.Device.LastSeen,
			Sentence: c.wish() + ". The device is not talking to us now; it will hear of it when it is on again."}
	case c.Work.Tried.Open != nil && c.Work.Step == "":
		return Verdict{Name: WAITS_DEVICE, Owner: Patchbay, Since: c.Work.Since, Until: &until,
			Sentence: c.wish() + ". The device hears of it when it next checks in, within a minute or so."}
	}
	return Verdict{}
}

// gaveUp reports whether the last attempts failed so that a person must look.
func gaveUp(c Case) bool { return c.Work.Tried.Open == nil && c.Work.Tried.GivenUp() }

// openStep is the step of the open job, "" when there is none.
func openStep(c Case) wire.Step {
	if c.Work.Tried.Open == nil {
		return ""
	}
	return c.Work.Step
}

func staged(c Case, _ time.Time) Verdict {
	if c.met() || openStep(c) != wire.StepStaging {
		return Verdict{}
	}
	return Verdict{Name: STAGING, Owner: Patchbay, Since: c.Work.Since,
		Sentence: "The device is downloading the update." + reason(c)}
}

func inWindow(c Case, now time.Time) Verdict {
	if c.met() || openStep(c) != wire.StepWaiting {
		return Verdict{}
	}
	if strings.HasPrefix(c.Work.Why, wire.Open) {
		return Verdict{Name: WAITS_USER, Owner: User, Since: c.Work.Since, Sentence: c.wish() + "." + reason(c)}
	}
	if c.Work.Tried.Open.Forced != "" {
		return Verdict{Name: PREFLIGHT, Owner: Patchbay, Since: c.Work.Since, Sentence: begins(c)}
	}
	state := window.Open(c.Device.Windows, now)
	v := Verdict{Name: WAITS_WINDOW, Owner: Patchbay, Since: c.Work.Since, Act: ActForce}
	switch {
	case state.Open:
		v.Name, v.Act, v.Sentence = PREFLIGHT, ActNone, begins(c)
		v.Until = &state.Until
	case state.Until.IsZero():
		v.Owner, v.Sentence = MSP, c.wish()+", but this site has no maintenance window, so nothing starts by itself."
	default:
		v.Next, v.Until = &state.Until, &state.Until
		v.Sentence = c.wish() + ", and it is ready. It starts when the maintenance window opens."
	}
	return v
}

func preflight(c Case, _ time.Time) Verdict {
	if c.met() || openStep(c) != wire.StepPreflight {
		return Verdict{}
	}
	return Verdict{Name: PREFLIGHT, Owner: Patchbay, Since: c.Work.Since, Sentence: "The device is checking space and other package managers before it begins." + reason(c)}
}

func applied(c Case, now time.Time) Verdict {
	t, undo := c.Work.Tried, c.Decision.Kind == policy.Undo
	switch {
	case undo && c.met() && !c.Need.Reached && c.Need.Broken == "":
		return takenBack(c)
	case c.met() && c.Need.Broken == "":
		return Verdict{}
	case undo && t.Open == nil && c.Need.Previous == "" && c.Need.Broken == "":
		return Verdict{Name: FAILED, Owner: MSP, Since: c.Decision.At, Act: ActLook,
			Sentence: fmt.Sprintf("%s, but the device keeps no older version of %s that it could go back to.", c.wish(), c.Need.Key.Name)}
	}
	if t.Open == nil && t.Last != nil && t.Last.Failed {
		return failed(c, now)
	}
	if n := c.Need; n.Broken != "" && t.Open == nil {
		return Verdict{Name: FAILED, Owner: MSP, Since: n.Since, Act: ActLook,
			Sentence: fmt.Sprintf("%s %s is not completely installed: %s calls it %s. Somebody has to finish or repair it on the device.",
				n.Key.Name, n.Installed, n.Key.Provider, n.Broken)}
	}
	switch openStep(c) {
	case wire.StepApplying, "":
		doing := "The device is installing the update."
		if undo {
			doing = "The device is taking the update back."
		}
		return Verdict{Name: APPLYING, Owner: Patchbay, Since: c.Work.Since, Sentence: doing + reason(c)}
	}
	return Verdict{}
}

// takenBack is the verdict of an update that was installed and is not any more, because a
// person asked for that.
func takenBack(c Case) Verdict {
	n := c.Need
	v := Verdict{Name: ROLLED_BACK, Owner: MSP, Since: c.Decision.At, Act: ActApprove,
		Sentence: strings.TrimSpace(fmt.Sprintf("%s took it back, and the machine was read again: it is %s. %s", c.Decision.By, cmp.Or(n.Installed, "no longer there"), sentence(c.Decision.Reason)))}
	if n.Restart != "" {
		v.Sentence += " What runs may still be the version that was taken back: " + n.Restart + "."
	}
	return v
}

// failed says how the last attempt failed and what comes next.
func failed(c Case, now time.Time) Verdict {
	t := c.Work.Tried
	v := Verdict{Name: FAILED, Since: c.Work.Receipt, Owner: MSP, Act: ActRetry, Sentence: sentence(c.Work.Message)}
	if v.Sentence == "" {
		v.Sentence = "The update did not install, and the device said no more about it."
	}
	if t.GivenUp() {
		v.Sentence += " A person has to look before it is tried again."
		return v
	}
	again := t.Again()
	v.Owner, v.Next, v.Until = Patchbay, &again, &again
	v.Sentence += " It will be tried again by itself."
	return v
}

func active(c Case, now time.Time) Verdict {
	if v := atWork(c, now); v.Name != "" || !c.Need.Reached {
		return v
	}
	if c.Need.Restart == "" && len(c.Need.Running) > 0 {
		return runningOld(c)
	}
	if c.Need.Restart == "" {
		if c.Need.Unsure == "" {
			return Verdict{}
		}
		return Verdict{Name: UNKNOWN, Owner: MSP, Since: c.Need.ScannedAt, Act: ActLook, Sentence: "Installed, but " + sentence(c.Need.Unsure)}
	}
	v := Verdict{Name: INSTALLED_PENDING_REBOOT, Owner: User, Since: c.Need.ScannedAt,
		Sentence: "Installed, but not active: " + sentence(c.Need.Restart)}
	if c.Need.GoneAt != nil {
		v.Since = *c.Need.GoneAt
	}
	return v
}

func verifying(c Case, _ time.Time) Verdict {
	if openStep(c) != wire.StepVerifying {
		return Verdict{}
	}
	return Verdict{Name: VERIFYING, Owner: Patchbay, Since: c.Work.Since, Sentence: "The work is over; the device is being read again to prove it." + reason(c)}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// begins says what keeps a device from beginning although it may.
func begins(c Case) string {
	if c.Work.Why == "" {
		return "The device is about to begin."
	}
	return "The device cannot begin yet and tries again by itself." + reason(c)
}

// reason adds what the device itself says it waits for.
func reason(c Case) string {
	if c.Work.Why == "" {
		return ""
	}
	return " " + sentence(c.Work.Why)
}

// sentence gives a text a capital letter and a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// LinkState is one link as the opened verdict shows it.
type LinkState struct {
	Link     Link
	Met      bool
	Sentence string // why not, for the first unmet one
}

// Explain gives the chain up to its end: links before the verdict's are met, the verdict's
// own is not (unless it is VERIFIED), and those behind it are not known yet.
func Explain(v Verdict) []LinkState {
	chain := make([]LinkState, 0, len(links))
	met := true
	for _, l := range links {
		state := LinkState{Link: l.link, Met: met}
		if l.link == v.Link && v.Name != VERIFIED {
			met = false
			state.Met, state.Sentence = false, v.Sentence
		}
		chain = append(chain, state)
	}
	return chain
}
