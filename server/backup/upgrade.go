package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"patchbay/server/store"
)

// recent is how old a backup may be that stands for the one before an upgrade.
const recent = 24 * time.Hour

// Schema says which schema the database of an installation has and which this program wants.
// A database of a newer program is store.ErrNewerSchema.
func Schema(ctx context.Context, p Place) (v store.Schema, err error) {
	if err := Unfinished(p.Data); err != nil {
		return v, err
	}
	s, err := store.OpenAsIs(ctx, p.Database)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Schema(ctx)
}

// Suffices reports whether an existing backup can stand for the one before an upgrade.
func Suffices(o RestoreOptions) error {
	h, err := Look(o)
	if err != nil {
		return err
	}
	if err := sameInstallation(h, o.Data); err != nil {
		return err
	}
	if age := o.Now().Sub(h.TakenAt); age > recent {
		return fmt.Errorf("the backup is of %s, and one before an upgrade is at most %s old: leave it out, and a new one is made", h.TakenAt.Format(time.DateTime), recent)
	}
	return nil
}

// Upgrade brings the schema up to date. Whoever calls it has seen to a backup.
func Upgrade(ctx context.Context, p Place, program string) (v store.Schema, err error) {
	s, err := store.Open(ctx, p.Database)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.MSP(who()).NoteProgram(ctx, program); err != nil {
		return v, err
	}
	return s.Schema(ctx)
}
