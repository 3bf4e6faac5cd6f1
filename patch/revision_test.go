package patch_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
)

// TestRevisionOrder is the law: numbers are ordered by value, from the left, and zeros in
// front say nothing.
func TestRevisionOrder(t *testing.T) {
	numbers := rapid.SliceOfN(rapid.SampledFrom([]uint64{0, 1, 9, 10, 200, 22631, math.MaxUint64}), 1, 5)
	text := func(list []uint64, zeros string) string {
		var parts []string
		for _, n := range list {
			parts = append(parts, zeros[:min(len(zeros), 20-len(fmt.Sprint(n)))]+fmt.Sprint(n))
		}
		return strings.Join(parts, ".")
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		c, err := patch.CompareVersions(patch.SchemeRevision, text(a, "0"), text(b, ""))
		if want := slices.CompareFunc(a, b, cmp.Compare[uint64]); err != nil || c != want {
			t.Fatalf("%v and %v: %d, %v; want %d", a, b, c, err, want)
		}
	})
}

func TestRevisionRefuses(t *testing.T) {
	for _, v := range []string{"", ".", "1.", ".1", "1..2", "-1", "+1", "1a", " 1", "1 ", "1,2", "0x1", "١", strings.Repeat("1", 21), strings.Repeat("1.", 20) + "1", "unknown"} {
		if _, err := patch.CompareVersions(patch.SchemeRevision, "1", v); err == nil {
			t.Errorf("%q was ordered", v)
		}
		if _, err := patch.CompareVersions(patch.SchemeRevision, v, "1"); err == nil {
			t.Errorf("%q was ordered", v)
		}
	}
}
