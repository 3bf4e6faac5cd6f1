package bed_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"patchbay/test/bed"
)

func TestDeviceReachesTheBridgeAddressOnly(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	one, two := b.Device(t, bed.Options{}), b.Device(t, bed.Options{})
	two.Spawn(t, "perl", "-MIO::Socket::INET", "-e",
		`my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 1) or die; open(F, ">/run/listens"); close F; while ($s->accept) {}`)
	if err := two.WaitFile(t.Context(), "/run/listens"); err != nil {
		t.Fatal(err)
	}
	reach := func(d *bed.Device, address string) bool {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Exec(t.Context(), "timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/"+host+"/"+port)
		if err != nil {
			t.Fatal(err)
		}
		return r.Code == 0
	}
	server := b.Listen(t)
	_, port, _ := net.SplitHostPort(server.Addr().String())
	if !reach(one, server.Addr().String()) || !reach(one, bed.HostName+":"+port) {
		t.Error("the device does not reach the host")
	}
	if !reach(two, two.Address()+":80") {
		t.Error("the device does not reach itself")
	}
	for _, forbidden := range []string{two.Address() + ":80", "192.0.2.1:80", "[2001:db8::1]:80"} {
		if reach(one, forbidden) {
			t.Errorf("the device reaches %s", forbidden)
		}
	}
}

func TestCommandEndsAsItSays(t *testing.T) {
	t.Parallel()
	d := bed.New(t).Device(t, bed.Options{Name: "till-3"})
	if got := d.Must(t, "cat", "/proc/sys/kernel/hostname", "/etc/hostname"); got != "till-3\ntill-3" {
		t.Errorf("host name %q", got)
	}
	r, err := d.Exec(t.Context(), "bash", "-c", "echo out; echo err >&2; exit 7")
	if err != nil || r != (bed.Result{Stdout: "out\n", Stderr: "err\n", Code: 7}) {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Exec(ctx, "sleep", "600"); err == nil {
		t.Error("a command outlived its context in silence")
	}
	if left := d.Must(t, "bash", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"); strings.Contains(left, "sleep 600") {
		t.Errorf("the command goes on: %s", left)
	}
	p := d.Spawn(t, "bash", "-c", "echo begun; touch /run/begun; exec sleep 600")
	if err := d.WaitFile(t.Context(), "/run/begun"); err != nil {
		t.Fatal(err)
	}
	p.Signal(syscall.SIGTERM)
	if code := p.Code(); code != 128+15 || p.Output() != "begun\n" {
		t.Errorf("status %d, output %q", code, p.Output())
	}
}

func TestHostsLinksDoNotLeadOut(t *testing.T) {
	t.Parallel()
	d := bed.New(t).Device(t, bed.Options{})
	d.Must(t, "ln", "-s", "/etc/passwd", "/root/trap")
	if err := d.PutFile("/root/trap", "x", 0o644); err == nil {
		t.Error("an absolute link of the device was followed on the host")
	}
}

func TestStopGivesProcessesTimeToEnd(t *testing.T) {
	t.Parallel()
	d := bed.New(t).Device(t, bed.Options{})
	p := d.Spawn(t, "bash", "-c", "trap 'echo bye > /root/said; exit 0' TERM; touch /run/ready; while :; do sleep 0.05; done")
	if err := d.WaitFile(t.Context(), "/run/ready"); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if text, there, err := d.Oracle().File("/root/said"); err != nil || !there || text != "bye\n" {
		t.Errorf("%q, %v, %v", text, there, err)
	}
	if _, err := d.Exec(t.Context(), "true"); err == nil {
		t.Error("a device that is off runs commands")
	}
}

func TestBootedDeviceRebootsItself(t *testing.T) {
	s := setScene(t, bed.Options{Boot: true}, "bed-reboot")
	if state := s.Must(t, "systemctl", "is-system-running"); state != "running" {
		t.Errorf("systemd says %s: %s", state, s.Must(t, "systemctl", "--failed"))
	}
	s.offer(t, "1.1")
	s.apt(t, 0, "dist-upgrade")
	before := bootID(t, s.Device)
	if r, err := s.Exec(t.Context(), "systemctl", "reboot"); err != nil {
		t.Fatal(err, r)
	}
	if err := s.WaitBoots(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if after := bootID(t, s.Device); after == before {
		t.Errorf("the boot ID is %s before and after", after)
	}
	if needed, _, err := s.oracle.RebootRequired(); err != nil || needed {
		t.Errorf("after the reboot: %v, %v", needed, err)
	}
	s.expect(t, "bed-reboot", "1.1 installed")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

// A test that is killed cannot clean up: its devices die with it, and the next
// bed on the machine sweeps the rest.
func TestKilledTestIsSwept(t *testing.T) {
	if os.Getenv("BED_TEST_VICTIM") != "" {
		playVictim(t)
	}
	t.Parallel()
	bed.New(t) // skips where there can be no bed
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledTestIsSwept$", "-test.v")
	cmd.Env = append(os.Environ(), "BED_TEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	root := ""
	for s := bufio.NewScanner(out); root == "" && s.Scan(); {
		_, root, _ = strings.Cut(s.Text(), "victim's root: ")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if _, err := os.Stat(root); root == "" || err != nil {
		t.Fatalf("the victim left nothing to sweep: %q, %v", root, err)
	}
	bed.New(t)
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("%s was not swept: %v", root, err)
	}
}

func playVictim(t *testing.T) {
	d := bed.New(t).Device(t, bed.Options{Disk: 32 << 20})
	d.Spawn(t, "sleep", "600")
	fmt.Printf("\nvictim's root: %s\n", d.Root())
	select {}
}
