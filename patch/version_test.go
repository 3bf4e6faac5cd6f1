package patch_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
)

// ordered lists versions that must sort in this order, all different.
var ordered = []string{
	"0~~", "0~~a", "0~", "0", "0a", "0+", "0.0~rc1", "0.0", "1~rc1-1", "1-0~1", "1", "1-0.1", "1-1~deb12u1",
	"1-1", "1-1+b1", "1-1+deb12u1", "1-1.1", "1-2", "1-10", "1.0-1~", "1.0-1", "1.0a", "1.0a.b",
	"1.0+a", "1.0-1-1", "1.0.1", "1.10", "2", "10", "1:0", "1:0.1", "1:1", "2:0", "2147483647:0",
}

func compare(t testing.TB, a, b string) int {
	t.Helper()
	c, err := patch.CompareVersions(patch.SchemeDeb, a, b)
	if err != nil {
		t.Fatalf("CompareVersions(%q, %q): %v", a, b, err)
	}
	return c
}

func TestDebOrder(t *testing.T) {
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := compare(t, a, b); got != want {
				t.Errorf("%q against %q is %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestDebEqualForms(t *testing.T) {
	for _, p := range [][2]string{
		{"1", "0:1"}, {"1", "1-0"}, {"01", "1"}, {"1.00", "1.0"}, {"1-00", "1"}, {" 1 ", "1"}, {"00:1", "1"}, {"1a0", "1a"},
	} {
		if c := compare(t, p[0], p[1]); c != 0 {
			t.Errorf("%q against %q is %d, want 0", p[0], p[1], c)
		}
	}
}

func TestDebRefuses(t *testing.T) {
	for v, why := range map[string]string{
		"": "empty", "  ": "empty", "a b": "space inside", "1\t2": "space inside", ":1": "epoch before the colon is empty",
		"a:1": "not a number", "1.2:3": "not a number", "1.0-1:2": "not a number", "-1:1": "negative",
		"2147483648:1": "too big", "1:": "nothing follows the colon", "1-": "nothing follows the last hyphen",
		"1:-1": "nothing before the hyphen", "-1": "nothing before the hyphen", "abc": "start with a digit",
		"1_2": "not allowed", "1-1_2": "not allowed in the revision", "1.é": "not allowed", "1\x00": "not allowed",
	} {
		for _, pair := range [][2]string{{v, "1"}, {"1", v}} {
			_, err := patch.CompareVersions(patch.SchemeDeb, pair[0], pair[1])
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%q: got error %v, want one saying %q", v, err, why)
			}
		}
	}
	if _, err := patch.CompareVersions("nonsense", "1", "1"); err == nil {
		t.Error("an unknown scheme was accepted")
	}
}

var debVersions = rapid.Custom(func(t *rapid.T) string {
	v := rapid.StringMatching(`([0-9]{1,3}:)?[0-9][0-9a-zA-Z.+~]{0,8}(-[0-9a-zA-Z.+~]{1,6})?`)
	return v.Draw(t, "version")
})

func TestDebOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := debVersions.Draw(t, "a"), debVersions.Draw(t, "b"), debVersions.Draw(t, "c")
		ab, ba, bc, ac := debCompare(t, a, b), debCompare(t, b, a), debCompare(t, b, c), debCompare(t, a, c)
		if ab != -ba {
			t.Fatalf("%q against %q is %d one way and %d the other", a, b, ab, ba)
		}
		if ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%q <= %q <= %q, and yet %q > %q", a, b, c, a, c)
		}
		if debCompare(t, a, a) != 0 {
			t.Fatalf("%q differs from itself", a)
		}
	})
}

func debCompare(t *rapid.T, a, b string) int {
	c, err := patch.CompareVersions(patch.SchemeDeb, a, b)
	if err != nil {
		t.Fatalf("CompareVersions(%q, %q): %v", a, b, err)
	}
	return c
}

// TestDebAgreesWithDpkg asks the real dpkg about random pairs, most of them near each other.
func TestDebAgreesWithDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("needs dpkg")
	}
	n := 400 // a run with 20,000 found no difference
	if testing.Short() {
		n = 60
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		a, b := randomVersion(r), randomVersion(r)
		if r.IntN(2) == 0 {
			b = mutate(r, a)
		}
		want, known := askDpkg(a, b)
		got, err := patch.CompareVersions(patch.SchemeDeb, a, b)
		if known != (err == nil) || err == nil && got != want {
			t.Errorf("%q against %q: got %d, %v; dpkg says %d, accepts %v", a, b, got, err, want, known)
		}
	}
}

const alphabet = "0011239aAzZ.+-~:~.-_ "

func randomVersion(r *rand.Rand) string {
	var b strings.Builder
	b.WriteByte('0' + byte(r.IntN(10)))
	for range r.IntN(9) {
		b.WriteByte(alphabet[r.IntN(len(alphabet)-2*r.IntN(2))])
	}
	return b.String()
}

func mutate(r *rand.Rand, s string) string {
	b := []byte(s)
	i := 1 + r.IntN(len(b))
	c := alphabet[r.IntN(len(alphabet)-2)]
	if i < len(b) && r.IntN(2) == 0 {
		b[i] = c
		return string(b)
	}
	return string(slices.Insert(b, i, c))
}

// askDpkg gives dpkg's order; known is false when dpkg calls a version bad.
func askDpkg(a, b string) (order int, known bool) {
	run := func(op string) (bool, bool) {
		cmd := exec.Command("dpkg", "--compare-versions", a, op, b)
		out, err := cmd.CombinedOutput()
		return err == nil, !strings.Contains(string(out), "bad syntax")
	}
	less, known := run("lt")
	if !known || less {
		return -1, known
	}
	if same, _ := run("eq"); same {
		return 0, true
	}
	return 1, true
}

func FuzzCompareVersions(f *testing.F) {
	for _, v := range ordered {
		f.Add(v, "1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := patch.CompareVersions(patch.SchemeDeb, a, b)
		y, err2 := patch.CompareVersions(patch.SchemeDeb, b, a)
		if (err == nil) != (err2 == nil) || x != -y {
			t.Fatalf("%q, %q: %d %v one way, %d %v the other", a, b, x, err, y, err2)
		}
	})
}

func ExampleCompareVersions() {
	c, err := patch.CompareVersions(patch.SchemeDeb, "1.0~rc1-1", "1.0-1")
	fmt.Println(c, err)
	// Output: -1 <nil>
}
