package service

import (
	"fmt"
	"strings"

	"patchbay/wire"
)

// Unit is the systemd unit of an agent.
//
// An agent that manages runs the package manager, whose scripts may do what root may do:
// write anywhere, load kernel modules, change owners. It is kept from the rest. An agent
// that only observes reads and talks, and is kept from everything else.
func Unit(program string, o Options) string {
	lines := []string{
		"[Unit]",
		"Description=Patchbay agent: tells what is installed and missing, installs what is approved",
		"Wants=network-online.target",
		"After=network-online.target",
		"",
		"[Service]",
		fmt.Sprintf("ExecStart=%s --state %s run", quote(program), quote(o.State)),
		"EnvironmentFile=-" + strings.ReplaceAll(proxyPath(o), "%", "%%"),
		"Restart=always",
		"RestartSec=10",
		"# An update that has begun is finished before the agent stops.",
		"KillMode=mixed",
		"TimeoutStopSec=30min",
		"Nice=5",
		"IOSchedulingClass=best-effort",
		"IOSchedulingPriority=6",
		"OOMScoreAdjust=-100",
		"UMask=0022",
		"",
	}
	lines = append(lines, both()...)
	if o.Mode == wire.Manage {
		lines = append(lines, manage()...)
	} else {
		lines = append(lines, observe(o.State)...)
	}
	lines = append(lines, "", "[Install]", "WantedBy=multi-user.target", "")
	return strings.Join(lines, "\n")
}

// both is what holds in either mode.
func both() []string {
	return []string{
		"NoNewPrivileges=yes",
		"RestrictRealtime=yes",
		"ProtectControlGroups=yes",
		"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
		"KeyringMode=private",
	}
}

// manage leaves the package manager what it needs. What is not here would break some
// package's scripts: setting the set-user-ID bit, writing below /home, /boot and /dev,
// loading kernel modules and security profiles, starting programs of another architecture.
// ProtectClock is not here either, because it closes every device, also boot loaders' disks.
func manage() []string {
	return []string{
		"PrivateTmp=yes",
		"CapabilityBoundingSet=~CAP_SYS_TIME CAP_WAKE_ALARM CAP_SYS_BOOT CAP_SYS_PACCT CAP_LEASE CAP_BPF CAP_PERFMON CAP_BLOCK_SUSPEND",
		"SystemCallFilter=~@clock @cpu-emulation @debug @obsolete @raw-io @reboot @swap",
		"SystemCallErrorNumber=EPERM",
	}
}

// observe leaves reading and the network.
func observe(state string) []string {
	return []string{
		"ProtectSystem=strict",
		"ReadWritePaths=" + quote(state),
		"ProtectHome=read-only",
		"PrivateTmp=yes",
		"PrivateDevices=yes",
		"ProtectClock=yes",
		"ProtectKernelTunables=yes",
		"ProtectKernelModules=yes",
		"ProtectKernelLogs=yes",
		"RestrictNamespaces=yes",
		"RestrictSUIDSGID=yes",
		"LockPersonality=yes",
		"MemoryDenyWriteExecute=yes",
		"SystemCallArchitectures=native",
		"SystemCallFilter=@system-service",
		"SystemCallErrorNumber=EPERM",
		"CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE",
	}
}

// quote makes one word of a path, as systemd reads it.
func quote(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	path = strings.ReplaceAll(path, "$", "$$")
	if !strings.ContainsAny(path, " \t\"'\\;") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
