package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Line is one line of a dump: a JSON array that belongs to a table. The first line of a
// table names its columns, each further one is a row. Bytes are written in base64.
type Line struct {
	Table string
	Text  []byte
}

// Dump is everything that the database holds at one moment, whatever is written meanwhile.
type Dump struct {
	Schema int64 // version

	tx     *tx
	tables []table
}

// Dump calls fn with a dump, which is gone when fn returns. What is in it comes from the
// schema: a table that is made one day is in it from then on.
func (m *MSP) Dump(ctx context.Context, fn func(Dump) error) error {
	return doing("reading the whole database", m.read(ctx, func(t *tx) error {
		d := Dump{tx: t}
		err := t.row(ctx, `SELECT MAX(version_id) FROM `+apart).Scan(&d.Schema)
		if err != nil {
			return fmt.Errorf("reading the schema's version: %w", err)
		}
		if d.tables, err = t.layout(ctx); err != nil {
			return err
		}
		return fn(d)
	}))
}

// Lines calls write with every line, tables that others point at first. The text is only
// write's until it returns.
func (d Dump) Lines(ctx context.Context, write func(Line) error) error {
	for _, t := range d.tables {
		if err := d.table(ctx, t, write); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return nil
}

func (d Dump) table(ctx context.Context, t table, write func(Line) error) error {
	names := t.names()
	head, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := write(Line{t.name, head}); err != nil {
		return err
	}
	row, into := make([]any, len(names)), make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // which would only make it longer
	return d.tx.each(ctx, func(r scanner) error {
		if err := r.Scan(into...); err != nil {
			return err
		}
		for i, c := range t.columns {
			if row[i], err = c.plain(row[i]); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
		}
		line.Reset()
		if err := encoder.Encode(row); err != nil {
			return err
		}
		return write(Line{t.name, bytes.TrimSuffix(line.Bytes(), []byte("\n"))})
	}, `SELECT `+strings.Join(names, ", ")+` FROM `+t.name+` ORDER BY `+t.key(d.tx.s.engine))
}

// plain is a value of the column as it is written: text, a number, true or false, bytes, or
// nothing. What would come back as something else is refused.
func (c column) plain(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch c.kind {
		case number:
			return v, nil
		case truth:
			return v != 0, nil
		}
	case bool:
		if c.kind == truth {
			return v, nil
		}
	case string:
		return c.plain([]byte(v))
	case []byte:
		switch {
		case c.kind == bytea:
			return append([]byte{}, v...), nil // none is not NULL
		case c.kind == text && utf8.Valid(v):
			return string(v), nil
		case c.kind == text:
			return nil, fmt.Errorf("it holds a text with bytes that are no characters")
		}
	}
	return nil, fmt.Errorf("it holds a %T, which was not expected there", v)
}
