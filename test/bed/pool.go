package bed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// pool is a directory with all packages built, and what an index says of each.
type pool struct {
	dir     string
	native  string
	indexed map[string]string // by file name: its paragraph of a Packages file
	all     []pkg
}

// openPool builds the packages once per machine and catalog.
func openPool(ctx context.Context) (*pool, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	native, err := run(ctx, "dpkg", "--print-architecture")
	if err != nil {
		return nil, err
	}
	p := &pool{native: strings.TrimSpace(native)}
	p.all = catalog(p.native)
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", p.all))
	p.dir = filepath.Join(cache, fmt.Sprintf("pool-%x", sum[:6]))
	err = locked(filepath.Join(cache, ".lock-pool"), func() error {
		if _, err := os.Stat(p.dir); err == nil {
			return nil
		}
		return p.build(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("building the packages: %w", err)
	}
	return p, p.read()
}

// build makes the directory; it appears only when it is complete.
func (p *pool) build(ctx context.Context) error {
	part, err := os.MkdirTemp(filepath.Dir(p.dir), "pool-part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if err := os.Chmod(part, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(part, "pool"), 0o755); err != nil {
		return err
	}
	slots := make(chan struct{}, runtime.NumCPU())
	errs := make([]error, len(p.all))
	var all sync.WaitGroup
	for i, one := range p.all {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = one.pack(ctx, filepath.Join(part, "pool"))
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	index, err := runIn(ctx, part, "apt-ftparchive", "--no-md5", "--no-sha1", "--no-sha512", "packages", "pool")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part, "Packages"), []byte(index), 0o644); err != nil {
		return err
	}
	return os.Rename(part, p.dir)
}

// pack builds one .deb, the same bytes every time.
func (p pkg) pack(ctx context.Context, into string) error {
	stage, err := os.MkdirTemp("", "bed-pack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	if err := os.Chmod(stage, 0o755); err != nil {
		return err
	}
	if err := writeFiles(stage, p.tree()); err != nil {
		return err
	}
	if p.blob > 0 { // a hole here, real zeros where it is unpacked
		path := filepath.Join(stage, "usr/share", p.name, "blob")
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		if err := os.Truncate(path, p.blob); err != nil {
			return err
		}
	}
	_, err = run(ctx, "env", "SOURCE_DATE_EPOCH=1767225600", "dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", stage, filepath.Join(into, p.deb()))
	return err
}

// read splits the pool's index into its paragraphs.
func (p *pool) read() error {
	index, err := os.ReadFile(filepath.Join(p.dir, "Packages"))
	if err != nil {
		return err
	}
	p.indexed = map[string]string{}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(string(index)), "\n\n") {
		_, rest, _ := strings.Cut(paragraph, "\nFilename: pool/")
		name, _, _ := strings.Cut(rest, "\n")
		p.indexed[name] = paragraph + "\n"
	}
	for _, one := range p.all {
		if p.indexed[one.deb()] == "" {
			return fmt.Errorf("%s: no paragraph for %s", filepath.Join(p.dir, "Packages"), one.deb())
		}
	}
	return nil
}
