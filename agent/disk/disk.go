// Package disk is how the agent keeps things: every file the agent writes goes through Dir.
//
// There are two kinds of writing, and both survive a power cut. A whole file is replaced in
// one step: after a cut there is the old one or the new one, never half of one. A log grows
// by appending, and Append returns when the bytes are on the disk; a cut may leave the last
// record torn, which its reader has to notice. Tests bring a Dir that cuts and tears.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is one directory of files, readable by their owner only. Names are plain, without
// separators.
type Dir interface {
	// Read gives a whole file; the error of a missing one is fs.ErrNotExist.
	Read(name string) ([]byte, error)
	// Write replaces a whole file, durably.
	Write(name string, data []byte) error
	// Log opens a file to append to, cut to size first.
	Log(name string, size int64) (Log, error)
	// Remove removes a file. A missing one is no error.
	Remove(name string) error
}

// Log is a file that grows.
type Log interface {
	// Append returns when the bytes are durable. After an error nobody knows how much of
	// them is there, and the log is not used again.
	Append(data []byte) error
	Close() error
}

// OS is a directory of the operating system.
type OS struct{ path string }

// Open makes the directory if need be, for its owner only, and returns it. On Windows an
// administrator's is for administrators and the system only, and one that somebody else made
// is refused: what lies in it would be believed.
func Open(path string) (OS, error) {
	if err := makeDir(path); err != nil {
		return OS{}, fmt.Errorf("making the state directory: %w", err)
	}
	return OS{path}, nil
}

// At is a directory that is there already, or not: nothing is made.
func At(path string) OS { return OS{path} }

// Path is where the directory lies.
func (d OS) Path() string { return d.path }

// Read gives a whole file.
func (d OS) Read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.path, name))
}

// Write replaces a whole file, durably: a temporary file beside it is written, synced and
// renamed over it, then the directory is synced.
func (d OS) Write(name string, data []byte) error {
	if err := d.replace(name, data); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func (d OS) replace(name string, data []byte) error {
	f, err := os.CreateTemp(d.path, "."+name+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(d.path, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(d.path)
}

// Log opens a file to append to, cut to size first.
func (d OS) Log(name string, size int64) (Log, error) {
	f, err := d.log(name, size)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	return f, nil
}

func (d OS) log(name string, size int64) (Log, error) {
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err = f.Truncate(size); err == nil {
		_, err = f.Seek(size, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncDir(d.path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return file{f}, nil
}

// Remove removes a file. A missing one is no error.
func (d OS) Remove(name string) error {
	err := os.Remove(filepath.Join(d.path, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return nil
}

type file struct{ f *os.File }

func (l file) Append(data []byte) error {
	if _, err := l.f.Write(data); err != nil {
		return fmt.Errorf("appending: %w", err)
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("appending: %w", err)
	}
	return nil
}

func (l file) Close() error { return l.f.Close() }

// ErrLocked means that another process uses the directory.
var ErrLocked = errors.New("another agent is running with this state directory")

// Lock keeps other processes from taking the directory until the result is closed. The
// operating system lets go of it when the process ends, however it ends.
func (d OS) Lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(d.path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the state directory: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the state directory: %w", err), f.Close())
	}
	return f, nil
}
