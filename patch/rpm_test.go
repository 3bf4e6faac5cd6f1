package patch_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/patch"
)

// TestRPMAgreesWithRPM asks the real rpm about random pairs, most of them near each other, and
// about those that real packages have.
func TestRPMAgreesWithRPM(t *testing.T) {
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Skip("needs rpm")
	}
	pairs := [][2]string{{"0:1.2-3.el9", "1.2-3.el9"}, {"1:3.0.7-27.el9", "3.0.9-1.el9"}, {"32:9.16.23-18.el9_4.6", "32:9.16.23-18.el9_4.10"}, {"1.0~rc1-1", "1.0-1"}, {"1.0^git1-1", "1.0-1"},
		{"5.14.0-427.13.1.el9_4", "5.14.0-427.el9"}, {"18.20.2-1.module_el9.1.0+16+91bc168f", "18.20.4-1.module_el9.1.0+16+91bc168f"}, {"21.1.2-1.el9ost", "21.1.2-2.el9ost"}, {"1.1.1k-12.el8_9", "1.1.1k-9.el8"}}
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 { // one call for all of them
		a := randomRPM(r)
		b := randomRPM(r)
		if r.IntN(3) > 0 {
			b = nearRPM(r, a)
		}
		pairs = append(pairs, [2]string{a, b})
	}
	for i, want := range askRPM(t, pairs) {
		got, err := patch.CompareVersions(patch.SchemeRPM, pairs[i][0], pairs[i][1])
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q against %q: got %d, %v; rpm says %s", pairs[i][0], pairs[i][1], got, err, want)
		}
	}
}

const rpmLetters = "0011239aAzZ.._+~^el"

func randomRPM(r *rand.Rand) string {
	part := func() string {
		b := []byte{'0' + byte(r.IntN(10))}
		for range r.IntN(7) {
			b = append(b, rpmLetters[r.IntN(len(rpmLetters))])
		}
		return string(b)
	}
	v := part() + "-" + part()
	if r.IntN(3) == 0 {
		v = fmt.Sprintf("%d:%s", r.IntN(3), v)
	}
	return v
}

// nearRPM changes one letter of a version, or puts one in.
func nearRPM(r *rand.Rand, s string) string {
	at := strings.Index(s, ":") + 2
	i := at + r.IntN(len(s)-at+1)
	c := string(rpmLetters[r.IntN(len(rpmLetters))])
	if i < len(s) && s[i] != '-' && r.IntN(2) == 0 {
		return s[:i] + c + s[i+1:]
	}
	return s[:i] + c + s[i:]
}

// askRPM gives rpm's order of each pair.
func askRPM(t *testing.T, pairs [][2]string) []string {
	t.Helper()
	var script strings.Builder
	script.WriteString("local function order(a, b) if a < b then return -1 elseif b < a then return 1 end return 0 end\n")
	for _, p := range pairs {
		fmt.Fprintf(&script, "print(order(rpm.ver(%q), rpm.ver(%q)), \" \")\n", p[0], p[1])
	}
	file := filepath.Join(t.TempDir(), "order.lua")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("rpm", "--eval", "%{lua:dofile(\""+file+"\")}").CombinedOutput()
	list := strings.Fields(string(out))
	if err != nil || len(list) != len(pairs) {
		t.Fatalf("rpm answered %d of %d: %v, %.300s", len(list), len(pairs), err, out)
	}
	return list
}
