// Package postgres starts a real PostgreSQL of a test's own, where one is installed.
package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Cluster is a running PostgreSQL. It is gone when the test has ended.
type Cluster struct {
	t    testing.TB
	bin  string // folder of its programs
	dir  string // folder of its data and its socket
	as   *syscall.SysProcAttr
	made atomic.Int64
}

// Start starts one, with settings as postgres takes them. The test is skipped where it is not
// installed, and fails where it has to be.
func Start(t testing.TB, settings string) *Cluster {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		if os.Getenv("PATCHBAY_NEED_POSTGRES") != "" {
			t.Fatal("PostgreSQL is not installed here")
		}
		t.Skip("PostgreSQL is not installed here")
	}
	dir, err := os.MkdirTemp("", "patchbay-pg")
	must(t, err)
	c := &Cluster{t: t, bin: found[len(found)-1], dir: dir}
	if os.Geteuid() == 0 { // which it refuses to run as
		nobody, err := user.Lookup("nobody")
		must(t, err)
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		must(t, os.Chown(dir, uid, gid))
		c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	t.Cleanup(func() {
		_ = c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "stop") // when it never started
		os.RemoveAll(dir)
	})
	must(t, c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"))
	must(t, c.run("pg_ctl", "-D", c.data(), "-w", "-l", filepath.Join(dir, "log"), "-o",
		"-k "+dir+" -c listen_addresses='' -c max_connections=200 "+settings, "start"))
	must(t, c.run("createuser", "-h", dir, "-U", "postgres", "patchbay"))
	return c
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) run(name string, args ...string) error {
	p := exec.Command(filepath.Join(c.bin, name), args...)
	p.SysProcAttr, p.Dir = c.as, c.dir
	if err := p.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Database makes an empty database and gives its address.
func (c *Cluster) Database() string { return c.copy("template1") }

// Copy makes a copy of a database to which nobody is connected.
func (c *Cluster) Copy(address string) string {
	return c.copy(nameOf(address))
}

func nameOf(address string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(address, "postgres://patchbay@/"), "?")
	return name
}

func (c *Cluster) copy(from string) string {
	c.t.Helper()
	name := fmt.Sprint("p", c.made.Add(1))
	must(c.t, c.run("createdb", "-h", c.dir, "-U", "postgres", "-O", "patchbay", "-T", from, name))
	return fmt.Sprintf("postgres://patchbay@/%s?host=%s", name, c.dir)
}

// Drop removes a database, whoever is connected to it.
func (c *Cluster) Drop(address string) {
	must(c.t, c.run("dropdb", "-h", c.dir, "-U", "postgres", "-f", nameOf(address)))
}

// CutOff ends all connections, in the middle of whatever they are doing.
func (c *Cluster) CutOff() {
	_ = c.run("psql", "-h", c.dir, "-U", "postgres", "-q", "-o", "/dev/null", "-c",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'patchbay'") // it may be starting anew
}

// Crash stops all of its processes at once, as a power cut would, and starts it again.
func (c *Cluster) Crash() {
	c.t.Helper()
	must(c.t, c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "-l", filepath.Join(c.dir, "log"), "restart"))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
