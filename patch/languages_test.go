package patch_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"patchbay/patch"
)

// TestOrdersOfLanguages are versions in order, each before the next; "=" joins those that are
// the same. Those of Maven were told by Maven 3.8.7.
func TestOrdersOfLanguages(t *testing.T) {
	for scheme, lists := range map[string][]string{
		patch.SchemeMaven: {
			"1-alpha2snapshot 1-alpha2 1-alpha-123 1-beta-2 1-beta123 1-m2 1-m11 1-rc=1-cr 1-rc123 1-snapshot=1-SNAPSHOT 1=1.0=1-ga=1.Final=1.RELEASE=01 1-sp 1-sp2 1-abc 1-def 1-1 1-2 1.1",
			"2.0.a 2-1 2.0.2", "1-0.alpha 1-0.beta 1", "1.0.0.RC1 1.0.0-RC2", "10.0.0.Beta1 10.M2 10", "2-alpha 2.RC2=2.0.RC2", "31.1-android 31.1-jre", "6.1.0rc3 6.1H.5-beta",
		},
		patch.SchemeSemver: {
			"1.0.0-1 1.0.0-2 1.0.0-10 1.0.0--5 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0=1.0.0+a-b=v1.0.0=1 1.0.1",
			"v0.0.0-20200101000000-abcdefabcdef v0.0.0-20240101000000-abcdefabcdef v0.0.0 0.1", "99999999999999999999.0.0 100000000000000000000.0.0",
		},
		patch.SchemePackagist: {"1.0-dev 1.0-alpha1 1.0-beta1=1.0b1 1.0-RC1 1.0=v1.0.0=1.0.0.0=1.0-stable 1.0-p1=1.0-pl1 1.0.1 2.0.0-rc.2 2.0"},
		patch.SchemeRPM:       {"a=a a1 b", "+=_", "1.0~rc1 1.0 1.0^git1 1.0.1", "1.0 1.0-1"},
	} {
		for _, list := range lists {
			groups := strings.Fields(list)
			for i, a := range groups {
				for j, b := range groups {
					for _, x := range strings.Split(a, "=") {
						for _, y := range strings.Split(b, "=") {
							want := min(1, max(-1, i-j))
							if got, err := patch.CompareVersions(scheme, x, y); err != nil || got != want {
								t.Errorf("%s: %q against %q: got %d, %v, not %d", scheme, x, y, got, err, want)
							}
						}
					}
				}
			}
		}
	}
}

// TestWhatIsNoVersionIsNotOrdered, be it that older tools took it.
func TestWhatIsNoVersionIsNotOrdered(t *testing.T) {
	for scheme, list := range map[string][]string{
		patch.SchemeSemver: {"1.2.3.4", "^1.0.0", ">=1.0.0", "1..0", "1.x", "1.0.0-", "1.0.0-a_b", "v", "latest1"},
		patch.SchemePyPI:   {"2004d", "1.0-dev-x", "0.2.0-n653", "2019-09-12", "1..0", "^1.0", "1.0+", "1.x", "1.0+a+b"},
	} {
		for _, v := range list {
			if c, err := patch.CompareVersions(scheme, v, "1.0.0"); err == nil {
				t.Errorf("%s: %q is ordered: %d", scheme, v, c)
			}
			if c, err := patch.CompareVersions(scheme, "1.0.0", v); err == nil {
				t.Errorf("%s: %q is ordered: %d", scheme, v, c)
			}
		}
	}
}

// TestMavenAgreesWithMaven asks Maven's own order, where it is installed, about random pairs.
func TestMavenAgreesWithMaven(t *testing.T) {
	jars, _ := filepath.Glob("/usr/share/maven/lib/*.jar")
	if _, err := exec.LookPath("java"); err != nil || len(jars) == 0 {
		t.Skip("needs java and Maven")
	}
	tokens := strings.Fields("0 1 2 10 . . - - a b m alpha rc sp ga final x SNAPSHOT RC _ 01 .Final -jre .RC2 -rc-1 .redhat-00001")
	r := rand.New(rand.NewPCG(5, 6))
	var versions []string
	for range 2000 {
		v := fmt.Sprint(r.IntN(3))
		for range r.IntN(7) {
			v += tokens[r.IntN(len(tokens))]
		}
		versions = append(versions, v)
	}
	out, err := exec.Command("java", append([]string{"-cp", strings.Join(jars, ":"), "org.apache.maven.artifact.versioning.ComparableVersion"}, versions...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v, %.300s", err, out)
	}
	said := regexp.MustCompile(`(?m)^   \S+ ([<>=])=? \S+$`).FindAllSubmatch(out, -1)
	if len(said) != len(versions)-1 {
		t.Fatalf("Maven answered %d of %d", len(said), len(versions)-1)
	}
	for i, m := range said {
		want := strings.Index("<=>", string(m[1])) - 1
		if got, err := patch.CompareVersions(patch.SchemeMaven, versions[i], versions[i+1]); err != nil || got != want {
			t.Errorf("%q against %q: got %d, %v; Maven says %d", versions[i], versions[i+1], got, err, want)
		}
	}
}

// FuzzOrders: turned round, the answer is turned round too, and nothing panics.
func FuzzOrders(f *testing.F) {
	f.Add("1.0.0-RC2", "1.0.RC1")
	f.Add("v1.2.3-0.20200101000000-abcdef", "1.2.3+x")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, scheme := range []string{patch.SchemeMaven, patch.SchemeSemver, patch.SchemePackagist, patch.SchemeRPM} {
			x, err := patch.CompareVersions(scheme, a, b)
			y, err2 := patch.CompareVersions(scheme, b, a)
			if (err == nil) != (err2 == nil) || x != -y {
				t.Fatalf("%s: %q, %q: %d %v one way, %d %v the other", scheme, a, b, x, err, y, err2)
			}
		}
	})
}
