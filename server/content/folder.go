package content

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"patchbay/server/store"
)

// unfinished is the folder of files that are being written. It is in the same file system
// as their places, so that a rename takes them there.
const unfinished = "unfinished"

// path is where a file lies that is whole.
func (s *Shelf) path(sha256 string) string { return filepath.Join(s.Path, sha256) }

// part is the place of a file of this server's that is not.
func (s *Shelf) part(name string) string {
	return filepath.Join(s.Path, unfinished, s.mine+"-"+name)
}

func (s *Shelf) here(sha256 string, size int64) bool {
	info, err := os.Stat(s.path(sha256))
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// open makes the folders, and removes what nobody goes on with: what this server was sent and
// had not whole when it stopped, its old fetches, and files that no row names.
func (s *Shelf) open(ctx context.Context) error {
	path, err := filepath.Abs(s.Path)
	if err != nil {
		return err
	}
	s.Path = path
	if err := os.MkdirAll(filepath.Join(s.Path, unfinished), 0o700); err != nil {
		return err
	}
	s.mine = named(s.Server)
	parts, err := os.ReadDir(filepath.Join(s.Path, unfinished))
	if err != nil {
		return err
	}
	for _, p := range parts {
		rest, mine := strings.CutPrefix(p.Name(), s.mine+"-")
		if mine && (strings.HasPrefix(rest, "sent-") || s.olderThan(p, forgotten)) {
			if err := os.Remove(filepath.Join(s.Path, unfinished, p.Name())); err != nil {
				return err
			}
		}
	}
	return s.sweep(ctx)
}

// sweep removes files without a row: their row was never committed, or its end was and the
// file came back. One that is young may be another server's, whose row is about to come.
func (s *Shelf) sweep(ctx context.Context) error {
	rows, err := s.Store.MSP(store.Who{ID: "system", Name: "The server"}).Contents(ctx)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, row := range rows {
		named[row.SHA256] = true
	}
	files, err := os.ReadDir(s.Path)
	if err != nil {
		return err
	}
	for _, f := range files {
		if IsHash(f.Name()) && f.Type().IsRegular() && !named[f.Name()] && s.olderThan(f, time.Hour) {
			if err := s.unlink(f.Name()); err != nil {
				return err
			}
			s.Log.Info("a file of the content that no row names was removed", "sha256", f.Name())
		}
	}
	return nil
}

func (s *Shelf) olderThan(e fs.DirEntry, age time.Duration) bool {
	info, err := e.Info()
	return err == nil && s.Now().Sub(info.ModTime()) > age
}

// named is a name for a server's files, as its folders and machine name it.
func named(server string) string {
	host, _ := os.Hostname() // "" is a name as well
	sum := sha256.Sum256([]byte(host + "\n" + server))
	return hex.EncodeToString(sum[:6])
}

// File is a file that is to come.
type File struct {
	SHA256 string
	Size   int64
	Name   string
	Source string // where it is from, "" when somebody sends it
}

// check refuses what cannot be.
func (f File) check() error {
	switch {
	case !IsHash(f.SHA256):
		return refuse(ErrWrong, "A file is named by its SHA-256: 64 digits, of 0 to 9 and a to f.")
	case f.Size > largest:
		return refuse(ErrTooLarge, "A file may have %s, and not more.", amount(largest))
	case f.Size <= 0:
		return refuse(ErrWrong, "An empty file is not kept.")
	}
	return nil
}

// Add keeps a file that somebody sends. Where it is not the one that was named, or does not
// come whole, nothing is kept.
func (s *Shelf) Add(ctx context.Context, by store.Who, f File, body io.Reader) error {
	if err := f.check(); err != nil {
		return err
	}
	select {
	case s.sending <- struct{}{}:
		defer func() { <-s.sending }()
	default:
		return refuse(ErrBusy, "%d files are being sent at this moment. Try again in a minute.", atOnce)
	}
	leave, err := s.reserve(ctx, f.SHA256, f.Size)
	if err != nil {
		return err
	}
	defer leave()
	name := s.part("sent-" + rand.Text())
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keeping a file: %w", err)
	}
	defer os.Remove(name) // it is gone already when it came into its place
	w := &writing{out: out, sum: sha256.New()}
	err = s.Around.Do("content file written", func() error {
		err := w.take(ctx, body, f.Size)
		switch {
		case err != nil && !errors.Is(err, errBroken):
			return err
		case err != nil || w.at < f.Size:
			return refuse(ErrWrong, "The file broke off before its end: nothing of it is kept. Send it again.")
		case w.hex() != f.SHA256:
			return refuse(ErrWrong, "The file that came has another hash than the one it was named by: nothing of it is kept.")
		}
		return out.Sync()
	})
	if err = errors.Join(err, out.Close()); err != nil {
		return unwrapped(err)
	}
	return s.shelve(ctx, by, f, name)
}

// unwrapped is the refusal in an error, where there is one.
func unwrapped(err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return err
}

// shelve brings a file that is whole, right and durable into its place, with its row.
func (s *Shelf) shelve(ctx context.Context, by store.Who, f File, part string) error {
	done := false
	row := store.Content{SHA256: f.SHA256, Size: f.Size, Name: TidyName(f.Name), Source: f.Source}
	return s.Store.MSP(by).AddContent(ctx, s.Now(), row, func() bool { return s.here(f.SHA256, f.Size) }, func() error {
		if done {
			return nil // the database asked to try again
		}
		err := s.Around.Do("content file in place", func() error {
			if err := os.Rename(part, s.path(f.SHA256)); err != nil {
				return err
			}
			return syncDir(s.Path)
		})
		done = err == nil
		return err
	})
}

// unlink removes a file from its place. One that is not there is no error.
func (s *Shelf) unlink(sha256 string) error {
	if err := os.Remove(s.path(sha256)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(s.Path)
}

// writing is a file that is hashed while it is written.
type writing struct {
	out io.Writer
	sum hash.Hash
	at  int64 // bytes so far
}

// chunk is how much is read at a time.
const chunk = 256 << 10

// take writes what comes until its end, which may come too early. More than most bytes in all
// are refused. An error of the body is errBroken.
func (w *writing) take(ctx context.Context, body io.Reader, most int64) error {
	buf := make([]byte, chunk)
	for {
		n, err := fill(body, buf[:min(chunk, most-w.at+1)])
		if w.at+int64(n) > most {
			return refuse(ErrWrong, "The file is larger than it was said to be: nothing of it is kept.")
		}
		if _, err := w.out.Write(buf[:n]); err != nil {
			return fmt.Errorf("writing a file: %w", err)
		}
		w.sum.Write(buf[:n])
		w.at += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("%w: %w", errBroken, err)
		}
	}
}

// errBroken means that what was read broke off.
var errBroken = errors.New("it broke off")

// fill reads until the buffer is full or nothing more comes.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

func (w *writing) hex() string { return hex.EncodeToString(w.sum.Sum(nil)) }
