package proxy

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// connector is a proxy that connects to the server, whatever is asked for, when it is given
// the password, and may answer in the server's place.
type connector struct {
	to       string // the server's real address
	password string // name:password; "" asks for none
	refuse   int    // the status with which it refuses everybody; 0 refuses nobody

	inspector *tls.Config // answers in the server's place; nil connects

	mu       sync.Mutex
	asked    []string      // for the addresses it was asked to connect to
	answered []int         // with which status
	read     []byte        // by the inspector, of what was not meant for it
	open     []net.Conn    // of connections through it
	address  string        // of the proxy itself
	cut      time.Duration // after which quiet it ends a connection; 0 never does
}

// start lets the proxy listen until the test ends.
func (c *connector) start(t *testing.T) *connector {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = l.Addr().String()
	server := &http.Server{Handler: c, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l)
	t.Cleanup(func() {
		server.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, conn := range c.open {
			conn.Close()
		}
	})
	return c
}

// ServeHTTP takes CONNECT and nothing else.
func (c *connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.password))
	switch {
	case r.Method != http.MethodConnect:
		status = http.StatusMethodNotAllowed
	case c.refuse != 0:
		status = c.refuse
	case c.password != "" && r.Header.Get("Proxy-Authorization") != want:
		status = http.StatusProxyAuthRequired
	}
	c.mu.Lock()
	c.asked, c.answered = append(c.asked, r.Host), append(c.answered, status)
	c.mu.Unlock()
	if status != http.StatusOK { // such proxies say much, and may say back what they were told
		w.Header().Set("Proxy-Authenticate", "Basic")
		http.Error(w, "you said "+r.Header.Get("Proxy-Authorization")+" for "+c.password, status)
		return
	}
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	c.keep(near)
	defer near.Close()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	if c.inspector != nil {
		c.inspect(near)
		return
	}
	c.connect(near, buffered.Reader)
}

func (c *connector) keep(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, conn)
}

// connect carries bytes both ways until either side is done, or both were quiet for too long.
func (c *connector) connect(near net.Conn, from *bufio.Reader) {
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	c.keep(far)
	defer far.Close()
	lively := func() {}
	if c.cut > 0 {
		quiet := time.AfterFunc(c.cut, func() { near.Close(); far.Close() })
		defer quiet.Stop()
		lively = func() { quiet.Reset(c.cut) }
	}
	done := make(chan struct{}, 2)
	carry := func(to io.Writer, from io.Reader) {
		defer func() { done <- struct{}{} }()
		for buf := make([]byte, 32<<10); ; {
			n, err := from.Read(buf)
			lively()
			if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
				return
			}
		}
	}
	go carry(far, from)
	go carry(near, far)
	<-done
}

// inspect answers in the server's place and notes what it is told.
func (c *connector) inspect(near net.Conn) {
	conn := tls.Server(near, c.inspector)
	buf := make([]byte, 32<<10)
	for {
		n, err := conn.Read(buf)
		c.mu.Lock()
		c.read = append(c.read, buf[:n]...)
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// connections is for how many connections it was asked, and for which addresses.
func (c *connector) connections() (n int, addresses []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	addresses = slices.Clone(c.asked)
	slices.Sort(addresses)
	return len(c.asked), slices.Compact(addresses)
}

// told is what an inspector was told.
func (c *connector) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.read)
}

// inspection is how a product that opens TLS answers: with a certificate for the very host,
// by an authority of its own, asking for whatever the other side has to show.
func inspection(t *testing.T, host string, version uint16) (config *tls.Config, shown func() int) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Acme \x1b[2J Inspection"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	var chain [][]byte
	for _, c := range []*x509.Certificate{leaf, authority} {
		der, err := x509.CreateCertificate(rand.Reader, c, authority, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, der)
	}
	var mu sync.Mutex
	n := 0
	config = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: key}}, ClientAuth: tls.RequestClientCert, MaxVersion: version,
		VerifyConnection: func(s tls.ConnectionState) error {
			mu.Lock()
			defer mu.Unlock()
			n += len(s.PeerCertificates)
			return nil
		},
	}
	return config, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}
