package restore

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// postgres starts a PostgreSQL of the test's own and gives an empty database of it at each call.
func postgres(t *testing.T) func(string) string {
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
	var as *syscall.SysProcAttr
	if os.Geteuid() == 0 { // which it refuses to run as
		nobody, err := user.Lookup("nobody")
		must(t, err)
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		must(t, os.Chown(dir, uid, gid))
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	run := func(name string, args ...string) error {
		c := exec.Command(filepath.Join(found[len(found)-1], name), args...)
		c.SysProcAttr, c.Dir = as, dir
		if err := c.Run(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	data := filepath.Join(dir, "data")
	t.Cleanup(func() {
		_ = run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop") // when it never started
		os.RemoveAll(dir)
	})
	must(t, run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"))
	must(t, run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", "-k "+dir+" -c listen_addresses='' -c max_connections=200", "start"))
	must(t, run("createuser", "-h", dir, "-U", "postgres", "patchbay"))
	made := 0
	return func(string) string {
		made++
		name := fmt.Sprint("p", made)
		must(t, run("createdb", "-h", dir, "-U", "postgres", "-O", "patchbay", name))
		return fmt.Sprintf("postgres://patchbay@/%s?host=%s", name, dir)
	}
}
