package flatpak

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// tree is the folder of one installation. What lies in it may be a user's, who may put links
// in the way of whoever reads with more rights: no part of a path in it is followed as a link.
type tree struct {
	files fs.FS
	root  string // the folder from the device's root
}

// plain reports with an error whether a path in the tree is there, without any link in it.
func (t tree) plain(name string) (fs.FileInfo, error) {
	at := t.root
	var info fs.FileInfo
	for part := range strings.SplitSeq(name, "/") {
		at = path.Join(at, part)
		var err error
		if info, err = fs.Lstat(t.files, at); err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("/%s is a link, where there should be none", at)
		}
	}
	return info, nil
}

// read gives a file of at most limit bytes.
func (t tree) read(name string, limit int64) ([]byte, error) {
	info, err := t.plain(name)
	if err != nil {
		return nil, err
	}
	at := path.Join(t.root, name)
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("/%s is not a file", at)
	}
	f, err := t.files.Open(at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading /%s: %w", at, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("/%s is longer than %d bytes", at, limit)
	}
	return b, nil
}

// maxEntries bounds what is looked at in one folder.
const maxEntries = 20_000

// folders lists the folders in a folder; none when it is not there. Links are passed over, or
// an error where flatpak makes none.
func (t tree) folders(name string, links bool) ([]string, error) {
	info, err := t.plain(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("/%s is not a folder", path.Join(t.root, name))
	}
	entries, err := fs.ReadDir(t.files, path.Join(t.root, name))
	if err != nil {
		return nil, err
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("/%s has more than %d entries", path.Join(t.root, name), maxEntries)
	}
	var names []string
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 && !links {
			return nil, fmt.Errorf("/%s is a link, where there should be none", path.Join(t.root, name, e.Name()))
		}
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// link gives what a link says, without going there.
func (t tree) link(name string) (string, error) {
	if dir := path.Dir(name); dir != "." {
		if _, err := t.plain(dir); err != nil {
			return "", err
		}
	}
	return fs.ReadLink(t.files, path.Join(t.root, name))
}
