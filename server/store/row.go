package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// scanner is a row of a result.
type scanner interface{ Scan(...any) error }

// each calls fn with every row of a query.
func (t *tx) each(ctx context.Context, fn func(scanner) error, query string, args ...any) error {
	rows, err := t.sql.QueryContext(ctx, query, clean(args)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list reads all rows of a query.
func list[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := t.each(ctx, func(r scanner) error {
		v, err := scan(r)
		all = append(all, v)
		return err
	}, query, args...)
	return all, err
}

// one reads the one row of a query, or says that the named thing is missing.
func one[T any](ctx context.Context, t *tx, what, id string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(t.row(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, missing(what, id)
	}
	return v, err
}

// reading runs a single query of a handle and says what was being read.
func reading[T any](ctx context.Context, h handle, what string, fn func(*tx) (T, error)) (T, error) {
	var v T
	err := h.read(ctx, func(t *tx) (err error) {
		v, err = fn(t)
		return err
	})
	return v, doing("reading "+what, err)
}

// doing adds what was being done, except to a refusal, which is a sentence already.
func doing(what string, err error) error {
	var r *Refusal
	if err == nil || errors.As(err, &r) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// The times that are kept. A device's clock may say anything; what lies outside is moved to
// the edge, since no page could show it.
const (
	firstMilli = 0               // 1970-01-01
	lastMilli  = 253402214400000 // 9999-12-31
)

// millis is a time as it is stored; the zero time is NULL.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return min(max(t.UnixMilli(), firstMilli), lastMilli)
}

// blob is bytes as they are stored; none are NULL.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func millisOf(t *time.Time) any {
	if t == nil {
		return nil
	}
	return millis(*t)
}

// at scans a time; NULL is the zero time.
func at(t *time.Time) sql.Scanner { return stamp{func(v time.Time) { *t = v }} }

// maybe scans a time that may not be set.
func maybe(t **time.Time) sql.Scanner {
	return stamp{func(v time.Time) {
		if *t = nil; !v.IsZero() {
			*t = &v
		}
	}}
}

type stamp struct{ set func(time.Time) }

// Scan takes milliseconds or NULL.
func (s stamp) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		s.set(time.Time{})
	case int64:
		s.set(time.UnixMilli(v).UTC())
	default:
		return fmt.Errorf("a time is stored as %T", src)
	}
	return nil
}

// encoded writes a value as JSON, decoded reads it.
type encoded struct{ v any }

// Value gives the JSON.
func (e encoded) Value() (driver.Value, error) {
	b, err := json.Marshal(e.v)
	return string(b), err
}

type decoded struct{ v any }

// Scan takes JSON; NULL leaves the value as it is.
func (d decoded) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), d.v)
	case []byte:
		return json.Unmarshal(v, d.v)
	}
	return fmt.Errorf("JSON is stored as %T", src)
}

// clean puts a replacement character where a text has a byte that PostgreSQL cannot keep as
// one, so that no device can send what can never be stored.
func clean(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = cleanText(s)
		}
	}
	return args
}

func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// fold makes names that people would take for the same equal.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// marks lists n numbered placeholders from first on: "$2, $3, $4".
func marks(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// filter collects the conditions of a query after the handle's own, which is $1.
type filter struct {
	where []string
	args  []any
}

func newFilter(t *tx) *filter { return &filter{[]string{t.mine()}, []any{t.scope()}} }

// add adds a condition with one argument, whose place is written %s.
func (f *filter) add(condition string, arg any) {
	f.args = append(f.args, arg)
	f.where = append(f.where, fmt.Sprintf(condition, fmt.Sprintf("$%d", len(f.args))))
}

// text adds column = value when the value is set.
func (f *filter) text(column, value string) {
	if value != "" {
		f.add(column+" = %s", value)
	}
}

func (f *filter) only(condition string) { f.where = append(f.where, condition) }

func (f *filter) String() string { return " WHERE " + strings.Join(f.where, " AND ") }

// in adds column IN (values) when there are any.
func (f *filter) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	f.where = append(f.where, column+" IN ("+marks(len(f.args)+1, len(values))+")")
	for _, v := range values {
		f.args = append(f.args, v)
	}
}

// limit is the end of a query that gives at most n rows; 0 is all.
func limit(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" LIMIT %d", n)
}
