package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"patchbay/patch"
	"patchbay/server/ca"
	"patchbay/test/bench/measure"
)

// bareReconnects is the processor time, per thousand, that the bare echo spends on clients
// that greet it anew with a certificate by the same authority and ask once.
func (h *herd) bareReconnects(ctx context.Context) (seconds float64, err error) {
	keys := filepath.Join(h.servers[0].data, "keys")
	log := filepath.Join(h.dir, "echo.log")
	echo, err := measure.Spawn(ctx, log, filepath.Join(h.bin, "exchange"), "-echo", keys)
	if err != nil {
		return 0, fmt.Errorf("starting the echo: %w", err)
	}
	defer func() { err = errors.Join(err, end(echo, syscall.SIGTERM)) }()
	address := ""
	for began := time.Now(); address == ""; time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(log); err == nil && strings.HasSuffix(string(text), "\n") {
			address = strings.TrimSpace(string(text))
		}
		if time.Since(began) > 20*time.Second {
			return 0, errors.New("the echo does not start")
		}
	}
	config, err := stranger(keys)
	if err != nil {
		return 0, err
	}
	const rounds = 1000
	before, err := measure.ProcessorTime(echo.Process.Pid)
	if err != nil {
		return 0, err
	}
	for range rounds {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config.Clone(), DisableKeepAlives: true}}
		res, err := client.Post("https://"+address+"/?n=200", "application/json", strings.NewReader(strings.Repeat("x", 600)))
		if err != nil {
			return 0, fmt.Errorf("asking the echo: %w", err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			return 0, fmt.Errorf("asking the echo: %w", err)
		}
	}
	after, err := measure.ProcessorTime(echo.Process.Pid)
	return 1000 * (after - before).Seconds() / rounds, err
}

// stranger makes a client's certificate by the server's own authority.
func stranger(keys string) (*tls.Config, error) {
	authority, err := ca.Open(keys, time.Now())
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	cert, _, err := authority.SignAgent(csr, patch.NewID(patch.AgentID), time.Now())
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authority.Pool(),
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}, nil
}
