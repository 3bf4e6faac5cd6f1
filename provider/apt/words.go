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
		errs = provider.LastLines(res.Stderr, 3)
	}
	if len(errs) == 0 {
		errs = provider.LastLines(res.Stdout, 3)
	}
	if len(errs) == 0 {
		return fmt.Sprintf("it ended with code %d and said nothing", res.Code)
	}
	return provider.Clip(withoutUsers(strings.Join(errs, "; ")), maxWords)
}
