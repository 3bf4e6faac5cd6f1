package patch_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
)

// brewOrdered lists versions that must sort in this order, as Homebrew's own tests say.
var brewOrdered = []string{
	"0.9", "1.0alpha1", "1.0alpha2", "1.0a3", "1.0beta1", "1.0b2", "1.0pre1", "1.0rc1", "1.0rc2", "1.0", "1.0_1", "1.0_2", "1.0_10",
	"1.0p1", "1.0p195", "1.0.post1", "1.0.1", "1.1", "1.1.1a", "1.1.1b", "1.1.1w", "1.1.2", "2.0", "2.10", "10", "2024.01.01",
}

func TestBrewOrder(t *testing.T) {
	for i, a := range brewOrdered {
		for j, b := range brewOrdered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got, err := patch.CompareVersions(patch.SchemeBrew, a, b); err != nil || got != want {
				t.Errorf("%q against %q is %d (%v), want %d", a, b, got, err, want)
			}
		}
	}
	for _, p := range [][2]string{{"1.0", "1"}, {"1.0", "1.0.0"}, {"1.0", "1-0"}, {"1.0", "1.0_0"}, {"1.RC1", "1.0rc1"}, {"15.01", "15.1"}} {
		if c, err := patch.CompareVersions(patch.SchemeBrew, p[0], p[1]); err != nil || c != 0 {
			t.Errorf("%q against %q is %d, %v", p[0], p[1], c, err)
		}
	}
}

func TestBrewRefuses(t *testing.T) {
	for _, v := range []string{"", "...", "1\n2", "\x1b[31m1", "\xff1", strings.Repeat("1", 300), "latest", "HEAD", "HEAD-1a2b3c"} {
		if _, err := patch.CompareVersions(patch.SchemeBrew, v, "1"); err == nil {
			t.Errorf("%q was ordered", v)
		}
	}
	for _, v := range []string{"latest", "HEAD-1a2b3c"} {
		if c, err := patch.CompareVersions(patch.SchemeBrew, v, v); err != nil || c != 0 {
			t.Errorf("%q is not itself: %d, %v", v, c, err)
		}
	}
}

// TestBrewIsAnOrder is the law of every order, over versions of all shapes.
func TestBrewIsAnOrder(t *testing.T) {
	version := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"0", "1", "2", "10", "a", "b1", "rc", "rc2", "alpha", "pre", "p", "p1", ".post1", "beta3", "z", "x"}), 0, 4).Draw(t, "parts")
		return "1." + strings.Join(parts, rapid.SampledFrom([]string{".", "", "-"}).Draw(t, "between")) + rapid.SampledFrom([]string{"", "_1", "_2"}).Draw(t, "revision")
	})
	compare := func(t *rapid.T, a, b string) int {
		c, err := patch.CompareVersions(patch.SchemeBrew, a, b)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if compare(t, a, a) != 0 || compare(t, a, b) != -compare(t, b, a) {
			t.Fatalf("%q and %q have no order", a, b)
		}
		if compare(t, a, b) <= 0 && compare(t, b, c) <= 0 && compare(t, a, c) > 0 {
			t.Fatalf("%q, %q, %q go in a circle", a, b, c)
		}
	})
}

func FuzzBrew(f *testing.F) {
	f.Add("1.0_1", "1.0rc2")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, errX := patch.CompareVersions(patch.SchemeBrew, a, b)
		y, errY := patch.CompareVersions(patch.SchemeBrew, b, a)
		if (errX == nil) != (errY == nil) || errX == nil && x != -y {
			t.Errorf("%q against %q: %d %v, %d %v", a, b, x, errX, y, errY)
		}
	})
}
