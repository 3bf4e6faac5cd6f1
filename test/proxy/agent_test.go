package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"patchbay/agent"
	"patchbay/server"
)

// name is the server's as agents know it. Only the proxy knows where that is.
const name = "patchbay.example:8421"

// program builds the agent once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "patchbay-proxy-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir, "patchbay/cmd/patchbay-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return dir, &exec.Error{Name: string(out), Err: err}
	}
	return dir, os.Chmod(dir, 0o755)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if !testing.Short() {
		if dir, _ := program(); dir != "" {
			os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// installation is a real server that has one customer, and a token for one machine.
type installation struct {
	*server.Server
	address string // where it really listens for agents
	token   string
}

// install starts a server whose agents check in again after an hour, unless they are called.
func install(t *testing.T) *installation {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the agent and runs it as a process of its own")
	}
	in := &installation{address: free(t)}
	data := t.TempDir()
	var err error
	in.token, err = server.Bootstrap(t.Context(), server.FirstSite{Data: data, Customer: "Acme", Site: "HQ", Zone: "UTC", Mode: "observe", Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	in.Server, err = server.New(t.Context(), server.Options{Data: data, Listen: "127.0.0.1:0", AgentListen: in.address, AgentURL: "https://" + name,
		CheckIn: time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

// machine is where an agent runs that reaches nothing but what its proxy lets it.
type machine struct {
	t     *testing.T
	state string
	proxy string // HTTPS_PROXY
	said  bytes.Buffer
}

func newMachine(t *testing.T, proxy string) *machine {
	t.Helper()
	state, err := os.MkdirTemp("", "patchbay-proxy-state-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(state) })
	if os.Geteuid() == 0 {
		if err := os.Chown(state, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return &machine{t: t, state: state, proxy: proxy}
}

// nobody runs the agent where the test is run as root: it must leave this machine alone.
const nobody = 65534

// command is the agent's program, with nothing in its environment but the proxy.
func (m *machine) command(args ...string) *exec.Cmd {
	m.t.Helper()
	dir, err := program()
	if err != nil {
		m.t.Fatal(err)
	}
	cmd := exec.CommandContext(m.t.Context(), filepath.Join(dir, "patchbay-agent"), args...)
	cmd.Dir = m.state
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PATCHBAY_STATE=" + m.state, "HTTPS_PROXY=" + m.proxy}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// do runs one command of the agent and gives all it said.
func (m *machine) do(args ...string) (string, error) {
	m.t.Helper()
	out, err := m.command(args...).CombinedOutput()
	m.said.Write(out)
	return string(out), err
}

func (m *machine) enrol(token string) (string, error) {
	m.t.Helper()
	return m.do("enroll", "--server", "https://"+name, "--token", token)
}

// run lets the agent run until stop, which gives all it wrote.
func (m *machine) run() (stop func()) {
	m.t.Helper()
	cmd := m.command("run", "--observe", "--reconnect", "1s")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		m.said.Write(log.Bytes())
		if m.t.Failed() {
			m.t.Logf("the agent's log:\n%s", log.String())
		}
	})
	m.t.Cleanup(stop)
	return stop
}

// status is how the agent stands, as its own command tells.
func (m *machine) status() (s agent.Standing) {
	m.t.Helper()
	out, _ := m.command("status", "--json").Output() // it ends with 1 while the server is out of reach
	m.said.Write(out)
	if len(out) > 0 {
		if err := json.Unmarshal(out, &s); err != nil {
			m.t.Fatalf("%v in %s", err, out)
		}
	}
	return s
}

// waitFor asks again and again, for it looks at a program from outside.
func (m *machine) waitFor(what string, holds func(agent.Standing) bool) agent.Standing {
	m.t.Helper()
	limit := time.After(2 * time.Minute)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		s := m.status()
		if holds(s) {
			return s
		}
		select {
		case <-limit:
			m.t.Fatalf("waited two minutes for %s; the status is %+v", what, s.Status)
		case <-tick.C:
		}
	}
}
