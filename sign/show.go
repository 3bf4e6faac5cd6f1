package sign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/wire"
)

// Beside is what is known beside a document when it is shown. All of it but Now may be
// missing, and Show says what cannot be said then.
type Beside struct {
	Now     time.Time
	Root    *wire.Root        // for a root the one before it, for others the one that holds
	Limits  *wire.Limits      // for limits those before them
	Catalog *wire.Catalog     // for a catalogue the one before it
	Names   map[string]string // what keys are called here, by their names
}

// Show says in plain words what a document means for the devices, field by field, what it
// changes, and what to beware of. What stands in quotes is text of the document.
func Show(d *Document, b Beside) string {
	p := &page{beside: b}
	switch {
	case d.Root != nil:
		p.root(*d.Root)
	case d.Limits != nil:
		p.limits(*d.Limits)
	case d.Catalog != nil:
		p.catalog(*d.Catalog)
	default:
		p.approval(*d.Approval)
	}
	if d.form != nil {
		p.warn("No device would take it: %s.", bare(d.form.Error(), 0))
	}
	return p.String()
}

// page collects what is shown.
type page struct {
	beside   Beside
	text     strings.Builder
	since    string // what the changes are counted from, "" when that is not known
	changes  []string
	warnings []string
}

// title begins the page with a sentence or two.
func (p *page) title(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

// field writes a field with one line or more.
func (p *page) field(label string, lines ...string) {
	for _, line := range lines {
		fmt.Fprintf(&p.text, "  %-11s %s\n", label, line)
		label = ""
	}
}

func (p *page) change(format string, args ...any) {
	p.changes = append(p.changes, fmt.Sprintf(format, args...))
}

func (p *page) warn(format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf(format, args...))
}

// changed notes a number or word that is not what it was.
func changed[T comparable](p *page, what string, before, after T) {
	if before != after {
		p.change("%s: %v, before %v", what, after, before)
	}
}

// compare notes what is in one list and not in the other.
func (p *page) compare(what string, before, after []string) {
	for _, s := range without(after, before) {
		p.change("+ %s %s", what, s)
	}
	for _, s := range without(before, after) {
		p.change("- %s %s", what, s)
	}
}

// without is what of a list is not in the other.
func without(list, other []string) []string {
	in := map[string]bool{}
	for _, s := range other {
		in[s] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return in[s] })
}

// String is the page. The warnings come last, where they are still seen when the page is
// longer than the screen.
func (p *page) String() string {
	if p.since != "" {
		p.list("Changed since "+p.since+":", "Nothing but the dates changed since "+p.since+".", p.changes)
	}
	p.list("Beware:", "", p.warnings)
	var b strings.Builder
	for line := range strings.Lines(p.text.String()) {
		fold(&b, strings.TrimSuffix(line, "\n"))
	}
	return b.String()
}

func (p *page) list(head, none string, lines []string) {
	if len(lines) == 0 {
		head = none
	}
	if head == "" {
		return
	}
	p.text.WriteString("\n" + head + "\n")
	for _, line := range lines {
		p.text.WriteString("  " + line + "\n")
	}
}

// dates are those of a document, which ends with what follows then.
func (p *page) dates(issued, expires time.Time, far time.Duration, then string) {
	now := p.beside.Now
	p.field("Made", moment(issued, now))
	p.field("Ends", moment(expires, now), then)
	switch left := expires.Sub(now); {
	case left <= 0:
		p.warn("It has ended already: on %s.", day(expires))
	case left > far:
		p.warn("It holds for %d days. Whatever is wrong with it holds for as long.", left/(24*time.Hour))
	}
	if issued.After(now.Add(time.Hour)) {
		p.warn("It is dated in the future: %s. Is this machine's clock right?", day(issued))
	}
}

// called is a key's name, as it is to be shown, with what it is called here.
func (p *page) called(shown, name string) string {
	if c := p.beside.Names[name]; c != "" {
		return shown + "  " + quoted(c)
	}
	return shown
}

// keys are the names of a role's keys. What is no key has its bytes shown.
func (p *page) keys(r wire.Role) []string {
	var names []string
	for _, k := range r.Keys {
		if len(k) != keySize {
			names = append(names, fmt.Sprintf("no key: %x", k))
			continue
		}
		name := Public{Key: k}.Name()
		names = append(names, p.called(name, name))
	}
	return names
}
