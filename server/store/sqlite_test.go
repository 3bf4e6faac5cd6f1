package store

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/wire"
)

func TestSQLiteIsOpenedAsIntended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41.db") // nothing in a path is an option
	s := open(t, "sqlite:"+path)
	info, err := os.Stat(path)
	ok(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the database: %v", info.Mode())
	}
	pragma := func(db *sql.DB, name string) (v string) {
		ok(t, db.QueryRow("PRAGMA "+name).Scan(&v))
		return v
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		if w, r := pragma(s.writer, name), pragma(s.reader, name); w != want || r != want {
			t.Errorf("%s is %s for the writer and %s for readers, want %s", name, w, r, want)
		}
	}
	if pragma(s.reader, "query_only") != "1" || pragma(s.writer, "query_only") != "0" {
		t.Error("readers write, or the writer does not")
	}
}

// victim is the environment variable that tells TestVictim its database.
const victim = "PATCHBAY_VICTIM"

// A server is killed while it takes check-ins: what it acknowledged is there.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	if racing {
		t.Skip("the race detector is on: only TestSmoke runs on SQLite")
	}
	ctx, at := context.Background(), sqliteFile(t)
	s, err := Open(ctx, at)
	ok(t, err)
	c := founded(t, s, "a")
	ok(t, s.Close())

	server := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	server.Env = append(os.Environ(), victim+"="+at)
	out, err := server.StdoutPipe()
	ok(t, err)
	ok(t, server.Start())
	var acknowledged int64
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "acknowledged %d", &acknowledged); err == nil && acknowledged == 40 {
			ok(t, server.Process.Kill())
		}
	}
	_ = server.Wait() // killed
	if acknowledged < 40 {
		t.Fatalf("it acknowledged only %d", acknowledged)
	}
	s = open(t, at)
	rows, err := s.Customer(ann, c.id).Outcomes(ctx, OutcomeFilter{})
	ok(t, err)
	if int64(len(rows)) < acknowledged {
		t.Errorf("%d outcomes of %d that were acknowledged", len(rows), acknowledged)
	}
	taken := company{Customer: s.Customer(ann, c.id), agent: c.agent}.receive(t, day0, wire.CheckIn{})
	if taken.Acknowledged < acknowledged {
		t.Errorf("it acknowledged %d and now says %d", acknowledged, taken.Acknowledged)
	}
	whole(t, s)
}

// TestVictim is the server that is killed; it runs only as that.
func TestVictim(t *testing.T) {
	at := os.Getenv(victim)
	if !strings.HasPrefix(at, "sqlite:") {
		t.Skip("runs only as a part of TestWhatWasAcknowledgedSurvivesAKill")
	}
	s := open(t, at)
	c := company{Customer: s.Customer(ann, "cus_a"), agent: "agt_a", device: "dev_a"}
	for seq := int64(1); seq <= 100_000; seq++ {
		taken := c.receive(t, day0, wire.CheckIn{Outcomes: []wire.Outcome{c.done(seq, "job_1")}})
		fmt.Printf("acknowledged %d\n", taken.Acknowledged)
	}
}
