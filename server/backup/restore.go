package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"patchbay/server/ca"
	"patchbay/server/store"
)

// RestoreOptions say what is to be restored, and where.
type RestoreOptions struct {
	Place
	File       string
	Passphrase func() (string, error) // asked when the file is encrypted
	Now        func() time.Time
	Progress   func(string) // is told what is being done; nil tells nobody
}

// Report is what a restore, or the trying of one, found and did.
type Report struct {
	Summary
	store.Restoration
	Broken []string // sentences about audit chains that are not whole
}

// opened is a backup whose header was read.
type opened struct {
	*reader
	file *os.File
	Summary
}

func (o RestoreOptions) open() (*opened, error) {
	f, err := os.Open(o.File)
	if err != nil {
		return nil, fmt.Errorf("opening the backup: %w", err)
	}
	b := &opened{file: f}
	in, encrypted, err := decrypt(f, o.Passphrase)
	if err == nil {
		b.reader, err = newReader(in)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", o.File, err), f.Close())
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b.Summary = Summary{Header: b.header, Size: info.Size(), Encrypted: encrypted, Rows: b.read.Rows}
	return b, nil
}

// load fills a database. When it returns, all of the file was read and is as it was written.
func (b *opened) load(ctx context.Context, database string, progress func(string)) (*store.Store, error) {
	table := ""
	s, err := store.Load(ctx, database, b.header.Schema, func() (store.Line, error) {
		line, err := b.line()
		if line.Table != table && err == nil {
			table = line.Table
			tell(progress, "loading table "+table)
		}
		if b.ended && len(lacking(b.files, ca.Files())) > 0 {
			return line, fmt.Errorf("%w: it lacks the keys %s", ErrDamaged, strings.Join(lacking(b.files, ca.Files()), ", "))
		}
		return line, err
	})
	b.Keys = len(b.files)
	return s, err
}

// Check reads a whole backup and loads it into a database that is thrown away: what it says
// of it is what a restore would find. Nothing of the installation is touched.
func Check(ctx context.Context, o RestoreOptions) (r Report, err error) {
	b, err := o.open()
	if err != nil {
		return r, err
	}
	defer b.file.Close()
	dir, err := os.MkdirTemp("", "patchbay-check-*") // mode 0700
	if err != nil {
		return r, fmt.Errorf("making room for the check: %w", err)
	}
	defer os.RemoveAll(dir)
	s, err := b.load(ctx, DatabaseIn(dir, ""), o.Progress)
	if err != nil {
		return Report{Summary: b.Summary}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r.Summary = b.Summary
	r.Broken, err = chains(ctx, s)
	return r, err
}

// chains says which audit chains are not whole.
func chains(ctx context.Context, s *store.Store) (broken []string, err error) {
	states, err := s.MSP(who()).VerifyChains(ctx)
	for _, c := range states {
		if c.Broken != "" {
			broken = append(broken, "The audit chain "+c.Chain+" is not whole: "+c.Broken)
		}
	}
	return broken, err
}

// Restore makes an installation of a backup, in an empty folder and an empty database. After
// an error nothing of it is left; after a crash the folder is marked, and a new try begins
// anew.
func Restore(ctx context.Context, o RestoreOptions) (Report, error) {
	b, err := o.open()
	if err != nil {
		return Report{}, err
	}
	defer b.file.Close()
	if now := o.Now(); now.Before(b.header.TakenAt) {
		return Report{}, fmt.Errorf("this machine's clock says %s, which is before the backup was taken, %s: set it right first, for agents judge by it whether a server is an old one",
			now.UTC().Format(time.DateTime), b.header.TakenAt.UTC().Format(time.DateTime))
	}
	if err := prepare(o.Data); err != nil {
		return Report{}, err
	}
	tell(o.Progress, "beginning")
	r, err := o.fill(ctx, b)
	if err != nil {
		return r, errors.Join(err, sweep(o.Data), unmark(o.Data))
	}
	tell(o.Progress, "putting the keys in their place")
	if err := place(o.Data, b.files); err != nil {
		return r, err // the mark stays
	}
	tell(o.Progress, "ending")
	return r, unmark(o.Data)
}

// fill makes the database.
func (o RestoreOptions) fill(ctx context.Context, b *opened) (r Report, err error) {
	s, err := b.load(ctx, o.Database, o.Progress)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	tell(o.Progress, "beginning a new epoch")
	r.Summary = b.Summary
	if r.Restoration, err = s.MSP(who()).Restored(ctx, o.Now(), b.header.TakenAt); err != nil {
		return r, err
	}
	r.Broken, err = chains(ctx, s)
	return r, err
}

// Look opens a backup as far as its header.
func Look(o RestoreOptions) (Header, error) {
	b, err := o.open()
	if err != nil {
		return Header{}, err
	}
	return b.header, b.file.Close()
}

// sameInstallation refuses the backup of another installation.
func sameInstallation(h Header, data string) error {
	pin, err := ca.Fingerprint(filepath.Join(data, keysDir))
	if err == nil && pin != h.Authority {
		err = errors.New("the backup is of another installation: its authority is not the one here")
	}
	return err
}
