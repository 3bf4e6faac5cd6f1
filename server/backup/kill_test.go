package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// victim is the environment variable that tells TestVictim what to do until it is killed.
const victim = "PATCHBAY_BACKUP_VICTIM"

// doomed is what the victim does, and at which moment it stops to be killed.
type doomed struct {
	Place
	What, File, Until string
}

// killed lets another process do it and kills that where it says it is. It gives the moments
// it came by.
func killed(t *testing.T, d doomed) (passed []string) {
	t.Helper()
	text, err := json.Marshal(d)
	ok(t, err)
	process := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	process.Env = append(os.Environ(), victim+"="+string(text))
	out, err := process.StdoutPipe()
	ok(t, err)
	ok(t, process.Start())
	for said := bufio.NewScanner(out); said.Scan(); {
		if what, is := strings.CutPrefix(said.Text(), "at: "); is {
			if passed = append(passed, what); what == d.Until {
				ok(t, process.Process.Kill())
			}
		}
	}
	err = process.Wait()
	if d.Until != "" && (err == nil || !slices.Contains(passed, d.Until)) {
		t.Fatalf("it came by %v and ended with %v instead of being killed at %q", passed, err, d.Until)
	}
	if d.Until == "" {
		ok(t, err)
	}
	return passed
}

// TestVictim is the process that is killed; it runs only as that.
func TestVictim(t *testing.T) {
	if os.Getenv(victim) == "" {
		t.Skip("runs only as a part of other tests")
	}
	var d doomed
	ok(t, json.Unmarshal([]byte(os.Getenv(victim)), &d))
	at := func(what string) {
		fmt.Println("at:", what)
		if what == d.Until {
			select {} // until it is killed
		}
	}
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
	moments := killed(t, doomed{Place: p, What: "backup", File: filepath.Join(dir, "first")})
	if len(moments) < 20 {
		t.Fatalf("only %v", moments)
	}
	for _, moment := range moments {
		file := filepath.Join(dir, "killed")
		killed(t, doomed{p, "backup", file, moment})
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
	moments := killed(t, doomed{Place: empty(t, file).Place, What: "restore", File: file})
	if len(moments) < 20 {
		t.Fatalf("only %v", moments)
	}
	for _, moment := range moments {
		to := empty(t, file)
		killed(t, doomed{to.Place, "restore", file, moment})
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
