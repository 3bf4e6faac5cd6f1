package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A figure takes the place of the one before; one that was not measured keeps its day; what a
// bound says is what the table says.
func TestTableSaysWhatWasMeasuredAndWhen(t *testing.T) {
	dir := t.TempDir()
	store, readme := filepath.Join(dir, "figures.tsv"), filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("# P\n\n"+begin+"old\n"+end+"\n\nMore.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ day, lines string }{
		{"2026-01-01", "noise\nFIGURE scan_cpu 2263.0 ms apt-get_-s_dist-upgrade 4007.0 0.56 <=1.2x\nFIGURE herd_of_12000,_wasted_attempts 529 - agents 12000 0.04 <=0.01x\n"},
		{"2026-01-02", "FIGURE scan_cpu 5263.0 ms apt-get_-s_dist-upgrade 4007.0 1.31 <=1.2x\nFIGURE unheard_of 1 - - - - -\nFIGURE bad line\n"},
	} {
		if err := run(store, readme, c.day, "abc1234", strings.NewReader(c.lines)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| scan of this machine | 5,263 ms | apt-get -s dist-upgrade 4,007: 1.31× | ≤ 1.2×: **not held** | 2026-01-02, `abc1234` |\n",
		"| their attempts that came to nothing | 529 | agents 12,000: 0.04× | ≤ 0.01×: **not held** | 2026-01-01, `abc1234` |\n", "# P\n", "\n\nMore.\n",
	} {
		if strings.Count(string(got), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, got)
		}
	}
	if kept, _ := os.ReadFile(store); !strings.Contains(string(kept), "unheard_of") || strings.Contains(string(got), "unheard") || strings.Contains(string(got), "old") {
		t.Errorf("kept %s", kept)
	}
	if err := os.WriteFile(readme, []byte("# no marks\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(store, readme, "2026-01-03", "x", strings.NewReader("")); err == nil {
		t.Error("a page without marks is written")
	}
}
