package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"patchbay/server"
	"patchbay/server/access"
	"patchbay/server/backup"
	"patchbay/server/ca"
	"patchbay/wire"
)

const password = "correct horse battery"

// running is a server that answers.
type running struct {
	*server.Server
	t      *testing.T
	url    string // where its console is reached from here
	client *http.Client
	cookie string
	stop   func()
}

// start runs a server on free ports of this machine until the test ends.
func start(t *testing.T, change func(*server.Options)) *running {
	t.Helper()
	o := server.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0", Installation: "Test", Version: "test"}
	if change != nil {
		change(&o)
	}
	s, err := server.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r := &running{Server: s, t: t}
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		r.client.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Errorf("running: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	r.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Authority.Pool()}}}
	at, _ := s.Addresses()
	r.url = "http://" + at.String()
	t.Cleanup(r.stop)
	return r
}

// call sends a request as a browser would and gives status, cookie and body.
func (r *running) call(method, path string, body any, headers ...string) (int, []byte) {
	r.t.Helper()
	text := []byte(nil)
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			r.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, r.url+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if r.cookie != "" {
		req.Header.Set("Cookie", access.CookieName+"="+r.cookie)
	}
	answer, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		r.cookie = c.Value
		if r.Access.BeyondLoopback() && !c.Secure {
			r.t.Errorf("%s %s sets a cookie that may go without HTTPS", method, path)
		}
	}
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, got
}

// must is call with the one status that is right.
func (r *running) must(status int, method, path string, body any, headers ...string) []byte {
	r.t.Helper()
	got, text := r.call(method, path, body, headers...)
	if got != status {
		r.t.Fatalf("%s %s answers %d, want %d: %s", method, path, got, status, text)
	}
	return text
}

// setUp creates the first administrator, who has no second factor yet.
func (r *running) setUp(headers ...string) {
	r.t.Helper()
	token, err := r.Access.SetupToken(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.must(200, "POST", "/setup", map[string]string{"token": token, "email": "mia@example.test", "name": "Mia", "password": password}, headers...)
}

// secondFactor sets it up.
func (r *running) secondFactor(headers ...string) {
	r.t.Helper()
	var prepared struct{ Secret string }
	if err := json.Unmarshal(r.must(200, "POST", "/me/totp", nil, headers...), &prepared); err != nil {
		r.t.Fatal(err)
	}
	code, err := totp.GenerateCode(prepared.Secret, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	r.must(200, "PUT", "/me/totp", map[string]string{"code": code}, headers...)
}

// outside is an address of this machine that others can reach, or all of them.
func outside(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			return p.Addr().String()
		}
	}
	return "0.0.0.0"
}

// operations are all of the API, as its own document lists them.
func (r *running) operations() map[string][]string {
	r.t.Helper()
	answer, err := r.client.Get(r.url + "/api/openapi.json")
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil {
		r.t.Fatal(err)
	}
	all := map[string][]string{}
	for path, methods := range doc.Paths {
		for m := range methods {
			all[strings.TrimPrefix(path, "/api/v1")] = append(all[strings.TrimPrefix(path, "/api/v1")], strings.ToUpper(m))
		}
	}
	if len(all) < 20 {
		r.t.Fatalf("the document lists %d paths", len(all))
	}
	return all
}

func TestBeyondLoopbackNothingAnswersBeforeTheSecondFactor(t *testing.T) {
	host := outside(t)
	for name, change := range map[string]func(*server.Options){
		"an address others reach": func(o *server.Options) { o.Listen = net.JoinHostPort(host, "0") },
		"a proxy in front":        func(o *server.Options) { o.PublicURL = "https://patch.example/" },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, change)
			if strings.HasPrefix(name, "an") {
				r.url = r.PublicURL
			}
			if host == "0.0.0.0" && strings.HasPrefix(name, "an") {
				at, _ := r.Addresses()
				_, port, _ := net.SplitHostPort(at.String())
				r.url = "https://127.0.0.1:" + port
			}
			open := map[string]bool{"/session": true, "/setup": true}
			before := func(want int) {
				t.Helper()
				for path, methods := range r.operations() {
					for _, m := range methods {
						if open[path] || want == 403 && path == "/me/totp" {
							continue
						}
						if got, text := r.call(m, path, nil); got != want {
							t.Errorf("%s %s answers %d, want %d: %.200s", m, path, got, want, text)
						}
					}
				}
			}
			before(401)
			r.setUp()
			before(403)
			first := r.cookie
			r.secondFactor()
			r.must(200, "GET", "/overview", nil)
			shown := r.cookie
			r.cookie = first
			r.must(401, "GET", "/overview", nil)
			r.cookie = ""
			text := r.must(401, "POST", "/session", map[string]string{"email": "mia@example.test", "password": password})
			if !strings.Contains(string(text), "code-required") || r.cookie != "" {
				t.Errorf("the password alone gives %s and cookie %q", text, r.cookie)
			}
			r.cookie = shown
			r.must(200, "GET", "/overview", nil)
		})
	}
}

func TestForwardedForIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	for _, c := range []struct {
		proxies []netip.Prefix
		want    string
	}{{nil, "from 127.0.0.1"}, {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "from 198.51.100.9"}, {[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "from 127.0.0.1"}} {
		r := start(t, func(o *server.Options) { o.Proxies = c.proxies })
		r.setUp("X-Forwarded-For", "203.0.113.1, 198.51.100.9", "X-Real-IP", "203.0.113.2", "Forwarded", "for=203.0.113.3")
		if text := r.must(200, "GET", "/activity", nil); !strings.Contains(string(text), "signed in "+c.want) {
			t.Errorf("with proxies %v nothing says %q: %s", c.proxies, c.want, text)
		}
	}
}

func TestOwnCertificateHoldsAgainstTheAuthority(t *testing.T) {
	r := start(t, func(o *server.Options) {
		o.PublicURL, o.Certificate = "https://patch.example", server.Certificate{Mode: server.OwnCertificate, Names: []string{"other.example"}}
	})
	console, agents := r.Addresses()
	for _, at := range []net.Addr{console, agents} {
		for name, good := range map[string]bool{"localhost": true, "127.0.0.1": true, "patch.example": at == console, "other.example": at == console, "evil.example": false} {
			c, err := tls.Dial("tcp", at.String(), &tls.Config{RootCAs: r.Authority.Pool(), ServerName: name})
			if (err == nil) != good {
				t.Errorf("%s at %v: %v", name, at, err)
			}
			if err != nil {
				continue
			}
			chain := c.ConnectionState().PeerCertificates
			if pin := wire.PinOf(chain[len(chain)-1].RawSubjectPublicKeyInfo); pin != r.Authority.Pin() {
				t.Errorf("the chain ends in %s, not in the pinned authority", pin)
			}
			c.Close()
		}
		if c, err := tls.Dial("tcp", at.String(), &tls.Config{ServerName: "localhost"}); err == nil {
			c.Close()
			t.Error("a machine that does not know the authority believes it")
		}
		if c, err := tls.Dial("tcp", at.String(), &tls.Config{RootCAs: r.Authority.Pool(), ServerName: "localhost", MaxVersion: tls.VersionTLS11}); err == nil {
			c.Close()
			t.Error("TLS 1.1 is spoken")
		}
	}
}

func TestTwoServersAtOnceKeepApart(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	a.setUp()
	b.setUp()
	a.must(201, "POST", "/customers", map[string]string{"name": "Only A's"})
	if text := b.must(200, "GET", "/customers", nil); strings.Contains(string(text), "Only") {
		t.Error("one server shows the other's customer")
	}
	if a.Authority.Pin() == b.Authority.Pin() {
		t.Error("both have one authority")
	}
	b.cookie = a.cookie
	b.must(401, "GET", "/customers", nil)
	a.stop()
	b.cookie = ""
	b.must(200, "POST", "/session", map[string]string{"email": "mia@example.test", "password": password})
}

// A restore that did not end has left its mark: whoever begins there would make keys that no
// agent knows.
func TestNothingBeginsOnHalfARestore(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "restore.unfinished"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := server.New(t.Context(), server.Options{Data: data, Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0"})
	_, err2 := server.Bootstrap(t.Context(), server.FirstSite{Data: data, Customer: "A", Site: "B", Zone: "UTC", Now: time.Now()})
	for _, err := range []error{err, err2} {
		if !errors.Is(err, backup.ErrUnfinished) {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(data); len(left) != 1 {
		t.Errorf("it made %v", left)
	}
}

func TestStoppingLeavesNoGoroutine(t *testing.T) {
	start(t, nil).stop() // what is started once per process is there now
	before := runtime.NumGoroutine()
	r := start(t, nil)
	r.setUp()
	req, err := http.NewRequest("GET", r.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", access.CookieName+"="+r.cookie)
	stream, err := r.client.Do(req)
	if err != nil || stream.StatusCode != 200 {
		t.Fatal(err)
	}
	_, agents := r.Addresses()
	c, err := tls.Dial("tcp", agents.String(), &tls.Config{RootCAs: r.Authority.Pool(), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://")) // begins and never ends
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(slow, "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
	r.stop()
	for _, x := range []io.Closer{stream.Body, c, slow} {
		x.Close()
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			text := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), text[:runtime.Stack(text, true)])
		}
		runtime.Gosched()
	}
}

// pemFiles writes a certificate for a name, as an issuer would hand it over.
func pemFiles(t *testing.T, authority *ca.Authority, cert, key, name string) *x509.Certificate {
	t.Helper()
	c, err := authority.ServerCertificate([]string{name}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var chain bytes.Buffer
	for _, der := range c.Certificate {
		pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	der, err := x509.MarshalECPrivateKey(c.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{cert: chain.Bytes(), key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestGivenCertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	authority, err := ca.Open(filepath.Join(dir, "ca"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := func(o *server.Options) {
		o.Certificate = server.Certificate{Mode: server.GivenFiles, Cert: cert, Key: key}
	}
	if _, err := server.New(t.Context(), server.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", AgentListen: "127.0.0.1:0",
		Certificate: server.Certificate{Mode: server.GivenFiles, Cert: cert, Key: key}}); err == nil {
		t.Error("a server starts without the certificate it was given")
	}
	want := pemFiles(t, authority, cert, key, "patch.example")
	r := start(t, o)
	at, _ := r.Addresses()
	check := func(what string) {
		t.Helper()
		c, err := tls.Dial("tcp", at.String(), &tls.Config{RootCAs: authority.Pool(), ServerName: "patch.example"})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer c.Close()
		if got := c.ConnectionState().PeerCertificates[0].SerialNumber; got.Cmp(want.SerialNumber) != 0 {
			t.Errorf("%s: certificate %v is shown, want %v", what, got, want.SerialNumber)
		}
	}
	check("at the start")
	touched := func(at time.Time) {
		t.Helper()
		if err := os.Chtimes(cert, at, at); err != nil {
			t.Fatal(err)
		}
	}
	want = pemFiles(t, authority, cert, key, "patch.example")
	touched(time.Now().Add(time.Minute))
	check("after a renewal")
	want = pemFiles(t, authority, cert, key, "patch.example")
	touched(time.Now().Add(-24 * time.Hour)) // copied with its old time
	check("after one with an older time")
	if err := os.WriteFile(cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	touched(time.Now().Add(2 * time.Minute))
	check("while the file is broken")
}

func TestBehindAProxyWithAnotherHost(t *testing.T) {
	r := start(t, func(o *server.Options) {
		o.PublicURL, o.Proxies = "https://patch.example", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	target, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target) // and with it another Host
		p.SetXForwarded()
	}})
	defer front.Close()
	r.url, r.client = front.URL, front.Client()
	for _, bad := range [][]string{{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://patch.example"}, {"Origin", "https://patch.example.evil.test"},
		{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", target.String() + "0"}} {
		if got, text := r.call("POST", "/session", map[string]string{"email": "mia@example.test", "password": "x"}, bad...); got != 403 {
			t.Errorf("%v answers %d %s", bad, got, text)
		}
	}
	origin := []string{"Origin", "https://patch.example"}
	r.setUp(origin...)
	r.secondFactor(origin...)
	r.must(201, "POST", "/customers", map[string]string{"name": "Acme"}, origin...)
	r.must(201, "POST", "/customers", map[string]string{"name": "Beta"}, "Origin", "https://patch.example", "Sec-Fetch-Site", "same-origin")
	answer, err := r.client.Get(front.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the console's page answers %d with %v", answer.StatusCode, answer.Header)
	}
}

func TestRecoverRefusesAFolderWithoutInstallation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	err := server.Recover(t.Context(), server.Place{Data: dir}, func(*access.Recover) error { return nil })
	if _, there := os.Stat(dir); err == nil || there == nil {
		t.Errorf("a wrong folder gives %v and is made: %v", err, there == nil)
	}
}

// The phone is lost: the server's own machine helps while the server runs.
func TestRecoverBesideARunningServer(t *testing.T) {
	r := start(t, func(o *server.Options) { o.PublicURL = "https://patch.example" })
	r.setUp()
	r.secondFactor()
	err := server.Recover(t.Context(), server.Place{Data: r.Data}, func(a *access.Recover) error {
		return a.ResetTOTP(t.Context(), "mia@example.test")
	})
	if err != nil {
		t.Fatal(err)
	}
	r.must(401, "GET", "/overview", nil)
	r.must(200, "POST", "/session", map[string]string{"email": "mia@example.test", "password": password})
	r.must(403, "GET", "/overview", nil)
	r.secondFactor()
	if text := r.must(200, "GET", "/activity", nil); !strings.Contains(string(text), "took Mia's second factor away") {
		t.Errorf("the chain does not say it: %s", text)
	}
}
