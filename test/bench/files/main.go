// Command files measures what it costs the server to give agents files: an enrolled agent
// gets one over and over, and the same file from a plain file server of Go's, in the same
// process and over the same mutual TLS, in turns.
//
//	FIGURE name value unit compared-with value ratio bound
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"patchbay/agent/disk"
	"patchbay/agent/enroll"
	"patchbay/agent/identity"
	"patchbay/test/bench/measure"
	"patchbay/wire"
)

func main() {
	size := flag.Int64("size", 64<<20, "bytes of the file")
	times := flag.Int("times", 24, "how often it is got in each turn")
	serve := flag.String("serve", "", "be the servers, in this folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return files(ctx, *size, *times) }
	if *serve != "" {
		run = func() error { return servers(ctx, *serve, *size) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		os.Exit(1)
	}
}

// told is what the servers say of themselves on their first line.
type told struct{ Agents, Plain, Token, SHA256 string }

// files starts the servers, gets the file, and ends them.
func files(ctx context.Context, size int64, times int) (err error) {
	dir, err := os.MkdirTemp("", "patchbay-bench-files-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	process := exec.CommandContext(ctx, os.Args[0], "-serve", filepath.Join(dir, "server"), "-size", fmt.Sprint(size))
	process.Stderr = os.Stderr
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	said, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, process.Process.Signal(syscall.SIGTERM), process.Wait()) }()
	line, err := bufio.NewReader(said).ReadBytes('\n')
	var t told
	if err == nil {
		err = json.Unmarshal(line, &t)
	}
	if err != nil {
		return fmt.Errorf("starting the servers: %w", err)
	}
	client, err := agent(ctx, dir, t)
	if err != nil {
		return fmt.Errorf("enrolling an agent: %w", err)
	}
	return compare(ctx, process.Process.Pid, client, t, size, times)
}

// agent lets one in, and gives what speaks with its certificate.
func agent(ctx context.Context, dir string, t told) (*http.Client, error) {
	at, err := disk.Open(filepath.Join(dir, "agent"))
	if err != nil {
		return nil, err
	}
	keys := identity.SoftKey{Dir: at}
	id, err := enroll.Run(ctx, enroll.Options{Server: t.Agents, Token: t.Token, Mode: wire.Observe, Build: "bench",
		Facts: wire.Facts{Hostname: "bench", OS: "linux"}, Disk: at, Keys: keys, Now: time.Now})
	if err != nil {
		return nil, err
	}
	key, err := keys.Key()
	if err != nil {
		return nil, err
	}
	leaf, err := id.Leaf(key)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(id.AgentURL)
	if err != nil {
		return nil, err
	}
	config := identity.Peer{Authorities: func() [][]byte { return [][]byte{id.CA} }, Hosts: func() []string { return []string{u.Hostname()} },
		Earliest: func() time.Time { return time.Time{} }, Certificate: func() *tls.Certificate { return leaf }}.TLS()
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 4, DisableCompression: true}}, nil
}

// compare gets the file from both, in turns, so that both see the same machine.
func compare(ctx context.Context, pid int, client *http.Client, t told, size int64, times int) error {
	var ours, plain time.Duration
	const turns = 3
	for range turns {
		for url, sum := range map[string]*time.Duration{t.Agents + "/agent/v1/content/" + t.SHA256: &ours, t.Plain + "/" + t.SHA256: &plain} {
			if err := get(ctx, client, url, size, 2); err != nil { // the connections, the page cache
				return err
			}
			before, err := measure.ProcessorTime(pid)
			if err != nil {
				return err
			}
			if err := get(ctx, client, url, size, times); err != nil {
				return err
			}
			after, err := measure.ProcessorTime(pid)
			if err != nil {
				return err
			}
			*sum += after - before
		}
	}
	total := float64(size) * float64(times) * turns / 1e6
	measure.Figure("files_to_agents", total/ours.Seconds(), "MB/CPU-s", "plain_file_server,_same_TLS", total/plain.Seconds(), ">=0.8x")
	return nil
}

// get gets the file so many times, two at a time.
func get(ctx context.Context, client *http.Client, url string, size int64, times int) error {
	var all sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		all.Go(func() {
			for n := i; n < times && errs[i] == nil; n += len(errs) {
				errs[i] = one(ctx, client, url, size)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func one(ctx context.Context, client *http.Client, url string, size int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || n != size) {
		err = fmt.Errorf("%s answered %d with %d bytes", url, answer.StatusCode, n)
	}
	return err
}
