package audit

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
)

//go:embed page.html
var pageSource string

// page is what the template is given: the report, with what is worked out for the eye.
type page struct {
	Report
	Groups []group
	Bars   []bar
	Age    string
	// Unknown says that there may be more missing updates than were found.
	Unknown bool
	Words   words
	Reasons reasons
}

// words are what things are called where the report is from.
type words struct{ Thing, Things, Title, System, Orphans, NoSource string }

func wordsOf(system string) words {
	if system == "windows" {
		return words{"program", "programs", "Program", "build", "programs have nobody who updates them", "They are in no catalogue and have no updater of their own that is known here."}
	}
	return words{"package", "packages", "Package", "kernel", "packages in no source", "They are in no source, so nobody updates them."}
}

// reasons are why a restart is asked for, and what waits for the next one without asking.
type reasons struct{ Asks, Waits []string }

func reasonsOf(all []string) (r reasons) {
	for _, reason := range all {
		if waits, weak := strings.CutSuffix(reason, " (weak)"); weak {
			r.Waits = append(r.Waits, waits)
		} else {
			r.Asks = append(r.Asks, reason)
		}
	}
	return r
}

// bar is one group's part of all updates, in the units of the drawing.
type bar struct {
	Kind, Title string
	Count       int
	X, Width    float64
}

// barWidth is the width of the drawing.
const barWidth = 1000.0

// WriteHTML writes the report as one page that needs nothing else: no script, no font, no
// picture from anywhere.
func WriteHTML(w io.Writer, r Report) error {
	t, err := template.New("audit").Funcs(template.FuncMap{
		"clean": clean, "size": size, "least": least, "day": func(t *time.Time) string { return t.UTC().Format("2 Jan 2006") },
		"moment": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"age":    func(t *time.Time) string { return age(r.TakenAt.Sub(*t)) },
		"care":   func(s patch.Source) care { return careOf(s, r.TakenAt) },
	}).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("reading the page's form: %w", err)
	}
	groups := r.groups()
	p := page{Report: r, Groups: groups, Bars: bars(groups), Age: r.Lists.sentence(r.TakenAt), Unknown: r.updatesUnknown,
		Words: wordsOf(r.Device.OS), Reasons: reasonsOf(r.Restart.Reasons)}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// least is a count, or that it may be more, or that nothing is known of it.
func least(n int, unknown bool) string {
	switch {
	case !unknown:
		return strconv.Itoa(n)
	case n == 0:
		return "?"
	}
	return strconv.Itoa(n) + "+"
}

// bars lays the groups side by side. Even one update among hundreds is wide enough to see.
func bars(groups []group) []bar {
	const least = 8.0
	total := 0
	for _, g := range groups {
		total += len(g.Updates)
	}
	room := barWidth - least*float64(len(groups))
	x := 0.0
	var list []bar
	for _, g := range groups {
		w := least + room*float64(len(g.Updates))/float64(total)
		list = append(list, bar{g.Kind, g.Title, len(g.Updates), x, w})
		x += w
	}
	return list
}
