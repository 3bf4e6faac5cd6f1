package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// cluster is a PostgreSQL of its own, reached by a socket in its folder only. It writes as
// durably as one in service.
type cluster struct {
	bin, dir string
	as       *syscall.SysProcAttr // PostgreSQL refuses to run as root
}

func startCluster(bin, dir string) (*cluster, error) {
	c := &cluster{bin: bin, dir: dir}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := c.unprivileged(); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	for _, step := range [][]string{
		{"initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"},
		{"pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o",
			"-k " + dir + " -c listen_addresses='' -c max_connections=200 -c shared_buffers=256MB", "start"},
		{"createuser", "-h", dir, "-U", "postgres", "patchbay"},
		{"createdb", "-h", dir, "-U", "postgres", "-O", "patchbay", "patchbay"},
	} {
		if err := c.run(step[0], step[1:]...); err != nil {
			return c, err
		}
	}
	return c, nil
}

// unprivileged gives the folder to nobody, and runs everything as that.
func (c *cluster) unprivileged() error {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		return err
	}
	c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := os.Chmod(filepath.Dir(c.dir), 0o755); err != nil {
		return err
	}
	return os.Chown(c.dir, uid, gid)
}

func (c *cluster) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir = c.as, c.dir
	var out bytes.Buffer
	if name != "pg_ctl" { // whose child would hold the pipe open
		cmd.Stdout, cmd.Stderr = &out, &out
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out.Bytes())
	}
	return nil
}

func (c *cluster) url() string { return "postgres://patchbay@/patchbay?host=" + c.dir }

func (c *cluster) stop() error {
	return c.run("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "-w", "stop")
}
