package support

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"patchbay/patch"
)

//go:embed table.tsv
var tableText string

// Line is one line of the table: how an item is called, and what it is of.
type Line struct {
	By      string // deb, rpm, or a provider
	Name    string // in which * is any text and # a version number
	Product string
	Cycle   string // "version", "#", or one or several cycles with | between them
}

// Table names the products of items.
type Table struct {
	lines map[string][]pattern // by who names the item, and how the name begins
}

// begins is where a name is looked for: by its first letters.
func begins(by, name string) string { return by + "\x00" + name[:min(2, len(name))] }

type pattern struct {
	Line
	prefix string         // all names that fit begin with it
	form   *regexp.Regexp // nil where the name is just the prefix
}

// Lines reads the table that is built in.
func Lines() ([]Line, error) { return ParseLines(tableText) }

// ParseLines reads a table: a line each, of four columns with a tab between them.
func ParseLines(table string) ([]Line, error) {
	var list []Line
	for n, text := range strings.Split(table, "\n") {
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		parts := strings.Split(text, "\t")
		if len(parts) != 4 {
			return nil, fmt.Errorf("line %d of the table of products has %d columns, not 4", n+1, len(parts))
		}
		list = append(list, Line{parts[0], parts[1], parts[2], parts[3]})
	}
	return list, nil
}

// NewTable makes the table ready.
func NewTable(lines []Line) (*Table, error) {
	t := &Table{lines: map[string][]pattern{}}
	for _, l := range lines {
		p := pattern{Line: l, prefix: l.Name}
		if i := strings.IndexAny(l.Name, "*#"); i >= 0 {
			form := strings.NewReplacer(`\*`, `.*`, `#`, `([0-9]+(?:\.[0-9]+)*)`).Replace(regexp.QuoteMeta(l.Name))
			var err error
			if p.form, err = regexp.Compile("^" + form + "$"); err != nil {
				return nil, fmt.Errorf("the table of products: the name %q: %w", l.Name, err)
			}
			p.prefix = l.Name[:i]
		}
		if len(p.prefix) < 2 {
			return nil, fmt.Errorf("the table of products: the name %q begins with anything", l.Name)
		}
		at := begins(l.By, p.prefix)
		t.lines[at] = append(t.lines[at], p)
	}
	return t, nil
}

// BuiltIn is the table that is built in.
func BuiltIn() (*Table, error) {
	lines, err := Lines()
	if err != nil {
		return nil, err
	}
	return NewTable(lines)
}

// maxName bounds what of a name is looked at.
const maxName = 300

// Item names the product of an item; false where the table knows none. The publisher is that
// of a package for a distribution which the distribution did not make.
func (t *Table) Item(scheme, publisher string, i patch.Item) (Named, bool) {
	switch scheme {
	case patch.SchemeDeb:
		return t.find("deb", i, publisher+"/"+source(i))
	case patch.SchemeRPM:
		return t.find("rpm", i, publisher+"/"+source(i), publisher+"/"+i.Name)
	}
	return t.find(i.Provider, i, i.Source, i.Instance, i.Instance+"/"+i.Name, i.Name)
}

func source(i patch.Item) string {
	if i.Source != "" {
		return i.Source
	}
	return i.Name
}

func (t *Table) find(by string, i patch.Item, names ...string) (Named, bool) {
	l, number, ok := t.Find(by, names...)
	if !ok {
		return Named{}, false
	}
	n := Named{Kind: Application, Product: l.Product, Version: l.Cycle}
	switch l.Cycle {
	case "version":
		n.Version = bare(i.Version)
	case "#":
		n.Version = number
	}
	return n, true
}

// Find gives the line that one of the names fits, in their order, with what stands for # there.
func (t *Table) Find(by string, names ...string) (l Line, number string, ok bool) {
	for _, name := range names {
		if name == "" || len(name) > maxName {
			continue
		}
		for _, p := range t.lines[begins(by, name)] {
			if number, ok = p.fits(name); ok {
				return p.Line, number, true
			}
		}
	}
	return Line{}, "", false
}

func (p pattern) fits(name string) (number string, ok bool) {
	if p.form == nil {
		return "", name == p.prefix
	}
	if !strings.HasPrefix(name, p.prefix) {
		return "", false
	}
	m := p.form.FindStringSubmatch(name)
	if len(m) > 1 {
		number = m[1]
	}
	return number, m != nil
}

var number = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)*`)

// bare is the number that a version begins with, without its epoch: of 5:27.3.1-1~debian.12
// that is 27.3.1.
func bare(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	return number.FindString(strings.TrimPrefix(version, "v"))
}
