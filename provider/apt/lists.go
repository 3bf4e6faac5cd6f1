package apt

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pierrec/lz4/v4"

	"patchbay/provider"
)

// offer is one version of an installed package that a list has.
type offer struct {
	name, arch, version   string
	source, sourceVersion string // as in patch.Item
	size                  int64
	unpacked              int64 // bytes on the disk afterwards
	sha256                string
	phased                int // percent of machines that get it so far; 100 when nothing is said
	list                  *list
}

// maxList is the longest list that is read; the whole of Debian is a fifth of it.
const maxList = 512 << 20

// index is what all lists together say of the installed packages.
type index struct {
	byName map[string][]offer
	broken []string // sentences: lists that are missing or not what their index says
	// damaged are the files behind them. apt does not look into a list that it has: as long
	// as the source's index is the same, it takes it for good.
	damaged []string
}

// reader reads lists and remembers what it found in those that did not change.
type reader struct {
	host provider.Host
	past map[string]pastList
}

type pastList struct {
	stamp  string // of the file, its index's word on it, and the names looked for
	offers []offer
}

// read goes through every list of every source. Only what cannot be done at all is an
// error; a list that is missing is said in the index.
func (r *reader) read(ctx context.Context, sources []*source, dir map[string]fs.FileInfo, names map[string]bool) (index, error) {
	idx := index{byName: map[string][]offer{}}
	stamp := stampNames(names)
	past := map[string]pastList{}
	for _, s := range sources {
		if err := r.readRelease(s, dir); err != nil {
			s.problem = err.Error()
			idx.broken, idx.damaged = append(idx.broken, fmt.Sprintf("%s: %s", s.name, err)), append(idx.damaged, s.file)
			continue
		}
		for _, l := range s.lists {
			if err := r.readList(ctx, l, dir, names, stamp, past); err != nil {
				s.problem = err.Error()
				idx.broken = append(idx.broken, fmt.Sprintf("%s: %s", s.name, err))
				if idx.damaged = append(idx.damaged, s.file); l.found != "" {
					idx.damaged = append(idx.damaged, l.found)
				}
				continue
			}
			for _, o := range l.offers {
				o.list = l
				idx.byName[o.name] = append(idx.byName[o.name], o)
			}
		}
	}
	r.past = past
	return idx, ctx.Err()
}

func (r *reader) readRelease(s *source, dir map[string]fs.FileInfo) error {
	name := s.file
	if dir[name] == nil {
		name = strings.TrimSuffix(s.file, "InRelease") + "Release"
	}
	if dir[name] == nil {
		return errors.New("its index has never been fetched, so its updates are not known")
	}
	f, err := r.host.Files().Open(path.Join(listsDir, name))
	if err != nil {
		return fmt.Errorf("its index cannot be read: %w", err)
	}
	defer f.Close()
	s.release, err = parseRelease(f)
	if err != nil {
		return fmt.Errorf("its index cannot be read: %w", err)
	}
	return nil
}

func (r *reader) readList(ctx context.Context, l *list, dir map[string]fs.FileInfo, names map[string]bool, stamp string, past map[string]pastList) error {
	var info fs.FileInfo
	for _, ext := range extensions {
		if info = dir[l.file+ext]; info != nil {
			l.found = l.file + ext
			break
		}
	}
	if info == nil {
		if l.required() {
			return fmt.Errorf("its list %s is missing, so its updates are not known", l.path())
		}
		return nil
	}
	want := l.source.release.lists[l.path()]
	stamp = fmt.Sprint(info.Size(), info.ModTime().UnixNano(), want, stamp)
	if p, ok := r.past[l.found]; ok && p.stamp == stamp {
		l.offers, past[l.found] = p.offers, p
		return nil
	}
	in, err := r.open(ctx, path.Join(listsDir, l.found))
	if err != nil {
		return fmt.Errorf("its list %s cannot be read: %w", l.path(), err)
	}
	defer in.Close()
	l.offers, err = readOffers(in, names, want)
	if err != nil {
		return fmt.Errorf("its list %s cannot be trusted: %w", l.path(), err)
	}
	past[l.found] = pastList{stamp, l.offers}
	return nil
}

// required reports whether the source's index says that there is such a list. Lists for
// other architectures or without content are not fetched by apt.
func (l *list) required() bool {
	rel, p := l.source.release, l.path()
	if plain, ok := rel.lists[p]; ok && plain.size == 0 {
		return false
	}
	if rel.noAll && strings.HasSuffix(p, "/binary-all/Packages") {
		return false
	}
	if arch, ok := strings.CutPrefix(path.Base(path.Dir(p)), "binary-"); ok && len(rel.architectures) > 0 && !slices.Contains(rel.architectures, arch) {
		return false
	}
	for _, ext := range extensions {
		if _, ok := rel.lists[p+ext]; ok {
			return true
		}
	}
	return false
}

// open gives a list's content, whatever it is compressed with.
func (r *reader) open(ctx context.Context, name string) (io.ReadCloser, error) {
	switch path.Ext(name) {
	case ".xz", ".zst", ".bz2", ".lzma":
		return r.openByApt(ctx, name)
	}
	f, err := r.host.Files().Open(name)
	if err != nil {
		return nil, err
	}
	switch path.Ext(name) {
	case ".lz4":
		return withCloser{lz4.NewReader(f), f}, nil
	case ".gz":
		z, err := gzip.NewReader(f)
		if err != nil {
			f.Close()
			return nil, err
		}
		return withCloser{z, f}, nil
	}
	return f, nil
}

// openByApt lets apt unpack what is rare.
func (r *reader) openByApt(ctx context.Context, name string) (io.ReadCloser, error) {
	res, err := r.host.Run(ctx, provider.Command{Args: []string{"/usr/lib/apt/apt-helper", "cat-file", "/" + name}})
	if err != nil {
		return nil, err
	}
	if res.Code != 0 {
		return nil, errors.New(words(res))
	}
	return io.NopCloser(strings.NewReader(res.Stdout)), nil
}

type withCloser struct {
	io.Reader
	io.Closer
}

// readOffers finds the wanted names in a list and holds the whole list against its index.
func readOffers(in io.Reader, names map[string]bool, want listing) ([]offer, error) {
	check := &checked{in: io.LimitReader(in, maxList+1), hash: sha256.New(), skip: want.sha256 == ""}
	var offers []offer
	err := stanzas(check, func(stanza []byte) error {
		if !names[string(packageOf(stanza))] {
			return nil
		}
		if o, ok := parseOffer(stanza); ok {
			offers = append(offers, o)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case check.size > maxList:
		return nil, fmt.Errorf("it is longer than %d bytes", maxList)
	case want.sha256 == "":
		return offers, nil
	case check.size != want.size:
		return nil, fmt.Errorf("it has %d bytes, its signed index says %d", check.size, want.size)
	case hex.EncodeToString(check.hash.Sum(nil)) != want.sha256:
		return nil, errors.New("its content is not what its signed index says")
	}
	return offers, nil
}

// checked counts and hashes what is read through it.
type checked struct {
	in   io.Reader
	hash hash.Hash
	size int64
	skip bool
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.size += int64(n)
	if !c.skip {
		c.hash.Write(p[:n])
	}
	return n, err
}

var packageField = []byte("Package: ")

// packageOf gives a paragraph's name without looking at the rest of it, where it stands
// first as everywhere.
func packageOf(stanza []byte) []byte {
	if rest, ok := bytes.CutPrefix(stanza, packageField); ok {
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[:i]
		}
		return rest
	}
	var found []byte
	eachField(stanza, func(name, value []byte) {
		if is(name, "Package") {
			found = value
		}
	})
	return found
}

// parseOffer reads one paragraph of a list. What is not a package is not offered.
func parseOffer(stanza []byte) (offer, bool) {
	o := offer{phased: 100}
	var source string
	eachField(stanza, func(name, value []byte) {
		switch {
		case is(name, "Package"):
			o.name = string(value)
		case is(name, "Version"):
			o.version = string(value)
		case is(name, "Architecture"):
			o.arch = string(value)
		case is(name, "Source"):
			source = string(value)
		case is(name, "Size"):
			o.size = parseCount(value)
		case is(name, "Installed-Size"):
			o.unpacked = parseCount(value) << 10
		case is(name, "SHA256"):
			o.sha256 = parseSHA256(value)
		case is(name, "Phased-Update-Percentage"):
			o.phased = min(100, int(parseCount(value)))
		}
	})
	if !isPackageName(o.name) || !isArchitecture(o.arch) || !isVersion(o.version) {
		return o, false
	}
	o.source, o.sourceVersion = splitSource(source, o.name, o.version)
	return o, true
}

// parseCount reads a size; what is no sensible number is not known, which is 0.
func parseCount(b []byte) int64 {
	n, err := strconv.ParseInt(string(b), 10, 50)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func parseSHA256(b []byte) string {
	if len(b) != 2*sha256.Size {
		return ""
	}
	if _, err := hex.DecodeString(string(b)); err != nil {
		return ""
	}
	return strings.ToLower(string(b))
}

func stampNames(names map[string]bool) string {
	sorted := make([]string, 0, len(names))
	for n := range names {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	sum := sha256.Sum256([]byte(strings.Join(sorted, " ")))
	return string(sum[:])
}
