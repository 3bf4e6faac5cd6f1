package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Load fills an empty database with the lines of a dump, in one transaction, and brings its
// schema up to date. next gives line after line and io.EOF after the last; any other error
// leaves nothing behind. A database that holds anything is refused, as is a dump that a
// newer version made or that lacks a table.
func Load(ctx context.Context, url string, schema int64, next func() (Line, error)) (*Store, error) {
	s, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := s.load(ctx, schema, next); err != nil {
		return nil, errors.Join(doing("filling the database", err), s.Close())
	}
	return s, nil
}

func (s *Store) load(ctx context.Context, schema int64, next func() (Line, error)) error {
	newest, err := newest()
	if err != nil {
		return err
	}
	if schema > newest {
		return refuse(ErrNewerSchema, fmt.Sprintf("What is to be loaded has schema %d and this version of Patchbay knows %d: take a newer version.", schema, newest))
	}
	who := s.MSP(Who{ID: "system", Name: "the server"})
	if err := who.read(ctx, func(t *tx) error { return t.empty(ctx) }); err != nil {
		return err
	}
	if err := s.migrateTo(ctx, schema); err != nil {
		return err
	}
	err = who.record(ctx, never, func(t *tx) error {
		tables, err := t.layout(ctx)
		if err != nil {
			return err
		}
		return (&loading{tx: t, left: tables}).all(ctx, next)
	})
	if err != nil {
		return err
	}
	return s.migrateTo(ctx, newest)
}

// empty refuses a database in which a table has a row.
func (t *tx) empty(ctx context.Context) error {
	tables, err := t.layout(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		var n int
		if err := t.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM `+table.name+` LIMIT 1) AS one`).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return refuse(ErrExists, "The database is not empty: its table "+table.name+" has rows. Name an empty one, or drop this one and make it anew; "+
				"nothing is ever loaded over what is there.")
		}
	}
	return nil
}

// The rows of one statement: few enough for both databases, and not too much text at once.
const (
	mostMarks = 2000
	mostText  = 1 << 20
)

// loading is a dump on its way into the database.
type loading struct {
	*tx
	left    []table  // still to come
	now     *table   // whose rows come
	columns []column // of now, in the order of the dump
	args    []any
	size    int
}

func (l *loading) all(ctx context.Context, next func() (Line, error)) error {
	for {
		line, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if l.now == nil || line.Table != l.now.name {
			err = l.begin(ctx, line)
		} else {
			err = l.take(ctx, line.Text)
		}
		if err != nil {
			return fmt.Errorf("table %.60q: %w", line.Table, err)
		}
	}
	if len(l.left) > 0 {
		return fmt.Errorf("the dump lacks the table %s", l.left[0].name)
	}
	return l.flush(ctx)
}

// begin reads the line with the names of a table's columns.
func (l *loading) begin(ctx context.Context, line Line) error {
	if err := l.flush(ctx); err != nil {
		return err
	}
	i := slices.IndexFunc(l.left, func(t table) bool { return t.name == line.Table })
	if i < 0 {
		return errors.New("the schema has no such table, or it came already")
	}
	t := l.left[i]
	l.now, l.left, l.columns = &t, slices.Delete(slices.Clone(l.left), i, i+1), nil
	var names []string
	if err := json.Unmarshal(line.Text, &names); err != nil {
		return fmt.Errorf("reading the names of its columns: %w", err)
	}
	for _, name := range names {
		at := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
		if at < 0 || slices.Contains(l.columns, t.columns[at]) {
			return fmt.Errorf("the schema has no column %.60q there, or it is named twice", name)
		}
		l.columns = append(l.columns, t.columns[at])
	}
	if len(l.columns) != len(t.columns) {
		return fmt.Errorf("the dump has %d of its %d columns", len(l.columns), len(t.columns))
	}
	return nil
}

// take reads one row.
func (l *loading) take(ctx context.Context, line []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	var row []any
	if err := decoder.Decode(&row); err != nil {
		return fmt.Errorf("reading a row: %w", err)
	}
	if len(row) != len(l.columns) {
		return fmt.Errorf("a row has %d values for %d columns", len(row), len(l.columns))
	}
	for i, c := range l.columns {
		v, err := c.stored(row[i])
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		l.args = append(l.args, v)
	}
	if l.size += len(line); l.size > mostText || len(l.args)+len(l.columns) > mostMarks {
		return l.flush(ctx)
	}
	return nil
}

// stored turns a written value back into the column's own.
func (c column) stored(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if c.kind == truth {
			return v, nil
		}
	case json.Number:
		if c.kind == number {
			return v.Int64()
		}
	case string:
		switch c.kind {
		case text:
			return v, nil
		case bytea:
			return base64.StdEncoding.DecodeString(v)
		}
	}
	return nil, errors.New("it has a value of another kind than the schema says")
}

// flush writes the rows that were taken.
func (l *loading) flush(ctx context.Context) error {
	if len(l.args) == 0 {
		return nil
	}
	names, width := make([]string, len(l.columns)), len(l.columns)
	for i, c := range l.columns {
		names[i] = c.name
	}
	rows := make([]string, len(l.args)/width)
	for i := range rows {
		rows[i] = "(" + marks(1+i*width, width) + ")"
	}
	_, err := l.sql.ExecContext(ctx, `INSERT INTO `+l.now.name+` (`+strings.Join(names, ", ")+`) VALUES `+strings.Join(rows, ", "), l.args...)
	l.args, l.size = l.args[:0], 0
	return err
}
