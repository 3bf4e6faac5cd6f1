package restore

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server"
	"patchbay/server/access"
	"patchbay/server/backup"
	"patchbay/server/ca"
	"patchbay/server/store"
	"patchbay/window"
	"patchbay/wire"
)

// child is the environment variable that tells TestServer what to be.
const child = "PATCHBAY_RESTORE_SERVER"

// installation is a server in a process of its own, which can be killed.
type installation struct {
	backup.Place
	Address string   // of the agents' side, without https://
	Also    []string // URLs

	t       *testing.T
	process *exec.Cmd
}

// free is an address that nobody listens at.
func free(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// start starts the server and waits until it answers.
func (in *installation) start() {
	in.t.Helper()
	text, err := json.Marshal(in)
	must(in.t, err)
	in.process = exec.Command(os.Args[0], "-test.run=^TestServer$")
	in.process.Env = append(os.Environ(), child+"="+string(text))
	in.process.Stderr = os.Stderr
	out, err := in.process.StdoutPipe()
	must(in.t, err)
	must(in.t, in.process.Start())
	in.t.Cleanup(in.kill)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			return
		}
	}
	in.t.Fatal("the server did not start")
}

// kill ends the server as a power cut would.
func (in *installation) kill() {
	if in.process.ProcessState == nil {
		in.process.Process.Kill()
		in.process.Wait()
	}
}

// wait waits until the server has ended by itself.
func (in *installation) wait() {
	in.t.Helper()
	if err := in.process.Wait(); err == nil {
		in.t.Error("the server ended as if it had been asked to")
	}
}

// TestServer is the server that is killed; it runs only as that.
func TestServer(t *testing.T) {
	if os.Getenv(child) == "" {
		t.Skip("runs only as a part of other tests")
	}
	var in installation
	must(t, json.Unmarshal([]byte(os.Getenv(child)), &in))
	s, err := server.New(context.Background(), server.Options{Data: in.Data, Database: in.Database, Listen: "127.0.0.1:0", AgentListen: in.Address,
		AgentURL: "https://" + in.Address, AlsoAt: in.Also, Version: "test", CheckIn: time.Second})
	must(t, err)
	fmt.Println("ready")
	must(t, s.Run(context.Background()))
}

// found makes a customer, a site that installs security updates at any time, and a token.
func (in *installation) found() (token string) {
	in.t.Helper()
	authority, err := ca.Open(filepath.Join(in.Data, "keys"), time.Now())
	must(in.t, err)
	now, ctx := time.Now(), in.t.Context()
	days := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	secret := wire.Token{Secret: patch.NewID("pbt"), Pin: authority.Pin()}
	in.store(func(s *store.Store) {
		h := s.Customer(who, "cus_00000000000000000000000000")
		must(in.t, s.MSP(who).CreateCustomer(ctx, now, store.CustomerRow{ID: "cus_00000000000000000000000000", Name: "Acme", CreatedAt: now}))
		must(in.t, h.CreateSite(ctx, now, store.Site{ID: "site_00000000000000000000000000", Name: "HQ", Zone: "UTC", CreatedAt: now, ChangedAt: now,
			Policy: store.SitePolicy{Auto: store.Security, Windows: []window.Weekly{{Zone: "UTC", Days: days, Start: "00:00", Minutes: 24 * 60}}}}))
		must(in.t, h.CreateToken(ctx, now, store.Token{ID: patch.NewID(patch.TokenID), Site: "site_00000000000000000000000000", Mode: wire.Manage,
			MaxUses: 100, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, access.TokenHash(secret.Secret)))
	})
	return secret.String()
}

var who = store.Who{ID: "system", Name: "the test"}

// store looks into the database beside the server.
func (in *installation) store(look func(*store.Store)) {
	in.t.Helper()
	s, err := store.Open(in.t.Context(), in.Database)
	must(in.t, err)
	defer s.Close()
	look(s)
}

// outcomes are all that the server was told, by agent and number.
func (in *installation) outcomes() map[string]string {
	in.t.Helper()
	all := map[string]string{}
	in.store(func(s *store.Store) {
		rows, err := s.MSP(who).Outcomes(in.t.Context(), store.OutcomeFilter{})
		must(in.t, err)
		for _, o := range rows {
			all[fmt.Sprint(o.Agent, " ", o.Seq)] = fmt.Sprint(o.Job, " ", o.Step, " ", o.Result, " ", o.Message, " receipt ", o.Receipt != nil)
		}
	})
	return all
}

// jobs are the jobs and how they stand.
func (in *installation) jobs() (all []store.Job) {
	in.t.Helper()
	in.store(func(s *store.Store) {
		var err error
		all, err = s.MSP(who).Jobs(in.t.Context(), store.JobFilter{})
		must(in.t, err)
	})
	return all
}
