package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"patchbay/passphrase"
	"patchbay/server/ca"
	"patchbay/server/store"
)

// Options say what is to be backed up, and to where.
type Options struct {
	Place
	File       string // to be made
	Passphrase string
	Plain      bool // without encryption, which somebody asked for
	Program    string
	Now        func() time.Time
	Progress   func(string) // is told what is being done; nil tells nobody

	work int // as passphrase.Seal takes it
}

// Summary is what is in a backup.
type Summary struct {
	Header
	Rows      map[string]int64 // by table
	Keys      int              // key files
	Size      int64            // of the file, in bytes
	Encrypted bool
}

// who does what is done here.
func who() store.Who { return store.Who{ID: "system", Name: "Somebody on the server's own machine"} }

// Make writes a backup while the server goes on: all of it is of one moment.
func Make(ctx context.Context, o Options) (sum Summary, err error) {
	if o.Plain == (o.Passphrase != "") {
		return sum, errors.New("a backup has a passphrase, or is asked for without one")
	}
	if o.File, err = filepath.Abs(o.File); err != nil {
		return sum, err
	}
	if err := absent(o.File); err != nil {
		return sum, err
	}
	s, files, err := o.open(ctx)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	pin, err := ca.Fingerprint(filepath.Join(o.Data, keysDir))
	if err != nil {
		return sum, err
	}
	sum = Summary{Header: Header{Format: Format, Program: o.Program, TakenAt: o.Now().UTC().Truncate(time.Second), Authority: pin},
		Keys: len(files), Encrypted: !o.Plain}
	err = create(o.File, func(f *os.File) error {
		if err := o.write(ctx, f, s, files, &sum); err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil {
			sum.Size = info.Size()
		}
		tell(o.Progress, "naming the file")
		return err
	})
	return sum, err
}

func tell(progress func(string), what string) {
	if progress != nil {
		progress(what)
	}
}

// open opens what is to be saved.
func (o Options) open(ctx context.Context) (*store.Store, []File, error) {
	if err := Unfinished(o.Data); err != nil {
		return nil, nil, err
	}
	files, err := keyFiles(o.Data)
	if missing := lacking(files, ca.Files()); err != nil || len(missing) > 0 {
		return nil, nil, errors.Join(fmt.Errorf("there is no whole installation in %s, its keys lack %s: name its folder with --data", o.Data, strings.Join(missing, ", ")), err)
	}
	s, err := store.OpenAsIs(ctx, o.Database)
	return s, files, err
}

// write writes the members into the file.
func (o Options) write(ctx context.Context, f io.Writer, s *store.Store, files []File, sum *Summary) error {
	buffered := bufio.NewWriterSize(f, 1<<20)
	out, err := o.sealed(buffered)
	if err != nil {
		return err
	}
	var w *writer
	err = s.MSP(who()).Dump(ctx, func(d store.Dump) (err error) {
		sum.Schema = d.Schema
		if w, err = newWriter(out, sum.Header); err != nil {
			return err
		}
		return d.Lines(ctx, func(l store.Line) error {
			if l.Table != w.table {
				tell(o.Progress, "saving table "+l.Table)
			}
			return w.line(l)
		})
	})
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	tell(o.Progress, "adding the keys")
	if err := errors.Join(w.end(files), out.Close(), buffered.Flush()); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	sum.Rows = w.list.Rows
	return nil
}

func (o Options) sealed(out io.Writer) (io.WriteCloser, error) {
	if o.Plain {
		return open{out}, nil
	}
	return passphrase.Seal(out, o.Passphrase, o.work)
}

// open is a writer that is not encrypted.
type open struct{ io.Writer }

// Close has nothing to finish.
func (open) Close() error { return nil }
