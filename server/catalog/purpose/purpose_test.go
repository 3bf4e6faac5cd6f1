package purpose_test

import (
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/catalog/purpose"
)

func table(t testing.TB) *purpose.Table {
	t.Helper()
	built, err := purpose.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// TestEveryPurposeHasSeveralPrograms, or nothing could be told of it; and each name stands once.
func TestEveryPurposeHasSeveralPrograms(t *testing.T) {
	lines, err := purpose.Lines()
	if err != nil {
		t.Fatal(err)
	}
	programs, seen := map[string]map[string]bool{}, map[string]bool{}
	for _, l := range lines {
		if seen[l.By+" "+l.Name] {
			t.Errorf("%s %s stands there twice", l.By, l.Name)
		}
		seen[l.By+" "+l.Name] = true
		if programs[l.Cycle] == nil {
			programs[l.Cycle] = map[string]bool{}
		}
		programs[l.Cycle][l.Product] = true
		if strings.Contains(l.Product, "#") && strings.Count(l.Name, "#") != 1 {
			t.Errorf("%s %s: which # is its number?", l.By, l.Name)
		}
	}
	for p, of := range programs {
		if len(of) < 2 {
			t.Errorf("%s has only %v", p, of)
		}
	}
	if len(programs) < 12 {
		t.Errorf("%d purposes", len(programs))
	}
}

func TestWhatProgramsAreFor(t *testing.T) {
	for _, c := range []struct {
		scheme        string
		item          patch.Item
		name, purpose string
	}{
		{patch.SchemeDeb, patch.Item{Provider: "apt", Name: "firefox-esr"}, "Firefox", "browser"},
		{patch.SchemeDeb, patch.Item{Provider: "apt", Name: "openjdk-17-jre-headless"}, "OpenJDK 17", "Java runtime"},
		{patch.SchemeDeb, patch.Item{Provider: "apt", Name: "firefox-esr-l10n-de"}, "", ""},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Mozilla Firefox (x64 de)"}, "Firefox", "browser"},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Google Chrome", Source: "Google.Chrome.EXE"}, "Google Chrome", "browser"},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Java 8 Update 411 (64-bit)"}, "Oracle Java 8", "Java runtime"},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Eclipse Temurin JDK with Hotspot 17.0.10+7 (x64)"}, "Temurin 17", "Java runtime"},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Microsoft Office Professional Plus 2016"}, "Microsoft Office", "office suite"},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Microsoft Office Proofing Tools 2016 - English"}, "", ""},
		{patch.SchemeWinget, patch.Item{Provider: "winget", Name: "Microsoft Edge WebView2 Runtime"}, "", ""},
		{patch.SchemeBrew, patch.Item{Provider: "homebrew", Name: "firefox", Instance: "cask"}, "Firefox", "browser"},
		{patch.SchemeBrew, patch.Item{Provider: "macapps", Name: "Zoom", Instance: "us.zoom.xos"}, "Zoom", "video meetings"},
		{patch.SchemeWinget, patch.Item{Provider: "extensions", Name: "Google Chrome"}, "", ""},
	} {
		p, ok := table(t).Of(c.scheme, c.item)
		if ok != (c.name != "") || p.Name != c.name || p.Purpose != c.purpose {
			t.Errorf("%+v: %+v", c.item, p)
		}
	}
}
