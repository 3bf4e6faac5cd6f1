package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// cluster is a PostgreSQL of the tests' own: its files in a folder, reached by a socket in
// that folder only.
type cluster struct {
	bin, dir string
	as       *syscall.SysProcAttr // PostgreSQL refuses to run as root
	why      string               // why there is none
	once     sync.Once
	fresh    string // a database with a fresh schema and nothing else
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		pg = &cluster{why: "The server that is killed has none."}
		if os.Getenv(victim) == "" {
			pg = startCluster()
		}
		defer pg.stop()
		return m.Run()
	}())
}

var (
	pg        *cluster // set once, before any test
	databases atomic.Int64
)

func startCluster() *cluster {
	bin, err := postgresBin()
	if err != nil {
		return &cluster{why: err.Error()}
	}
	dir, err := os.MkdirTemp("", "patchbay-pg")
	if err != nil {
		return &cluster{why: err.Error()}
	}
	c := &cluster{bin: bin, dir: dir}
	if err := c.start(); err != nil {
		c.stop()
		c.why = err.Error()
	}
	return c
}

func postgresBin() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed here: no initdb in PATH or below /usr/lib/postgresql")
	}
	return found[len(found)-1], nil
}

func (c *cluster) start() error {
	if os.Geteuid() == 0 {
		nobody, err := user.Lookup("nobody")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(c.dir, uid, gid); err != nil {
			return err
		}
	}
	data := filepath.Join(c.dir, "data")
	if err := c.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return err
	}
	err := c.run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(c.dir, "log"), "-o",
		fmt.Sprintf("-k %s -c listen_addresses='' -c fsync=off -c max_connections=200 -c shared_buffers=32MB", c.dir), "start")
	if err != nil {
		return err
	}
	return c.exec("CREATE ROLE patchbay LOGIN")
}

func (c *cluster) stop() {
	if c.dir != "" {
		_ = c.run("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "-w", "stop") // when it never started
		_ = os.RemoveAll(c.dir)
	}
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

// url addresses a database of the cluster as a user.
func (c *cluster) url(user, name string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s", user, name, c.dir)
}

func (c *cluster) exec(query string) error {
	db, err := sql.Open("pgx", c.url("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(query)
	return err
}

// postgresURL makes a database with a fresh schema and gives its address for an ordinary
// user, whom row-level security binds.
func postgresURL(t testing.TB) string {
	t.Helper()
	needPostgres(t)
	pg.once.Do(func() { // a copy of a migrated database comes faster than a migration
		s, err := Open(context.Background(), newDatabase(t, ""))
		ok(t, err)
		ok(t, s.Close())
		pg.fresh = fmt.Sprintf("t%d", databases.Load())
	})
	return newDatabase(t, " TEMPLATE "+pg.fresh)
}

func newDatabase(t testing.TB, more string) string {
	t.Helper()
	needPostgres(t)
	name := fmt.Sprintf("t%d", databases.Add(1))
	ok(t, pg.exec("CREATE DATABASE "+name+" OWNER patchbay"+more))
	return pg.url("patchbay", name)
}

func needPostgres(t testing.TB) {
	t.Helper()
	if pg.why != "" {
		if os.Getenv("PATCHBAY_NEED_POSTGRES") != "" {
			t.Fatal(pg.why)
		}
		t.Skip(pg.why)
	}
}

func sqliteFile(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "patchbay.db") }

// both runs a test on an empty store of each database.
func both(t *testing.T, test func(*testing.T, *Store)) {
	t.Run("sqlite", func(t *testing.T) {
		if racing {
			t.Skip("the race detector is on: only TestSmoke runs on SQLite")
		}
		test(t, open(t, sqliteFile(t)))
	})
	t.Run("postgres", func(t *testing.T) { test(t, open(t, postgresURL(t))) })
}

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
