package sign

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Whatever a line says, no line that comes of it is wider than a terminal, all but the first
// stand away from the left margin, and nothing but spaces is lost.
func TestFoldedLinesStayOffTheMarginAndLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringOfN(rapid.SampledFrom([]rune("ab  \u00e9\u4e16-")), 0, 400, -1).Draw(t, "line")
		var b strings.Builder
		fold(&b, line)
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		for i, l := range lines {
			wide := utf8.RuneCountInString(l) + strings.Count(l, "\u4e16")
			if wide > columns || i > 0 && !strings.HasPrefix(l, "        ") {
				t.Fatalf("line %d of %q is %q, %d columns", i, line, l, wide)
			}
		}
		if got, want := squeezed(b.String()), squeezed(line); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	})
}

func squeezed(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, " ", "")), "")
}
