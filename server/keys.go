package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"patchbay/server/backup"
	"patchbay/server/ca"
	"patchbay/server/effect"
	"patchbay/server/store"
)

// authoritySetting holds the pin of the authority that the agents in the database believe.
const authoritySetting = "authority"

// openAll opens the database and the keys of an installation, or makes those of a new one:
// never where a restore did not end, whose keys are still to come, nor for a database whose
// agents believe others.
func openAll(ctx context.Context, data, database string, now time.Time, around effect.Around) (*store.Store, *ca.Authority, error) {
	if err := backup.Unfinished(data); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the folder of the installation: %w", err)
	}
	s, err := store.Open(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	s.Around = around
	authority, err := keys(ctx, s, ca.Folder{Path: filepath.Join(data, "keys"), Around: around}, now)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, authority, nil
}

func keys(ctx context.Context, s *store.Store, dir ca.Folder, now time.Time) (*ca.Authority, error) {
	who := s.MSP(store.Who{ID: "system", Name: "the server"})
	const remedy = "copy the folder keys of the installation's other server there, or restore a backup"
	_, err := who.Setting(ctx, authoritySetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil && empty(dir.Path) {
		return nil, fmt.Errorf("the database has agents that believe keys which are not in %s, and new ones would shut them all out: %s", dir.Path, remedy)
	}
	authority, err := dir.Open(now)
	if err != nil {
		return nil, err
	}
	pin, err := who.AddSetting(ctx, now, authoritySetting, []byte(authority.Pin()))
	if err != nil {
		return nil, err
	}
	if string(pin) != authority.Pin() {
		return nil, fmt.Errorf("the keys in %s are not those that the agents in the database believe: %s", dir.Path, remedy)
	}
	return endRotation(ctx, s, dir, authority, now)
}

func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}
