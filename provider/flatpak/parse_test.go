package flatpak

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMasksAreFlatpaksOwn(t *testing.T) {
	d := deployed{kind: "app", id: "org.example.Hello", arch: "x86_64", branch: "stable"}
	for pattern, want := range map[string]bool{
		"org.example.Hello": true, "app/org.example.Hello": true, "app/org.example.Hello/x86_64/stable": true, "org.example.*": true,
		"org.example.Hello//stable": true, "*": true, "app/*/*/stable": true, "app": true,
		"runtime/org.example.Hello": false, "org.example": false, "org.example.Hello//beta": false, "org.example.Hel": false,
		"org.example.Hello/aarch64": false, "org.example.Hello/x86_64/stable/more": false, "org[.]example[.]Hello": false, "(": false,
	} {
		if got := matches(pattern, d); got != want {
			t.Errorf("%q: %v", pattern, got)
		}
	}
}

func TestVersionNamesOneCommit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1, 253_402_300_799).Draw(t, "at"), 0).UTC()
		commit := rapid.StringMatching(`[0-9a-f]{64}`).Draw(t, "commit")
		back, hash, ok := parseVersion(version(at, commit))
		if !ok || !back.Equal(at) || hash != commit {
			t.Fatalf("%s became %s %s", version(at, commit), back, hash)
		}
		later := at.Add(time.Second)
		if later.Year() < 10000 && (!newer(version(later, commit), version(at, commit)) || newer(version(at, commit), version(later, commit))) {
			t.Fatal("a second later is not newer")
		}
	})
}

func TestAddressTellsNoSecrets(t *testing.T) {
	r := remote{name: "x", url: "https://user:secret@example.org/repo?token=secret#secret"}
	if s := r.title(place{}); strings.Contains(s, "secret") || !strings.Contains(s, "example.org/repo") {
		t.Errorf("it is %q", s)
	}
}

func FuzzDeploy(f *testing.F) {
	_, b := file(f, "/deploy")
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d deployed
		if d.parse(b) != nil {
			return
		}
		if _, _, ok := parseVersion(d.version()); !ok {
			t.Errorf("the version is %q", d.version())
		}
		if !printable(d.called) || !printable(d.eol) || !printable(d.renamed) || len(d.called) > maxText {
			t.Errorf("unfit for people: %+v", d)
		}
	})
}

func FuzzSummary(f *testing.F) {
	_, b := file(f, ".sub")
	f.Add(b)
	_, b = file(f, ".idx")
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseSummary(b, func(string) bool { return true }); err == nil {
			for ref, o := range s.refs {
				if !validCommit.MatchString(o.commit) || o.size < 0 || !printable(o.eol) || !printable(o.renamed) {
					t.Errorf("%q: %+v", ref, o)
				}
			}
		}
		if hash, _, err := parseIndex(b, "x86_64"); err == nil && !validCommit.MatchString(hash) {
			t.Errorf("the hash is %q", hash)
		}
	})
}

func FuzzCommit(f *testing.F) {
	_, b := file(f, ".commit")
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseCommit(b) })
}

var remoteName = regexp.MustCompile(`^[A-Za-z0-9_]`)

func FuzzConfig(f *testing.F) {
	f.Add([]byte("[core]\nxa.masked=a;b*;;\n[remote \"bed\"]\nurl=http://x\ngpg-verify=true\nxa.subset=floss\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConfig(b)
		if err != nil {
			return
		}
		for name, r := range c.remotes {
			if !remoteName.MatchString(name) || !printable(r.title(place{})) || !printable(r.origin()) {
				t.Errorf("remote %q: %q", name, r.title(place{}))
			}
		}
		c.masks(deployed{kind: "app", id: "a", arch: "b", branch: "c"})
	})
}
