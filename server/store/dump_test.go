package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/wire"
)

// brimming fills every table, with values that are easily lost among them.
func brimming(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	a, _ := filled(t, s)
	odd := "\"quoted\" <b>&\n\u2028 naïve 你好 🦆 \U0010FFFF"
	ok(t, s.MSP(ann).CreatePerson(ctx, day0, Person{ID: "per_a", Email: "a@example.org", Name: odd, TOTPSecret: []byte{0, 255, 10, 0}, TOTPAt: &day0, CreatedAt: day0}))
	ok(t, s.MSP(ann).CreatePerson(ctx, day0, Person{ID: "per_b", Email: "b@example.org", CreatedAt: day0}))
	ok(t, s.MSP(ann).CreateSession(ctx, day0, Session{ID: "ses_a", Person: "per_a", CreatedAt: day0, SeenAt: day0, ExpiresAt: day0.Add(time.Hour)}, "hash"))
	ok(t, s.MSP(ann).CreateKey(ctx, day0, APIKey{ID: "key_a", Person: "per_a", Name: odd, CreatedAt: day0, ExpiresAt: day0.Add(time.Hour)}, "hash"))
	ok(t, s.MSP(ann).SetSetting(ctx, day0, "nothing", nil))
	ok(t, s.MSP(ann).SetSetting(ctx, day0, "bytes", []byte{0, 1, 2, 255, 254, '\n'}))
	ok(t, s.MSP(ann).ErasePayload(ctx, day0, a.id, 1, odd))
	learn(t, s, day0, says("a", "CVE-1"))
	learn(t, s, day0, says("a", odd))
	inside := func(h handle, query string, args ...any) {
		ok(t, h.record(ctx, day0, func(t *tx) error { _, err := t.exec(ctx, query, args...); return err }))
	}
	inside(a.handle, `UPDATE agent SET acknowledged = $1, clock_off = $2 WHERE id = $3`, int64(math.MaxInt64), int64(math.MinInt64), a.agent)
}

// dumped is a dump as text and its rows counted by table.
func dumped(t *testing.T, s *Store) (lines []Line, rows map[string]int, schema int64) {
	t.Helper()
	rows = map[string]int{}
	ok(t, s.MSP(ann).Dump(context.Background(), func(d Dump) error {
		schema = d.Schema
		return d.Lines(context.Background(), func(l Line) error {
			if len(lines) == 0 || lines[len(lines)-1].Table != l.Table {
				rows[l.Table] = -1 // the names
			}
			rows[l.Table]++
			lines = append(lines, Line{l.Table, slices.Clone(l.Text)})
			return nil
		})
	}))
	return lines, rows, schema
}

// given hands lines out one by one.
func given(lines []Line) func() (Line, error) {
	return func() (Line, error) {
		if len(lines) == 0 {
			return Line{}, io.EOF
		}
		line := lines[0]
		lines = lines[1:]
		return line, nil
	}
}

func TestDumpHasRowsOfEveryTable(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		brimming(t, s)
		_, rows, _ := dumped(t, s)
		for _, table := range tables(t, s) {
			if n, there := rows[table]; (!there || n == 0) && table != "goose_db_version" && table != "sqlite_sequence" {
				t.Errorf("table %s has %d rows in the dump, in it at all: %v", table, n, there)
			}
		}
	})
}

func TestDumpsStayTheSameThroughAnyDatabase(t *testing.T) {
	if racing {
		t.Skip("the race detector is on")
	}
	empty := map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": func(t testing.TB) string { return newDatabase(t, "") }}
	for from, url := range empty {
		for to, target := range empty {
			t.Run(from+" to "+to, func(t *testing.T) {
				s := open(t, url(t))
				brimming(t, s)
				before, _, schema := dumped(t, s)
				loaded, err := Load(context.Background(), target(t), schema, given(before))
				ok(t, err)
				t.Cleanup(func() { ok(t, loaded.Close()) })
				after, _, _ := dumped(t, loaded)
				if len(before) != len(after) {
					t.Fatalf("%d lines became %d", len(before), len(after))
				}
				for i := range before {
					if before[i].Table != after[i].Table || string(before[i].Text) != string(after[i].Text) {
						t.Errorf("table %s: %s\nbecame %s", before[i].Table, before[i].Text, after[i].Text)
					}
				}
				whole(t, loaded)
				c := company{Customer: loaded.Customer(ann, "cus_beta"), agent: "agt_beta", device: "dev_beta"}
				c.receive(t, day0, c.report(day0, offering(t, day0, "nginx", "3")))
			})
		}
	}
}

func TestNothingIsLoadedOverWhatIsThere(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			s := open(t, at)
			founded(t, s, "a")
			lines, _, schema := dumped(t, s)
			_, err := Load(context.Background(), at, schema, given(lines))
			refused(t, ErrExists, err)
			after, _, _ := dumped(t, s)
			if len(after) != len(lines) {
				t.Errorf("%d lines became %d", len(lines), len(after))
			}
		})
	}
}

// Whatever is wrong with a dump, and wherever, nothing of it stays.
func TestALoadThatFailsLeavesNothing(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			s := open(t, sqliteFile(t))
			brimming(t, s)
			lines, _, schema := dumped(t, s)
			cut := errors.New("the file ends here")
			at := url(t)
			for what, next := range map[string]func() (Line, error){
				"nothing":          given(nil),
				"cut":              func() (Line, error) { return Line{}, cut },
				"a table lacks":    given(slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Table == "setting" })),
				"a table twice":    given(append(slices.Clone(lines), lines[0])),
				"no such table":    given(append(slices.Clone(lines), Line{`x"; DROP TABLE customer; --`, []byte(`["id"]`)})),
				"no such column":   given(append([]Line{{lines[0].Table, []byte(`["id; DROP TABLE customer"]`)}}, lines[1:]...)),
				"a column lacks":   given(append([]Line{{lines[0].Table, []byte(`["id"]`)}}, lines[1:]...)),
				"no row":           given(append(slices.Clone(lines), Line{lines[len(lines)-1].Table, []byte(`{`)})),
				"a short row":      given(append(slices.Clone(lines), Line{lines[len(lines)-1].Table, []byte(`[]`)})),
				"nobody's row":     given(orphan(lines)),
				"a number as text": given(swapped(lines)),
			} {
				if s, err := Load(context.Background(), at, schema, next); err == nil {
					t.Errorf("%s: it was loaded", what)
					ok(t, s.Close())
				}
			}
			_, err := Load(context.Background(), at, 1<<40, given(lines))
			refused(t, ErrNewerSchema, err)
			loaded, err := Load(context.Background(), at, schema, given(lines)) // still empty
			ok(t, err)
			ok(t, loaded.Close())
		})
	}
}

// orphan takes the customers away from their rows.
func orphan(lines []Line) []Line {
	first := true
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool {
		names := first && l.Table == "customer"
		first = first && !names
		return l.Table == "customer" && !names
	})
}

// swapped writes the last number of a row as text.
func swapped(lines []Line) []Line {
	lines = slices.Clone(lines)
	for i, l := range lines {
		if text := string(l.Text); l.Table == "customer" && strings.HasPrefix(text, `["cus_`) {
			lines[i].Text = []byte(strings.Replace(text, fmt.Sprint(day0.UnixMilli()), fmt.Sprintf("%q", fmt.Sprint(day0.UnixMilli())), 1))
		}
	}
	return lines
}

// What is written while a dump is read is not in it, not even in part.
func TestDumpIsOfOneMoment(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		var lines []string
		ok(t, s.MSP(ann).Dump(ctx, func(d Dump) error {
			c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{c.done(1, "job_late")}})
			ok(t, s.MSP(ann).SetSetting(ctx, day0, "late", []byte("x")))
			return d.Lines(ctx, func(l Line) error {
				lines = append(lines, string(l.Text))
				return nil
			})
		}))
		if text := strings.Join(lines, "\n"); strings.Contains(text, "late") {
			t.Error("the dump has what was written after it began")
		}
	})
}

// A migration may one day bring a type of column that a dump would spoil.
func TestEveryColumnHasAKnownKind(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		_, err := s.writer.Exec(`CREATE TABLE odd (id TEXT PRIMARY KEY, price REAL)`)
		ok(t, err)
		if err := s.MSP(ann).Dump(context.Background(), func(Dump) error { return nil }); err == nil || !strings.Contains(err.Error(), "price") {
			t.Errorf("a column of an unknown type: %v", err)
		}
	})
}
