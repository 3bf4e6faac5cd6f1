package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mark is the file that says that a restore into this folder has not ended.
const mark = "restore.unfinished"

// staged is what the folders of key files are called until everything is there.
const staged = ".restoring"

// Unfinished refuses a data folder into which a restore has not ended: a server that began
// there would make keys of its own, and no agent would know it.
func Unfinished(data string) error {
	_, err := os.Stat(filepath.Join(data, mark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for an unfinished restore: %w", err)
	}
	return fmt.Errorf("%w: what is in %s is half of an installation. Run patchbay restore again with the same backup; "+
		"with PostgreSQL drop the database and make it anew before that", ErrUnfinished, data)
}

// prepare takes an empty folder, or one where a restore did not end, and marks it.
func prepare(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	switch err := Unfinished(data); {
	case errors.Is(err, ErrUnfinished):
		if err := sweep(data); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	entries, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("looking into the data folder: %w", err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{mark, "lost+found"}, e.Name()) {
			return fmt.Errorf("%w: there is %s in %s. Name another folder with --data, or move what is there away; a restore writes over nothing", ErrNotEmpty, e.Name(), data)
		}
	}
	err = os.WriteFile(filepath.Join(data, mark), []byte("A restore into this folder has not ended. No server starts here until it has.\n"), 0o600)
	return errors.Join(err, syncFile(filepath.Join(data, mark)), syncFile(data))
}

// sweep removes what an unfinished restore left: nothing else was ever there, since it began
// in an empty folder and no server started in it since.
func sweep(data string) error {
	for _, name := range []string{keysDir, acmeDir, keysDir + staged, acmeDir + staged, embedded, embedded + "-wal", embedded + "-shm", embedded + "-journal"} {
		if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
			return fmt.Errorf("clearing an unfinished restore away: %w", err)
		}
	}
	return nil
}

// unmark says that everything is in its place.
func unmark(data string) error {
	if err := os.Remove(filepath.Join(data, mark)); err != nil {
		return fmt.Errorf("ending the restore: %w", err)
	}
	return syncFile(data)
}

// keyFiles reads the key files of an installation, those of the console's certificate too.
func keyFiles(data string) ([]File, error) {
	var files []File
	for _, dir := range []string{keysDir, acmeDir} {
		entries, err := os.ReadDir(filepath.Join(data, dir))
		if err != nil && !(dir == acmeDir && errors.Is(err, fs.ErrNotExist)) {
			return nil, fmt.Errorf("reading the keys: %w", err)
		}
		for _, e := range entries {
			path := filepath.Join(data, dir, e.Name())
			info, err := os.Stat(path)
			if strings.HasPrefix(e.Name(), ".") || err == nil && !info.Mode().IsRegular() {
				continue // being written, or none of ours
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("reading the keys: %w", err)
			}
			files = append(files, File{dir + "/" + e.Name(), text})
		}
	}
	return files, nil
}

// place writes the key files beside their place and then moves them into it, the keys last.
func place(data string, files []File) error {
	for _, f := range files {
		dir, name := filepath.Split(f.Name)
		into := filepath.Join(data, filepath.Clean(dir)+staged)
		if err := os.MkdirAll(into, 0o700); err != nil {
			return fmt.Errorf("writing the keys: %w", err)
		}
		path := filepath.Join(into, name)
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			return fmt.Errorf("writing the keys: %w", err)
		}
		if err := errors.Join(syncFile(path), syncFile(into)); err != nil {
			return fmt.Errorf("writing the keys: %w", err)
		}
	}
	for _, dir := range []string{acmeDir, keysDir} {
		err := os.Rename(filepath.Join(data, dir+staged), filepath.Join(data, dir))
		if err != nil && !(dir == acmeDir && errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("putting the keys in their place: %w", err)
		}
	}
	return syncFile(data)
}

// syncFile makes a file, or the names in a folder, outlast a power cut.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// create writes a new file whole or not at all, readable by this account only, and never
// over another.
func create(path string, write func(*os.File) error) error {
	if err := absent(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".patchbay-backup-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	defer os.Remove(f.Name())
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	if err := name(f.Name(), path); err != nil {
		return fmt.Errorf("naming the backup: %w", err)
	}
	return syncFile(filepath.Dir(path))
}

func absent(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is %s already; a backup is never written over another file: give another name, such as one with the date", path)
	}
	return nil
}

// name gives a file its name. A second link fails where the name is taken meanwhile; file
// systems without links get the look beforehand.
func name(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := absent(to); err != nil {
		return err
	}
	return os.Rename(from, to)
}
