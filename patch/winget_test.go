package patch_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/cases"
	"pgregory.net/rapid"

	"patchbay/patch"
)

// wingetOrdered lists versions that must sort in this order, each line being of equal ones.
// Most are of winget's own tests and of its authors' guide.
var wingetOrdered = [][]string{
	{"unknown", "UNKNOWN", " Unknown ", "0unknown", "unknown.0"},
	{"0-rc", "v0-rc.0"},
	{"alpha", "Alpha", "ALPHA."},
	{"beta"},
	{"version", "VERSION"},
	{"< 0", "< .", "<  0.0"},
	{"", ".", ".0", "0", "0.0.0", "...", " ", "00", "0.-0", "0.+0", "v0"},
	{"> 0"},
	{".1", ". 1 ", "0.1"},
	{"0.0001.1-beta"},
	{"0.9"},
	{"1.0-rc", "1.-0-rc"},
	{"1.a2"},
	{"1.b1"},
	{"1.0.0-rc", "1.0.0-RC"},
	{"1.0.0.rc"},
	{"< 1.0", "< 1", "<  1.0.0 ", "< v1"},
	{"1", "1.0", "1.0.0", "v1", "Version 1.0", "foo1", "bar1", "1. 0", "1.0.", "-1", "+1", "<1", "1.\v0"},
	{"> 1", "> 1.0", "> foo1.0"},
	{"1.0.1"},
	{"1.2-rc"},
	{"1.2", "1.2.0", "v1.2"},
	{"1.2.3-beta", "1.2.03-beta"},
	{"1.2.3", "1.2.003", "1.2.+3"},
	{"1.2.3.4", "01.02.03.04"},
	{"1.2.4-rc"},
	{"1.10"},
	{"1.18446744073709551615", "1.-1"},
	{"13.9.8 - 1", "13.9.8 - 1."},
	{"13.9.8"},
	{"13.9.8.1"},
	{"14.1"},
	{"22.0.0-rc.1"},
	{"22.0.0-rc.1.1"},
	{"22.0.0-rc.1.2"},
	{"22.0.0-rc.2"},
	{"22.0.0"},
	{"22.0.0.1-rc"},
	{"22.0.0.1"},
	{"2024Mar15"},
	{"2024"},
	{"9999"},
	{"943849587389754876.1"},
	{"18446744073709551615"},
	{"< latest"},
	{"latest", "LATEST", " Latest ", "v0latest", "latest.0.0"},
	{"> latest"},
}

func compareWinget(t interface{ Fatalf(string, ...any) }, a, b string) int {
	c, err := patch.CompareVersions(patch.SchemeWinget, a, b)
	if err != nil {
		t.Fatalf("CompareVersions(%q, %q): %v", a, b, err)
	}
	return c
}

func TestWingetOrder(t *testing.T) {
	for i, as := range wingetOrdered {
		for j, bs := range wingetOrdered {
			for _, a := range as {
				for _, b := range bs {
					if got, want := compareWinget(t, a, b), cmp.Compare(i, j); got != want {
						t.Errorf("%q against %q is %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

// A number that does not fit is no number: the whole part is text, and text is before none.
func TestWingetNumbersThatDoNotFit(t *testing.T) {
	for _, p := range [][2]string{
		{"18446744073709551616", "1"}, {"18446744073709551616", "0"}, {"1.18446744073709551616", "1.0"}, {"1.18446744073709551616", "1.0a"},
		{"1.99999999999999999999", "1.0"}, {"-18446744073709551616.1", "0.0.1"}, {"1.-99999999999999999999", "1.99999999999999999999"},
	} {
		if c := compareWinget(t, p[0], p[1]); c != -1 {
			t.Errorf("%q against %q is %d, want -1", p[0], p[1], c)
		}
	}
	// A sign is read as C's strtoull reads it, behind a dot, where nothing cut it away.
	for _, p := range [][2]string{{"1.-5", "1.18446744073709551611"}, {"1.+5", "1.5"}, {"1.-18446744073709551615", "1.1"}, {"1.00000000000000000000001", "1.1"}} {
		if c := compareWinget(t, p[0], p[1]); c != 0 {
			t.Errorf("%q against %q is %d, want 0", p[0], p[1], c)
		}
	}
	for _, p := range [][2]string{{"1.- 5", "1"}, {"1.+-5", "1"}, {"1.+", "1"}, {"1.-beta", "1.0"}} {
		if c := compareWinget(t, p[0], p[1]); c != -1 {
			t.Errorf("%q against %q is %d, want -1: a sign without a number is text", p[0], p[1], c)
		}
	}
}

func TestWingetRefuses(t *testing.T) {
	for _, v := range []string{"< unknown", "> Unknown", "<  UNKNOWN.0", "1\x00", "\xff", "1.\xc3("} {
		for _, pair := range [][2]string{{v, "1"}, {"1", v}} {
			if _, err := patch.CompareVersions(patch.SchemeWinget, pair[0], pair[1]); err == nil {
				t.Errorf("%q against %q was answered", pair[0], pair[1])
			}
		}
	}
}

// Case is folded as ICU folds it for winget, letter by letter.
func TestWingetFoldsCase(t *testing.T) {
	fold := cases.Fold()
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) || unicode.In(r, unicode.Greek, unicode.Armenian, unicode.Cherokee) {
			continue
		}
		if a, b := "1."+string(r), "1."+fold.String(string(r)); a != b && compareWinget(t, a, b) != 0 {
			t.Errorf("%U and %q, to which it folds, are different", r, b[2:])
		}
	}
	for _, p := range [][2]string{{"1.STRASSE", "1.straße"}, {"1.ÄÖ", "1.äö"}, {"1.ΣΑΣ", "1.σας"}} {
		if compareWinget(t, p[0], p[1]) != 0 {
			t.Errorf("%q and %q are different", p[0], p[1])
		}
	}
	if compareWinget(t, "1._", "1.A") != -1 || compareWinget(t, "1.[", "1.A") != -1 {
		t.Error("what stands between capital and small letters is not before both")
	}
}

var wingetVersions = rapid.OneOf(
	rapid.StringMatching(`(< |> )?[vV]?[0-9]{0,3}(\.[-+ ]?[0-9]{0,2}(-rc|[a-cA-C])?){0,4}`),
	rapid.SampledFrom(slices.Concat(wingetOrdered...)),
	rapid.Custom(func(t *rapid.T) string {
		return strings.ReplaceAll(strings.ToValidUTF8(rapid.String().Draw(t, "text"), ""), "\x00", "")
	}).Filter(func(s string) bool { return !strings.Contains(strings.ToLower(s), "unknown") }),
)

func TestWingetOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := wingetVersions.Draw(t, "a"), wingetVersions.Draw(t, "b"), wingetVersions.Draw(t, "c")
		ab, ba, bc, ac := compareWinget(t, a, b), compareWinget(t, b, a), compareWinget(t, b, c), compareWinget(t, a, c)
		if ab != -ba {
			t.Fatalf("%q against %q is %d one way and %d the other", a, b, ab, ba)
		}
		if ab <= 0 && bc <= 0 && ac > 0 || ab == 0 && bc != ac {
			t.Fatalf("%q against %q is %d, %q against %q is %d, and %q against %q is %d", a, b, ab, b, c, bc, a, c, ac)
		}
		if compareWinget(t, a, a) != 0 {
			t.Fatalf("%q differs from itself", a)
		}
	})
}

// What says nothing changes nothing: parts of zeros at the end, space around, a word before
// the first number, and case.
func TestWingetOrderLooksPastWhatSaysNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.StringMatching(`[0-9]{1,3}(\.[0-9]{0,2}(-rc|[a-c])?){0,4}`).Draw(t, "version")
		for _, same := range []string{v + ".", v + ".0", v + ".000.0", " " + v + "\t", "v" + v, "Release " + v, strings.ToUpper(v), strings.ReplaceAll(v, ".", " . ")} {
			if compareWinget(t, v, same) != 0 {
				t.Fatalf("%q and %q are different", v, same)
			}
		}
		for _, more := range []string{v + ".1", "> " + v} {
			if compareWinget(t, v, more) != -1 {
				t.Fatalf("%q is not before %q", v, more)
			}
		}
		for _, less := range []string{v + ".0-rc", v + ".-", "< " + v} {
			if compareWinget(t, less, v) != -1 {
				t.Fatalf("%q is not before %q", less, v)
			}
		}
	})
}

func FuzzCompareWinget(f *testing.F) {
	for _, vs := range wingetOrdered {
		f.Add(vs[0], vs[len(vs)-1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		ab, err := patch.CompareVersions(patch.SchemeWinget, a, b)
		ba, back := patch.CompareVersions(patch.SchemeWinget, b, a)
		if (err == nil) != (back == nil) || ab != -ba {
			t.Fatalf("%q against %q is %d, %v one way and %d, %v the other", a, b, ab, err, ba, back)
		}
	})
}
