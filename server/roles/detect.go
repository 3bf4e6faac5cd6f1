package roles

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// Detected is a role that a device shows.
type Detected struct {
	Role Role
	From string // which sign showed it, as the end of a sentence
}

// sign is what shows a role: one of its fields, and where ports are named also one of these.
type sign struct {
	role    Role
	pkg     string // of a Linux: a package's name, in which # is a number such as 15 or 8.0
	program string // of a Windows: a program's name as its inventory has it, # as above
	service string // of a Windows: a service that starts with the system; a * at its end is anything
	system  string // that the name of the system contains
	ports   []int  // one of which has to be listened on for others: the package alone says nothing
}

// signs is the table. Of several that show one role the first is named. What serves only the
// machine itself by its nature, such as a mailer that most systems have, counts when it listens.
func signs() []sign {
	mailPorts := []int{25, 465, 587}
	return []sign{
		{role: DomainController, service: "NTDS"},
		{role: DomainController, pkg: "samba-ad-dc"}, {role: DomainController, pkg: "samba-dc"},
		{role: DomainController, pkg: "freeipa-server"}, {role: DomainController, pkg: "ipa-server"},

		{role: Hypervisor, service: "vmms"},
		{role: Hypervisor, pkg: "proxmox-ve"}, {role: Hypervisor, pkg: "pve-manager"}, {role: Hypervisor, pkg: "libvirt-daemon-system"},
		{role: Hypervisor, pkg: "libvirt-daemon-kvm"}, {role: Hypervisor, pkg: "xen-hypervisor-#-amd64"}, {role: Hypervisor, pkg: "xen-hypervisor"},

		{role: SQL, service: "MSSQLSERVER"}, {role: SQL, service: "MSSQL$*"},
		{role: SQL, program: "Microsoft SQL Server #"}, {role: SQL, program: "Microsoft SQL Server # R2"}, {role: SQL, program: "PostgreSQL #"}, {role: SQL, program: "PostgreSQL"},
		{role: SQL, program: "MySQL Server"}, {role: SQL, program: "MySQL Server #"}, {role: SQL, program: "MariaDB"}, {role: SQL, program: "MariaDB #"},
		{role: SQL, pkg: "postgresql-#"}, {role: SQL, pkg: "postgresql-server"}, {role: SQL, pkg: "postgresql#-server"},
		{role: SQL, pkg: "mariadb-server"}, {role: SQL, pkg: "mariadb-server-#"}, {role: SQL, pkg: "mysql-server"}, {role: SQL, pkg: "mysql-server-#"},
		{role: SQL, pkg: "mysql-community-server"}, {role: SQL, pkg: "percona-server-server"}, {role: SQL, pkg: "mssql-server"}, {role: SQL, pkg: "mongodb-org-server"},

		{role: Mail, service: "MSExchangeTransport"}, {role: Mail, service: "hMailServer"}, {role: Mail, service: "SMTPSVC"},
		{role: Mail, program: "Microsoft Exchange Server"}, {role: Mail, program: "hMailServer"}, {role: Mail, program: "MDaemon"},
		{role: Mail, pkg: "dovecot-core"}, {role: Mail, pkg: "dovecot"}, {role: Mail, pkg: "cyrus-imapd"},
		{role: Mail, pkg: "postfix", ports: mailPorts}, {role: Mail, pkg: "exim4-daemon-light", ports: mailPorts}, {role: Mail, pkg: "exim4-daemon-heavy", ports: mailPorts},
		{role: Mail, pkg: "exim", ports: mailPorts}, {role: Mail, pkg: "sendmail", ports: mailPorts}, {role: Mail, pkg: "sendmail-bin", ports: mailPorts}, {role: Mail, pkg: "opensmtpd", ports: mailPorts},

		{role: Web, service: "W3SVC"}, {role: Web, service: "Apache#"}, {role: Web, program: "Apache HTTP Server"}, {role: Web, program: "Apache HTTP Server #"},
		{role: Web, pkg: "nginx"}, {role: Web, pkg: "nginx-core"}, {role: Web, pkg: "nginx-full"}, {role: Web, pkg: "nginx-light"}, {role: Web, pkg: "nginx-extras"},
		{role: Web, pkg: "apache2"}, {role: Web, pkg: "httpd"}, {role: Web, pkg: "caddy"}, {role: Web, pkg: "lighttpd"}, {role: Web, pkg: "tomcat"}, {role: Web, pkg: "tomcat#"},

		{role: File, service: "LanmanServer"}, {role: File, service: "NfsService"},
		{role: File, pkg: "samba"}, {role: File, pkg: "nfs-kernel-server"}, {role: File, pkg: "nfs-utils", ports: []int{2049}},

		{role: POS, system: "POSReady"},
		{role: POS, program: "Microsoft POS for .NET"}, {role: POS, program: "Epson OPOS ADK"}, {role: POS, program: "EPSON OPOS ADK for .NET"},
		{role: POS, program: "OPOS CCO"}, {role: POS, program: "NCR Aloha"}, {role: POS, program: "Oracle Hospitality Simphony"}, {role: POS, program: "MICROS Simphony"},
	}
}

// mostSigns is how many services and ports of a device are looked at.
const mostSigns = 100

// Detect gives the roles that a device shows, by its facts and by what its providers say is
// installed, in the order of All. A device that shows none may have any.
func Detect(f wire.Facts, items ...[]patch.Item) []Detected {
	table := signs()
	f.Services, f.Listens = f.Services[:min(len(f.Services), mostSigns)], f.Listens[:min(len(f.Listens), mostSigns)]
	found := map[Role]Detected{}
	in := namesOf(f, items)
	for i := range table {
		s := &table[i]
		if _, ok := found[s.role]; ok {
			continue
		}
		if from := s.shown(f, in); from != "" {
			found[s.role] = Detected{s.role, from}
		}
	}
	var all []Detected
	for _, role := range All() {
		if d, ok := found[role]; ok {
			all = append(all, d)
		}
	}
	return all
}

// installed are the names of what is installed for all of the machine.
type installed struct {
	names map[string]bool
	alike map[string]string // by stem, the first by name
}

// namesOf takes in what those have that install servers: the system's own manager of a Linux,
// the list of programs of a Windows.
func namesOf(f wire.Facts, items [][]patch.Item) installed {
	in := installed{map[string]bool{}, map[string]string{}}
	for _, list := range items {
		for i := range list {
			it := &list[i]
			if it.Scope != "" || it.Broken != "" || !speaks(f, it.Provider) {
				continue
			}
			in.names[it.Name] = true
			if stem := stem(it.Name); stem != it.Name && (in.alike[stem] == "" || it.Name < in.alike[stem]) {
				in.alike[stem] = it.Name
			}
		}
	}
	return in
}

// called is the name of what is installed that a sign names, "" when nothing is.
func (in installed) called(sign string) string {
	switch {
	case strings.Contains(sign, "#"):
		return in.alike[stem(sign)]
	case in.names[sign]:
		return sign
	}
	return ""
}

// speaks reports whether what a provider has may be a server.
func speaks(f wire.Facts, name string) bool {
	i := slices.IndexFunc(f.Providers, func(p wire.ProviderFacts) bool { return p.Name == name })
	if i < 0 {
		return false
	}
	t := f.Providers[i].Traits
	switch f.OS {
	case "linux":
		return t.Phase == provider.System
	case "windows":
		return t.Catalog
	}
	return false
}

// shown says what of a device shows a sign, "" when nothing does.
func (s *sign) shown(f wire.Facts, in installed) string {
	if s.system != "" && strings.Contains(f.OSName, s.system) {
		return fmt.Sprintf("its system is %.100s", f.OSName)
	}
	if s.service != "" && f.OS == "windows" {
		return s.serves(f.Services)
	}
	if (s.pkg != "") != (f.OS == "linux") {
		return ""
	}
	is := in.called(cmp.Or(s.pkg, s.program))
	port := slices.IndexFunc(s.ports, func(p int) bool { return slices.Contains(f.Listens, p) })
	switch {
	case is == "":
		return ""
	case s.ports == nil:
		return is + " is installed"
	case port >= 0:
		return fmt.Sprintf("%s is installed, and port %d is listened on", is, s.ports[port])
	}
	return ""
}

// serves names the service that is the sign.
func (s *sign) serves(services []string) string {
	for _, is := range slices.Sorted(slices.Values(services)) {
		begin, any := strings.CutSuffix(s.service, "*")
		switch {
		case is == "LanmanServer" && s.service == is:
			return "it shares folders"
		case is == s.service, any && strings.HasPrefix(is, begin), strings.Contains(s.service, "#") && stem(is) == stem(s.service):
			return fmt.Sprintf("the service %.100s starts with the system", is)
		}
	}
	return ""
}

// stem is a name with each number in it written as #.
func stem(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !digit(rune(c)) {
			b.WriteByte(c)
			continue
		}
		for i+1 < len(name) && (digit(rune(name[i+1])) || name[i+1] == '.' && i+2 < len(name) && digit(rune(name[i+2]))) {
			i++
		}
		b.WriteByte('#')
	}
	return b.String()
}

func digit(r rune) bool { return r >= '0' && r <= '9' }
