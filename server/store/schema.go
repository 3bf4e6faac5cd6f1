package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// Schema is which version of the schema there is and which this program wants. Each version
// since the first release only adds to the one before, so a server that runs goes on while a
// newer one brings the schema up to date beside it; it is refused only when it starts anew.
type Schema struct {
	Current, Newest int64
}

// never is the time of a change that writes no row with a time.
var never = time.Time{}

// OpenAsIs opens a database that is there and leaves its schema as it is. It refuses one
// that a newer version has written to.
func OpenAsIs(ctx context.Context, url string) (*Store, error) {
	if path, file := strings.CutPrefix(url, "sqlite:"); file {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("opening the database: %w", err)
		}
	}
	s, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, err := s.Schema(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), s.Close())
	}
	return s, nil
}

// Schema gives the versions, and refuses a database that a newer version has written to.
func (s *Store) Schema(ctx context.Context) (v Schema, err error) {
	p, err := migrator(s)
	if err != nil {
		return v, err
	}
	if v.Current, v.Newest, err = p.GetVersions(ctx); err != nil {
		return v, fmt.Errorf("reading the schema's version: %w", err)
	}
	if v.Current > v.Newest {
		return v, s.newer(ctx, v)
	}
	return v, nil
}

// newest is the newest version of any database: a dump may be of the other one, whose
// migrations count on beyond this one's.
func newest() (n int64, err error) {
	err = fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		v, err := goose.NumericComponent(path)
		n = max(n, v)
		return err
	})
	return n, err
}

// programSetting names the version of Patchbay that first had a schema.
const programSetting = "schema_program"

type schemaProgram struct {
	Schema  int64  `json:"schema"`
	Program string `json:"program"`
}

// NoteProgram keeps for later which version of Patchbay has this schema, so that an older
// one can say which is needed.
func (m *MSP) NoteProgram(ctx context.Context, program string) error {
	v, err := m.s.Schema(ctx)
	if err != nil {
		return err
	}
	if held, err := m.schemaProgram(ctx); err != nil || held.Schema >= v.Current {
		return err
	}
	value, err := json.Marshal(schemaProgram{v.Current, program})
	if err != nil {
		return err
	}
	return doing("noting the program's version", m.record(ctx, never, func(t *tx) error {
		return t.setSetting(ctx, programSetting, value)
	}))
}

func (m *MSP) schemaProgram(ctx context.Context) (p schemaProgram, err error) {
	value, err := m.Setting(ctx, programSetting)
	if errors.Is(err, ErrNotFound) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(value, &p)
	}
	return p, err
}

// newer is the refusal of a schema that this program does not know.
func (s *Store) newer(ctx context.Context, v Schema) error {
	which := "the version that wrote it"
	if held, err := s.MSP(Who{ID: "system"}).schemaProgram(ctx); err == nil && held.Program != "" && held.Schema == v.Current {
		which = "version " + held.Program + " or a newer one"
	}
	return refuse(ErrNewerSchema, fmt.Sprintf("The database has schema %d and this version of Patchbay knows %d: a newer version has written to it. "+
		"Start %s, or restore a backup from before the upgrade.", v.Current, v.Newest, which))
}
