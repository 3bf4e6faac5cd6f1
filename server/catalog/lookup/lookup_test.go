package lookup_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/server/catalog/lookup"
)

const record = `{"id":"DEBIAN-CVE-2026-0001","upstream":["CVE-2026-0001"],"affected":[{"package":{"ecosystem":"Debian:12","name":"util-linux"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.38.1-5+deb12u4"}]}]}]}`

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOneObjectForEachFinding holds the words that programs read.
func TestOneObjectForEachFinding(t *testing.T) {
	c := lookup.Command{Inventory: file(t, "status", "Package: bsdutils\nStatus: install ok installed\nSource: util-linux (2.38.1-5+deb12u3)\nVersion: 1:2.38.1-5+deb12u3\n"),
		Release: "debian:bookworm", OSV: []string{file(t, "osv.ndjson", record)}}
	var out, notes strings.Builder
	if err := c.Run(&out, &notes, true); err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(out.String()), &list); err != nil || len(list) != 1 {
		t.Fatalf("%s, %v", out.String(), err)
	}
	for field, want := range map[string]string{"item": "bsdutils", "source": "util-linux", "installed": "1:2.38.1-5+deb12u3", "compared": "2.38.1-5+deb12u3",
		"advisory": "DEBIAN-CVE-2026-0001", "fixed": "2.38.1-5+deb12u4", "status": "affected", "note": "", "severity": "unknown"} {
		if list[0][field] != want {
			t.Errorf("%s is %v, not %q", field, list[0][field], want)
		}
	}
	if aliases, _ := list[0]["aliases"].([]any); len(aliases) != 1 || aliases[0] != "CVE-2026-0001" {
		t.Errorf("%v", list[0]["aliases"])
	}
	out.Reset()
	if err := c.Run(&out, &notes, false); err != nil || !strings.HasSuffix(out.String(), "1 items of Debian:12 against 1 advisories: 1 findings (1 affected)\n") {
		t.Errorf("%s, %v", out.String(), err)
	}
}

// TestRefusals say what to do.
func TestRefusals(t *testing.T) {
	status := file(t, "status", "Package: a\nStatus: install ok installed\nVersion: 1\n")
	good := file(t, "osv.ndjson", record)
	for why, c := range map[string]lookup.Command{
		"no number that is known":   {Inventory: status, Release: "debian:x", OSV: []string{good}},
		"give --release":            {Inventory: status, OSV: []string{good}},
		"give --osv":                {Inventory: status, Release: "debian:12"},
		"cannot be read":            {Inventory: status, Release: "debian:12", OSV: []string{file(t, "half.ndjson", record[:100])}},
		"no package of rpm -qa":     {Inventory: file(t, "x", "hello"), Release: "debian:12", OSV: []string{good}},
		"no such file or directory": {Inventory: status, Release: "debian:12", OSV: []string{"/nowhere/at/all"}},
	} {
		var out, notes strings.Builder
		if err := c.Run(&out, &notes, true); err == nil || !strings.Contains(err.Error(), why) || out.Len() > 0 {
			t.Errorf("%v, not %q; printed %q", err, why, out.String())
		}
	}
	// A record that is none is named, and the others are taken.
	c := lookup.Command{Inventory: status, Release: "debian:12", OSV: []string{file(t, "bad.ndjson", `{"id":"../x"}`+"\n"+record)}}
	var out, notes strings.Builder
	if err := c.Run(&out, &notes, true); err != nil || !strings.Contains(notes.String(), "bad.ndjson") || !strings.Contains(notes.String(), "record 1") {
		t.Errorf("%v, %s", err, notes.String())
	}
}

// TestWhatNobodyLookedAtIsSaid, on standard error: no finding is not taken for none.
func TestWhatNobodyLookedAtIsSaid(t *testing.T) {
	bom := file(t, "bom.json", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a","purl":"pkg:npm/a@1.0.0"},{"type":"library","name":"b","purl":"b"}]}`)
	var out, notes strings.Builder
	if err := (&lookup.Command{Inventory: bom, OSV: []string{file(t, "osv.ndjson", record)}}).Run(&out, &notes, true); err != nil || out.String() != "[\n]\n" {
		t.Fatalf("%s, %v", out.String(), err)
	}
	for _, want := range []string{"no advisory that was given speaks of npm", "for want of a package URL that can be read: 1\n"} {
		if !strings.Contains(notes.String(), want) {
			t.Errorf("%q does not say %q", notes.String(), want)
		}
	}
}
