package audit

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"time"
)

//go:embed page.html
var pageSource string

// page is what the template is given: the report, with what is worked out for the eye.
type page struct {
	Report
	Groups []group
	Bars   []bar
	Age    string
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
		"clean": clean, "size": size, "day": func(t *time.Time) string { return t.UTC().Format("2 Jan 2006") },
		"moment": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"age":    func(t *time.Time) string { return age(r.TakenAt.Sub(*t)) },
	}).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("reading the page's form: %w", err)
	}
	groups := r.groups()
	p := page{Report: r, Groups: groups, Bars: bars(groups), Age: r.Lists.sentence(r.TakenAt)}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
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
