package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity is how much a finding matters.
type Severity string

// The severities. Info is worth knowing and no fault.
const (
	High   Severity = "high"
	Medium Severity = "medium"
	Low    Severity = "low"
	Info   Severity = "info"
)

func (s Severity) rank() int { return slices.Index([]Severity{High, Medium, Low, Info}, s) }

// Finding is one thing that is wrong, in a sentence.
type Finding struct {
	Code     string   `json:"code"` // stable, for programs
	Severity Severity `json:"severity"`
	Sentence string   `json:"sentence"`
	Count    int      `json:"count,omitempty"` // of what the sentence speaks
}

// When lists are called old, and when the end of support is near.
const (
	listsAging  = 3 * 24 * time.Hour
	listsOld    = 14 * 24 * time.Hour
	supportNear = 90 * 24 * time.Hour
)

func (r *Report) find(now time.Time) {
	r.findUpdates()
	r.findSupport(now)
	r.findSources(now)
	r.findStuck(now)
	r.findItems()
	r.findRestart()
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
}

func (r *Report) add(code string, s Severity, count int, sentence string, args ...any) {
	r.Findings = append(r.Findings, Finding{code, s, fmt.Sprintf(sentence, args...), count})
}

func (r *Report) findUpdates() {
	s := r.Summary
	if s.Security > 0 {
		r.add("security_updates", High, s.Security, "%s missing.", plural(s.Security, "security update is", "security updates are"))
	}
	if s.Other > 0 {
		r.add("updates", Medium, s.Other, "%s missing.", plural(s.Other, "other update is", "other updates are"))
	}
	if s.HeldSecurity > 0 {
		r.add("held_security", High, s.HeldSecurity, "%s held back by somebody on this machine.", plural(s.HeldSecurity, "security update is", "security updates are"))
	}
	if n := s.Held - s.HeldSecurity; n > 0 {
		r.add("held", Low, n, "%s held back by somebody on this machine.", plural(n, "other update is", "other updates are"))
	}
	counts := map[string]int{}
	for _, u := range r.NotOffered {
		counts[string(u.Block)]++
	}
	if n := counts["pinned"]; n > 0 {
		r.add("pinned", Medium, n, "Local preferences keep %s from a newer version.", plural(n, "package", "packages"))
	}
	if n := counts["kept_back"]; n > 0 {
		r.add("kept_back", Medium, n, "%s cannot be updated because of what they depend on.", plural(n, "package", "packages"))
	}
	if n := counts["phased"]; n > 0 {
		r.add("phased", Info, n, "%s not offered to this machine yet by the publisher.", plural(n, "update is", "updates are"))
	}
}

func (r *Report) findSupport(now time.Time) {
	end, err := time.Parse(time.DateOnly, r.Device.SupportEnds)
	if err != nil {
		return
	}
	name := r.Device.OSName
	switch left := end.AddDate(0, 0, 1).Sub(now); {
	case left <= 0:
		r.add("unsupported_release", High, 0, "%s has had no security updates from its publisher since %s.", name, day(end))
	case left < supportNear:
		r.add("support_ends", Medium, 0, "%s gets security updates only until %s.", name, day(end))
	}
}

func (r *Report) findSources(now time.Time) {
	third, security := 0, false
	for _, s := range r.Sources {
		if s.ThirdParty {
			third++
		}
		security = security || strings.HasSuffix(s.Suite, "-security") && s.Error == ""
		if s.Error != "" {
			r.add("source_failing", High, 0, "The source %s does not work: %s.", s.Name, strings.TrimRight(s.Error, "."))
		} else if s.ValidUntil != nil && now.After(*s.ValidUntil) {
			r.add("lists_expired", High, 0, "The list of %s has not been valid since %s: what came after is not known.", s.Name, day(*s.ValidUntil))
		}
	}
	if third > 0 {
		r.add("third_party_sources", Low, third, "%s not of the system's own publisher.", plural(third, "package source is", "package sources are"))
	}
	if known := r.Device.Distro == "debian" || r.Device.Distro == "ubuntu"; known && !security && len(r.Sources) > 0 {
		r.add("no_security_source", High, 0, "No source of security updates is set up that works.")
	}
	r.findAge(now)
}

func (r *Report) findAge(now time.Time) {
	at := r.Lists.NewestSignedAt
	if r.Lists.OldestRefreshedAt != nil {
		at = r.Lists.OldestRefreshedAt
	}
	if at == nil {
		return
	}
	age := now.Sub(*at)
	switch days := int(age.Hours() / 24); {
	case age > listsOld:
		r.add("lists_old", High, days, "The package lists are %d days old: newer updates are not known.", days)
	case age > listsAging:
		r.add("lists_old", Medium, days, "The package lists are %d days old.", days)
	}
}

func (r *Report) findItems() {
	if n := len(r.Broken); n > 0 {
		r.add("broken", High, n, "%s not completely installed: %s.", plural(n, "package is", "packages are"), some(r.Broken))
	}
	if n := len(r.Orphans); n > 0 {
		r.add("orphans", Medium, n, "%s in no source: nobody updates them.", plural(n, "installed package is", "installed packages are"))
	}
	if n := len(r.SelfUpdating); n > 0 {
		r.add("self_updating", Info, n, "%s without Patchbay: what is read here is which version is there, not whether a newer one exists.",
			plural(n, "installed program is updated by something else,", "installed programs are updated by something else,"))
	}
	if len(r.Patchers) > 0 {
		r.add("other_patcher", Low, len(r.Patchers), "Something else may install updates on this machine too: %s.", strings.Join(r.Patchers, ", "))
	}
}

func (r *Report) findRestart() {
	if r.Restart.Machine {
		why := ""
		if len(r.Restart.Reasons) > 0 {
			why = " (" + strings.Join(r.Restart.Reasons[:min(3, len(r.Restart.Reasons))], ", ") + ")"
		}
		r.add("reboot", Medium, 0, "The machine must be rebooted before its updates take effect%s.", why)
	}
	if n := len(r.Restart.Services); n > 0 {
		r.add("services_old", Medium, n, "%s in an old version and must be restarted: %s.",
			plural(n, "service still runs", "services still run"), strings.Join(r.Restart.Services[:min(5, n)], ", "))
	}
}

func some(packages []Package) string {
	var names []string
	for _, p := range packages[:min(5, len(packages))] {
		names = append(names, p.Name+" is "+p.State)
	}
	return strings.Join(names, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func day(t time.Time) string { return t.Format("2 January 2006") }

// Headline is the report in one sentence.
func (r Report) Headline() string {
	s, name := r.Summary, r.Device.Hostname
	if name == "" {
		name = "This machine"
	}
	total := s.Security + s.Other
	switch {
	case r.updatesUnknown && total == 0:
		return "What is missing on " + name + " could not be determined."
	case total == 0 && s.Held == 0:
		return "Nothing is missing on " + name + "."
	case total == 0:
		return name + " has every update except " + plural(s.Held, "that is held.", "that are held.")
	case s.Security == 0:
		return name + " is missing " + plural(total, "update", "updates") + ", none of them for security."
	case s.Other == 0:
		return name + " is missing " + plural(total, "update, for security.", "updates, all of them for security.")
	}
	return fmt.Sprintf("%s is missing %d updates, %d of them for security.", name, total, s.Security)
}
