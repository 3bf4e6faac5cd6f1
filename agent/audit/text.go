package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"patchbay/patch"
)

// WriteJSON writes the report for programs.
func WriteJSON(w io.Writer, r Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// The width of the text, and how many updates of a group are listed unless all are wanted.
const (
	columns   = 80
	firstFew  = 12
	nameWidth = 26
	sizeWidth = 8
)

// WriteText writes the report for people, in eighty columns.
func WriteText(w io.Writer, r Report, all bool) error {
	t := &text{}
	t.wrapped("", r.Headline())
	t.wrapped("", strings.Join(present(r.Device.OSName, r.Device.Architecture, "kernel "+r.Device.Kernel, r.TakenAt.Format("2 Jan 2006 15:04 MST")), " · "))
	t.findings(r)
	for _, g := range r.groups() {
		for _, part := range g.byPlace() {
			t.group(part, all)
		}
	}
	t.sources(r)
	t.ended(r.Unsupported, all)
	t.packages("In no source", r.Orphans, all)
	t.packages("Updated by something else", r.SelfUpdating, all)
	t.sentences("Could not tell", r.CouldNotTell)
	t.sentences("Notes", r.Notes)
	_, err := io.WriteString(w, t.b.String())
	return err
}

type text struct{ b strings.Builder }

// line writes one line. Everything from the device may be hostile: what a terminal would
// obey becomes visible.
func (t *text) line(s string) { t.b.WriteString(strings.TrimRight(clean(s), " ") + "\n") }

func (t *text) title(s string) {
	t.b.WriteString("\n")
	t.line(s)
}

// clean replaces what is not printable: escape sequences, line ends, marks that turn the
// direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

func (t *text) findings(r Report) {
	if len(r.Findings) == 0 {
		return
	}
	t.title("Findings")
	for _, f := range r.Findings {
		t.wrapped(fmt.Sprintf("  %-7s ", f.Severity), f.Sentence)
	}
}

// wrapped writes a sentence behind a mark, broken between words.
func (t *text) wrapped(mark, sentence string) {
	line, used := mark, utf8.RuneCountInString(mark)
	start := used
	for word := range strings.FieldsSeq(clean(sentence)) {
		n := utf8.RuneCountInString(word)
		if used > start && used+1+n > columns {
			t.line(line)
			line, used = strings.Repeat(" ", start), start
		}
		if used > start {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	t.line(line)
}

func (t *text) group(g group, all bool) {
	t.title(g.Title + " · " + g.sum())
	shown := g.Updates
	if !all && len(shown) > firstFew+3 {
		shown = shown[:firstFew]
	}
	for _, u := range shown {
		name, change := clean(u.Name), clean(u.Installed)+" → "+clean(u.Available)
		room := columns - 2 - nameWidth - 1 - 1 - sizeWidth
		if utf8.RuneCountInString(change) > room {
			change = shorten(clean(u.Installed), (room-3)/2) + " → " + shorten(clean(u.Available), (room-3)/2)
		}
		if title := clean(u.Title); title != "" && u.Installed == "" {
			change = shorten(title, room) // its version says nothing to people
		}
		t.line(fmt.Sprintf("  %s %s %*s", pad(shorten(name, nameWidth), nameWidth), pad(change, room), sizeWidth, size(u.Size)))
		if why := u.HeldWhy + u.Why; why != "" {
			t.wrapped("    ", why)
		}
	}
	if n := len(g.Updates) - len(shown); n > 0 {
		t.line(fmt.Sprintf("  … and %d more (--all lists them)", n))
	}
}

func (t *text) sources(r Report) {
	if len(r.Sources) == 0 {
		return
	}
	t.title("Sources · " + r.Lists.sentence(r.TakenAt))
	for _, s := range r.Sources {
		what := strings.Join(present(s.Origin, thirdParty(s.ThirdParty), asked(s, r.TakenAt)), ", ")
		t.line("  " + shorten(clean(s.Name), columns-2))
		t.wrapped("    ", what)
		if s.Error != "" {
			t.wrapped("    ", "Does not work: "+s.Error)
		}
		t.care(careOf(s, r.TakenAt))
	}
}

func (t *text) packages(title string, list []Package, all bool) {
	if len(list) == 0 {
		return
	}
	t.title(fmt.Sprintf("%s · %s", title, plural(len(list), "package", "packages")))
	shown := list
	if !all && len(shown) > firstFew+3 {
		shown = shown[:firstFew]
	}
	for _, p := range shown {
		if p.Updater == "" {
			t.line("  " + pad(shorten(clean(p.Name), 36), 36) + " " + shorten(clean(p.Version), columns-39))
			continue
		}
		t.line(fmt.Sprintf("  %s %s %s", pad(shorten(clean(p.Name), 36), 36), pad(shorten(clean(p.Version), 18), 18), shorten(clean(p.Updater), columns-58)))
	}
	if n := len(list) - len(shown); n > 0 {
		t.line(fmt.Sprintf("  … and %d more (--all lists them)", n))
	}
}

func (t *text) ended(list []Ended, all bool) {
	if len(list) == 0 {
		return
	}
	t.title("Out of support · " + plural(len(list), "program", "programs"))
	shown := list
	if !all && len(shown) > firstFew+3 {
		shown = shown[:firstFew]
	}
	for _, e := range shown {
		t.line(fmt.Sprintf("  %s %s", pad(shorten(clean(e.Name+" "+e.Version), 44), 44), clean(e.What+" until "+e.Ended)))
	}
	if n := len(list) - len(shown); n > 0 {
		t.line(fmt.Sprintf("  … and %d more (--all lists them)", n))
	}
}

func (t *text) sentences(title string, list []string) {
	if len(list) == 0 {
		return
	}
	t.title(title)
	for _, s := range list {
		t.wrapped("  - ", s)
	}
}

// care writes what is wrong with the manager behind a source and what was done about it.
func (t *text) care(c care) {
	for _, s := range []string{c.State, c.Turn} {
		if s != "" {
			t.wrapped("    ", s)
		}
	}
	for _, s := range c.Done {
		t.wrapped("    - ", s)
	}
}

// asked is how old what a source says is: by its signature, or else by when it was last asked.
func asked(s patch.Source, now time.Time) string {
	if s.SignedAt == nil && s.RefreshedAt != nil {
		return "last answered " + age(now.Sub(*s.RefreshedAt))
	}
	return signed(s.SignedAt, now)
}

func thirdParty(yes bool) string {
	if yes {
		return "third party"
	}
	return ""
}

func signed(at *time.Time, now time.Time) string {
	if at == nil {
		return "never signed"
	}
	return "signed " + at.Format("2 Jan 2006") + " (" + age(now.Sub(*at)) + ")"
}

// sentence says how old what apt knows is.
func (l Lists) sentence(now time.Time) string {
	switch {
	case l.OldestRefreshedAt != nil:
		return "all refreshed " + age(now.Sub(*l.OldestRefreshedAt))
	case l.NewestSignedAt != nil:
		return "the newest list was signed " + age(now.Sub(*l.NewestSignedAt))
	}
	return "of no known age"
}

func age(d time.Duration) string {
	switch {
	case d < 0:
		return "in the future"
	case d < time.Hour:
		return "within the hour"
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

func present(parts ...string) []string {
	var there []string
	for _, p := range parts {
		if strings.TrimSpace(p) != "" && p != "kernel " {
			there = append(there, p)
		}
	}
	return there
}

// shorten takes the middle out of what is too long: both ends of a name tell more.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	head := (n - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s))) }

// size writes bytes for people; nothing when they are not known.
func size(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n >= 10e9:
		return fmt.Sprintf("%d GB", n/1e9)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 10e6:
		return fmt.Sprintf("%d MB", n/1e6)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1000)
}
