// Package cvss gives the base score of a CVSS vector of versions 2.0, 3.0, 3.1 and 4.0, and
// the band that it is in.
//
// The one idea: a vector is a fact and a score is arithmetic, so scores that others computed
// are never taken. Only the base metrics count: what a vector says of exploits or of somebody's
// own machines is left out.
package cvss

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	cvss2 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss4 "github.com/pandatix/go-cvss/40"

	"patchbay/patch"
)

// maxVector is the longest vector that is looked at; the longest real ones have 300 letters.
const maxVector = 500

// maxLine is how much of a line is kept.
const maxLine = 4 << 10

// Base gives the base score of a vector, from 0 to 10, and its version.
func Base(vector string) (score float64, version string, err error) {
	v := strings.TrimSpace(vector)
	if len(v) > maxVector {
		return 0, "", errors.New("the vector is too long")
	}
	head, rest, _ := strings.Cut(v, "/")
	switch head {
	case "CVSS:3.0":
		c, err := cvss30.ParseVector(v)
		if err != nil {
			return 0, "", bad(v, err)
		}
		return c.BaseScore(), "3.0", nil
	case "CVSS:3.1":
		c, err := cvss31.ParseVector(v)
		if err != nil {
			return 0, "", bad(v, err)
		}
		return c.BaseScore(), "3.1", nil
	case "CVSS:4.0":
		if _, err := cvss4.ParseVector(v); err != nil { // all of it has to be one
			return 0, "", bad(v, err)
		}
		score, err := base4(metrics4(rest))
		if err != nil {
			return 0, "", bad(v, err)
		}
		return score, "4.0", nil
	}
	if strings.HasPrefix(head, "CVSS:") {
		return 0, "", fmt.Errorf("vector %.80q: its version is not known", v)
	}
	c, err := cvss2.ParseVector(strings.TrimSuffix(strings.TrimPrefix(v, "("), ")"))
	if err != nil {
		return 0, "", bad(v, err)
	}
	return c.BaseScore(), "2.0", nil
}

func bad(vector string, err error) error { return fmt.Errorf("vector %.80q: %w", vector, err) }

func metrics4(vector string) map[string]string {
	said := map[string]string{}
	for m := range strings.SplitSeq(vector, "/") {
		name, value, _ := strings.Cut(m, ":")
		said[name] = value
	}
	said["E"] = "A" // what is not said of exploits is the worst
	return said
}

// Band is the word for a score, as versions 3.1 and 4.0 of the standard have it: low to 3.9,
// medium to 6.9, high to 8.9, critical from 9.0 on. A score of 0 is no word at all.
func Band(score float64) patch.Severity {
	switch {
	case score >= 9:
		return patch.SeverityCritical
	case score >= 7:
		return patch.SeverityHigh
	case score >= 4:
		return patch.SeverityMedium
	case score > 0:
		return patch.SeverityLow
	}
	return patch.SeverityUnknown
}

// Command gives the base score of each vector from standard input.
type Command struct{}

// Run answers each line of in with one line on out: the score, or "error: …". Garbage in a line
// is answered in that line.
func (*Command) Run(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, maxLine)
	w := bufio.NewWriter(out)
	for {
		line, more, err := r.ReadLine()
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		text := string(line)
		for more && err == nil { // too long for any vector
			_, more, err = r.ReadLine()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			w.Flush()
			return fmt.Errorf("reading vectors: %w", err)
		}
		if score, _, err := Base(text); err != nil {
			fmt.Fprintln(w, "error:", err)
		} else {
			fmt.Fprintf(w, "%.1f\n", score)
		}
	}
}
