package bed

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// The suites an archive has, labelled as Debian labels its own.
const (
	Stable   = "stable"          // Label Testbed
	Security = "stable-security" // Label Testbed-Security
)

// Fault is what is wrong with a suite.
type Fault string

// The faults a suite can have. Each is one that apt itself must find.
const (
	Sound        Fault = ""
	WrongKey     Fault = "wrong key"     // signed, by a key the device does not trust
	Unsigned     Fault = "unsigned"      // no signature at all
	Expired      Fault = "expired"       // its Valid-Until has passed
	Tampered     Fault = "tampered"      // Packages is not the one that was signed
	HashMismatch Fault = "hash mismatch" // signed, but every .deb differs from its hash
)

// Archive is an apt archive on disk: packages, two suites, a throw-away key. It
// starts empty; Publish puts versions on offer, step by step.
type Archive struct {
	// Now dates the signed index; time.Now unless the test says otherwise. apt
	// keeps what it has when an index is dated before that.
	Now func() time.Time

	dir    string
	pool   *pool
	signer *signer

	mu     sync.Mutex
	suites map[string]*suite
}

type suite struct {
	name, label, codename string
	offered               []pkg
	fault                 Fault
	generation            int
	modified              time.Time // of the newest index file
}

// NewArchive makes an archive with both suites, empty. It needs no root.
func NewArchive(t T) *Archive {
	t.Helper()
	need(t, false, archiveTools())
	dir, err := os.MkdirTemp("", "bed-archive-")
	if err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(func() {
		endAgent(keysIn(dir))
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("bed: removing the archive: %v", err)
		}
	})
	a, err := newArchive(t.Context(), dir)
	if err != nil {
		t.Fatalf("bed: making an archive: %v", err)
	}
	for _, name := range []string{Stable, Security} {
		a.must(t, name, func(*suite) error { return nil })
	}
	return a
}

func newArchive(ctx context.Context, dir string) (*Archive, error) {
	p, err := openPool(ctx)
	if err != nil {
		return nil, err
	}
	a := &Archive{Now: time.Now, dir: dir, pool: p, suites: map[string]*suite{
		Stable:   {name: Stable, label: "Testbed", codename: "bedrock"},
		Security: {name: Security, label: "Testbed-Security", codename: "bedrock-security"},
	}}
	if err := os.MkdirAll(filepath.Join(a.web(), "dists"), 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(filepath.Join(p.dir, "pool"), filepath.Join(a.web(), "pool")); err != nil {
		return nil, err
	}
	a.signer, err = newSigner(ctx, keysIn(dir))
	return a, err
}

func keysIn(dir string) string { return filepath.Join(dir, "keys") }

// web is the directory that an origin serves.
func (a *Archive) web() string { return filepath.Join(a.dir, "web") }

// Key is the public key that devices are to trust, as apt's Signed-By wants it.
func (a *Archive) Key() string { return a.signer.public }

// Publish adds versions to a suite and signs it anew. "1.1" is every package that
// has such a version, "bed-app=1.1" a single one; what is on offer stays.
func (a *Archive) Publish(t T, suiteName string, versions ...string) {
	t.Helper()
	a.must(t, suiteName, func(s *suite) error {
		more, err := a.pool.find(versions)
		for _, p := range more {
			if !slices.ContainsFunc(s.offered, p.same) {
				s.offered = append(s.offered, p)
			}
		}
		return err
	})
}

// Withdraw takes versions off a suite again, named as for Publish.
func (a *Archive) Withdraw(t T, suiteName string, versions ...string) {
	t.Helper()
	a.must(t, suiteName, func(s *suite) error {
		gone, err := a.pool.find(versions)
		s.offered = slices.DeleteFunc(s.offered, func(p pkg) bool { return slices.ContainsFunc(gone, p.same) })
		return err
	})
}

// Break signs a suite anew with the fault in it, until another is set; Sound mends it.
func (a *Archive) Break(t T, suiteName string, f Fault) {
	t.Helper()
	a.must(t, suiteName, func(s *suite) error {
		s.fault = f
		return nil
	})
}

// must changes a suite and writes its next generation.
func (a *Archive) must(t T, name string, change func(*suite) error) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.suites[name]
	if s == nil {
		t.Fatalf("bed: the archive has no suite %q", name)
	}
	if err := change(s); err != nil {
		t.Fatalf("bed: %v", err)
	}
	if err := a.write(t.Context(), s); err != nil {
		t.Fatalf("bed: writing the suite %s: %v", name, err)
	}
}

func (p pkg) same(q pkg) bool { return p.name == q.name && p.step == q.step }

// find returns the packages that the versions name.
func (p *pool) find(versions []string) ([]pkg, error) {
	var found []pkg
	for _, v := range versions {
		name, step, single := strings.Cut(v, "=")
		if !single {
			name, step = "", v
		}
		before := len(found)
		for _, one := range p.all {
			if one.step == step && (name == "" || one.name == name) {
				found = append(found, one)
			}
		}
		if len(found) == before {
			return nil, fmt.Errorf("the archive has no package %q", v)
		}
	}
	return found, nil
}

// write makes the suite's next generation beside the one on offer and switches
// over at once, so that a device sees one or the other whole.
func (a *Archive) write(ctx context.Context, s *suite) error {
	s.generation++
	dists := filepath.Join(a.web(), "dists")
	own := fmt.Sprintf(".%s-%d", s.name, s.generation)
	dir := filepath.Join(dists, own)
	index := "main/binary-" + a.pool.native
	if err := os.MkdirAll(filepath.Join(dir, index, "by-hash/SHA256"), 0o755); err != nil {
		return err
	}
	if err := writeIndex(dir, index, a.packages(s)); err != nil {
		return err
	}
	release, err := a.release(ctx, s, dir)
	if err != nil {
		return err
	}
	if err := keepByHash(filepath.Join(dists, s.name, index), filepath.Join(dir, index), s.fault == Tampered); err != nil {
		return err
	}
	if err := a.sign(ctx, s, dir, release); err != nil {
		return err
	}
	link := dir + ".link"
	if err := os.Symlink(own, link); err != nil {
		return err
	}
	return os.Rename(link, filepath.Join(dists, s.name))
}

// sign writes the Release file, and the signed one unless that is the fault.
// HTTP counts whole seconds: two generations must not share one, or a device
// would be told that nothing changed.
func (a *Archive) sign(ctx context.Context, s *suite, dir string, release []byte) error {
	files := map[string][]byte{"Release": release}
	if s.fault != Unsigned {
		signed, err := a.signer.sign(ctx, release, s.fault == WrongKey)
		if err != nil {
			return err
		}
		files["InRelease"] = signed
	}
	next := time.Now().Truncate(time.Second)
	if !next.After(s.modified) {
		next = s.modified.Add(time.Second)
	}
	s.modified = next
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(path, next, next); err != nil {
			return err
		}
	}
	return nil
}

var hashLine = regexp.MustCompile(`(?m)^SHA256: [0-9a-f]+$`)

// packages is the suite's Packages file.
func (a *Archive) packages(s *suite) []byte {
	var out bytes.Buffer
	for _, p := range s.offered {
		out.WriteString(a.pool.indexed[p.deb()] + "\n")
	}
	if s.fault == HashMismatch {
		return hashLine.ReplaceAll(out.Bytes(), fmt.Appendf(nil, "SHA256: %x", sha256.Sum256([]byte("another file"))))
	}
	return out.Bytes()
}

func writeIndex(dir, index string, packages []byte) error {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(packages); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, index, "Packages"), packages, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, index, "Packages.gz"), zipped.Bytes(), 0o644)
}

// release is the suite's Release file, not yet signed.
func (a *Archive) release(ctx context.Context, s *suite, dir string) ([]byte, error) {
	const option = "APT::FTPArchive::Release::"
	args := []string{"--no-md5", "--no-sha1", "--no-sha512"}
	for key, value := range map[string]string{
		"Origin": "Testbed", "Label": s.label, "Suite": s.name, "Codename": s.codename,
		"Architectures": a.pool.native, "Components": "main", "Acquire-By-Hash": "yes",
	} {
		args = append(args, "-o", option+key+"="+value)
	}
	text, err := runIn(ctx, dir, "apt-ftparchive", append(args, "release", ".")...)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	dates := "Date: " + now.UTC().Format(time.RFC1123)
	if s.fault == Expired {
		dates = "Date: " + now.UTC().AddDate(0, 0, -9).Format(time.RFC1123) +
			"\nValid-Until: " + now.UTC().AddDate(0, 0, -2).Format(time.RFC1123)
	}
	return regexp.MustCompile(`(?m)^Date: .*$`).ReplaceAll([]byte(text), []byte(dates)), nil
}

// keepByHash files the new index under its hash beside those of the generation
// before, for a device that is half-way through reading that one. Tampered
// content comes afterwards, under the names of the signed one.
func keepByHash(before, now string, tamper bool) error {
	const hashes = "by-hash/SHA256"
	if old, err := os.ReadDir(filepath.Join(before, hashes)); err == nil {
		for _, e := range old {
			if err := os.Link(filepath.Join(before, hashes, e.Name()), filepath.Join(now, hashes, e.Name())); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"Packages", "Packages.gz"} {
		path := filepath.Join(now, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		hash := filepath.Join(now, hashes, fmt.Sprintf("%x", sha256.Sum256(text)))
		if tamper && len(text) > 0 {
			text = bytes.Clone(text)
			text[len(text)-1] ^= 1
		}
		for _, path := range []string{path, hash} {
			if err := os.RemoveAll(path); err != nil { // it may be a link to the one before
				return err
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
