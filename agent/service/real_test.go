//go:build linux

package service_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/identity"
	"patchbay/agent/service"
	"patchbay/test/bed"
	"patchbay/wire"
)

// enrolled makes a state directory as enrolment leaves it, for a server nobody reaches.
func enrolled(t *testing.T, mode wire.Mode) disk.OS {
	t.Helper()
	dir, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	key, err := identity.SoftKey{Dir: dir}.Make()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public().(*ecdsa.PublicKey), key)
	if err != nil {
		t.Fatal(err)
	}
	id := identity.Identity{Agent: "agt_1", Device: "dev_1", AgentURL: "https://" + bed.HostName + ":1", Mode: mode, Certificate: der, CA: der, OrdersKey: make([]byte, 32)}
	if err := id.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestServiceOnARealMachine installs the agent on a machine with systemd, restarts the
// machine, and takes it away again: nothing is left.
func TestServiceOnARealMachine(t *testing.T) {
	b, archive := bed.New(t), bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	have := []string{"bed-lib", "bed-app", "bed-conf"}
	device := b.Device(t, bed.Options{Boot: true, Origin: b.Serve(t, archive), Install: have})
	archive.Publish(t, bed.Security, "bed-lib=1.2", "bed-app=1.2")
	device.Must(t, "apt-get", "update")
	program := filepath.Join(t.TempDir(), "patchbay-agent")
	build := exec.Command("go", "build", "-o", program, "patchbay/cmd/patchbay-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := device.CopyFile(program, "/root/patchbay-agent", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []wire.Mode{wire.Observe, wire.Manage} {
		before := device.Must(t, "find", "/etc", "/usr", "/var/lib", "/opt", "/root", "/srv", "/home", "-xdev")
		device.Must(t, "mkdir", "-p", "-m", "700", "/var/lib/patchbay-agent")
		dir := enrolled(t, mode)
		for _, name := range []string{"identity.json", "key.pem"} {
			if err := device.CopyFile(filepath.Join(dir.Path(), name), "/var/lib/patchbay-agent/"+name, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		device.Must(t, "/root/patchbay-agent", "install")
		scanned(t, device, mode)
		device.Must(t, "rm", "/var/lib/patchbay-agent/sections.json")
		if err := device.Reboot(t.Context()); err != nil {
			t.Fatal(err)
		}
		scanned(t, device, mode)
		device.Must(t, "/root/patchbay-agent", "uninstall")
		if r, err := device.Exec(t.Context(), "systemctl", "status", "patchbay-agent"); err != nil || r.Code != 4 {
			t.Errorf("%s: the service is still known: %+v, %v", mode, r, err)
		}
		after := device.Must(t, "find", "/etc", "/usr", "/var/lib", "/opt", "/root", "/srv", "/home", "-xdev")
		if was, is := strings.Fields(before), strings.Fields(after); len(was) != len(is) {
			t.Errorf("%s: %d files before, %d after", mode, len(was), len(is))
			seen := map[string]bool{}
			for _, f := range was {
				seen[f] = true
			}
			for _, f := range is {
				if !seen[f] {
					t.Errorf("left behind: %s", f)
				}
			}
		}
	}
}

// TestUnitLetsThePackageManagerWork runs a real upgrade within the limits of the unit.
func TestUnitLetsThePackageManagerWork(t *testing.T) {
	b, archive := bed.New(t), bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	device := b.Device(t, bed.Options{Boot: true, Origin: b.Serve(t, archive), Install: []string{"bed-lib", "bed-app", "bed-conf"}})
	archive.Publish(t, bed.Security, "bed-lib=1.2", "bed-app=1.2", "bed-conf=1.2")
	run := []string{"systemd-run", "--wait", "--pipe", "--quiet", "--setenv=DEBIAN_FRONTEND=noninteractive"}
	unit := service.Unit("/bin/true", service.Options{State: "/var/lib/patchbay-agent", Mode: wire.Manage})
	_, limits, _ := strings.Cut(unit, "UMask=0022")
	limits, _, _ = strings.Cut(limits, "[Install]")
	for _, limit := range strings.Fields(strings.ReplaceAll(limits, " ", "\x00")) {
		run = append(run, "-p", strings.ReplaceAll(limit, "\x00", " "))
	}
	device.Must(t, append(slices.Clone(run), "apt-get", "update")...)
	device.Must(t, append(slices.Clone(run), "apt-get", "-y", "dist-upgrade")...)
	device.Must(t, append(slices.Clone(run), "systemctl", "is-system-running")...)
	if p, err := device.Oracle().Package(t.Context(), "bed-app"); err != nil || p.Version != "1.2" {
		t.Errorf("bed-app is %+v, %v", p, err)
	}
}

// scanned waits until the service has read the machine: within its limits everything it
// needs to read is readable.
func scanned(t *testing.T, device *bed.Device, mode wire.Mode) {
	t.Helper()
	if err := device.WaitFile(t.Context(), "/var/lib/patchbay-agent/sections.json"); err != nil {
		t.Fatalf("%s: %v: %s", mode, err, device.Must(t, "journalctl", "-u", "patchbay-agent", "--no-pager"))
	}
	if state := device.Must(t, "systemctl", "is-active", "patchbay-agent"); state != "active" {
		t.Errorf("%s: the service is %s", mode, state)
	}
	text := device.Must(t, "cat", "/var/lib/patchbay-agent/sections.json")
	if strings.Contains(text, `"state":"failed"`) || !strings.Contains(text, `"apt/installed"`) || !strings.Contains(text, `"services":[`) {
		t.Errorf("%s: read %.3000s", mode, text)
	}
}
