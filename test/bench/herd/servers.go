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
)

// instance is one server.
type instance struct {
	number         int
	data           string
	people, agents string // addresses
	cmd            *exec.Cmd
}

// startServers starts the first server, makes its administrator, and then the others with
// the same keys.
func (h *herd) startServers(ctx context.Context) error {
	for i := range h.replicas {
		s := &instance{number: i, data: filepath.Join(h.dir, fmt.Sprintf("server-%d", i))}
		var err error
		if s.people, s.agents, err = freePorts(); err != nil {
			return err
		}
		if i > 0 {
			if err := os.CopyFS(filepath.Join(s.data, "keys"), os.DirFS(filepath.Join(h.servers[0].data, "keys"))); err != nil {
				return fmt.Errorf("giving a server its keys: %w", err)
			}
			if err := private(filepath.Join(s.data, "keys")); err != nil {
				return err
			}
		}
		h.servers = append(h.servers, s)
		if err := h.startServer(ctx, s); err != nil {
			return err
		}
		if i == 0 {
			if err := h.signIn(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// private keeps keys as narrow as the server makes them.
func private(dir string) error {
	return filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(name, 0o600)
	})
}

// startServer starts a server, also one that was killed, and waits until it answers agents.
func (h *herd) startServer(ctx context.Context, s *instance) error {
	args := []string{filepath.Join(h.bin, "patchbay"), "serve", "--data", s.data, "--listen", s.people, "--agent-listen", s.agents,
		"--link-file", s.data + ".link", "--agent-url", "https://" + h.servers[0].agents, "--feeds", "none"}
	if h.database != "" {
		args = append(args, "--database", h.database)
	}
	log := fmt.Sprintf("%s-%d.log", s.data, time.Now().UnixNano())
	var err error
	if s.cmd, err = measure.Spawn(ctx, log, args...); err != nil {
		return fmt.Errorf("starting a server: %w", err)
	}
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.agents); err == nil {
			return conn.Close()
		}
	}
	text, _ := os.ReadFile(log) // told as far as it is there
	return fmt.Errorf("a server does not start: %.2000s", text)
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

// signIn makes the first administrator and an API key.
func (h *herd) signIn(ctx context.Context, s *instance) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar}
	var link []byte
	for began := time.Now(); len(link) == 0; time.Sleep(50 * time.Millisecond) {
		if link, err = os.ReadFile(s.data + ".link"); err != nil && time.Since(began) > time.Minute {
			return fmt.Errorf("reading the link of the first administrator: %w", err)
		}
	}
	_, token, _ := strings.Cut(strings.TrimSpace(string(link)), "#")
	if err := ask(ctx, browser, s, "/setup", map[string]any{"token": token, "email": "first@example.org", "name": "First",
		"password": "a long enough password 4711"}, nil); err != nil {
		return err
	}
	var key struct {
		Key string `json:"key"`
	}
	if err := ask(ctx, browser, s, "/me/keys", map[string]any{"name": "herd"}, &key); err != nil {
		return err
	}
	h.key = key.Key
	return nil
}

func ask(ctx context.Context, client *http.Client, s *instance, route string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.people+"/api/v1"+route, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "http://"+s.people)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s: %s: %.300s", route, res.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// end stops a process and waits for it. That a killed one ended badly is what was wanted.
func end(cmd *exec.Cmd, sig syscall.Signal) error {
	if cmd == nil || cmd.Process == nil || cmd.ProcessState != nil {
		return nil
	}
	_ = cmd.Process.Signal(sig) // it may have ended
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return err
	}
	return nil
}
