package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"patchbay/server/effect"
)

// Store is an open database. Its handles do the work.
type Store struct {
	// Around stands around each commit and notice; set before the first of them.
	Around effect.Around
	// Unsure is told that a change was to be committed and nobody knows whether it is: that
	// went wrong, as when the database was lost in the middle of it. nil tells nobody.
	Unsure func()

	engine engine
	writer *sql.DB // SQLite: one connection, immediate transactions
	reader *sql.DB // the same as writer on PostgreSQL
	// listening is how Listen connects; nil on SQLite.
	listening *pgx.ConnConfig
}

// engine is what differs between the databases.
type engine struct {
	name string
	// enter prepares a fresh transaction for a handle.
	enter func(ctx context.Context, t *sql.Tx, h handle) error
	// unique and foreign tell which constraint an error reports.
	unique, foreign func(error) bool
	// prepares says that a query costs less the second time when it was prepared.
	prepares bool
	// again tells an error after which the same transaction may succeed.
	again func(error) bool
}

// Open opens "sqlite:PATH" or "postgres://…" and brings its schema up to date. It refuses
// a database that a newer version has written to, and a PostgreSQL user whom row-level
// security does not bind.
func Open(ctx context.Context, url string) (*Store, error) {
	s, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), s.Close())
	}
	return s, nil
}

// connect opens a database as it is.
func connect(ctx context.Context, url string) (s *Store, err error) {
	switch {
	case strings.HasPrefix(url, "sqlite:") && len(url) > len("sqlite:"):
		s, err = openSQLite(strings.TrimPrefix(url, "sqlite:"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		s, err = openPostgres(ctx, url)
	default:
		return nil, errors.New("opening the database: its address must be sqlite:PATH or postgres://USER@HOST/NAME")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return s, nil
}

// Shared reports whether other servers may be at work on the same database. An embedded one
// is for one server.
func (s *Store) Shared() bool { return s.engine.name == "postgres" }

// Close waits for running queries and closes the database.
func (s *Store) Close() error {
	if s.reader == s.writer {
		return s.writer.Close()
	}
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// tx is a transaction of a handle.
type tx struct {
	handle
	sql   *sql.Tx
	notes []note
	asked map[string]*sql.Stmt // queries so far; prepared from the second time on
}

// read runs fn in a read-only transaction: all its queries see one state.
func (h handle) read(ctx context.Context, fn func(*tx) error) error {
	if h.within != nil {
		return fn(&tx{handle: h, sql: h.within})
	}
	t, err := h.begin(ctx, h.s.reader, &sql.TxOptions{ReadOnly: true, Isolation: h.s.engine.snapshot()})
	if err != nil {
		return err
	}
	defer t.sql.Rollback() // reading leaves nothing to commit
	return fn(t)
}

// change runs fn, which changes something a person, a rule or the engine decided, and must
// say so with t.note: without a note nothing is committed.
//
// Where it cannot be told whether it was committed, Unsure is told: who asked for it may not
// ask again. What a device or the engine writes down it says again by itself.
func (h handle) change(ctx context.Context, now time.Time, fn func(*tx) error) error {
	err := h.record(ctx, now, func(t *tx) error {
		if err := fn(t); err != nil {
			return err
		}
		if len(t.notes) == 0 {
			panic("store: a change without an audit row")
		}
		return nil
	})
	if errors.Is(err, errCommit) && h.s.Unsure != nil {
		h.s.Unsure()
	}
	return err
}

// errCommit means that all went well until it was to be committed.
var errCommit = errors.New("committing")

// record runs fn, which writes down what a device or the clock says and needs no note. It
// may run fn again when the database asks for it, so fn sets its results anew each time.
func (h handle) record(ctx context.Context, now time.Time, fn func(*tx) error) error {
	for try := 1; ; try++ {
		err := h.once(ctx, now, fn)
		if err == nil || try == 5 || !h.s.engine.again(err) {
			return err
		}
	}
}

func (h handle) once(ctx context.Context, now time.Time, fn func(*tx) error) error {
	if h.within != nil {
		return errors.New("changing something through a snapshot")
	}
	t, err := h.begin(ctx, h.s.writer, nil)
	if err != nil {
		return err
	}
	defer t.sql.Rollback() // does nothing after a commit
	if err := fn(t); err != nil {
		return err
	}
	if err := t.link(ctx, now); err != nil {
		return err
	}
	if err := h.s.Around.Do("commit", t.sql.Commit); err != nil {
		return fmt.Errorf("%w: %w", errCommit, err)
	}
	return nil
}

func (h handle) begin(ctx context.Context, db *sql.DB, opts *sql.TxOptions) (*tx, error) {
	if h.who.ID == "" {
		return nil, errors.New("asking the database: nobody asks")
	}
	if !h.msp && (h.customer == "" || h.customer == mspChain) {
		return nil, missing("customer", h.customer)
	}
	t, err := db.BeginTx(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("asking the database: %w", err)
	}
	if err := h.s.engine.enter(ctx, t, h); err != nil {
		return nil, errors.Join(fmt.Errorf("asking the database: %w", err), t.Rollback())
	}
	return &tx{handle: h, sql: t}, nil
}

// snapshot is the isolation under which several queries see one state. SQLite has no other.
func (e engine) snapshot() sql.IsolationLevel {
	if e.name == "sqlite" {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// mine is the condition that all queries shared by both handles begin with; its argument,
// scope, is always $1.
func (t *tx) mine() string {
	if t.msp {
		return "$1 = ''"
	}
	return "customer = $1"
}

func (t *tx) scope() string {
	if t.msp {
		return ""
	}
	return t.customer
}

// exec runs a statement and says how many rows it touched.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	s, err := t.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	var done sql.Result
	if s != nil {
		done, err = s.ExecContext(ctx, clean(args)...)
	} else {
		done, err = t.sql.ExecContext(ctx, query, clean(args)...)
	}
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// prepared gives a query that was asked before in this transaction as a statement, which ends
// with the transaction; nil the first time.
func (t *tx) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if !t.s.engine.prepares {
		return nil, nil
	}
	s, again := t.asked[query]
	if s != nil {
		return s, nil
	}
	if t.asked == nil {
		t.asked = map[string]*sql.Stmt{}
	}
	var err error
	if again {
		s, err = t.sql.PrepareContext(ctx, query)
	}
	t.asked[query] = s
	return s, err
}

// must runs a statement that has to touch a row of the named thing.
func (t *tx) must(ctx context.Context, what, id, query string, args ...any) error {
	n, err := t.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return missing(what, id)
	}
	return err
}

func (t *tx) row(ctx context.Context, query string, args ...any) *sql.Row {
	if s, err := t.prepared(ctx, query); err == nil && s != nil {
		return s.QueryRowContext(ctx, clean(args)...)
	}
	return t.sql.QueryRowContext(ctx, query, clean(args)...) // and says what is wrong with it
}
