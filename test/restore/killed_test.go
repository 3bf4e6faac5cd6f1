package restore

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/server/backup"
	"patchbay/server/store"
)

// doomed is the environment variable that tells TestRestore what to restore and where to stop.
const doomed = "PATCHBAY_RESTORE_DOOMED"

type restoring struct {
	backup.Place
	File, Until string
}

func (r restoring) options(progress func(string)) backup.RestoreOptions {
	return backup.RestoreOptions{Place: r.Place, File: r.File, Now: time.Now, Progress: progress,
		Passphrase: func() (string, error) { return "", errors.New("it is not encrypted") }}
}

// TestRestore is the process that is killed; it runs only as that.
func TestRestore(t *testing.T) {
	if os.Getenv(doomed) == "" {
		t.Skip("runs only as a part of other tests")
	}
	var r restoring
	must(t, json.Unmarshal([]byte(os.Getenv(doomed)), &r))
	_, err := backup.Restore(context.Background(), r.options(func(what string) {
		if what == r.Until {
			fmt.Println("stopped")
			select {}
		}
	}))
	must(t, err)
}

// kill lets another process restore and kills it there.
func (r restoring) kill(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(r)
	must(t, err)
	process := exec.Command(os.Args[0], "-test.run=^TestRestore$")
	process.Env = append(os.Environ(), doomed+"="+string(text))
	out, err := process.StdoutPipe()
	must(t, err)
	must(t, process.Start())
	stopped := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "stopped" {
			stopped = true
			must(t, process.Process.Kill())
		}
	}
	if process.Wait(); !stopped {
		t.Fatalf("it never came to %q", r.Until)
	}
}

// What was loaded in part is gone from PostgreSQL with the process. What was loaded whole
// stays there, and the next try says what to do about it.
func TestAKilledRestoreIntoPostgreSQLIsBegunAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	database := postgres(t)
	data := t.TempDir()
	old := &installation{Place: backup.Place{Data: data, Database: database(data)}, t: t}
	old.found()
	file := filepath.Join(t.TempDir(), "backup")
	_, err := backup.Make(t.Context(), backup.Options{Place: old.Place, File: file, Plain: true, Program: "test", Now: time.Now})
	must(t, err)
	for moment, whole := range map[string]bool{"beginning": false, "loading table site": false, "loading table setting": false,
		"beginning a new epoch": true, "putting the keys in their place": true, "ending": true} {
		r := restoring{Place: backup.Place{Data: filepath.Join(t.TempDir(), "new"), Database: database("")}, File: file, Until: moment}
		r.kill(t)
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
