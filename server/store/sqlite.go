package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens the file, making it when there is none. Writes go through one connection
// whose transactions take the write lock at once: a transaction that reads first and then
// finds it cannot write would have to be thrown away. A commit returns when it is on disk.
func openSQLite(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Before SQLite does, so that nobody else may read it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	writer, err := sql.Open("sqlite", sqliteURL(path, "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	reader, err := sql.Open("sqlite", sqliteURL(path, "_query_only=1"))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxOpenConns(8)
	reader.SetMaxIdleConns(8)
	return &Store{engine: sqliteEngine(), writer: writer, reader: reader}, nil
}

func sqliteURL(path, more string) string {
	return fmt.Sprintf("file:%s?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=1&_dqs=0&_defensive=1&%s",
		(&url.URL{Path: path}).EscapedPath(), more)
}

func sqliteEngine() engine {
	is := func(err error, codes ...int) bool {
		var e *sqlite.Error
		if errors.As(err, &e) {
			for _, c := range codes {
				if e.Code() == c {
					return true
				}
			}
		}
		return false
	}
	return engine{
		name:  "sqlite",
		enter: func(context.Context, *sql.Tx, handle) error { return nil },
		unique: func(err error) bool {
			return is(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
		},
		foreign:  func(err error) bool { return is(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY) },
		prepares: true,
		again:    func(error) bool { return false },
	}
}
