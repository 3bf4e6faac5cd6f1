package facts

import (
	"bufio"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"patchbay/provider"
)

// serving are the services of a Windows that show what it is for; a * at the end is anything.
func serving() []string {
	return []string{"NTDS", "vmms", "MSSQLSERVER", "MSSQL$*", "MSExchangeTransport", "hMailServer", "SMTPSVC", "W3SVC", "Apache*", "NfsService"}
}

// Values of a service's Start, and how many services are told.
const (
	byItself   = 2
	maxServing = 50
)

// windowsServices lists which of them start with the system. A server that shares folders of its
// own tells it as LanmanServer, which every Windows has; NTDS counts on a domain controller alone.
func windowsServices(h hive, server bool) []string {
	var names []string
	for _, name := range h.key(services).Keys {
		shows := slices.ContainsFunc(serving(), func(sign string) bool {
			begin, any := strings.CutSuffix(sign, "*")
			return strings.EqualFold(name, sign) || any && len(name) <= maxWord && strings.HasPrefix(strings.ToLower(name), strings.ToLower(begin))
		})
		if !shows || len(names) >= maxServing || number(h.key(services+`\`+name), "Start") != byItself {
			continue
		}
		if strings.EqualFold(name, "NTDS") && textOf(h.key(control+`\ProductOptions`), "ProductType") != "LanmanNT" {
			continue
		}
		names = append(names, strings.ToValidUTF8(name, ""))
	}
	if server && shares(h.key(services+`\LanmanServer\Shares`)) {
		names = append(names, "LanmanServer")
	}
	slices.Sort(names)
	return names
}

// shares reports whether folders are shared beside those that Windows shares for itself. What they
// are called is not told.
func shares(k provider.RegistryKey) bool {
	for name := range k.Values {
		if name != "" && !slices.ContainsFunc([]string{"NETLOGON", "SYSVOL", "print$", "CertEnroll"}, func(own string) bool { return strings.EqualFold(name, own) }) {
			return true
		}
	}
	return false
}

// telling are the TCP ports that show what a Linux is for: those of mail and of NFS, whose
// programs most machines have without serving anybody.
func telling() []int { return []int{25, 465, 587, 2049} }

// maxSockets bounds what is read of the list of sockets, in bytes.
const maxSockets = 32 << 20

// listens lists which of them are listened on for others than the machine itself.
func listens(files fs.FS) []int {
	var ports []int
	for _, name := range []string{"proc/net/tcp", "proc/net/tcp6"} {
		f, err := files.Open(name)
		if err != nil {
			continue // hidden, or no IPv6
		}
		ports = append(ports, listening(io.LimitReader(f, maxSockets))...)
		f.Close()
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// listening reads the kernel's list of sockets, proc_net(5). What cannot be read is left out.
func listening(in io.Reader) []int {
	const listen = "0A"
	var ports []int
	for lines := bufio.NewScanner(in); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[3] != listen {
			continue
		}
		address, hex, ok := strings.Cut(f[1], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		if ok && err == nil && !loopback(address) && slices.Contains(telling(), int(port)) && !slices.Contains(ports, int(port)) {
			ports = append(ports, int(port))
		}
	}
	return ports
}

// loopback knows the machine's own addresses as the kernel writes them: in words of four bytes,
// each with its last byte first.
func loopback(address string) bool {
	const mapped = "0000000000000000FFFF0000"
	v4 := strings.TrimPrefix(address, mapped)
	return len(v4) == 8 && strings.HasSuffix(v4, "7F") || address == "00000000000000000000000001000000"
}
