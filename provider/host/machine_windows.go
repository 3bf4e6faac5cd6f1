package host

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/provider"
)

var (
	_ provider.MachineHost  = Host{}
	_ provider.Desk         = Host{}
	_ provider.PresenceHost = Host{}
)

// controller is the program that starts all services. Windows ends when it ends, so one of
// it is one boot. A boot that continues a hibernated kernel has it, too: then nothing that
// waits for a restart has had one.
const controller = "services.exe"

// Machine asks Windows. The boot is named by when the service controller began, and as what.
func (Host) Machine() provider.Machine {
	m := provider.Machine{People: people(), Cards: cards(), Account: account()}
	for _, p := range processes() {
		program, began := examine(p.id)
		m.Processes = append(m.Processes, provider.Process{ID: p.id, Session: session(p.id), Program: program, Began: began})
		if strings.EqualFold(p.name, controller) && p.id != 0 && !began.IsZero() && (m.BootedAt.IsZero() || began.Before(m.BootedAt)) {
			m.BootedAt = began.Truncate(time.Second)
			m.Boot = strconv.FormatInt(began.UnixNano(), 36) + "-" + strconv.FormatUint(uint64(p.id), 10)
		}
	}
	return m
}

// account is the SID that this program runs as, "" when Windows does not say.
func account() string {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return ""
	}
	return user.User.Sid.String()
}

type process struct {
	id   uint32
	name string // of its file, without the folder
}

// maxProcesses bounds what is looked at.
const maxProcesses = 20_000

func processes() []process {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(snapshot)
	var all []process
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil && len(all) < maxProcesses; err = windows.Process32Next(snapshot, &entry) {
		all = append(all, process{entry.ProcessID, windows.UTF16ToString(entry.ExeFile[:])})
	}
	return all
}

// examine gives a process's file and when it began, as far as it may be known.
func examine(id uint32) (program string, began time.Time) {
	p, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, id)
	if err != nil {
		return "", time.Time{}
	}
	defer windows.CloseHandle(p)
	name := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(name))
	if windows.QueryFullProcessImageName(p, 0, &name[0], &size) == nil {
		program = windows.UTF16ToString(name[:size])
	}
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(p, &created, &exited, &kernel, &user) == nil {
		began = time.Unix(0, created.Nanoseconds()).UTC()
	}
	return program, began
}

// session is on whose desktop a process runs; one that is gone is on nobody's.
func session(id uint32) uint32 {
	var s uint32
	if err := windows.ProcessIdToSessionId(id, &s); err != nil {
		return 0
	}
	return s
}

func people() bool {
	all, err := sessions()
	return err == nil && len(all) > 0
}

// cards are the addresses of network cards that their makers gave. One that software made up
// says so in its first byte.
func cards() []string {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var found []string
	for _, i := range all {
		if len(i.HardwareAddr) == 6 && i.HardwareAddr[0]&2 == 0 && i.Flags&net.FlagLoopback == 0 {
			found = append(found, i.HardwareAddr.String())
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
