package match_test

import (
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/listing"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/osv"
)

func unpack(t testing.TB, name string) io.Reader {
	t.Helper()
	f, err := os.Open("testdata/debian12/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// debian12 is a real machine and the advisories for it.
func debian12(t testing.TB) (match.Host, *match.Index) {
	t.Helper()
	h, err := listing.Read(unpack(t, "host.tsv.gz"), "Debian:12")
	if err != nil {
		t.Fatal(err)
	}
	b := match.NewBuilder(nil)
	report, err := osv.Read(unpack(t, "advisories.ndjson.gz"), b.Add)
	if err != nil || report.Refused > 0 || report.Records != 15_248 {
		t.Fatalf("%+v, %v", report, err)
	}
	return h, b.Index()
}

// TestDebian12 holds the findings of a real machine against those that another program found.
func TestDebian12(t *testing.T) {
	h, x := debian12(t)
	list := x.Match(h)
	counts := map[match.Status]int{}
	got := map[string]bool{}
	for _, f := range list {
		counts[f.Status]++
		if f.Status == match.NotCompared {
			continue
		}
		got[f.Source+"\t"+f.Advisory] = true
		if (f.Status == match.HeadersOnly) != (f.Source == "linux") {
			t.Errorf("%s of %s is %s", f.Item, f.Source, f.Status)
		}
		if f.Status == match.Affected && f.Fixed == "" {
			t.Errorf("%s is affected by %s, and nothing is said to mend it", f.Item, f.Advisory)
		}
	}
	text, err := io.ReadAll(unpack(t, "findings.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(want) != 2182 {
		t.Fatalf("%d pairs are wanted", len(want))
	}
	for _, pair := range want {
		if !got[pair] {
			t.Errorf("missing: %s", pair)
		}
		delete(got, pair)
	}
	for pair := range got {
		t.Errorf("too many: %s", pair)
	}
	// 2,013 of them are of the kernel's source, for two packages that are no kernel.
	if counts[match.HeadersOnly] != 2*2013 || counts[match.Affected] != 599 || counts[match.NotCompared] != 1 {
		t.Errorf("%v", counts)
	}
	i := slices.IndexFunc(list, func(f match.Finding) bool { return f.Status == match.NotCompared })
	if f := list[i]; f.Item != "nodejs" || !strings.Contains(f.Note, "NodeSource") {
		t.Errorf("%+v", f)
	}
}

// TestDpkgSaysTheSame asks dpkg itself about the newest that is open of each source.
func TestDpkgSaysTheSame(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("there is no dpkg here")
	}
	h, x := debian12(t)
	asked := map[string]bool{}
	for _, f := range x.Match(h) {
		version := f.Installed
		if f.Compared != "" {
			version = f.Compared
		}
		if key := f.Source + f.Fixed; f.Fixed == "" || asked[key] || len(asked) > 150 {
			continue
		} else {
			asked[key] = true
		}
		if err := exec.Command(dpkg, "--compare-versions", version, "lt", f.Fixed).Run(); err != nil {
			t.Errorf("dpkg does not say that %s of %s is before %s: %v", version, f.Source, f.Fixed, err)
		}
	}
	if len(asked) < 40 {
		t.Errorf("only %d were asked about", len(asked))
	}
}
