package sign

import (
	"regexp"
	"time"

	"github.com/dustin/go-humanize/english"

	"patchbay/wire"
)

const farApproval = 7 * 24 * time.Hour

func (p *page) approval(a wire.Approval) {
	p.title("An approval, %s, made under root %d: it lets exact updates begin on exact devices beyond the rate of the limits.", ascii(a.ID, 0), a.Root)
	p.dates(a.IssuedAt, a.Expires, farApproval, "From then on it lets nothing begin.")
	var updates []string
	for _, u := range a.Updates {
		updates = append(updates, update(u))
	}
	p.field("Updates", append([]string{english.Plural(len(updates), "update:", "updates:")}, updates...)...)
	var agents []string
	for _, name := range a.Agents {
		agents = append(agents, p.called(ascii(name, 0), name))
	}
	p.field("On", append([]string{english.Plural(len(agents), "agent:", "agents:")}, agents...)...)
	if a.Forced {
		p.field("When", "At once, also outside their windows, restarts included.")
		p.warn("It is also for outside the windows: devices may restart while people work on them.")
	} else {
		p.field("When", "In their windows.")
	}
	if a.Note != "" {
		p.field("Note", quoted(a.Note))
	}
	p.approvalBeware(a)
}

func update(u wire.ApprovedUpdate) string {
	text := ascii(u.Provider, 0) + " " + ascii(u.Name, 0)
	if u.Architecture != "" {
		text += " " + ascii(u.Architecture, 0)
	}
	if u.Does(wire.VerbUndo) {
		return text + " back to version " + ascii(u.To, 0)
	}
	return text + " to version " + ascii(u.To, 0)
}

func (p *page) approvalBeware(a wire.Approval) {
	isKey := regexp.MustCompile(`^(p256|ed25519):[0-9a-f]{32}$`)
	seen := map[string]bool{}
	for _, name := range a.Agents {
		if !isKey.MatchString(name) {
			p.warn("%s is not the name of an agent's key.", ascii(name, 0))
		}
		if seen[name] {
			p.warn("It names the agent %s twice.", ascii(name, 0))
		}
		seen[name] = true
	}
	switch r := p.beside.Root; {
	case r == nil:
		p.warn("Without the root nobody can say who may sign it.")
	case a.Root > r.Version:
		p.warn("It is made under root %d, and the root here is version %d: devices that hold that one do not take it.", a.Root, r.Version)
	case r.Approver.Empty():
		p.warn("The root names no approvers: nobody can sign it.")
	}
	if n := len(a.Agents); n > 1 {
		p.warn("All %d agents may begin with %s at the same time.", n, english.Plural(len(a.Updates), "update", ""))
	}
}
