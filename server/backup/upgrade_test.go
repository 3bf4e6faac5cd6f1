package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/server/store"
)

func TestOnlyARecentBackupOfThisInstallationStandsForOneBeforeAnUpgrade(t *testing.T) {
	p, other := founded(t, 1), founded(t, 1)
	suffices := func(file string, age time.Duration) error {
		return Suffices(RestoreOptions{Place: p, File: file, Passphrase: func() (string, error) { return secret, nil },
			Now: func() time.Time { return day0.Add(age) }})
	}
	ok(t, suffices(saved(t, p, nil), time.Hour))
	for name, err := range map[string]error{
		"too old":              suffices(saved(t, p, nil), 25*time.Hour),
		"another installation": suffices(saved(t, other, nil), time.Hour),
		"no backup":            suffices(filepath.Join(p.Data, embedded), time.Hour),
	} {
		if err == nil {
			t.Errorf("%s: it suffices", name)
		}
	}
}

func TestUpgradingNotesTheVersionAndChangesNothingTwice(t *testing.T) {
	p := founded(t, 1)
	for _, program := range []string{"1.0.0", "1.0.1"} {
		v, err := Upgrade(t.Context(), p, program)
		ok(t, err)
		if v.Current != v.Newest {
			t.Errorf("%+v", v)
		}
		again, err := Schema(t.Context(), p)
		ok(t, err)
		if again != v {
			t.Errorf("%+v after %+v", again, v)
		}
	}
}

func TestSchemaIsNotAskedOfHalfARestore(t *testing.T) {
	p := founded(t, 1)
	ok(t, os.WriteFile(filepath.Join(p.Data, mark), nil, 0o600))
	if _, err := Schema(t.Context(), p); !errors.Is(err, ErrUnfinished) {
		t.Error(err)
	}
}

// A backup is made by a newer program before it migrates, so making one must leave the schema.
func TestABackupLeavesTheSchemaAsItIs(t *testing.T) {
	p := founded(t, 1)
	before, err := os.ReadFile(filepath.Join(p.Data, embedded))
	ok(t, err)
	saved(t, p, nil)
	after, err := os.ReadFile(filepath.Join(p.Data, embedded))
	ok(t, err)
	if string(before) != string(after) {
		t.Error("the database's file is another")
	}
	gone := Place{Data: p.Data, Database: "sqlite:" + filepath.Join(t.TempDir(), "none.db")}
	if _, err := Make(t.Context(), options(gone, filepath.Join(t.TempDir(), "x"))); err == nil || !strings.Contains(err.Error(), "none.db") {
		t.Errorf("a database that is not there: %v", err)
	}
	if _, err := store.OpenAsIs(context.Background(), gone.Database); err == nil {
		t.Error("it is there now")
	}
}
