package flatpak

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"patchbay/provider"
)

const (
	systemRoot = "var/lib/flatpak"
	userRoot   = ".local/share/flatpak" // below a home
	configFile = "repo/config"

	maxConfig = 1 << 20
	maxDeploy = 1 << 20
	maxUsers  = 1000
	maxText   = 100 // of a version that an app calls itself by
)

// The names that go into a ref, and so into arguments. None can be taken for an option.
var (
	validPart = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$`)
	validUser = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)
)

// place is one installation: the system's, or a user's.
type place struct {
	user string // "" is the system's
	home string // of the user, from the root, without a slash before it
	tree
}

// said names the installation for people.
func (p place) said() string {
	if p.user == "" {
		return "the system"
	}
	return p.user
}

// places lists the installations of a device, and the users whose own may not be read.
func places(files fs.FS) (list []place, hidden []string, err error) {
	add := func(p place) error {
		_, err := p.plain(configFile)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // flatpak was never used there
		case errors.Is(err, fs.ErrPermission) && p.user != "":
			hidden = append(hidden, p.user)
			return nil
		}
		list = append(list, p)
		return err
	}
	if err := add(place{tree: tree{files, systemRoot}}); err != nil {
		return nil, nil, fmt.Errorf("reading the system's installation: %w", err)
	}
	passwd, err := tree{files, "etc"}.read("passwd", maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading who the users are: %w", err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(passwd)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 7 || !validUser.MatchString(f[0]) || seen[f[0]] || !path.IsAbs(f[5]) || path.Clean(f[5]) == "/" {
			continue
		}
		if uid, err := strconv.ParseUint(f[2], 10, 32); err != nil || uid != 0 && uid < 1000 || uid == 65534 {
			continue
		}
		if seen[f[0]] = true; len(seen) > maxUsers {
			return nil, nil, fmt.Errorf("there are more than %d users", maxUsers)
		}
		home := strings.TrimPrefix(path.Clean(f[5]), "/")
		if err := add(place{user: f[0], home: home, tree: tree{files, path.Join(home, userRoot)}}); err != nil {
			return nil, nil, fmt.Errorf("reading the installation of %s: %w", f[0], err)
		}
	}
	return list, hidden, nil
}

// deployed is one app or runtime as it is installed.
type deployed struct {
	kind, id, arch, branch string
	at                     time.Time
	commit                 string
	origin                 string // the name of its remote
	called                 string // the version it calls itself by
	eol, renamed           string // what flatpak was told about its end when it was installed
	broken                 string
}

func (d deployed) ref() string { return path.Join(d.kind, d.id, d.arch, d.branch) }

func (d deployed) version() string {
	if d.commit == "" {
		return "unknown"
	}
	return version(d.at, d.commit)
}

// refDepth is how many folders name one: ID, architecture, branch.
const refDepth = 3

// deployments lists what an installation has.
func (p place) deployments() ([]deployed, error) {
	var list []deployed
	for _, kind := range []string{"app", "runtime"} {
		err := p.below(kind, refDepth, func(parts []string) error {
			d := deployed{kind: kind, id: parts[0], arch: parts[1], branch: parts[2]}
			there, err := p.deployment(&d)
			if there {
				list = append(list, d)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the installation of %s: %w", p.said(), err)
		}
	}
	return list, nil
}

// below calls f for each path of so many folders below one.
func (p place) below(dir string, depth int, f func(parts []string) error) error {
	names, err := p.folders(dir, depth < refDepth) // in an app's own folder there are flatpak's links
	if err != nil {
		return err
	}
	for _, name := range names {
		if !validPart.MatchString(name) {
			return fmt.Errorf("/%s has a folder %.80q, which is no name of flatpak's", path.Join(p.root, dir), name)
		}
		if depth == 1 {
			err = f([]string{name})
		} else {
			err = p.below(path.Join(dir, name), depth-1, func(parts []string) error { return f(append([]string{name}, parts...)) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deployment reads one. It is not there when nothing of it is active: flatpak leaves empty
// folders behind.
func (p place) deployment(d *deployed) (there bool, err error) {
	dir := d.ref()
	commit, err := p.link(path.Join(dir, "active"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !validCommit.MatchString(commit) {
		d.broken = "without a commit"
		return true, nil
	}
	b, err := p.read(path.Join(dir, commit, "deploy"), maxDeploy)
	if errors.Is(err, fs.ErrNotExist) {
		d.broken = "half-installed"
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if err := d.parse(b); err != nil || d.commit != commit {
		d.commit, d.broken = "", "unreadable"
	}
	return true, nil
}

// parse reads what flatpak wrote down when it installed: (ssasta{sv}).
func (d *deployed) parse(b []byte) error {
	parts, err := data(b).tuple(member{align: 1}, member{align: 1}, member{align: 1}, member{align: 8, size: 8}, member{align: 8})
	if err != nil {
		return err
	}
	origin, err := parts[0].text()
	if err != nil {
		return err
	}
	commit, err := parts[1].text()
	if err != nil {
		return err
	}
	more, err := parts[4].dict()
	if err != nil {
		return err
	}
	at, ok := moment(more["timestamp"], binary.LittleEndian)
	if !ok || !validCommit.MatchString(commit) || !validPart.MatchString(origin) {
		return errData
	}
	d.origin, d.commit, d.at = origin, commit, at
	called, _ := more["appdata-version"].text()
	d.called = calm(called)
	d.eol, _ = more["eol"].text()
	d.renamed, _ = more["eolr"].text()
	d.eol, d.renamed = calm(d.eol), calm(d.renamed)
	return nil
}

// moment is a time in seconds.
func moment(v value, order binary.ByteOrder) (time.Time, bool) {
	n, ok := v.number(order)
	if !ok || n == 0 || n >= 253_402_300_800 { // the year 10000
		return time.Time{}, false
	}
	return time.Unix(int64(n), 0).UTC(), true
}

// calm makes a short text of one that anybody may have written.
func calm(s string) string { return provider.Calm(s, maxText) }

func printable(s string) bool { return utf8.ValidString(s) && calm(s) == s }
