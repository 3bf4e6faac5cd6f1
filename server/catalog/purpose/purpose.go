// Package purpose says what a program is for, so that several programs for one purpose can be
// seen: each of them is one more to keep up to date.
package purpose

import (
	_ "embed"
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/support"
)

//go:embed table.tsv
var tableText string

// Program is a program and what it is for.
type Program struct {
	Name    string // without its version, unless several versions are programs of their own
	Purpose string
}

// Table knows programs by what their items are called.
type Table struct{ lines *support.Table }

// Lines reads the table that is built in: Product is the program, Cycle its purpose.
func Lines() ([]support.Line, error) { return support.ParseLines(tableText) }

// BuiltIn is the table that is built in.
func BuiltIn() (*Table, error) {
	lines, err := Lines()
	if err != nil {
		return nil, err
	}
	t, err := support.NewTable(lines)
	return &Table{t}, err
}

// Of names the program of an item; false where the table knows none. The scheme is that of its
// provider's versions.
func (t *Table) Of(scheme string, i patch.Item) (Program, bool) {
	by, names := i.Provider, []string{i.Source, i.Instance, i.Instance + "/" + i.Name, i.Name}
	switch scheme {
	case patch.SchemeDeb, patch.SchemeRPM:
		by, names = scheme, []string{i.Name}
	}
	l, number, ok := t.lines.Find(by, names...)
	if !ok {
		return Program{}, false
	}
	number, _, _ = strings.Cut(number, ".")
	return Program{strings.ReplaceAll(l.Product, "#", number), l.Cycle}, true
}
