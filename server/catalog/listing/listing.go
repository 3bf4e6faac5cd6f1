// Package listing reads what somebody else wrote down of the software on a machine: the status
// file of dpkg, the output of "rpm -qa", and bills of materials in the forms of CycloneDX and
// SPDX.
//
// The one idea: a listing is believed for what it says and for nothing else. What it leaves
// out, such as the epochs that a bare "rpm -qa" does not print, is told to whoever compares.
package listing

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/match"
)

// Bounds on what is read.
const (
	maxBytes = 256 << 20
	maxItems = 200_000
	maxField = 1 << 10
)

// Read reads a listing of any known form, packed with gzip or not, for a machine of a release
// (as match.Release gives it; "" takes it from the listing where that says it).
func Read(in io.Reader, release string) (match.Host, error) {
	data, err := whole(in)
	if err != nil {
		return match.Host{}, err
	}
	h := match.Host{Release: release}
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(text) == 0:
		return h, errors.New("the listing is empty")
	case text[0] == '{':
		err = readJSON(text, &h)
		strangers(&h)
	case text[0] == '<':
		err = readCycloneDX(text, false, &h)
		strangers(&h)
	case tagged.Match(text):
		err = readTags(text, &h)
		strangers(&h)
	case status.Match(text):
		err = cmp.Or(fits(release, patch.SchemeDeb, "dpkg"), readStatus(text, &h))
	case bytes.HasPrefix(text, []byte("package\t")):
		err = cmp.Or(fits(release, patch.SchemeDeb, "dpkg"), readTable(text, &h))
	default:
		if err = readRPM(text, &h); err == nil {
			err = fits(release, patch.SchemeRPM, "rpm")
		}
	}
	if err == nil && len(h.Items) == 0 {
		err = errors.New("nothing that is installed stands in the listing")
	}
	return h, err
}

// fits refuses a listing of one manager for a system that has another.
func fits(release, scheme, manager string) error {
	if e, ok := advisory.EcosystemOf(release); ok && e.Scheme != scheme {
		return fmt.Errorf("the listing is one of %s, and %s has no packages of %s: give the release that it is of", manager, release, manager)
	}
	return nil
}

var (
	// tagged is the head of a document of SPDX in tags and values; comments may stand before it.
	tagged = regexp.MustCompile(`^(?:#[^\n]*\n\s*)*SPDXVersion:`)
	// status is the head of a status file of dpkg; its fields have no order.
	status = regexp.MustCompile(`(?i)^(?:[a-z][a-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*?package:`)
)

// whole reads all of it, unpacked.
func whole(in io.Reader) ([]byte, error) {
	b := bufio.NewReader(in)
	var r io.Reader = b
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("unpacking the listing: %w", err)
		}
		r = z
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the listing: %w", err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("the listing has more than %d MB; no real one has", maxBytes>>20)
	}
	return data, nil
}

// add takes an item that has all it needs.
func add(h *match.Host, it match.Item) error {
	if len(h.Items) == maxItems {
		return fmt.Errorf("the listing has more than %d items; no real one has", maxItems)
	}
	for _, s := range []*string{&it.Name, &it.Version, &it.Source, &it.SourceVersion, &it.Architecture} {
		if len(*s) > maxField {
			return fmt.Errorf("a field of %.60q is longer than any real one", it.Name)
		}
		*s = provider.Calm(*s, maxField)
	}
	if it.Name == "" || it.Version == "" {
		return nil
	}
	if it.Source == it.Name {
		it.Source = ""
	}
	if it.SourceVersion == it.Version {
		it.SourceVersion = ""
	}
	h.Items = append(h.Items, it)
	return nil
}

// lines calls f for each line that is not empty.
func lines(text []byte, f func(n int, line string) error) error {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if s := strings.TrimRight(string(line), "\r\n"); strings.TrimSpace(s) != "" {
			if err := f(n, s); err != nil {
				return err
			}
		}
	}
	return nil
}
