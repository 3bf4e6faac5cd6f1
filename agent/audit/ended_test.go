package audit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/agent/audit"
	"patchbay/patch"
)

func TestProgramsOutOfSupportAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, version, day string // of the audit; "" is now
		what               string // "" when nothing is wrong, as far as is known
	}{
		{"Python", "3.8.10150.0", "", "Python 3.8"},
		{"Python", "3.80.1", "", ""},
		{"Python", "3.13.1", "", ""},
		{"Python Launcher", "3.8.1", "", ""},
		{"Microsoft Office Professional Plus 2013", "15.0.4569.1506", "", "Office 2013"},
		{"Microsoft Office Professional Plus 2019", "16.0.1", "2025-10-14", ""},
		{"Microsoft Office Professional Plus 2019", "16.0.1", "2025-10-15", "Office 2019"},
		{"Microsoft Office Professional Plus 2021", "16.0.1", "", ""},
		{"Microsoft 365 Apps for enterprise", "16.0.1", "", ""},
		{"Microsoft SQL Server 2012", "11.4.7001.0", "", "SQL Server 2012"},
		{"Microsoft SQL Server 2012 Native Client", "11.4.7001.0", "", ""},
		{"Microsoft .NET Runtime", "5.0.17.31213", "", ".NET 5.0"},
		{"Microsoft Windows Desktop Runtime", "10.0.1", "", ""},
		{"Java 7", "7.0.800", "", "Java 7"},
		{"Java 8", "8.0.3610.9", "", ""},
		{"Adobe Flash Player 32 NPAPI", "32.0.0.465", "", "Flash Player"},
		{"Adobe Reader XI - Deutsch", "11.0.23", "", "Adobe Reader XI"},
		{"Adobe Reader X MUI", "10.1.16", "", "Adobe Reader X"},
		{"Adobe Acrobat Reader DC", "24.001", "", ""},
		{"Node.js", "16.20.2", "", "Node.js 16"},
		{"PostgreSQL 12", "12.22", "", "PostgreSQL 12"},
		{"Some Tool", "1", "", ""}, // unknown, which is not good and no finding
	} {
		in := clean()
		in.Facts.OS, in.Facts.Distro, in.Facts.SupportEnds = "windows", "windows", "2027-10-12"
		in.Parts = []audit.Part{{Provider: "winget", Items: []patch.Item{{Provider: "winget", Name: c.name, Version: c.version, Updater: "x"}}}}
		if c.day != "" {
			in.Now, _ = time.Parse(time.DateOnly, c.day)
		}
		r := audit.New(in)
		got := ""
		for _, e := range r.Unsupported {
			got += e.What
		}
		if found := slices.Contains(codes(r), "unsupported_programs"); got != c.what || found != (c.what != "") {
			t.Errorf("%s %s: %q, found %v; want %q", c.name, c.version, got, codes(r), c.what)
		}
		var text, page strings.Builder
		if err := errors.Join(audit.WriteText(&text, r, false), audit.WriteHTML(&page, r)); err != nil {
			t.Fatal(err)
		}
		for _, out := range []string{text.String(), page.String()} {
			if c.what != "" && (!strings.Contains(out, "Out of support") || !strings.Contains(out, c.what)) {
				t.Errorf("%s is not shown in\n%s", c.what, out)
			}
		}
	}
	in := clean() // a Debian mends its own Python
	in.Parts[0].Items[0] = patch.Item{Provider: "apt", Name: "python", Version: "3.9.2"}
	if r := audit.New(in); len(r.Unsupported) != 0 {
		t.Errorf("%+v", r.Unsupported)
	}
}
