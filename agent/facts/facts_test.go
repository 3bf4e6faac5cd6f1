package facts

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"patchbay/provider"
	"patchbay/provider/host"
	"patchbay/provider/providertest"
	"patchbay/wire"
)

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: 0o644} }

func link(to string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
}

// machine is a Debian server as its files show it.
func machine() fstest.MapFS {
	return fstest.MapFS{
		"etc/os-release":                        text("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
		"etc/machine-id":                        text("0123456789abcdef0123456789abcdef\n"),
		"etc/localtime":                         link("/usr/share/zoneinfo/Europe/Berlin"),
		"etc/timezone":                          text("America/Lima\n"),
		"proc/sys/kernel/hostname":              text("web1\n"),
		"proc/sys/kernel/osrelease":             text("6.1.0-28-amd64\n"),
		"proc/sys/kernel/arch":                  text("x86_64\n"),
		"proc/sys/kernel/random/boot_id":        text("11111111-2222-3333-4444-555555555555\n"),
		"proc/version":                          text("Linux version 6.1.0-28-amd64 (debian-kernel) (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n"),
		"proc/stat":                             text("cpu 1 2 3\nbtime 1790000000\n"),
		"proc/self/ns/mnt":                      link("mnt:[1]"),
		"proc/1/stat":                           text("1 (init) S 0 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5 99 100\n"),
		"boot/vmlinuz-6.1.0-28-amd64":           text(""),
		"var/lib/dpkg/status":                   text("Package: linux-image-6.1.0-28-amd64\nStatus: install ok installed\nVersion: 6.1.119-1\n"),
		"proc/10/ns/mnt":                        link("mnt:[1]"),
		"proc/10/maps":                          text("55-56 r-xp 00000000 fe:01 42 /usr/sbin/sshd (deleted)\n"),
		"proc/10/cgroup":                        text("0::/system.slice/ssh.service\n"),
		"proc/10/comm":                          text("sshd\n"),
		"proc/11/ns/mnt":                        link("mnt:[1]"),
		"proc/11/maps":                          text("55-56 r-xp 0 fe:01 42 /usr/sbin/cron\n57-58 rw-p 0 0:1 9 /dev/shm/x (deleted)\n59-60 rw-p 0 0:1 9 /memfd:y (deleted)\n61-62 rw-p 0 0:1 9 /tmp/z (deleted)\n63-64 rw-s 0 0:1 9 /SYSV00000000 (deleted)\n"),
		"proc/11/cgroup":                        text("0::/system.slice/cron.service\n"),
		"proc/12/ns/mnt":                        link("mnt:[2]"), // a container's
		"proc/12/maps":                          text("55-56 r-xp 0 fe:01 42 /usr/lib/libc.so.6 (deleted)\n"),
		"proc/12/cgroup":                        text("0::/system.slice/docker-1.scope\n"),
		"proc/13/ns/mnt":                        link("mnt:[1]"),
		"proc/13/maps":                          text("55-56 r-xp 0 fe:01 42 /lib/x86_64-linux-gnu/lib c.so (deleted)\n"),
		"proc/13/cgroup":                        text("9:name=systemd:/\n0::/\n"),
		"proc/13/comm":                          text("by-hand\n"),
		"var/lib/dpkg/info/openssh-server.list": text("/.\n/usr/sbin/sshd\n"),
		"var/lib/dpkg/info/libc6:amd64.list":    text("/.\n/usr/lib/x86_64-linux-gnu/lib c.so\n"),
		"usr/bin/unattended-upgrade":            text(""),
		"etc/cron.daily/apt-compat":             text(""),
		"usr/libexec/packagekitd":               text(""),
		"etc/landscape/client.conf.other":       text(""),
	}
}

func collect(t *testing.T, files fstest.MapFS, periodic string) wire.Facts {
	t.Helper()
	h, err := providertest.New(strings.NewReader(""), files)
	if err != nil {
		t.Fatal(err)
	}
	h.Answer(provider.Result{Stdout: periodic}, "apt-config", "dump", "--format", "%f=%v%n", "APT::Periodic")
	f, err := Collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFactsOfAServer(t *testing.T) {
	f := collect(t, machine(), "APT::Periodic=\nAPT::Periodic::Unattended-Upgrade=1\n")
	if f.Hostname != "web1" || f.Distro != "debian" || f.Release != "12" || f.SupportEnds != "2028-06-30" || f.Architecture != "amd64" ||
		f.Container || f.Zone != "Europe/Berlin" || f.BootedAt == nil || !f.BootedAt.Equal(time.Unix(1790000000, 0)) {
		t.Errorf("the facts are %+v", f)
	}
	if len(f.MachineID) != 32 || strings.Contains(f.MachineID, "0123456789") {
		t.Errorf("the machine's ID is told as %q", f.MachineID)
	}
	if got := strings.Join(f.Patchers, " "); got != "packagekit unattended-upgrades" {
		t.Errorf("the patchers are %q", got)
	}
	if got := strings.Join(f.Restart.Services, " "); got != "by-hand ssh.service" {
		t.Errorf("the services are %q", got)
	}
	if using := f.Restart.Using("openssh-server", "nginx"); len(using) != 1 || using[0] != "ssh.service" {
		t.Errorf("the old files of the SSH server are used by %q", using)
	}
	if f.Restart.Machine || len(f.Restart.Unknown) != 0 {
		t.Errorf("restart is %+v", f.Restart)
	}
	if off := collect(t, machine(), "APT::Periodic::Unattended-Upgrade=0\n"); strings.Join(off.Patchers, " ") != "packagekit" {
		t.Errorf("switched off, and yet: %q", off.Patchers)
	}
}

func TestWhatAsksForAReboot(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]*fstest.MapFile
		reason string
	}{
		"a flag":                {map[string]*fstest.MapFile{"run/reboot-required": text(""), "run/reboot-required.pkgs": text("libc6\nlibc6\n")}, "libc6"},
		"a newer kernel":        {map[string]*fstest.MapFile{"boot/vmlinuz-6.1.0-30-amd64": text("")}, "linux-image-6.1.0-30-amd64"},
		"the same name rebuilt": {map[string]*fstest.MapFile{"var/lib/dpkg/status": text("Package: linux-image-6.1.0-28-amd64\nVersion: 6.1.120-1\n\n")}, "linux-image-6.1.0-28-amd64"},
		"another flavour":       {map[string]*fstest.MapFile{"boot/vmlinuz-6.1.0-30-cloud-amd64": text(""), "boot/vmlinuz-6.1.0-9-amd64": text("")}, ""},
		"in a container":        {map[string]*fstest.MapFile{"boot/vmlinuz-6.1.0-30-amd64": text(""), "run/systemd/container": text("lxc")}, ""},
		"a kernel from outside": {map[string]*fstest.MapFile{"boot/vmlinuz-6.1.0-30-amd64": text(""), "proc/sys/kernel/osrelease": text("6.18.44-host")}, ""},
	} {
		files := machine()
		for path, f := range c.change {
			files[path] = f
		}
		r := collect(t, files, "").Restart
		if r.Machine != (c.reason != "") || strings.Join(r.Reasons, " ") != c.reason {
			t.Errorf("%s: %v because of %q, want %q", name, r.Machine, r.Reasons, c.reason)
		}
	}
}

// forbidden refuses what an ordinary user may not read.
type forbidden struct{ fstest.MapFS }

func (f forbidden) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, "/maps") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.Open(name)
}

func TestUnreadableProcessesAreSaid(t *testing.T) {
	p := readProcesses(t.Context(), forbidden{machine()})
	if len(p.services()) != 0 || len(p.unknown(owners{})) != 1 || !strings.HasPrefix(p.unknown(owners{})[0], "3 of 3 processes") {
		t.Errorf("got %q, %q", p.services(), p.unknown(owners{}))
	}
	p = readProcesses(t.Context(), fstest.MapFS{})
	if len(p.unknown(owners{})) != 1 {
		t.Error("without /proc nothing is said to be unknown")
	}
	others := machine()
	delete(others, "proc/1/stat")
	if r := collect(t, others, "").Restart; len(r.Unknown) == 0 || !r.Doubts("libc6") {
		t.Errorf("a /proc that shows only the own processes leaves nothing unknown: %+v", r)
	}
}

func TestUnitOfAProcess(t *testing.T) {
	for cgroup, want := range map[string]string{
		"0::/system.slice/ssh.service":                                                  "ssh.service",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/editor.service":     "user@1000.service",
		"12:pids:/system.slice/wrong.service\n1:name=systemd:/system.slice/a.service/b": "a.service",
		"0::/user.slice/user-0.slice/session-1.scope":                                   "",
		"garbage": "", "": "", "0::": "", "0::/\x00.service": "\x00.service",
	} {
		if got := unitOf(cgroup); got != want {
			t.Errorf("%q is of %q, want %q", cgroup, got, want)
		}
	}
}

func TestHostileFilesGiveNoFacts(t *testing.T) {
	files := machine()
	files["etc/localtime"] = link("/usr/share/zoneinfo/../../etc/passwd")
	files["etc/timezone"] = text("../../etc/passwd")
	files["proc/sys/kernel/hostname"] = text(strings.Repeat("\xff", 10_000))
	files["proc/stat"] = text("btime soon\n")
	files["etc/machine-id"] = text("short")
	f := collect(t, files, strings.Repeat("x", 1000))
	if f.Zone != "" || len(f.Hostname) > maxWord || f.BootedAt != nil || f.MachineID != "" {
		t.Errorf("the facts are %+v", f)
	}
}

func TestSupportTableIsOfDays(t *testing.T) {
	for _, table := range []map[string]string{debianEnds(), ubuntuEnds()} {
		for release, day := range table {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				t.Errorf("%s: %v", release, err)
			}
		}
	}
	if _, known := SupportEnds("debian", "99"); known {
		t.Error("the end of a release that does not exist is known")
	}
	if _, known := SupportEnds("arch", ""); known {
		t.Error("the end of a system without releases is known")
	}
}

func TestThisMachine(t *testing.T) {
	if _, err := os.Stat("/proc/sys/kernel/osrelease"); err != nil {
		t.Skip("not Linux")
	}
	f, err := Collect(t.Context(), host.Host{})
	if err != nil || f.Hostname == "" || f.Kernel == "" || f.BootID == "" || f.BootedAt == nil {
		t.Errorf("got %+v, %v", f, err)
	}
}

func FuzzOSRelease(f *testing.F) {
	f.Add("ID=debian\nX='y z'\n#c\nB=\"\\\"\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, v := range parseOSRelease(s) {
			if len(v) > maxWord {
				t.Fatalf("%d bytes", len(v))
			}
		}
	})
}

func FuzzMaps(f *testing.F) {
	f.Add("55-56 r-xp 0 fe:01 42 /usr/sbin/sshd (deleted)\n", "0::/system.slice/ssh.service\n")
	f.Fuzz(func(t *testing.T, maps, cgroup string) {
		if len(oldFiles([]byte(maps))) > 0 && !strings.Contains(maps, "(deleted)") {
			t.Fatal("nothing is deleted")
		}
		unitOf(cgroup)
		periodic(maps)
	})
}

// A container keeps the boot ID of the machine around it when it restarts itself.
func TestBootIDChangesWithEveryBoot(t *testing.T) {
	boot := func(id, stat string, container bool) string {
		files := fstest.MapFS{
			"proc/sys/kernel/random/boot_id": {Data: []byte(id + "\n")},
			"proc/1/stat":                    {Data: []byte(stat)},
		}
		if container {
			files["run/systemd/container"] = &fstest.MapFile{Data: []byte("lxc\n")}
		}
		return bootID(files)
	}
	stat := func(began string) string {
		return "1 (odd) name (x) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " + began + " 99 100\n"
	}
	if boot("a", stat("7"), false) != "a" || boot("a", stat("8"), false) != "a" {
		t.Error("a machine's boot is named by its boot ID alone")
	}
	if boot("a", stat("7"), true) == boot("a", stat("8"), true) {
		t.Error("a container that restarted shows the same boot")
	}
	if again := boot("a", stat("7"), true); again != boot("a", stat("7"), true) || boot("a", "cut", true) != "a" || boot("", stat("7"), true) != "" {
		t.Error("a boot has more than one name")
	}
}
