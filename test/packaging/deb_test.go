// Package packaging tries the Debian packages as an administrator would: installed by dpkg
// on a real device, run by its systemd, upgraded, and taken away again.
package packaging

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"patchbay/test/bed"
)

const (
	epoch = "1767225600" // any fixed time: it dates the packages
	first = "0.0.1+test"
	next  = "0.0.2+test"
)

// build makes both packages of a version in dir and gives their files.
func build(t *testing.T, dir, version string) (server, agent string) {
	t.Helper()
	for _, name := range []string{"patchbay", "patchbay-agent"} {
		binary := filepath.Join(dir, name)
		if _, err := os.Stat(binary); err != nil {
			run(t, "go", "build", "-o", binary, "./cmd/"+name)
		}
		run(t, "scripts/deb", name, runtime.GOARCH, binary, version, dir)
	}
	file := func(name string) string { return filepath.Join(dir, name+"_"+version+"_"+runtime.GOARCH+".deb") }
	return file("patchbay"), file("patchbay-agent")
}

// run runs a command at the root of the project.
func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "SOURCE_DATE_EPOCH="+epoch, "DEB_COMPRESSION=none")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// eventually asks until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("not so after two minutes: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// machine is a device on which the packages are tried.
type machine struct {
	*bed.Device
	t *testing.T
}

func (m machine) install(deb string) {
	m.t.Helper()
	if err := m.CopyFile(deb, "/root/package.deb", 0o644); err != nil {
		m.t.Fatal(err)
	}
	m.Must(m.t, "dpkg", "--install", "/root/package.deb")
}

func (m machine) state(unit, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.Must(m.t, "systemctl", "show", "--value", "--property", property, unit))
}

// exposure is systemd's own judgement of a unit, from 0 (kept in) to 10 (let loose).
func (m machine) exposure(unit string) float64 {
	m.t.Helper()
	r, err := m.Exec(m.t.Context(), "systemd-analyze", "security", "--no-pager", unit)
	if err != nil {
		m.t.Fatal(err)
	}
	found := regexp.MustCompile(`Overall exposure level for .*: ([0-9.]+)`).FindStringSubmatch(r.Stdout)
	if found == nil {
		m.t.Fatalf("systemd-analyze judges nothing: %s%s", r.Stdout, r.Stderr)
	}
	level, _ := strconv.ParseFloat(found[1], 64) // the pattern is a number
	return level
}

func TestPackagesRunOnARealMachine(t *testing.T) {
	d := bed.New(t).Device(t, bed.Options{Boot: true})
	m := machine{d, t}
	dir := t.TempDir()
	server, agent := build(t, dir, first)

	m.install(server)
	eventually(t, "the server offers the first administrator's link", func() bool {
		link, there, err := d.Oracle().File("/var/lib/patchbay/first-administrator")
		return err == nil && there && strings.Contains(link, "/setup#")
	})
	if user := strings.TrimSpace(d.Must(t, "stat", "--format", "%U %a", "/var/lib/patchbay")); user != "patchbay 700" {
		t.Errorf("the data folder belongs to %q, want patchbay alone", user)
	}
	if level := m.exposure("patchbay"); level > 1.5 {
		t.Errorf("the server is exposed at %v of 10, at most 1.5 is meant", level)
	}
	d.Must(t, "systemd-analyze", "verify", "/usr/lib/systemd/system/patchbay.service")

	m.install(agent)
	if state := m.state("patchbay-agent", "ActiveState"); state != "inactive" {
		t.Errorf("an agent of no server is %s, want inactive", state)
	}
	token := strings.TrimSpace(d.Must(t, "runuser", "-u", "patchbay", "--", "patchbay", "bootstrap", "--data", "/var/lib/patchbay", "--mode", "manage"))
	d.Must(t, "patchbay-agent", "enroll", "--server", "https://127.0.0.1:8421", "--token", token)
	d.Must(t, "systemctl", "start", "patchbay-agent")
	eventually(t, "the agent is in touch with the server", func() bool {
		r, err := d.Exec(t.Context(), "patchbay-agent", "status", "--json")
		return err == nil && r.Code == 0 && json.Valid([]byte(r.Stdout))
	})
	if level := m.exposure("patchbay-agent"); level > 8 {
		t.Errorf("the agent is exposed at %v of 10, at most 8 is meant", level)
	}
	d.Must(t, "systemd-analyze", "verify", "/usr/lib/systemd/system/patchbay-agent.service")

	before := map[string]string{"patchbay": m.state("patchbay", "MainPID"), "patchbay-agent": m.state("patchbay-agent", "MainPID")}
	server, agent = build(t, dir, next)
	m.install(server)
	m.install(agent)
	for unit, pid := range before {
		eventually(t, unit+" runs in its new version", func() bool {
			now := m.state(unit, "MainPID")
			return m.state(unit, "ActiveState") == "active" && now != "0" && now != pid
		})
	}

	d.Must(t, "dpkg", "--purge", "patchbay-agent", "patchbay")
	r, err := d.Exec(t.Context(), "find", "/etc", "/usr", "/var/lib/patchbay-agent", "/run/systemd/system", "/var/lib/systemd", "-name", "*patchbay*")
	if err != nil {
		t.Fatal(err)
	}
	left := strings.TrimSpace(r.Stdout)
	if left != "" {
		t.Errorf("purging left behind:\n%s", left)
	}
	if _, there, err := d.Oracle().File("/var/lib/patchbay/patchbay.db"); err != nil || !there {
		t.Errorf("purging took the evidence away: %v", err)
	}
}

// The same sources give the same bytes, whenever and wherever they are built.
func TestPackagesAreReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the programs twice")
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("needs dpkg-deb")
	}
	one, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, other} {
		run(t, "go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", filepath.Join(dir, "patchbay-agent"), "./cmd/patchbay-agent")
		run(t, "scripts/deb", "patchbay-agent", "amd64", filepath.Join(dir, "patchbay-agent"), first, dir)
	}
	deb := "patchbay-agent_" + first + "_amd64.deb"
	a, err := os.ReadFile(filepath.Join(one, deb))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(other, deb))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the same package built twice differs")
	}
}
