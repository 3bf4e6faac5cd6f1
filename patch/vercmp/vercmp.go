// Package vercmp compares pairs of versions from a stream, so that anybody can hold
// Patchbay's version orders against the package managers' own.
package vercmp

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"patchbay/patch"
)

// maxLine is the longest pair that is looked at; a longer line is answered with an error.
const maxLine = 64 << 10

// Command compares tab-separated pairs of versions from standard input.
type Command struct {
	Scheme string `arg:"" help:"The version order: apk, brew, commit, deb, maven, nuget, packagist, pypi, revision, rpm, rubygems, semver or winget. The names of managers that sort so are taken too, such as npm, go, gem and composer."`
}

// managers are the schemes of managers of packages that have none of their own name.
var managers = map[string]string{"npm": patch.SchemeSemver, "go": patch.SchemeSemver, "cargo": patch.SchemeSemver, "gem": patch.SchemeRubyGems, "composer": patch.SchemePackagist, "dpkg": patch.SchemeDeb, "pip": patch.SchemePyPI}

// Run answers each line of in with one line on out: -1, 0, 1 or "error: …".
func (c *Command) Run(in io.Reader, out io.Writer) error {
	scheme := cmp.Or(managers[c.Scheme], c.Scheme)
	if known := patch.Schemes(); !slices.Contains(known, scheme) {
		return fmt.Errorf("version scheme %.40q is not known; known are: %s", c.Scheme, strings.Join(known, ", "))
	}
	return Stream(scheme, in, out)
}

// Stream answers each line of in with one line on out. Garbage in a line is answered in
// that line and never ends the stream.
func Stream(scheme string, in io.Reader, out io.Writer) error {
	r, w := bufio.NewReaderSize(in, maxLine), bufio.NewWriterSize(out, maxLine)
	for {
		line, whole, err := readLine(r)
		if err == io.EOF {
			return w.Flush()
		}
		if err != nil {
			w.Flush() // what was answered stays answered
			return fmt.Errorf("reading pairs: %w", err)
		}
		w.WriteString(answer(scheme, line, whole))
		if err := w.WriteByte('\n'); err != nil {
			return fmt.Errorf("writing answers: %w", err)
		}
	}
}

// readLine gives the next line without its end; whole is false when it was cut.
func readLine(r *bufio.Reader) (line string, whole bool, err error) {
	b, err := r.ReadSlice('\n')
	line = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case err == nil:
		return line, true, nil
	case err == io.EOF && len(b) > 0:
		return line, true, nil
	case !errors.Is(err, bufio.ErrBufferFull):
		return "", false, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	if err == io.EOF {
		err = nil
	}
	return line, false, err
}

func answer(scheme, line string, whole bool) string {
	if !whole {
		return "error: the line is too long"
	}
	a, b, ok := strings.Cut(line, "\t")
	if !ok || strings.Contains(b, "\t") {
		return "error: the line is not two versions with one tab between them"
	}
	switch c, err := patch.CompareVersions(scheme, a, b); {
	case err != nil:
		return "error: " + err.Error()
	case c < 0:
		return "-1"
	case c > 0:
		return "1"
	}
	return "0"
}
