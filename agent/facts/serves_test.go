package facts

import (
	"slices"
	"strings"
	"testing"
)

const sockets = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// socket is a line of the kernel's list.
func socket(local, state string) string {
	return "   0: " + local + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0\n"
}

// TestPortsThatAreListenedOnForOthers: a mailer that only the machine itself reaches, which most
// have, is told apart from one that others reach.
func TestPortsThatAreListenedOnForOthers(t *testing.T) {
	for _, c := range []struct {
		tcp, tcp6 string
		want      []int
	}{
		{"", "", nil},
		{socket("00000000:0019", "0A"), "", []int{25}},
		{socket("0100007F:0019", "0A") + socket("0200007F:0019", "0A"), socket("00000000000000000000000001000000:0019", "0A") + socket("0000000000000000FFFF00000100007F:0019", "0A"), nil},
		{socket("0A00020F:0019", "0A"), "", []int{25}},
		{"", socket("00000000000000000000000000000000:0801", "0A") + socket("00000000000000000000000000000000:0019", "0A"), []int{25, 2049}},
		{socket("00000000:0019", "01"), socket("00000000000000000000000000000000:0019", "06"), nil}, // connections
		{socket("00000000:0016", "0A") + socket("00000000:0050", "0A"), "", nil},                    // shows nothing that a package does not
		{socket("00000000:0019", "0A"), socket("00000000000000000000000000000000:0019", "0A"), []int{25}},
		{"rubbish\n0: x 0 0A\n0: 0 0 0A\n0: 0:FFFFFFFF 0 0A\n" + socket("00000000:01D1", "0A"), "", []int{465}},
	} {
		files := machine()
		files["proc/net/tcp"], files["proc/net/tcp6"] = text(sockets+c.tcp), text(sockets+c.tcp6)
		if got := collect(t, files, "").Listens; !slices.Equal(got, c.want) {
			t.Errorf("%s%s: %v, want %v", c.tcp, c.tcp6, got, c.want)
		}
	}
	if got := collect(t, machine(), "").Listens; got != nil {
		t.Errorf("where nothing can be read: %v", got)
	}
}

func FuzzSockets(f *testing.F) {
	f.Add(sockets + socket("00000000:0019", "0A"))
	f.Fuzz(func(t *testing.T, s string) {
		if got := listening(strings.NewReader(s)); len(got) > len(telling()) {
			t.Fatal(got)
		}
	})
}

// TestServicesThatShowWhatAWindowsIsFor: those that start with the system, and no others.
func TestServicesThatShowWhatAWindowsIsFor(t *testing.T) {
	const system = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\`
	service := func(name string, start string) string {
		return system + `Services\` + name + "]\n\"Start\"=dword:0000000" + start + "\n"
	}
	const server = `[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion]` + "\n\"InstallationType\"=\"Server\"\n"
	kind := func(name string) string {
		return system + "Control\\ProductOptions]\n\"ProductType\"=\"" + name + "\"\n"
	}
	shared := func(name string) string {
		return system + "Services\\LanmanServer\\Shares]\n\"" + name + "\"=hex(7):00,00\n"
	}
	for _, c := range []struct{ name, export, want string }{
		{"nothing", "", ""},
		{"a database", service("MSSQLSERVER", "2"), "MSSQLSERVER"},
		{"a named one", service("MSSQL$ERP", "2") + service("MSSQLFDLauncher", "2"), "MSSQL$ERP"},
		{"one that is started by hand, one that is switched off", service("MSSQLSERVER", "3") + service("W3SVC", "4"), ""},
		{"several", service("W3SVC", "2") + service("vmms", "2") + service("Apache2.4", "2") + service("Spooler", "2"), "Apache2.4 W3SVC vmms"},
		{"a domain controller", service("NTDS", "2") + kind("LanmanNT"), "NTDS"},
		{"what looks like one", service("NTDS", "2") + kind("ServerNT"), ""},
		{"a server that shares", server + shared("Data"), "LanmanServer"},
		{"a server that shares what every one does", server + shared("SYSVOL"), ""},
		{"a PC that shares", shared("Data"), ""},
	} {
		if got := strings.Join(factsOf(t, recorded(t).with(t, "Windows Registry Editor Version 5.00\n\n"+c.export)).Services, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
