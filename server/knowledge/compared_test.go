package knowledge_test

import (
	"fmt"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/priority"
	"patchbay/server/knowledge"
	"patchbay/wire"
)

// TestASectionIsLookedThroughOnce: the same hash of the same system is the same value, and
// whatever else decides what is found is looked at: kernel, system, provider.
func TestASectionIsLookedThroughOnce(t *testing.T) {
	text := record("CVE-2026-0001", "linux", "6.2") + record("CVE-2026-0002", "curl", "1.1")
	text += strings.NewReplacer("Debian:12", "Debian:11", "CVE-2026", "CVE-2025").Replace(text)
	s, err := knowledge.Load([]knowledge.Source{source("osv", kinds.OSV, text)}, []string{"debian:11", "debian:12"}, now)
	if err != nil {
		t.Fatal(err)
	}
	kernel := func(version string) patch.Item {
		return patch.Item{Provider: "apt", Name: "linux-image-" + version, Version: version, Source: "linux", SourceVersion: version, Origin: "Debian"}
	}
	items := []patch.Item{item("curl", "1.0", "Debian"), kernel("6.0"), kernel("6.1")}
	on := debian
	on.Kernel = "6.1"
	first := s.Compare(on, "apt", "a hash", items, priority.Device{})
	if len(first.Found) != 3 || len(first.Names) != 2 {
		t.Fatalf("%+v", first)
	}
	if s.Compare(on, "apt", "a hash", nil, priority.Device{}) != first {
		t.Error("the same section is looked through again")
	}
	other := on
	other.Kernel = "6.0"
	if got := s.Compare(other, "apt", "a hash", items, priority.Device{}); got.Found[items[1].Key()] == first.Found[items[1].Key()] {
		t.Error("another kernel runs, and the same is said of it")
	}
	for what, f := range map[string]wire.Facts{"release": {Distro: "debian", Release: "11", Kernel: "6.1", Providers: on.Providers}, "system": {OS: "windows", Kernel: "6.1"}} {
		if s.Compare(f, "apt", "a hash", items, priority.Device{}) == first {
			t.Errorf("another %s, and the same is said of it", what)
		}
	}
	if anew := s.Compare(on, "apt", "", items, priority.Device{}); anew == s.Compare(on, "apt", "", items, priority.Device{}) {
		t.Error("a section without a hash is remembered")
	}
}

// TestWhatNothingTouchesIsTakenOver is the law of a comparison that outlives its snapshot: it
// is what would be found anew.
func TestWhatNothingTouchesIsTakenOver(t *testing.T) {
	var b knowledge.Book
	base := record("CVE-2026-0001", "curl", "1.1") + record("CVE-2026-0002", "nginx", "2.1")
	curl, nginx, both := []patch.Item{item("curl", "1.0", "Debian")}, []patch.Item{item("nginx", "2.0", "Debian")}, []patch.Item{item("curl", "1.0", "Debian"), item("nginx", "2.0", "Debian")}
	sections := map[string][]patch.Item{"curl": curl, "nginx": nginx, "both": both, "bash": {item("bash", "5.0", "Debian")}, "module": {item("curl", "1.0", "Debian"), item("perl", "1.module_el9.1.0+16+91bc168f", "Debian")}}
	at := func() map[string]*knowledge.Compared {
		all := map[string]*knowledge.Compared{}
		for hash, items := range sections {
			all[hash] = b.Current().Compare(debian, "apt", hash, items, priority.Device{})
			if anew := b.Current().Compare(debian, "apt", "", items, priority.Device{}); fmt.Sprint(anew) != fmt.Sprint(all[hash]) {
				t.Errorf("%s: %v is remembered, %v is found", hash, all[hash], anew)
			}
		}
		return all
	}
	stays := func(step string, was, is map[string]*knowledge.Compared, want ...string) {
		t.Helper()
		for hash := range sections {
			if kept := was[hash] == is[hash]; kept != strings.Contains(strings.Join(want, " "), hash) {
				t.Errorf("%s: of %s it is %v that it is taken over", step, hash, kept)
			}
		}
	}
	b.Replace(snapshot(t, source("osv", kinds.OSV, base)))
	first := at()
	b.Replace(snapshot(t, source("osv", kinds.OSV, base)))
	second := at()
	stays("the same", first, second, "curl", "nginx", "both", "bash")
	b.Replace(snapshot(t, source("osv", kinds.OSV, base+record("CVE-2026-0009", "nginx", "2.2"))))
	third := at()
	stays("an advisory", second, third, "curl", "bash")
	b.Replace(snapshot(t, source("osv", kinds.OSV, base+record("CVE-2026-0009", "nginx", "2.2")), source("kev", kinds.KEV, exploited)))
	fourth := at()
	stays("exploited", third, fourth, "nginx", "bash")
	b.Replace(snapshot(t, source("osv", kinds.OSV, base+record("CVE-2026-0009", "nginx", "2.2")+record("CVE-2026-0010", "bash", "5.1")), source("kev", kinds.KEV, exploited)))
	stays("the first advisory of a package", fourth, at(), "nginx", "curl", "both")
}
