package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrations/ is for both databases, migrations/postgres/ for PostgreSQL alone; numbers
// count over both.
//
//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. Servers that start at once on one PostgreSQL take
// turns.
func migrate(ctx context.Context, s *Store) error {
	v, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	return s.migrateTo(ctx, v.Newest)
}

// migrateTo brings the schema up to a version, and leaves a higher one.
func (s *Store) migrateTo(ctx context.Context, version int64) error {
	p, err := migrator(s)
	if err != nil {
		return err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	return nil
}

func migrator(s *Store) (*goose.Provider, error) {
	dialect, folders, opts := goose.DialectSQLite3, []string{"migrations"}, []goose.ProviderOption(nil)
	if s.engine.name == "postgres" {
		turns, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		dialect, folders = goose.DialectPostgres, append(folders, "migrations/postgres")
		opts = append(opts, goose.WithSessionLocker(turns))
	}
	var files layers
	for _, name := range folders {
		sub, err := fs.Sub(migrations, name)
		if err != nil {
			return nil, err
		}
		files = append(files, sub)
	}
	return goose.NewProvider(dialect, s.writer, files, opts...)
}

// layers shows the files of several folders as one.
type layers []fs.FS

// Open opens the file in the first folder that has it.
func (l layers) Open(name string) (f fs.File, err error) {
	for _, folder := range l {
		if f, err = folder.Open(name); err == nil {
			return f, nil
		}
	}
	return nil, err
}

// ReadDir lists the files of all folders by name: who reads them takes the last for the newest.
func (l layers) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, folder := range l {
		entries, err := fs.ReadDir(folder, name)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
