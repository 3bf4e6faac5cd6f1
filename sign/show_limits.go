package sign

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/wire"
)

const farLimits = 400 * 24 * time.Hour

func (p *page) limits(l wire.Limits) {
	p.title("Limits, version %d, made under root %d: what the server may order at most, whatever it signs.", l.Version, l.Root)
	p.dates(l.IssuedAt, l.Expires, farLimits, fmt.Sprintf(onlySec, day(l.Expires)))
	p.field("May order", orElse(verbs(l), "Nothing at all.")...)
	p.field("From", orElse(sources(l), "Nowhere: nothing can be installed.")...)
	p.field("Rate", p.rate(l)...)
	if l.Approvals == 0 {
		p.field("Beyond it", "Nobody: no signature lets more devices begin.")
	} else {
		p.field("Beyond it", "What "+english.Plural(l.Approvals, "approver", "")+" signed for.")
	}
	if l.Forced == 0 {
		p.field("Forced", "The server alone may force work outside a device's window.")
		p.warn("Nobody must sign before work is forced outside a window: a stolen server can install and restart in the middle of a working day.")
	} else {
		p.field("Forced", "Work outside a device's window is only what "+english.Plural(l.Forced, "approver", "")+" signed for.")
	}
	p.limitsBeware(l)
	p.limitsUnder(l)
	p.limitsAfter(l)
}

func orElse(lines []string, none string) []string {
	if len(lines) == 0 {
		return []string{none}
	}
	return lines
}

var verbWords = map[string]string{
	wire.VerbInstall: "install updates from the sources below",
	wire.VerbUndo:    "take the last update of a thing back, to what the device had before it",
}

func verbs(l wire.Limits) []string {
	var lines []string
	for _, v := range l.Verbs {
		lines = append(lines, ascii(v, 0)+": "+cmp.Or(verbWords[v], "not known to this version of Patchbay"))
	}
	return lines
}

func sources(l wire.Limits) []string {
	var lines []string
	for _, s := range l.Sources {
		lines = append(lines, source(s))
	}
	return lines
}

func source(s wire.LimitSource) string {
	if s.Origin == "" {
		return ascii(s.Provider, 0) + ": any origin that it trusts"
	}
	return ascii(s.Provider, 0) + ": origin " + ascii(s.Origin, 0)
}

func (p *page) rate(l wire.Limits) []string {
	switch {
	case l.DevicesPerHour == 0:
		p.warn("There is no rate: a stolen server can have all devices begin at once.")
		return []string{fmt.Sprintf("None: all devices may begin at once (fleet of %d).", l.Fleet)}
	case l.DevicesPerHour >= l.Fleet:
		p.warn("The rate is as large as the fleet, so it limits nothing.")
	}
	return []string{fmt.Sprintf("Up to %d of %d devices begin in an hour.", l.DevicesPerHour, l.Fleet),
		"Of a larger fleet more begin, in proportion; an approval lets devices begin beyond it."}
}

func (p *page) limitsBeware(l wire.Limits) {
	if len(l.Verbs) == 0 || len(l.Sources) == 0 {
		p.warn("With no verb or no source, devices install nothing, security updates neither.")
	}
	for _, v := range l.Verbs {
		if verbWords[v] == "" {
			p.warn("It allows the verb %s, and this version of Patchbay cannot say what that does.", ascii(v, 0))
		}
	}
	if slices.Contains(l.Verbs, wire.VerbUndo) {
		p.warn("A stolen server can take updates back, and so open the holes they closed, as often as it can begin work.")
	}
	for _, s := range l.Sources {
		if s.Origin == "" {
			p.warn("Any origin that %s trusts on a device is allowed, also one that somebody added there.", ascii(s.Provider, 0))
		}
	}
}

// limitsUnder looks at them under the root that holds.
func (p *page) limitsUnder(l wire.Limits) {
	r := p.beside.Root
	if r == nil {
		p.warn("Without the root nobody can say who must sign it, nor whether devices take it.")
		return
	}
	if l.Root > r.Version {
		p.warn("It is made under root %d, and the root here is version %d: devices that hold that one wait.", l.Root, r.Version)
	}
	if l.Version < r.Limits {
		p.warn("The root asks for limits of version %d or newer: no device takes it.", r.Limits)
	}
	if most := len(r.Approver.Keys); l.Approvals > most || l.Forced > most {
		p.warn("It asks for more approvers' signatures than the %d that the root names.", most)
	}
}

// limitsAfter compares with the limits before.
func (p *page) limitsAfter(l wire.Limits) {
	before := p.beside.Limits
	if before == nil {
		if l.Version != 1 {
			p.warn("Without the limits before it nobody can say what it changes.")
		}
		return
	}
	p.since = fmt.Sprintf("version %d", before.Version)
	if l.Version <= before.Version {
		p.warn("It is version %d and does not follow version %d: no device takes it.", l.Version, before.Version)
	} else if l.Version != before.Version+1 {
		p.warn("It is version %d and leaves out the one after version %d. Devices take it; was there another?", l.Version, before.Version)
	}
	p.compare("may order", verbs(*before), verbs(l))
	p.compare("from", sources(*before), sources(l))
	changed(p, "devices that begin in an hour", before.DevicesPerHour, l.DevicesPerHour)
	changed(p, "fleet", before.Fleet, l.Fleet)
	changed(p, "approvers to go beyond the rate", before.Approvals, l.Approvals)
	changed(p, "approvers to force", before.Forced, l.Forced)
	changed(p, "end", day(before.Expires), day(l.Expires))
	changed(p, "made under root", before.Root, l.Root)
}
