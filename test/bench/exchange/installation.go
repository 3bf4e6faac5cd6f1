package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"patchbay/test/bench/measure"
	"patchbay/wire"
)

// installation is a running server with its first administrator, and one real agent.
type installation struct {
	bin, dir       string
	console, agent string // addresses
	client         *http.Client
	running        []*exec.Cmd
}

// start starts a server that knows one customer with one site, in a folder of its own.
func start(ctx context.Context, bin string) (*installation, error) {
	dir, err := os.MkdirTemp("", "patchbay-bench-")
	if err != nil {
		return nil, err
	}
	in := &installation{bin: bin, dir: dir}
	if err := in.begin(ctx); err != nil {
		return nil, errors.Join(err, in.stop())
	}
	return in, nil
}

// begin starts the server and makes its first administrator.
func (in *installation) begin(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	people, agents, err := freePorts()
	if err != nil {
		return err
	}
	in.console, in.agent, in.client = "http://"+people, "https://"+agents, &http.Client{Jar: jar}
	data, link := filepath.Join(in.dir, "server"), filepath.Join(in.dir, "link")
	server, err := measure.Spawn(ctx, filepath.Join(in.dir, "server.log"), filepath.Join(in.bin, "patchbay"), "serve", "--data", data,
		"--listen", people, "--agent-listen", agents, "--link-file", link, "--feeds", "none")
	if err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	in.running = append(in.running, server)
	return in.setUp(ctx, link)
}

// freePorts finds two addresses nobody listens on.
func freePorts() (a, b string, err error) {
	for _, to := range []*string{&a, &b} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer l.Close()
		*to = l.Addr().String()
	}
	return a, b, nil
}

// setUp creates the first administrator by the link, then a customer with a site.
func (in *installation) setUp(ctx context.Context, link string) error {
	var text []byte
	for tries := 0; ; tries++ {
		var err error
		if text, err = os.ReadFile(link); err == nil && len(text) > 0 {
			break
		}
		if tries > 300 {
			log, _ := os.ReadFile(filepath.Join(in.dir, "server.log")) // told as far as it is there
			return fmt.Errorf("the server does not start: %s", log)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	_, token, _ := strings.Cut(strings.TrimSpace(string(text)), "#")
	for tries := 0; ; tries++ {
		err := in.ask(ctx, "POST", "/setup", map[string]any{"token": token, "email": "first@example.org", "name": "First",
			"password": "a long enough password 4711"}, nil)
		if err == nil || tries > 50 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// tokenUses is the most uses that the server gives one token.
const tokenUses = 1000

// tokens makes as many as are needed for a customer and a site of its own.
func (in *installation) tokens(ctx context.Context, uses int, mode wire.Mode) (secrets []string, owner string, err error) {
	var customer, site struct {
		ID string `json:"id"`
	}
	if err := in.ask(ctx, "POST", "/customers", map[string]any{"name": fmt.Sprintf("Fleet of %d", uses)}, &customer); err != nil {
		return nil, "", err
	}
	if err := in.ask(ctx, "POST", "/customers/"+customer.ID+"/sites", map[string]any{"name": "Here", "zone": "UTC",
		"policy": map[string]any{"auto": "by_hand", "windows": []any{}}}, &site); err != nil {
		return nil, "", err
	}
	for ; uses > 0; uses -= tokenUses {
		secret, err := in.token(ctx, site.ID, min(uses, tokenUses), mode)
		if err != nil {
			return nil, "", err
		}
		secrets = append(secrets, secret)
	}
	return secrets, customer.ID, nil
}

func (in *installation) token(ctx context.Context, site string, uses int, mode wire.Mode) (string, error) {
	var token struct {
		Line string `json:"secret_line"`
	}
	if err := in.ask(ctx, "POST", "/sites/"+site+"/tokens", map[string]any{"uses": uses, "mode": mode}, &token); err != nil {
		return "", err
	}
	for _, word := range strings.Fields(token.Line) {
		if word = strings.Trim(word, `'"`); strings.HasPrefix(word, "pbt_") {
			return word, nil
		}
	}
	return "", fmt.Errorf("no token in what the server answered")
}

// ask asks the API as a browser would.
func (in *installation) ask(ctx context.Context, method, route string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, in.console+"/api/v1"+route, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", in.console)
	res, err := in.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, route, res.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// startAgent enrols this machine and runs the real agent, only to observe.
func (in *installation) startAgent(ctx context.Context) (*exec.Cmd, error) {
	tokens, _, err := in.tokens(ctx, 1, wire.Observe)
	if err != nil {
		return nil, err
	}
	program, state := filepath.Join(in.bin, "patchbay-agent"), filepath.Join(in.dir, "agent")
	enroll := exec.CommandContext(ctx, program, "enroll", "--server", in.agent, "--token", tokens[0], "--mode", "observe", "--state", state)
	if out, err := enroll.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("enrolling: %w: %s", err, out)
	}
	cmd, err := measure.Spawn(ctx, filepath.Join(in.dir, "agent.log"), program, "run", "--state", state)
	if err != nil {
		return nil, err
	}
	in.running = append(in.running, cmd)
	return cmd, nil
}

// server is the server's process.
func (in *installation) server() *exec.Cmd { return in.running[0] }

// stop ends what was started, the last first.
func (in *installation) stop() error {
	var problems []error
	for i := len(in.running) - 1; i >= 0; i-- {
		cmd := in.running[i]
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		var ended *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
			problems = append(problems, err)
		}
	}
	return errors.Join(append(problems, os.RemoveAll(in.dir))...)
}
