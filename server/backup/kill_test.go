package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/test/victim"
)

// doomed is what the victim does.
type doomed struct {
	Place
	What, File string
}

func killed(t *testing.T, d doomed, until string) (passed []string) {
	t.Helper()
	return victim.Kill(t, "TestVictim", d, until)
}

// TestVictim is the process that is killed; it runs only as that.
func TestVictim(t *testing.T) {
	var d doomed
	at := victim.Order(t, &d)
	var err error
	switch d.What {
	case "backup":
		o := options(d.Place, d.File)
		o.Progress = at
		_, err = Make(context.Background(), o)
	case "restore":
		_, err = Restore(context.Background(), RestoreOptions{Place: d.Place, File: d.File, Progress: at,
			Passphrase: func() (string, error) { return secret, nil }, Now: func() time.Time { return day0.Add(time.Hour) }})
	}
	ok(t, err)
}

// A backup that is killed leaves no file of its name, and the next one works.
func TestAKilledBackupLeavesNoFileThatLooksLikeOne(t *testing.T) {
	p := founded(t, 3)
	dir := t.TempDir()
	moments := killed(t, doomed{p, "backup", filepath.Join(dir, "first")}, "")
	if len(moments) < 20 {
		t.Fatalf("only %v", moments)
	}
	for _, moment := range moments {
		file := filepath.Join(dir, "killed")
		killed(t, doomed{p, "backup", file}, moment)
		if _, err := os.Stat(file); err == nil {
			t.Errorf("killed at %s it left a file", moment)
		}
		_, err := Make(t.Context(), options(p, file))
		ok(t, err)
		_, err = Check(t.Context(), empty(t, file))
		ok(t, err)
		ok(t, os.Remove(file))
	}
}

// A restore that is killed at any moment leaves a folder that no server begins in, and the
// next try makes it whole.
func TestAKilledRestoreServesNobodyAndIsBegunAnew(t *testing.T) {
	p := founded(t, 3)
	file := saved(t, p, nil)
	moments := killed(t, doomed{empty(t, file).Place, "restore", file}, "")
	if len(moments) < 20 {
		t.Fatalf("only %v", moments)
	}
	for _, moment := range moments {
		to := empty(t, file)
		killed(t, doomed{to.Place, "restore", file}, moment)
		if err := Unfinished(to.Data); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), "restore again") {
			t.Errorf("killed at %q a server would begin there: %v", moment, err)
		}
		if _, err := Make(t.Context(), options(to.Place, filepath.Join(t.TempDir(), "x"))); !errors.Is(err, ErrUnfinished) {
			t.Errorf("killed at %q it can be backed up: %v", moment, err)
		}
		_, err := Restore(t.Context(), to)
		ok(t, err)
		if lines(t, p) != lines(t, to.Place) {
			t.Errorf("killed at %q and restored again it is another", moment)
		}
		ok(t, Unfinished(to.Data))
	}
}
