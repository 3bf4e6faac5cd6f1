package kinds_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"patchbay/server/catalog/feeds"
	"patchbay/server/catalog/kinds"
)

// real are real records of each kind, as far as they are kept here.
var real = map[string][]string{
	kinds.OSV:       {"../osv/testdata/misc.ndjson"},
	kinds.KEV:       {"../kev/testdata/2026-07-23.json", "../kev/testdata/2026-08-07.json"},
	kinds.EPSS:      {"../epss/testdata/2026-07-19.csv", "../epss/testdata/2026-08-16.csv"},
	kinds.SSVC:      {"../ssvc/testdata/records.ndjson"},
	kinds.CSAF:      {"../csaf/testdata/rhsa-2023_7438.json", "../csaf/testdata/cve-2023-6238.json"},
	kinds.NVD:       {"../nvd/testdata/page.json"},
	kinds.EndOfLife: {"../endoflife/testdata/api.json"},
}

func read(t *testing.T, name string, files ...string) (map[string]string, error) {
	t.Helper()
	all := kinds.All()
	i := slices.IndexFunc(all, func(k feeds.Kind) bool { return k.Name == name })
	got := map[string]string{}
	report, err := all[i].Read(files, func(r feeds.Record) error {
		if r.ID == "" || len(r.Says) == 0 {
			t.Errorf("%s has a record %q that says %q", name, r.ID, r.Says)
		}
		got[r.ID] += string(r.Says)
		return nil
	})
	if len(report.Why) > 20 {
		t.Errorf("%s tells %d refusals", name, len(report.Why))
	}
	return got, err
}

func TestRealFeedsAreReadAndTheSameSaysTheSame(t *testing.T) {
	for name, files := range real {
		for _, file := range files {
			first, err := read(t, name, file)
			if err != nil || len(first) == 0 {
				t.Errorf("%s: %d records, %v", file, len(first), err)
			}
			again, _ := read(t, name, file)
			for id, says := range first {
				if again[id] != says {
					t.Errorf("%s: %s says %q, then %q", file, id, says, again[id])
				}
			}
		}
	}
}

// What breaks off, is another feed or no feed at all is an error, and never an emptier feed.
// A few letters that are no record of JSON lines may pass where no record was begun.
func TestNoKindTakesWhatItIsNot(t *testing.T) {
	dir := t.TempDir()
	for _, k := range kinds.All() {
		for what, data := range map[string]string{"empty": "", "a page of the web": "<html><body>Log in</body></html>", "zeros": strings.Repeat("\x00", 1000),
			"a list of nothing": "[", "deep": strings.Repeat(`{"a":[`, 20_000)} {
			path := filepath.Join(dir, "feed.json")
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := read(t, k.Name, path); err == nil && len(got) > 0 {
				t.Errorf("%s takes what is %s as %d records", k.Name, what, len(got))
			}
		}
	}
	for name, files := range real {
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "cut")
		if err := os.WriteFile(path, data[:len(data)*2/3], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(t, name, path); err == nil {
			t.Errorf("%s takes a feed that breaks off", name)
		}
	}
}

func TestThePublicAddressesAreAConfiguration(t *testing.T) {
	c, err := feeds.ReadConfig(kinds.Public(), kinds.All())
	if err != nil || len(c.Feeds) < 10 || len(c.Allow)+len(c.Keys) > 0 {
		t.Fatalf("%d feeds, %v", len(c.Feeds), err)
	}
	for _, f := range c.Feeds {
		for _, from := range f.From {
			if !strings.HasPrefix(from, "https://") {
				t.Errorf("%s is got from %s", f.Name, from)
			}
		}
	}
}
