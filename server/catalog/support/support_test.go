package support_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/support"
)

func products(t testing.TB) []endoflife.Product {
	t.Helper()
	f, err := os.Open("testdata/products.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []endoflife.Product
	report, err := endoflife.Read(f, func(p endoflife.Product) error { list = append(list, p); return nil })
	if err != nil || report.Refused > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	return list
}

func table(t testing.TB) *support.Table {
	t.Helper()
	built, err := support.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

// now is a quarter of a year after the day that the products are of.
var now = day("2026-11-28")

// TestEveryLineNamesAProductAndACycleThatExist, exactly: a line that leads nowhere would have
// something counted as not known for ever.
func TestEveryLineNamesAProductAndACycleThatExist(t *testing.T) {
	known := support.NewProducts(products(t))
	lines, err := support.Lines()
	if err != nil {
		t.Fatal(err)
	}
	seen, named := map[string]bool{}, map[string]bool{}
	for _, l := range lines {
		p, ok := known.Of(l.Product)
		if !ok {
			t.Errorf("%s %s: endoflife.date has no product %q", l.By, l.Name, l.Product)
			continue
		}
		named[l.Product] = true
		if seen[l.By+l.Name] {
			t.Errorf("%s %s stands there twice", l.By, l.Name)
		}
		seen[l.By+l.Name] = true
		switch {
		case l.Cycle == "#" && strings.Count(l.Name, "#") != 1:
			t.Errorf("%s %s: which # is its cycle?", l.By, l.Name)
		case l.Cycle != "#" && l.Cycle != "version":
			for _, name := range strings.Split(l.Cycle, "|") {
				if !slices.ContainsFunc(p.Cycles, func(c endoflife.Cycle) bool { return c.Name == name }) {
					t.Errorf("%s %s: %s has no cycle %q", l.By, l.Name, l.Product, name)
				}
			}
		}
	}
	if len(named) < 80 {
		t.Errorf("the table names %d products", len(named))
	}
}

func TestEverySystemIsAProduct(t *testing.T) {
	known := support.NewProducts(products(t))
	for distro, product := range map[string]string{"rocky": "rocky-linux", "amzn": "amazon-linux", "ol": "oracle-linux", "alpine": "alpine-linux", "sles": "sles", "opensuse-leap": "opensuse",
		"photon": "vmware-photon", "pop": "pop-os", "debian": "debian", "macos": "macos", "linuxmint": "linuxmint", "mageia": "mageia", "nixos": "nixos", "slackware": "slackware", "devuan": "devuan"} {
		n, ok := support.Of(support.Machine{Distro: distro, Release: "1"})
		if _, there := known.Of(n.Product); !ok || n.Product != product || !there {
			t.Errorf("%s is %q, which there is: %v", distro, n.Product, there)
		}
	}
}

func TestSystems(t *testing.T) {
	known := support.NewProducts(products(t))
	for _, c := range []struct {
		m            support.Machine
		state        endoflife.State
		cycle, until string
		by           string
	}{
		// The vendor's support of Debian 12 is over, and LTS is for everybody.
		{support.Machine{Distro: "debian", Release: "12", Name: "Debian GNU/Linux 12 (bookworm)", Table: "2028-06-30"}, endoflife.Supported, "12", "2028-06-30", support.ByFeed},
		{support.Machine{Distro: "ubuntu", Release: "20.04", Name: "Ubuntu 20.04.6 LTS"}, endoflife.Ended, "20.04", "2025-05-31", support.ByFeed},
		{support.Machine{Distro: "ubuntu", Release: "22.04"}, endoflife.Ending, "22.04", "2027-04-01", support.ByFeed},
		{support.Machine{Distro: "rocky", Release: "9.4"}, endoflife.Supported, "9", "2032-05-31", support.ByFeed},
		{support.Machine{Distro: "centos", Release: "9", Name: "CentOS Stream 9"}, endoflife.Supported, "9", "2027-05-31", support.ByFeed},
		{support.Machine{Distro: "centos", Release: "7", Name: "CentOS Linux 7 (Core)"}, endoflife.Ended, "7", "2024-06-30", support.ByFeed},
		{support.Machine{Distro: "alpine", Release: "3.20.3"}, endoflife.Ended, "3.20", "2026-04-01", support.ByFeed},
		{support.Machine{Distro: "sles", Release: "15.5"}, endoflife.Ended, "15.5", "2024-12-31", support.ByFeed},
		{support.Machine{Distro: "macos", Release: "14.6.1"}, endoflife.Supported, "14", "", support.ByFeed},
		{support.Machine{Distro: "macos", Release: "13.7.8"}, endoflife.Ended, "13", "2025-09-15", support.ByFeed},
		{support.Machine{Distro: "arch", Name: "Arch Linux"}, endoflife.Unknown, "", "", ""},
		{support.Machine{Distro: "debian", Release: "", Name: "Debian GNU/Linux trixie/sid"}, endoflife.Unknown, "", "", ""},
		// A Windows by build and edition: Home and Pro, Enterprise and Education, the long-term ones.
		{windows("windows", "Professional", "10.0.22631.4317"), endoflife.Ended, "11-23h2-w", "2025-11-11", support.ByFeed},
		{windows("windows", "EnterpriseN", "10.0.22631.4317"), endoflife.Ended, "11-23h2-e", "2026-11-10", support.ByFeed},
		{windows("windows", "Core", "10.0.26100.1882"), endoflife.Ended, "11-24h2-w", "2026-10-13", support.ByFeed},
		{windows("windows", "Enterprise", "10.0.26100.1882"), endoflife.Supported, "11-24h2-e", "2027-10-12", support.ByFeed},
		{windows("windows", "EnterpriseS", "10.0.26100.1882"), endoflife.Supported, "11-24h2-e-lts", "2029-10-09", support.ByFeed},
		{windows("windows", "IoTEnterpriseS", "10.0.26100.1882"), endoflife.Supported, "11-24h2-iot-lts", "2034-10-10", support.ByFeed},
		{windows("windows", "Professional", "10.0.26200.1"), endoflife.Supported, "11-25h2-w", "2027-10-12", support.ByFeed},
		{windows("windows", "Professional", "10.0.19045.6456"), endoflife.Ended, "10-22h2", "2025-10-14", support.ByFeed},
		{windows("windows", "Education", "10.0.19045.6456"), endoflife.Ended, "10-22h2", "2025-10-14", support.ByFeed},
		{windows("windows", "EnterpriseS", "10.0.17763.1"), endoflife.Supported, "10-1809-e-lts", "2029-01-09", support.ByFeed},
		{windows("windows", "Ultimate", "6.1.7601"), endoflife.Ended, "7-sp1", "2020-01-14", support.ByFeed},
		// Editions and builds with days of their own, or none that anybody told.
		{windows("windows", "IoTEnterprise", "10.0.26100.1"), endoflife.Unknown, "", "", ""},
		{windows("windows", "", "10.0.26100.1"), endoflife.Unknown, "", "", ""},
		{windows("windows", "Professional", "10.0.29999.1"), endoflife.Unknown, "", "", ""},
		{windows("windows-server", "ServerStandard", "10.0.20348.2762"), endoflife.Supported, "2022", "2031-10-14", support.ByFeed},
		{windows("windows-server", "ServerStandard", "10.0.17763.1"), endoflife.Supported, "2019", "2029-01-09", support.ByFeed},
		{windows("windows-server", "ServerDatacenterACor", "10.0.17763.1"), endoflife.Ended, "1809-sac", "2020-11-10", support.ByFeed},
		{windows("windows-server", "ServerDatacenterACor", "10.0.25398.1"), endoflife.Ended, "23h2-ac", "2026-05-12", support.ByFeed},
		{windows("windows-server", "ServerAzureStackHCICor", "10.0.26100.1"), endoflife.Unknown, "", "", ""},
		{windows("windows-server", "ServerStandard", "10.0.14393.1"), endoflife.Ending, "2016", "2027-01-12", support.ByFeed},
		{windows("windows-server", "ServerStandard", "6.3.9600.1"), endoflife.Ended, "2012-r2", "2023-10-10", support.ByFeed},
		{windows("windows-server", "ServerStandard", "5.2.3790"), endoflife.Unknown, "", "", ""},
	} {
		n, ok := support.Of(c.m)
		s := known.Stands(n, now)
		if until := text(s.Until); !ok || s.State != c.state || s.Cycle != c.cycle || until != c.until || s.By != c.by || !strings.HasSuffix(s.Why, ".") {
			t.Errorf("%+v\n  is %+v", c.m, s)
		}
	}
}

func windows(distro, edition, kernel string) support.Machine {
	return support.Machine{Distro: distro, Edition: edition, Kernel: kernel, Name: "Windows"}
}

func text(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.DateOnly)
}

func TestCyclesAreCalledAsPeopleCallThem(t *testing.T) {
	known := support.NewProducts(products(t))
	for _, c := range []struct{ product, version, edition, want string }{
		{"windows", "10.0.22631", "Professional", "11 23H2, Home and Pro"}, {"windows", "10.0.26100", "Enterprise", "11 24H2, Enterprise and Education"}, {"windows", "10.0.19045", "Core", "10 22H2"},
		{"mssqlserver", "16.0", "", "2022"}, {"postgresql", "16", "", ""}, {"debian", "12", "", ""}, {"dotnet", "3.1", "", "Core 3.1"},
	} {
		kind := support.Application
		if c.edition != "" {
			kind = support.System
		}
		s := known.Stands(support.Named{Kind: kind, Product: c.product, Version: c.version, Edition: c.edition}, now)
		if s.Label != c.want || c.want != "" && !strings.Contains(s.Why, c.want) {
			t.Errorf("%+v: %q: %s", c, s.Label, s.Why)
		}
	}
}

// TestWhatIsPaidForIsToldAndNotCounted: with or without it the state is the same.
func TestWhatIsPaidForIsToldAndNotCounted(t *testing.T) {
	known := support.NewProducts(products(t))
	for _, m := range []support.Machine{{Distro: "ubuntu", Release: "20.04"}, windows("windows", "Professional", "10.0.19045.1"), {Distro: "sles", Release: "15.5"}} {
		n, _ := support.Of(m)
		s := known.Stands(n, now)
		if s.State != endoflife.Ended || s.Paid.Ended(now) != patch.No || s.PaidName == "" || !strings.Contains(s.Why, "Who pays for it has") {
			t.Errorf("%+v: %+v", m, s)
		}
	}
}

// TestTheFeedComesFirst, and the table that the device brought counts where the feed is silent.
func TestTheFeedComesFirst(t *testing.T) {
	n, _ := support.Of(support.Machine{Distro: "debian", Release: "12", Name: "Debian GNU/Linux 12 (bookworm)", Table: "2026-10-01"})
	var none *support.Products
	if s := none.Stands(n, now); s.State != endoflife.Ended || s.By != support.ByTable || text(s.Until) != "2026-10-01" || !strings.Contains(s.Why, "the agent's own table") {
		t.Errorf("without a feed: %+v", s)
	}
	if s := support.NewProducts(products(t)).Stands(n, now); s.State != endoflife.Supported || s.By != support.ByFeed {
		t.Errorf("with the feed: %+v", s)
	}
	n.Table = ""
	if s := none.Stands(n, now); s.State != endoflife.Unknown || s.By != "" || !strings.Contains(s.Why, "No feed") {
		t.Errorf("nobody speaks of it: %+v", s)
	}
}

func item(provider, name, version string) patch.Item {
	return patch.Item{Provider: provider, Name: name, Version: version}
}

func TestApplications(t *testing.T) {
	known, names := support.NewProducts(products(t)), table(t)
	debian := func(source, version string) patch.Item {
		return patch.Item{Provider: "apt", Name: "x", Source: source, Version: version}
	}
	catalogued := patch.Item{Provider: "winget", Name: "Java 8 Update 411", Source: "Oracle.JavaRuntimeEnvironment", Version: "8.0.4110.9"}
	cask := patch.Item{Provider: "homebrew", Name: "firefox", Instance: "cask", Version: "131.0.2"}
	app := patch.Item{Provider: "macapps", Name: "Firefox", Instance: "org.mozilla.firefox", Version: "131.0.2"}
	for _, c := range []struct {
		scheme, publisher string
		item              patch.Item
		product, cycle    string // "" is none
		state             endoflife.State
	}{
		{patch.SchemeDeb, "apt.postgresql.org", debian("postgresql-13", "13.16-1.pgdg120+1"), "postgresql", "13", endoflife.Ended},
		{patch.SchemeDeb, "apt.postgresql.org", debian("postgresql-common", "262.pgdg120+1"), "", "", ""},
		{patch.SchemeDeb, "Docker", debian("docker-ce", "5:27.3.1-1~debian.12~bookworm"), "docker-engine", "27", endoflife.Ended},
		{patch.SchemeDeb, "Node Source", debian("nodejs", "20.20.2-1nodesource1"), "nodejs", "20", endoflife.Ended},
		{patch.SchemeDeb, "Somebody", debian("nodejs", "20.20.2"), "", "", ""},
		{patch.SchemeDeb, "", debian("nodejs", "20.20.2"), "", "", ""},
		{"", "", item("winget", "Microsoft SQL Server 2019 (64-bit)", ""), "mssqlserver", "15.0", endoflife.Supported},
		{"", "", item("winget", "Microsoft SQL Server 2014 (64-bit)", ""), "mssqlserver", "12.0-sp3", endoflife.Ended},
		{"", "", item("winget", "Microsoft Office Professional Plus 2016", "16.0.4266.1001"), "office", "2016", endoflife.Ended},
		{"", "", item("winget", "Microsoft Office LTSC Professional Plus 2024 - de-de", "16.0.1"), "office", "2024-ltsc", endoflife.Supported},
		{"", "", item("winget", "Microsoft 365 Apps for business - de-de", "16.0.1"), "", "", ""},
		{"", "", item("winget", "Microsoft Exchange Server 2019 Cumulative Update 14", "15.2.1544.4"), "msexchange", "2019", endoflife.Ended},
		{"", "", item("winget", "Microsoft Windows Desktop Runtime - 6.0.36 (x64)", "48.144.23141"), "dotnet", "6", endoflife.Ended},
		{"", "", item("winget", "Microsoft .NET Core Runtime - 3.1.32 (x64)", "24.192.31915"), "dotnet", "3.1", endoflife.Ended},
		{"", "", item("winget", "Python 3.12.5 (64-bit)", "3.12.5150.0"), "python", "3.12", endoflife.Supported},
		{"", "", item("winget", "Python Launcher", "3.12.5150.0"), "", "", ""},
		{"", "", item("winget", "PostgreSQL 16 ", "16.4-1"), "postgresql", "16", endoflife.Supported},
		{"", "", item("winget", "Mozilla Firefox ESR (x64 de)", "115.16.1"), "firefox", "115", endoflife.Ending},
		{"", "", item("winget", "Mozilla Thunderbird (x64 de)", "115.16.1"), "", "", ""},
		{"", "", item("winget", "LibreOffice 24.8.2.1", "24.8.2.1"), "libreoffice", "24.8", endoflife.Ended},
		{"", "", catalogued, "oracle-jdk", "8", endoflife.Ended},
		{"", "", item("homebrew", "openssl@3", "3.3.1"), "openssl", "3.3", endoflife.Ended},
		{"", "", item("homebrew", "node@18", "18.20.4"), "nodejs", "18", endoflife.Ended},
		{"", "", item("homebrew", "firefox", "1"), "", "", ""}, // a formula of a cask's name
		{"", "", cask, "firefox", "131", endoflife.Ended},
		{"", "", app, "firefox", "131", endoflife.Ended},
		{"", "", item("winget", strings.Repeat("x", 10_000), "1"), "", "", ""},
		{"", "", item("winget", "", ""), "", "", ""},
	} {
		n, ok := names.Item(c.scheme, c.publisher, c.item)
		if ok != (c.product != "") || n.Product != c.product {
			t.Errorf("%+v is of %q", c.item, n.Product)
			continue
		}
		if s := known.Stands(n, now); ok && (s.Cycle != c.cycle || s.State != c.state) {
			t.Errorf("%+v: %+v", c.item, s)
		}
	}
}

// TestWhatHasNoKnownEndIsNotEnding, however far ahead is looked.
func TestWhatHasNoKnownEndIsNotEnding(t *testing.T) {
	known := support.NewProducts(products(t))
	open, _ := support.Of(support.Machine{Distro: "macos", Release: "15.1"})
	ends, _ := support.Of(support.Machine{Distro: "debian", Release: "12"}) // the vendor's support is over, LTS is not
	if s := known.Stands(open, now); s.Within(now, 3650) != endoflife.Supported {
		t.Errorf("%+v", s)
	}
	if s := known.Stands(ends, now); s.Within(now, 90) != endoflife.Supported || s.Within(now, 600) != endoflife.Ending || text(s.Last()) != "2028-06-30" {
		t.Errorf("%+v", s)
	}
}

// TestATableThatFitsAnythingIsRefused, since it would name every program.
func TestATableThatFitsAnythingIsRefused(t *testing.T) {
	for _, name := range []string{"", "*", "#", "a*"} {
		if _, err := support.NewTable([]support.Line{{By: "winget", Name: name, Product: "x", Cycle: "version"}}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if _, err := support.ParseLines("winget\tx\n"); err == nil {
		t.Error("half a line is taken")
	}
}

// TestSupportOnlyEverEnds: with the days that pass nothing comes back, of anything that the
// table or a system can name.
func TestSupportOnlyEverEnds(t *testing.T) {
	list := products(t)
	known := support.NewProducts(list)
	for _, p := range list {
		for _, c := range p.Cycles {
			n, over := support.Named{Kind: support.Application, Product: p.Name, Version: c.Name}, false
			for at := day("2015-01-01"); at.Year() < 2042; at = at.AddDate(0, 3, 0) {
				ended := known.Stands(n, at).State == endoflife.Ended
				if over && !ended {
					t.Fatalf("%s %s comes back on %s", p.Name, c.Name, text(at))
				}
				over = ended
			}
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("winget", "", "PostgreSQL 16 (x64)", "16.4", "Professional", "10.0.26100.1")
	f.Add("apt", "Docker", "docker-ce", "5:27.3.1", "ServerStandard", "6.3.9600")
	known, names := support.NewProducts(products(f)), table(f)
	f.Fuzz(func(t *testing.T, provider, publisher, name, version, edition, kernel string) {
		for _, scheme := range []string{"", patch.SchemeDeb, patch.SchemeRPM} {
			n, ok := names.Item(scheme, publisher, item(provider, name, version))
			if s := known.Stands(n, now); ok && (s.Why == "" || s.State != endoflife.Unknown && s.Cycle == "") {
				t.Fatalf("%+v: %+v", n, s)
			}
		}
		n, _ := support.Of(support.Machine{Distro: provider, Release: version, Name: name, Edition: edition, Kernel: kernel, Table: version})
		if s := known.Stands(n, now); s.Why == "" || s.State != endoflife.Unknown && s.By == "" {
			t.Fatalf("%+v: %+v", n, s)
		}
	})
}
