package apt

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// release is what a signed index says of a source.
type release struct {
	origin, label, suite, codename, version string
	date, validUntil                        *time.Time
	notAutomatic                            bool // only installed from when asked for by name
	butUpgrades                             bool // but what was installed from it is updated from it
	noAll                                   bool // packages for all architectures are in the others' lists
	architectures                           []string
	lists                                   map[string]listing // by path, such as "main/binary-amd64/Packages.xz"
}

// listing is how long a list must be and what it must hash to.
type listing struct {
	size   int64
	sha256 string
}

// maxRelease bounds one line of an index, and how many lists it may name.
const (
	maxReleaseLine  = 64 << 10
	maxReleaseLists = 200_000
)

// parseRelease reads an InRelease or Release file. Its signature was checked by apt, which
// keeps no index that failed.
func parseRelease(r io.Reader) (release, error) {
	rel := release{lists: map[string]listing{}}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxReleaseLine)
	inHashes := false
	for sc.Scan() {
		line := sc.Text()
		if strings.HasPrefix(line, "-----BEGIN PGP SIGNATURE") {
			break
		}
		if strings.HasPrefix(line, " ") {
			if inHashes {
				rel.addListing(line)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		inHashes = strings.EqualFold(name, "SHA256")
		rel.set(strings.ToLower(name), strings.TrimSpace(value))
	}
	if err := sc.Err(); err != nil {
		return rel, err
	}
	if rel.date == nil && len(rel.lists) == 0 {
		return rel, fmt.Errorf("it has neither a date nor a list")
	}
	return rel, nil
}

func (r *release) set(name, value string) {
	switch name {
	case "origin":
		r.origin = value
	case "label":
		r.label = value
	case "suite":
		r.suite = value
	case "codename":
		r.codename = value
	case "version":
		r.version = value
	case "date":
		r.date = parseDate(value)
	case "valid-until":
		r.validUntil = parseDate(value)
	case "notautomatic":
		r.notAutomatic = isYes(value)
	case "butautomaticupgrades":
		r.butUpgrades = isYes(value)
	case "no-support-for-architecture-all":
		r.noAll = value == "Packages"
	case "architectures":
		r.architectures = strings.Fields(value)
	}
}

func (r *release) addListing(line string) {
	f := strings.Fields(line)
	if len(f) != 3 || len(f[0]) != 64 || len(r.lists) >= maxReleaseLists {
		return
	}
	// Thousands of entries are for other architectures and languages.
	if i := strings.LastIndexByte(f[2], '/'); !strings.HasPrefix(f[2][i+1:], "Packages") {
		return
	}
	if size, err := strconv.ParseInt(f[1], 10, 64); err == nil && size >= 0 {
		r.lists[f[2]] = listing{size, strings.ToLower(f[0])}
	}
}

// parseDate reads the dates of indexes; those that cannot be read are not known.
func parseDate(s string) *time.Time {
	for _, layout := range []string{time.RFC1123, time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 MST", "Mon, _2 Jan 2006 15:04:05 -0700"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if zone, _ := t.Zone(); zone != "UTC" && zone != "GMT" && strings.HasSuffix(layout, "MST") {
			return nil // other names of zones mean nothing by themselves
		}
		t = t.UTC()
		return &t
	}
	return nil
}

func isYes(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "1", "on", "enable", "with":
		return true
	}
	return false
}

// security reports whether the source says that it is for security updates.
func (r release) security() bool {
	return r.label == "Debian-Security" ||
		strings.HasSuffix(r.suite, "-security") || strings.HasSuffix(r.codename, "-security") ||
		strings.HasSuffix(r.label, "-Security")
}
