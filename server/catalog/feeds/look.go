package feeds

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// errUnchanged means that a source has what was got of it last.
var errUnchanged = errors.New("it is unchanged")

// look looks at all sources of a feed, and takes what is new. What one of them sent is kept
// while another one fails, so that it is not got again; none of it holds before all is here.
func (k *Keeper) look(ctx context.Context, f *kept, now time.Time) error {
	defer k.tidy(f)
	var sources []source
	for _, from := range expand(f.From, now) {
		s, err := k.source(ctx, f, from, now)
		if err != nil && !(from.may && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
		if err == nil {
			sources = append(sources, s)
		}
	}
	v := Version{FetchedAt: now}
	for _, s := range sources {
		v.Files = append(v.Files, s.Files...)
	}
	if len(v.Files) == 0 {
		return errors.New("none of its sources has a file")
	}
	err := k.take(f, v, now)
	return errors.Join(err, k.change(f, func(s *state) {
		if s.Sources = sources; err != nil {
			s.Sources = nil // what is damaged is got anew
		}
	}))
}

// source gets what one source has, unless it is here already.
func (k *Keeper) source(ctx context.Context, f *kept, from address, now time.Time) (source, error) {
	before := source{From: from.text}
	known := k.known(f).Sources
	if i := slices.IndexFunc(known, func(s source) bool { return s.From == from.text }); i >= 0 && k.allHere(f, known[i].Files) {
		before = known[i]
	}
	var s source
	var err error
	if strings.Contains(from.text, "://") {
		s, err = k.fetch(ctx, f, from, before)
	} else {
		s, err = k.copy(f, from.text, before)
	}
	if errors.Is(err, errUnchanged) {
		return before, nil
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", shown(from.text), err)
	}
	return s, k.change(f, func(st *state) {
		st.Sources = slices.DeleteFunc(slices.Clone(st.Sources), func(o source) bool { return o.From == s.From })
		st.Sources = append(st.Sources, s)
	})
}

func (k *Keeper) allHere(f *kept, files []File) bool {
	return len(files) > 0 && !slices.ContainsFunc(files, func(file File) bool { return !k.here(f.Name, file) })
}

// place brings a file into its place, where it stays until the look at its feed is over.
func (k *Keeper) place(f *kept, file File, part string) error {
	k.mu.Lock()
	f.coming = append(f.coming, file)
	k.mu.Unlock()
	return k.keep(f.Name, file, part)
}

// tidy removes what the last look brought and nothing names.
func (k *Keeper) tidy(f *kept) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f.coming = nil
	if err := k.sweep(f); err != nil {
		k.Log.Warn("files of a feed that nothing names could not be removed", "feed", f.Name, "error", err)
	}
}

// maxFolder is how many files a folder may have.
const maxFolder = 2_000_000

// copy copies a file that is not as it was, or all files of a folder. What is packed stays as
// it is; all else of a folder becomes one archive, which is the same for the same files.
func (k *Keeper) copy(f *kept, path string, before source) (source, error) {
	s := source{From: path}
	info, err := os.Stat(path)
	if err != nil {
		return s, reason(err)
	}
	if err := k.makeFolders(f.Name); err != nil {
		return s, err
	}
	if !info.IsDir() {
		if s.LastModified = fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano()); s.LastModified == before.LastModified {
			return s, errUnchanged
		}
		in, err := os.Open(path)
		if err != nil {
			return s, reason(err)
		}
		defer in.Close()
		return s, k.bring(f, &s, filepath.Base(path), in)
	}
	var plain []string
	err = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return reason(err)
		case e.IsDir() && strings.HasPrefix(e.Name(), ".") && name != path:
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		case len(plain) >= maxFolder:
			return fmt.Errorf("the folder has more than %d files; no real feed has", maxFolder)
		case packed(name):
			in, err := os.Open(name)
			if err != nil {
				return reason(err)
			}
			defer in.Close()
			return k.bring(f, &s, filepath.Base(name), in)
		}
		plain = append(plain, name)
		return nil
	})
	if err == nil && len(plain) > 0 {
		in, out := io.Pipe()
		go func() { out.CloseWithError(pack(out, path, plain)) }()
		defer in.Close()
		err = k.bring(f, &s, "folder.zip", in)
	}
	return s, err
}

// packed reports whether a file is an archive, or packed, by its name.
func packed(name string) bool {
	return slices.Contains([]string{".zip", ".gz", ".tgz", ".xz"}, strings.ToLower(filepath.Ext(name)))
}

// pack writes the files of a folder into an archive.
func pack(out io.Writer, folder string, files []string) error {
	z := zip.NewWriter(out)
	for _, path := range files {
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: filepath.ToSlash(name), Method: zip.Deflate})
		if err != nil {
			return err
		}
		in, err := os.Open(path)
		if err != nil {
			return reason(err)
		}
		_, err = io.Copy(w, in)
		if in.Close(); err != nil {
			return reason(err)
		}
	}
	return z.Close()
}

// bring copies one file into its place, and notes it with its source.
func (k *Keeper) bring(f *kept, s *source, name string, in io.Reader) error {
	file, part, err := k.write(f.Name, tidyName(name), in, f.most())
	if err != nil {
		return err
	}
	s.Files = append(s.Files, file)
	return k.place(f, file, part)
}

// most is how many bytes one file of a feed may have.
func (f Feed) most() int64 {
	if f.Most > 0 {
		return f.Most
	}
	return 4 << 30
}

// tidyName makes a name that a file can have here.
func tidyName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+", r)) {
			return r
		}
		return '_'
	}, name)
	name = strings.TrimLeft(name, ".+-")
	if name = name[:min(len(name), 100)]; name == "" {
		return "feed"
	}
	return name
}

// reason is why a file could not be used, without what was done with it.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}
