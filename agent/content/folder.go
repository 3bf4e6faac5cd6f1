package content

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"patchbay/provider"
)

// Folder is where files are kept: by plain names, and for nobody else to write to. Tests bring
// one that cuts and tears.
type Folder interface {
	List() ([]Info, error)
	// Stat tells of one file; the error of a missing one is fs.ErrNotExist.
	Stat(name string) (Info, error)
	// Open opens a file for reading. Until it is closed nobody can change it.
	Open(name string) (provider.File, error)
	// Append opens a file to grow, cut to size first.
	Append(name string, size int64) (Writer, error)
	// Rename gives a file another name, durably.
	Rename(from, to string) error
	// Remove removes a file. A missing one is no error.
	Remove(name string) error
	// Use notes when a file was last used.
	Use(name string, at time.Time) error
	// Free is how many bytes may still be written.
	Free() (int64, error)
}

// Info is what a folder knows of a file.
type Info struct {
	Name string
	Size int64
	Used time.Time // when it was last used, or written
}

// Writer is a file that grows. What was written is durable after Sync.
type Writer interface {
	io.WriteCloser
	Sync() error
}

// Dir is a folder of the operating system.
type Dir struct{ path string }

// OpenDir makes the folder if need be, for this agent's account alone, and takes it from
// others where they have rights on it.
func OpenDir(path string) (Dir, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	if err == nil {
		err = own(path)
	}
	if err != nil {
		return Dir{}, fmt.Errorf("making the folder of files to install from: %w", err)
	}
	return Dir{path}, nil
}

func (d Dir) at(name string) string { return filepath.Join(d.path, name) }

// List lists what is there.
func (d Dir) List() ([]Info, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var all []Info
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, infoOf(info))
	}
	return all, nil
}

func infoOf(info fs.FileInfo) Info { return Info{info.Name(), info.Size(), info.ModTime()} }

// Stat tells of one file. What is no plain file is not there.
func (d Dir) Stat(name string) (Info, error) {
	info, err := os.Lstat(d.at(name))
	if err != nil {
		return Info{}, err
	}
	if !info.Mode().IsRegular() {
		return Info{}, fs.ErrNotExist
	}
	return infoOf(info), nil
}

// Open opens a file for reading.
func (d Dir) Open(name string) (provider.File, error) {
	f, err := openAlone(d.at(name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no plain file", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &opened{f, info.Size()}, nil
}

// opened is an open file.
type opened struct {
	*os.File
	size int64
}

// Path is where it lies.
func (o *opened) Path() string { return o.Name() }

// Size is how long it is.
func (o *opened) Size() int64 { return o.size }

// Append opens a file to grow, cut to size first.
func (d Dir) Append(name string, size int64) (Writer, error) {
	f, err := os.OpenFile(d.at(name), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err = f.Truncate(size); err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Rename gives a file another name, durably.
func (d Dir) Rename(from, to string) error {
	if err := os.Rename(d.at(from), d.at(to)); err != nil {
		return err
	}
	return syncDir(d.path)
}

// Remove removes a file, or whatever else has its name.
func (d Dir) Remove(name string) error {
	if err := os.Remove(d.at(name)); err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return os.RemoveAll(d.at(name)) // a folder, or still an error
}

// Use notes when a file was last used.
func (d Dir) Use(name string, at time.Time) error { return os.Chtimes(d.at(name), at, at) }

// Free is how many bytes may still be written.
func (d Dir) Free() (int64, error) { return freeSpace(d.path) }
