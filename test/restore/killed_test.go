package restore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/server/backup"
	"patchbay/server/store"
	"patchbay/test/victim"
)

// restoring is what the victim restores.
type restoring struct {
	backup.Place
	File string
}

func (r restoring) options(progress func(string)) backup.RestoreOptions {
	return backup.RestoreOptions{Place: r.Place, File: r.File, Now: time.Now, Progress: progress,
		Passphrase: func() (string, error) { return "", errors.New("it is not encrypted") }}
}

// TestRestore is the process that is killed; it runs only as that.
func TestRestore(t *testing.T) {
	var r restoring
	at := victim.Order(t, &r)
	_, err := backup.Restore(context.Background(), r.options(at))
	must(t, err)
}

// What was loaded in part is gone from PostgreSQL with the process. What was loaded whole
// stays there, and the next try says what to do about it.
func TestAKilledRestoreIntoPostgreSQLIsBegunAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	database := postgresFor(t)
	data := t.TempDir()
	old := &installation{Place: backup.Place{Data: data, Database: database(data)}, t: t}
	old.found()
	file := filepath.Join(t.TempDir(), "backup")
	_, err := backup.Make(t.Context(), backup.Options{Place: old.Place, File: file, Plain: true, Program: "test", Now: time.Now})
	must(t, err)
	for moment, whole := range map[string]bool{"beginning": false, "loading table site": false, "loading table setting": false,
		"beginning a new epoch": true, "putting the keys in their place": true, "ending": true} {
		r := restoring{Place: backup.Place{Data: filepath.Join(t.TempDir(), "new"), Database: database("")}, File: file}
		victim.Kill(t, "TestRestore", r, moment)
		if err := backup.Unfinished(r.Data); !errors.Is(err, backup.ErrUnfinished) {
			t.Errorf("killed at %q a server would begin there: %v", moment, err)
		}
		_, err := backup.Restore(t.Context(), r.options(nil))
		if whole {
			if !errors.Is(err, store.ErrExists) || !strings.Contains(err.Error(), "drop this one") {
				t.Errorf("killed at %q: %v", moment, err)
			}
			r.Database = database("")
			_, err = backup.Restore(t.Context(), r.options(nil))
		}
		must(t, err)
		must(t, backup.Unfinished(r.Data))
	}
}
