package feeds

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A feed's folder has, beside its state, files/HASH/NAME, which are what was published,
// index/HASH, and part/…, which are files that are not here whole. Only what the state names
// is believed; all else is swept.

const (
	fileDir  = "files"
	indexDir = "index"
	partDir  = "part"
	newFile  = ".new-" // begins the names of files that are being written
)

// indexFile is where the index of a version lies.
func (k *Keeper) indexFile(feed, sha256 string) string {
	return filepath.Join(k.Path, feed, indexDir, sha256)
}

// makeFolders makes the folders of a feed.
func (k *Keeper) makeFolders(feed string) error {
	for _, dir := range []string{fileDir, indexDir, partDir} {
		if err := os.MkdirAll(filepath.Join(k.Path, feed, dir), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// replace puts a small file in the place of an older one, durably and in one step.
func (k *Keeper) replace(effect, path string, data []byte) error {
	return k.Around.Do(effect, func() error {
		f, err := os.CreateTemp(filepath.Dir(path), newFile+"*") // mode 0600
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		if err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		return syncDir(filepath.Dir(path))
	})
}

// keep brings a file that was written to its end and is on the disk into its place. It is not
// believed before the state names it.
func (k *Keeper) keep(feed string, f File, part string) error {
	return k.Around.Do("feed file in place", func() error {
		path := k.file(feed, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.Rename(part, path); err != nil {
			return err
		}
		return errors.Join(syncDir(filepath.Dir(path)), syncDir(filepath.Dir(filepath.Dir(path))))
	})
}

// here reports whether a file lies in its place, by its size.
func (k *Keeper) here(feed string, f File) bool {
	info, err := os.Stat(k.file(feed, f))
	return err == nil && info.Mode().IsRegular() && info.Size() == f.Size
}

// write copies what comes into a file of the folder part, durably, and says what it is. More
// than most bytes are an error.
func (k *Keeper) write(feed, name string, in io.Reader, most int64) (f File, part string, err error) {
	part = filepath.Join(k.Path, feed, partDir, newFile+name)
	err = k.Around.Do("feed file written", func() error {
		out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		sum := sha256.New()
		f.Size, err = io.Copy(io.MultiWriter(out, sum), io.LimitReader(in, most+1))
		if err == nil && f.Size > most {
			err = fmt.Errorf("it is larger than %s, the most that is taken", amount(most))
		}
		if err == nil {
			err = out.Sync()
		}
		if err = errors.Join(err, out.Close()); err != nil {
			return errors.Join(err, os.Remove(part))
		}
		f.Name, f.SHA256 = name, hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	return f, part, err
}

// sweep removes what neither the state of a feed names nor anybody reads. k.mu is held.
func (k *Keeper) sweep(f *kept) error {
	if f.unsure {
		return nil // the state on the disk may name what the one here does not
	}
	return k.Around.Do("feed files swept", func() error { return k.sweepNow(f) })
}

func (k *Keeper) sweepNow(f *kept) error {
	files, indexes := map[string]bool{}, map[string]bool{}
	add := func(all []File) {
		for _, file := range all {
			files[k.file(f.Name, file)] = true
		}
	}
	for _, v := range []*Version{f.state.Current, f.state.Held} {
		if v != nil {
			add(v.Files)
			indexes[v.Index] = true
		}
	}
	for _, s := range f.state.Sources {
		add(s.Files)
	}
	for _, p := range f.pins {
		add(p.files)
	}
	add(f.coming)
	dirs, err := entries(filepath.Join(k.Path, f.Name, fileDir))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := sweepFiles(dir, files); err != nil {
			return err
		}
	}
	all, err := entries(filepath.Join(k.Path, f.Name, indexDir))
	if err != nil {
		return err
	}
	for _, path := range all {
		if name := filepath.Base(path); !indexes[name] && !(f.coming != nil && hashForm.MatchString(name)) {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepFiles removes the files of a folder that are not named, and the folder if it is empty
// then.
func sweepFiles(dir string, named map[string]bool) error {
	all, err := entries(dir)
	if err != nil {
		return err
	}
	left := 0
	for _, path := range all {
		if named[path] {
			left++
		} else if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if left > 0 {
		return nil
	}
	return os.Remove(dir)
}

// entries are the paths of what is in a folder; none where it is not there.
func entries(dir string) ([]string, error) {
	all, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var paths []string
	for _, e := range all {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths, err
}

// sweepUnwritten removes what was being written when the server stopped, and parts of what no
// address is asked for any more.
func (k *Keeper) sweepUnwritten(f *kept) error {
	for _, dir := range []string{"", indexDir, partDir} {
		all, err := entries(filepath.Join(k.Path, f.Name, dir))
		if err != nil {
			return err
		}
		for _, path := range all {
			name := filepath.Base(path)
			unasked := dir == partDir && !slices.ContainsFunc(expand(f.From, k.Now()), func(a address) bool { return strings.HasPrefix(name, partName(a.text)) })
			if strings.HasPrefix(name, newFile) || unasked {
				if err := os.Remove(path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// amount is a size as people read it.
func amount(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
