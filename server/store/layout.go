package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// table is one table as the database itself describes it.
type table struct {
	name    string
	columns []column
	needs   []string // the tables that its rows point at
}

// column is one column of a table.
type column struct {
	name string
	kind kind
	key  int // its place in the primary key, from 1; 0 is none
}

// kind is what a column holds, in words that both databases share.
type kind int

const (
	text kind = iota + 1
	number
	truth
	bytea
)

// kinds are the declared types that the migrations use.
func kinds() map[string]kind {
	return map[string]kind{"text": text, "bigint": number, "integer": number, "boolean": truth, "bytea": bytea}
}

// apart are the tables that are not rows of the installation: the schema's own version.
const apart = "goose_db_version"

// layout asks the database for its tables, in an order in which none comes before one that
// its rows point at.
func (t *tx) layout(ctx context.Context) ([]table, error) {
	byName := map[string]*table{}
	var names []string
	err := t.each(ctx, func(r scanner) error {
		var name, declared string
		var c column
		if err := r.Scan(&name, &c.name, &declared, &c.key); err != nil {
			return err
		}
		if c.kind = kinds()[strings.ToLower(declared)]; c.kind == 0 {
			return fmt.Errorf("column %s of table %s is of the type %s, which no dump knows", c.name, name, declared)
		}
		if byName[name] == nil {
			byName[name], names = &table{name: name}, append(names, name)
		}
		byName[name].columns = append(byName[name].columns, c)
		return nil
	}, t.s.engine.describe())
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	err = t.each(ctx, func(r scanner) error {
		var from, to string
		err := r.Scan(&from, &to)
		if byName[from] != nil && from != to {
			byName[from].needs = append(byName[from].needs, to)
		}
		return err
	}, t.s.engine.pointers())
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	return pointedFirst(names, byName)
}

// pointedFirst sorts tables so that what is pointed at comes first, by name where that leaves a choice.
func pointedFirst(names []string, byName map[string]*table) ([]table, error) {
	slices.Sort(names)
	var sorted []table
	placed := map[string]bool{}
	for len(sorted) < len(names) {
		before := len(sorted)
		for _, name := range names {
			if t := byName[name]; !placed[name] && !slices.ContainsFunc(t.needs, func(n string) bool { return !placed[n] }) {
				placed[name], sorted = true, append(sorted, *t)
			}
		}
		if len(sorted) == before {
			return nil, fmt.Errorf("tables point at each other in a circle, beside %d others", before)
		}
	}
	return sorted, nil
}

// describe is the query for table, column, declared type and place in the primary key.
func (e engine) describe() string {
	if e.name == "sqlite" {
		return `SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '` + apart + `' ORDER BY m.name, c.cid`
	}
	return `SELECT t.relname, a.attname, format_type(a.atttypid, NULL), COALESCE(array_position(i.indkey::int2[], a.attnum) + 1, 0)
		FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
		WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace AND t.relname <> '` + apart + `'
		ORDER BY t.relname, a.attnum`
}

// pointers is the query for the tables with foreign keys and those they point at.
func (e engine) pointers() string {
	if e.name == "sqlite" {
		return `SELECT m.name, f."table" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	}
	return `SELECT t.relname, u.relname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class u ON u.oid = c.confrelid
		WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace`
}

// key is what the rows of a table are ordered by, the same in both databases whatever the
// language of the one.
func (t table) key(e engine) string {
	sorted := slices.Clone(t.columns)
	slices.SortStableFunc(sorted, func(a, b column) int { return a.key - b.key })
	var parts []string
	for _, c := range sorted {
		switch {
		case c.key == 0:
		case c.kind == text && e.name != "sqlite":
			parts = append(parts, c.name+` COLLATE "C"`)
		default:
			parts = append(parts, c.name)
		}
	}
	return strings.Join(parts, ", ")
}

// names are the names of the table's columns.
func (t table) names() []string {
	var all []string
	for _, c := range t.columns {
		all = append(all, c.name)
	}
	return all
}
