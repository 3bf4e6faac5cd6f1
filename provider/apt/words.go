package apt

import (
	"fmt"
	"strings"

	"patchbay/provider"
)

// maxWords bounds what of apt's output goes into an error.
const maxWords = 600

// words gives what apt said about its failure: its error lines, or else its last ones.
func words(res provider.Result) string {
	var errs []string
	for line := range strings.Lines(res.Stderr) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "E: ") {
			errs = append(errs, strings.TrimPrefix(line, "E: "))
		}
	}
	if len(errs) == 0 {
		errs = lastLines(res.Stderr, 3)
	}
	if len(errs) == 0 {
		errs = lastLines(res.Stdout, 3)
	}
	if len(errs) == 0 {
		return fmt.Sprintf("it ended with code %d and said nothing", res.Code)
	}
	return clip(withoutUsers(strings.Join(errs, "; ")), maxWords)
}

func lastLines(s string, n int) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}

// clip cuts a text to at most n bytes, at a whole character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}
