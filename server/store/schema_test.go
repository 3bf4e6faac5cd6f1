package store

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

// firstRelease is the last migration of the first version that counts as released: those
// after it only add.
const firstRelease = 2

// A server of the version before runs on while a newer one brings the schema up to date, and
// its statements do not know the new columns. So a migration adds tables and columns, never
// takes away, renames or changes, and what it adds has a default. Taking away is for a later
// release, when no program that may still run uses it; its migration is then named here with
// the reason.
func TestMigrationsOnlyAdd(t *testing.T) {
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n, err := goose.NumericComponent(path)
		if err != nil || n <= firstRelease {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		if err != nil {
			return err
		}
		for _, why := range takesAway(string(text)) {
			t.Errorf("%s: %s", path, why)
		}
		return nil
	})
	ok(t, err)
}

func TestWhatTakesAwayIsSeen(t *testing.T) {
	for text, bad := range map[string]bool{
		"ALTER TABLE a ADD COLUMN b TEXT NOT NULL DEFAULT '';":        false,
		"ALTER TABLE a ADD COLUMN b BIGINT;":                          false,
		"CREATE TABLE a (b TEXT NOT NULL);":                           false,
		"-- DROP nothing\nCREATE INDEX a ON b (c);":                   false,
		"ALTER TABLE a ENABLE ROW LEVEL SECURITY;":                    false,
		"alter table a\n  drop column b;":                             true,
		"DROP INDEX a;":                                               true,
		"ALTER TABLE a RENAME COLUMN b TO c;":                         true,
		"ALTER TABLE a ADD COLUMN b TEXT\n NOT NULL;":                 true,
		"ALTER TABLE a ALTER COLUMN b TYPE TEXT;":                     true,
		"ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0);":               true,
		"CREATE UNIQUE INDEX a ON b (c);":                             true,
		"UPDATE a SET b = 1;":                                         true,
		"DELETE FROM a;":                                              true,
		"CREATE TABLE a (b TEXT); ALTER TABLE c ADD d TEXT NOT NULL;": true,
	} {
		if got := takesAway(text); (len(got) > 0) != bad {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// takesAway finds what a server of the version before could stumble over.
func takesAway(migration string) (found []string) {
	migration = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(migration, "")
	for _, statement := range strings.Split(migration, ";") {
		s := strings.ToUpper(strings.Join(strings.Fields(statement), " "))
		for _, word := range []string{"DROP ", "RENAME ", "ALTER COLUMN ", "TRUNCATE ", "UPDATE ", "DELETE ", "ADD CONSTRAINT ", "CREATE UNIQUE INDEX "} {
			if strings.HasPrefix(s, word) || strings.Contains(s, " "+word) && !strings.HasPrefix(s, "CREATE ") {
				found = append(found, "it says "+strings.TrimSpace(word))
			}
		}
		if strings.HasPrefix(s, "ALTER TABLE") && strings.Contains(s, " NOT NULL") && !strings.Contains(s, " DEFAULT ") {
			found = append(found, "it adds a column that is NOT NULL and has no default")
		}
	}
	return found
}

// The stand-in for a server of the first release: the statements by which it wrote the
// tables that were changed since, before, beside and after the migration to the newest
// schema.
func TestTheFirstReleaseWritesOnTheNewestSchema(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": func(t testing.TB) string { return newDatabase(t, "") }} {
		t.Run(name, func(t *testing.T) {
			ctx, at := context.Background(), url(t)
			old, err := connect(ctx, at)
			ok(t, err)
			defer old.Close()
			ok(t, old.migrateTo(ctx, firstRelease))
			ok(t, formerly(old, "before"))
			newer := open(t, at)
			ok(t, formerly(old, "beside"))
			founded(t, newer, "new")
			ok(t, formerly(old, "after"))
			devices, err := newer.MSP(ann).Devices(ctx, DeviceFilter{})
			ok(t, err)
			agents, err := newer.MSP(ann).Agents(ctx)
			ok(t, err)
			if len(devices) != 4 || len(agents) != 4 {
				t.Errorf("%d devices, %d agents", len(devices), len(agents))
			}
			whole(t, newer)
		})
	}
}

// formerly enrols as the first release did.
func formerly(s *Store, name string) error {
	ctx := context.Background()
	if err := s.MSP(ann).CreateCustomer(ctx, day0, CustomerRow{ID: "cus_" + name, Name: name, CreatedAt: day0}); err != nil {
		return err
	}
	h := s.Customer(ann, "cus_"+name)
	return h.record(ctx, day0, func(t *tx) error {
		for _, query := range []string{
			`INSERT INTO site (customer, id, name, name_key, zone, policy, created_at, changed_at) VALUES ('cus_%[1]s', 'site_%[1]s', '%[1]s', '%[1]s', 'UTC', '{}', 1, 1)`,
			`INSERT INTO token (customer, id, site, secret_hash, note, mode, max_uses, used, created_at, created_by, expires_at, revoked_at)
				VALUES ('cus_%[1]s', 'tok_%[1]s', 'site_%[1]s', '%[1]s', '', 'manage', 1, 0, 1, '', 1, NULL)`,
			`INSERT INTO agent (customer, id, site, public_key, build, mode, max_mode, capabilities, token, enrolled_at, revoked_at, last_seen, clock_off,
				seen_epoch, seen_version, acknowledged, orders_epoch, orders_version, orders_hash)
				VALUES ('cus_%[1]s', 'agt_%[1]s', 'site_%[1]s', 'k', '', 'manage', 'manage', '[]', 'tok_%[1]s', 1, NULL, 1, 0, 0, 0, 0, 0, 0, '')`,
			`INSERT INTO device (customer, id, site, agent, name, named, facts, scanned_at, fresh_after, digest, enrolled_at, retired_at)
				VALUES ('cus_%[1]s', 'dev_%[1]s', 'site_%[1]s', 'agt_%[1]s', '%[1]s', FALSE, '{}', NULL, NULL, '', 1, NULL)`,
			`UPDATE agent SET last_seen = 2, seen_epoch = 1 WHERE customer = 'cus_%[1]s' AND id = 'agt_%[1]s'`,
		} {
			if _, err := t.exec(ctx, fmt.Sprintf(query, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// An older program says which version is needed, when the newer one left its name.
func TestAnOlderProgramNamesTheVersionThatIsNeeded(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteFile, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			ctx, at := context.Background(), url(t)
			s := open(t, at)
			_, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)`, true)
			ok(t, err)
			ok(t, s.MSP(ann).record(ctx, never, func(t *tx) error {
				_, err := t.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)`, programSetting, []byte(`{"schema":99999,"program":"7.1.0"}`))
				return err
			}))
			for _, attempt := range []func(context.Context, string) (*Store, error){Open, OpenAsIs} {
				_, err = attempt(ctx, at)
				refused(t, ErrNewerSchema, err)
				if !strings.Contains(err.Error(), "7.1.0") {
					t.Errorf("it does not say which version is needed: %v", err)
				}
			}
		})
	}
}

func TestTheFirstVersionWithASchemaIsKept(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		ok(t, s.MSP(ann).NoteProgram(ctx, "1.0.0"))
		ok(t, s.MSP(ann).NoteProgram(ctx, "1.0.1"))
		held, err := s.MSP(ann).schemaProgram(ctx)
		ok(t, err)
		v, err := s.Schema(ctx)
		ok(t, err)
		if held != (schemaProgram{v.Current, "1.0.0"}) {
			t.Errorf("%+v", held)
		}
	})
}
