package provider

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// MaxWords bounds what of a manager's own words goes into an error or an outcome, in bytes.
const MaxWords = 600

// Clip cuts a text to at most n bytes, at a whole character.
func Clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}

// Calm makes of a text that anybody may have written one that can be shown: printable, and at
// most n bytes.
func Calm(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return strings.TrimSpace(s)
}

// LastLines gives the last n lines that say something.
func LastLines(s string, n int) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = Clip(strings.TrimSpace(line), MaxWords); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}

// Words gives what a program said about its failure: the lines of its errors that begin with
// the mark, in whatever case, or else its last ones. It is never empty.
func (r Result) Words(mark string) string {
	var errs []string
	for line := range strings.Lines(r.Stderr) {
		if line = strings.TrimSpace(line); mark != "" && len(line) > len(mark) && strings.EqualFold(line[:len(mark)], mark) {
			errs = append(errs, strings.TrimSpace(line[len(mark):]))
		}
	}
	for _, text := range []string{r.Stderr, r.Stdout} {
		if len(errs) == 0 {
			errs = LastLines(text, 3)
		}
	}
	if said := Clip(strings.Join(errs, "; "), MaxWords); strings.TrimSpace(said) != "" {
		return said
	}
	return fmt.Sprintf("it ended with code %d and said nothing", r.Code)
}

// Sign is what words of a manager mean for what comes next.
type Sign struct {
	Kind  error // ErrBusy, ErrOffline or ErrRefused
	Words []string
}

// Failure gives the error of a program that failed, of the kind of the first sign that is
// found in what it said.
func Failure(program, said string, signs []Sign) error {
	for _, s := range signs {
		for _, words := range s.Words {
			if strings.Contains(said, words) {
				return fmt.Errorf("%w: %s", s.Kind, said)
			}
		}
	}
	return errors.New(program + " failed: " + said)
}
