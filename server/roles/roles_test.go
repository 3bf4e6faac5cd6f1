package roles_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/priority"
	"patchbay/server/catalog/ssvc"
	"patchbay/server/roles"
	"patchbay/wire"
)

var day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

var linux = wire.Facts{OS: "linux", Providers: []wire.ProviderFacts{{Name: "apt", Traits: provider.Traits{Phase: provider.System}}, {Name: "flatpak", Traits: provider.Traits{Phase: provider.Apps}}}}
var windows = wire.Facts{OS: "windows", Providers: []wire.ProviderFacts{{Name: "winget", Traits: provider.Traits{Catalog: true}}, {Name: "extensions", Traits: provider.Traits{ReadOnly: true}}}}

func listening(f wire.Facts, ports ...int) wire.Facts {
	f.Listens = ports
	return f
}

func serving(f wire.Facts, services ...string) wire.Facts {
	f.Services = services
	return f
}

// items are of a provider, "apt: nginx, curl".
func items(text string) []patch.Item {
	var list []patch.Item
	by, names, _ := strings.Cut(text, ": ")
	for _, name := range strings.Split(names, ", ") {
		list = append(list, patch.Item{Provider: by, Name: name, Version: "1"})
	}
	return list
}

func TestWhatADeviceShows(t *testing.T) {
	for _, c := range []struct {
		facts wire.Facts
		items string
		want  string // roles with what showed them
	}{
		{linux, "apt: postgresql-15, postgresql-client-15, postgresql-common", "sql: postgresql-15 is installed"},
		{linux, "apt: postgresql-client-15, libpq5, mariadb-client, default-mysql-client", ""},
		{linux, "apt: mariadb-server-10.6", "sql: mariadb-server-10.6 is installed"},
		{linux, "apt: mysql-server-8.0, mysql-common", "sql: mysql-server-8.0 is installed"},
		{linux, "apt: postgresql16-server", "sql: postgresql16-server is installed"},
		{linux, "apt: mssql-server", "sql: mssql-server is installed"},
		{linux, "apt: nginx, nginx-common", "web: nginx is installed"},
		{linux, "apt: nginx-common, apache2-utils, libapache2-mod-php, httpd-tools", ""},
		{linux, "apt: apache2, apache2-bin", "web: apache2 is installed"},
		{linux, "apt: tomcat10", "web: tomcat10 is installed"},
		{linux, "apt: exim4-daemon-light, exim4-base", ""},             // most of a Debian have it
		{listening(linux, 22), "apt: exim4-daemon-light, postfix", ""}, //
		{listening(linux, 25, 80), "apt: exim4-daemon-light", "mail: exim4-daemon-light is installed, and port 25 is listened on"},
		{listening(linux, 587), "apt: postfix", "mail: postfix is installed, and port 587 is listened on"},
		{listening(linux, 25, 80, 443, 3306), "apt: bash", ""}, // a port alone may be anything
		{linux, "apt: dovecot-core", "mail: dovecot-core is installed"},
		{linux, "apt: samba, smbclient", "file: samba is installed"},
		{linux, "apt: smbclient, samba-libs, samba-common", ""},
		{linux, "apt: nfs-kernel-server", "file: nfs-kernel-server is installed"},
		{linux, "apt: nfs-utils", ""},
		{listening(linux, 2049), "apt: nfs-utils", "file: nfs-utils is installed, and port 2049 is listened on"},
		{linux, "apt: pve-manager", "hypervisor: pve-manager is installed"},
		{linux, "apt: xen-hypervisor-4.17-amd64", "hypervisor: xen-hypervisor-4.17-amd64 is installed"},
		{linux, "apt: libvirt-clients, qemu-system-x86", ""},
		{linux, "apt: samba-ad-dc, samba", "domain_controller: samba-ad-dc is installed; file: samba is installed"},
		{linux, "flatpak: nginx, mariadb-server", ""},
		{linux, "elsewhere: nginx", ""},
		{linux, "apt: Microsoft SQL Server 2019", ""},
		{windows, "winget: Microsoft SQL Server 2019", "sql: Microsoft SQL Server 2019 is installed"},
		{windows, "winget: Microsoft SQL Server 2008 R2", "sql: Microsoft SQL Server 2008 R2 is installed"},
		{windows, "winget: Microsoft SQL Server 2012 Native Client, Microsoft SQL Server Management Studio, Microsoft SQL Server 2019 LocalDB", ""},
		{windows, "winget: PostgreSQL 15", "sql: PostgreSQL 15 is installed"},
		{windows, "winget: MySQL Server, MySQL Workbench", "sql: MySQL Server is installed"},
		{windows, "winget: Apache HTTP Server", "web: Apache HTTP Server is installed"},
		{windows, "winget: nginx-core, samba", ""},
		{windows, "extensions: MariaDB", ""},
		{windows, "winget: Microsoft POS for .NET", "pos: Microsoft POS for .NET is installed"},
		{serving(windows, "NTDS", "LanmanServer"), "winget: x", "domain_controller: the service NTDS starts with the system; file: it shares folders"},
		{serving(windows, "MSSQL$ERP"), "winget: Microsoft SQL Server 2019", "sql: the service MSSQL$ERP starts with the system"},
		{serving(windows, "MSSQLFDLauncher", "W3SVC2", "vmms2"), "winget: x", ""},
		{serving(windows, "W3SVC", "vmms"), "winget: x", "hypervisor: the service vmms starts with the system; web: the service W3SVC starts with the system"},
		{serving(windows, "Apache2.4"), "winget: x", "web: the service Apache2.4 starts with the system"},
		{serving(windows, "MSExchangeTransport"), "winget: x", "mail: the service MSExchangeTransport starts with the system"},
		{serving(linux, "NTDS", "W3SVC"), "apt: x", ""},
		{wire.Facts{OS: "windows", OSName: "Windows Embedded POSReady 7"}, "winget: x", "pos: its system is Windows Embedded POSReady 7"},
		{wire.Facts{OS: "darwin"}, "homebrew: nginx", ""},
		{wire.Facts{}, "apt: nginx", ""},
	} {
		var got []string
		for _, d := range roles.Detect(c.facts, items(c.items)) {
			got = append(got, string(d.Role)+": "+d.From)
		}
		if is := strings.Join(got, "; "); is != c.want {
			t.Errorf("%s %s:\n%q, want\n%q", c.facts.OS, c.items, is, c.want)
		}
	}
}

// What one person has, and what is not whole, is no server's.
func TestOnlyWhatIsThereForAllCounts(t *testing.T) {
	for _, it := range []patch.Item{{Provider: "apt", Name: "nginx", Scope: "ann"}, {Provider: "apt", Name: "nginx", Broken: "half-installed"}} {
		if got := roles.Detect(linux, []patch.Item{it}); len(got) > 0 {
			t.Errorf("%+v shows %+v", it, got)
		}
	}
}

// The order in which things are told is irrelevant, and more of them never takes a role away.
func TestMoreSignsNeverTakeARoleAway(t *testing.T) {
	pool := items("apt: nginx, apache2, postgresql-15, postgresql-13, samba, exim4-daemon-light, dovecot-core, pve-manager, samba-ad-dc, bash, curl, tomcat9")
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		r.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
		n := r.IntN(len(pool))
		few, more := roles.Detect(linux, pool[:n]), roles.Detect(listening(linux, 25), pool)
		back := slices.Clone(pool[:n])
		slices.Reverse(back)
		if again := roles.Detect(linux, back[:n/2], back[n/2:]); !slices.Equal(again, few) {
			t.Fatalf("%+v, and the other way round %+v", few, again)
		}
		for _, d := range few {
			if !slices.ContainsFunc(more, func(o roles.Detected) bool { return o.Role == d.Role }) {
				t.Fatalf("%s went with more items", d.Role)
			}
		}
	}
}

// What a person said of a role holds with everything that may be detected, and nothing detected
// and nothing said is nothing.
func TestACorrectionHoldsWhateverIsDetected(t *testing.T) {
	if s := roles.Of(nil, nil); len(s.Roles) > 0 || s.Cites() != "" || s.Priority() != (priority.Device{}) {
		t.Errorf("of nothing: %+v", s)
	}
	for _, role := range roles.All() {
		for _, value := range []string{roles.Yes, roles.No} {
			for _, detected := range [][]roles.Detected{nil, {{Role: role, From: "x is installed"}}} {
				s := roles.Of(detected, []roles.Said{{Level: roles.Device, Name: roles.RoleName(role), Value: value, By: "Ann", At: day}})
				if len(s.Roles) != 1 || s.Has(role) != (value == roles.Yes) || s.Roles[0].By != "Ann" || !s.Roles[0].At.Equal(day) || (s.Roles[0].From != "") != (detected != nil) {
					t.Errorf("%s said %s, detected %+v: %+v", role, value, detected, s)
				}
			}
		}
	}
}

// TestTheNearestPlaceWins goes through everything that may be said at three levels, in every order.
func TestTheNearestPlaceWins(t *testing.T) {
	levels := []roles.Level{roles.Device, roles.Site, roles.Customer} // the nearest first
	for name, values := range map[string][]string{roles.Criticality: roles.Criticalities(), roles.Exposure: roles.Exposures()} {
		values = append([]string{"", "nonsense"}, values...)
		for _, d := range values {
			for _, s := range values {
				for _, c := range values {
					var said []roles.Said
					want := roles.Answer{}
					for i, v := range []string{d, s, c} {
						said = append(said, roles.Said{Level: levels[i], Name: name, Value: v, By: string(levels[i]), At: day.Add(time.Duration(i) * time.Hour)})
						if want.Value == "" && v != "" && v != "nonsense" {
							want = roles.Answer{Value: v, Level: levels[i], By: string(levels[i]), At: said[i].At}
						}
					}
					for range 2 {
						got := roles.Of(nil, said)
						is := map[string]roles.Answer{roles.Criticality: got.Criticality, roles.Exposure: got.Exposure}[name]
						if is != want {
							t.Fatalf("%s %q, %q, %q: %+v, want %+v", name, d, s, c, is, want)
						}
						slices.Reverse(said)
					}
				}
			}
		}
	}
}

// A role that is detected, or set, moves nothing back. What a person says of how much depends on
// a device is their word, and the greater word never moves anything back either.
func TestKnowingARoleNeverMovesAFindingBack(t *testing.T) {
	place := func(s roles.Standing, exploit ssvc.Exploitation, word string) uint64 {
		in := priority.Inputs{Scores: []priority.Scored{{Score: advisory.Score{Word: word}}}, SSVC: ssvc.Points{Exploitation: exploit, Automatable: patch.Yes}}
		return priority.Priority(in.On(s.Priority()), day).Number
	}
	for _, exploit := range []ssvc.Exploitation{"", ssvc.NoExploit, ssvc.PoC, ssvc.Active} {
		for _, word := range []string{"low", "moderate", "important", "critical", ""} {
			for _, exposure := range append([]string{""}, roles.Exposures()...) {
				last := uint64(0)
				for _, criticality := range roles.Criticalities() {
					said := []roles.Said{{Level: roles.Site, Name: roles.Exposure, Value: exposure}, {Level: roles.Customer, Name: roles.Criticality, Value: criticality}}
					without := place(roles.Of(nil, said), exploit, word)
					if without < last {
						t.Errorf("%s %s %s: %s moves it back", exploit, word, exposure, criticality)
					}
					last = without
				}
				for _, role := range roles.All() {
					said := []roles.Said{{Level: roles.Site, Name: roles.Exposure, Value: exposure}}
					if without, with := place(roles.Of(nil, said), exploit, word), place(roles.Of([]roles.Detected{{Role: role, From: "x"}}, said), exploit, word); with < without {
						t.Errorf("%s %s %s: being %s moves it back", exploit, word, exposure, role)
					}
				}
			}
		}
	}
}

// Of all that can be said there are few different places, since findings are kept for each.
func TestThereAreFewPlaces(t *testing.T) {
	places := map[priority.Device]bool{}
	for _, e := range append([]string{""}, roles.Exposures()...) {
		for _, c := range append([]string{""}, roles.Criticalities()...) {
			for _, role := range append([]roles.Role{""}, roles.All()...) {
				s := roles.Of([]roles.Detected{{Role: role, From: "x"}}, []roles.Said{{Level: roles.Device, Name: roles.Exposure, Value: e}, {Level: roles.Device, Name: roles.Criticality, Value: c}})
				places[s.Priority()] = true
			}
		}
	}
	if len(places) != 16 {
		t.Errorf("%d places: %v", len(places), places)
	}
}

func TestWhoSetItIsCited(t *testing.T) {
	said := []roles.Said{
		{Level: roles.Site, Name: roles.Exposure, Value: "open", By: "Ann", At: day},
		{Level: roles.Device, Name: roles.Criticality, Value: "high", By: "Bo", At: day.AddDate(0, 0, 1)},
	}
	if got, want := roles.Of(nil, said).Cites(), "Who reaches the device was set by Ann on 2026-11-20 for its site. How much depends on it was set by Bo on 2026-11-21."; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	detected := []roles.Detected{{Role: roles.DomainController, From: "the service NTDS starts with the system"}}
	if got, want := roles.Of(detected, nil).Cites(), "Much depends on it as on a domain controller: the service NTDS starts with the system."; got != want {
		t.Errorf("%s", got)
	}
	said = []roles.Said{{Level: roles.Device, Name: roles.RoleName(roles.POS), Value: roles.Yes, By: "Ann", At: day}}
	if got, want := roles.Of(nil, said).Cites(), "Much depends on it as on a point of sale, which Ann set on 2026-11-20."; got != want {
		t.Errorf("%s", got)
	}
	if roles.Of([]roles.Detected{{Role: roles.Web, From: "x"}}, nil).Cites() != "" {
		t.Error("what decides nothing is cited")
	}
}

// BenchmarkDetect is of a device with 1,000 packages.
func BenchmarkDetect(b *testing.B) {
	list := items("apt: nginx, postgresql-15, exim4-daemon-light")
	for i := range 1000 {
		list = append(list, patch.Item{Provider: "apt", Name: fmt.Sprintf("libpackage%d-0.%d", i, i%7)})
	}
	for b.Loop() {
		if len(roles.Detect(linux, list)) != 2 {
			b.Fatal("not what it is")
		}
	}
}

func TestOnlyKnownWordsMayBeSaid(t *testing.T) {
	for name, values := range map[string][]string{"criticality": {"low", "medium", "high", "very_high", ""}, "exposure": {"small", "controlled", "open", ""}, "role:sql": {"yes", "no", ""}} {
		for _, v := range values {
			if !roles.May(name, v) {
				t.Errorf("%s %q may not be said", name, v)
			}
		}
	}
	for _, c := range [][2]string{{"criticality", "open"}, {"exposure", "high"}, {"role:sql", "maybe"}, {"role:", "yes"}, {"role:king", "yes"}, {"sql", "yes"}, {"", "yes"}} {
		if roles.May(c[0], c[1]) {
			t.Errorf("%v may be said", c)
		}
	}
	for _, r := range roles.All() {
		if r.Words() == "" {
			t.Errorf("%s has no words", r)
		}
	}
}

// FuzzDetect: whatever a device says, detection ends and names only roles that there are.
func FuzzDetect(f *testing.F) {
	f.Add("nginx", "MSSQL$X", "Windows", 25, true)
	f.Add("postgresql-15.", "Apache2.", "POSReady", 0, false)
	f.Fuzz(func(t *testing.T, name, service, system string, port int, win bool) {
		facts := listening(serving(linux, service), port)
		by := "apt"
		if win {
			facts, by = listening(serving(windows, service), port), "winget"
		}
		facts.OSName = system
		for _, d := range roles.Detect(facts, []patch.Item{{Provider: by, Name: name}}) {
			if !slices.Contains(roles.All(), d.Role) || d.From == "" {
				t.Fatal(fmt.Sprint(d))
			}
		}
	})
}
