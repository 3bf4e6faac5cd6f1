package server

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"patchbay/server/backup"
)

// A first start makes the folder and all in it. Where the keys were lost afterwards, the next
// start says so instead of making others, which no agent would believe.
func TestLostKeysAreNotMadeAnew(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there", "yet")
	start := func() error {
		s, _, err := openAll(t.Context(), data, backup.DatabaseIn(data, ""), time.Now(), nil)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	for range 2 {
		if err := start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(data, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil {
		t.Error("it started without the keys its agents believe")
	}
	if _, err := os.Stat(filepath.Join(data, "keys")); err == nil {
		t.Error("it made keys")
	}
}
