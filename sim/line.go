package sim

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/wire"
)

// Request is one thing asked of the server, by one machine.
type Request struct {
	From   *Credentials
	URL    string // of the server's side for agents
	Method string
	Path   string
	Body   []byte // sent packed when it is large, as the real agent does
}

// Answer is what came back, read whole.
type Answer struct {
	Status     int
	RetryAfter int // seconds, 0 when it says nothing
	Body       []byte
	Out, In    int // bytes above TLS
}

// Carrier brings requests to a server. The real one is a network; tests bring their own.
type Carrier interface {
	Ask(context.Context, Request) (Answer, error)
	// Listen holds a wake-up call open and says each time that the server wants to hear from
	// the machine. It returns when the call has ended: nil means that it ran out in peace.
	Listen(ctx context.Context, from *Credentials, server string, called func()) error
}

const (
	squeeze   = 4 << 10
	askTime   = 90 * time.Second // as the real agent
	dialTime  = 30 * time.Second
	heartbeat = 75 * time.Second // without a word on a held call: it is lost
)

// errNoWake means that the server has no wake-up channel.
var errNoWake = errors.New("the server has no wake-up channel")

// network is the real Carrier: HTTP/1.1 over TLS 1.3, written by hand. The standard client
// keeps two goroutines and buffers for each connection and connects again by itself when one
// is lost; here a machine costs what it holds open and nothing else, and every attempt to
// connect is one that the simulation asked for.
type network struct {
	keep    bool // connections stay open between check-ins
	dialer  net.Dialer
	packers sync.Pool
	dials   atomic.Int64
}

// Ask brings one request there and its answer back.
func (n *network) Ask(ctx context.Context, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if err := ctx.Err(); err != nil { // a quick server could answer before the connection hears of it
		return Answer{}, err
	}
	text, err := n.text(r)
	if err != nil {
		return Answer{}, err
	}
	if c := r.From.takeIdle(); c != nil {
		if a, err := c.exchange(ctx, text); err == nil {
			n.done(r.From, c)
			return a, nil
		}
		c.Close() // it was closed meanwhile: this is the next attempt
	}
	c, err := n.dial(ctx, r.From, r.URL)
	if err != nil {
		return Answer{}, err
	}
	a, err := c.exchange(ctx, text)
	if err != nil {
		c.Close()
		return a, err
	}
	n.done(r.From, c)
	return a, nil
}

// done keeps a connection for the next time, or closes it.
func (n *network) done(from *Credentials, c *conn) {
	if old := from.putIdle(c, n.keep && !c.ends); old != nil {
		old.Close()
	}
}

// text is the request as it stands on the line.
func (n *network) text(r Request) ([]byte, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the server's address: %w", err)
	}
	body, encoding := r.Body, ""
	if len(body) > squeeze {
		body, encoding = n.pack(body), "Content-Encoding: gzip\r\n"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Path, u.Host)
	if r.Method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n%s", len(body), encoding)
	} else {
		b.WriteString("Accept: text/event-stream\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), nil
}

// pack compresses a body. Packers are large and used again.
func (n *network) pack(body []byte) []byte {
	var b bytes.Buffer
	z, ok := n.packers.Get().(*gzip.Writer)
	if !ok {
		z = gzip.NewWriter(&b)
	}
	z.Reset(&b)
	z.Write(body) // a buffer takes everything
	z.Close()
	n.packers.Put(z)
	return b.Bytes()
}

// conn is one connection of one machine.
type conn struct {
	*tls.Conn
	in     *bufio.Reader
	counts *counted
	ends   bool // the server closes it after this answer
}

// counted counts what is read.
type counted struct {
	io.Reader
	n int
}

// Read counts.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func (n *network) dial(ctx context.Context, from *Credentials, address string) (*conn, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the server's address %.200q is not an https address", address)
	}
	n.dials.Add(1)
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := n.dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	t := tls.Client(raw, from.config(u.Hostname()))
	if err := t.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("greeting the server: %w", err)
	}
	c := &counted{Reader: t}
	return &conn{Conn: t, in: bufio.NewReaderSize(c, 2<<10), counts: c}, nil
}

// exchange writes a request and reads the answer whole. The context ends it.
func (c *conn) exchange(ctx context.Context, text []byte) (Answer, error) {
	stop := context.AfterFunc(ctx, func() { c.Conn.NetConn().Close() })
	defer stop()
	c.counts.n = 0
	if _, err := c.Write(text); err != nil {
		return Answer{}, fmt.Errorf("asking: %w", err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return Answer{Out: len(text)}, fmt.Errorf("reading the answer: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, wire.MaxReply+1))
	if err != nil {
		return Answer{Out: len(text)}, fmt.Errorf("reading the answer: %w", err)
	}
	c.ends = res.Close
	after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // 0 says nothing
	return Answer{Status: res.StatusCode, RetryAfter: min(max(after, 0), 3600), Body: body, Out: len(text), In: c.counts.n}, nil
}

// Listen holds a wake-up call open.
func (n *network) Listen(ctx context.Context, from *Credentials, server string, called func()) error {
	text, err := n.text(Request{URL: server, Method: http.MethodGet, Path: "/agent/v1/wake"})
	if err != nil {
		return err
	}
	c, err := n.dial(ctx, from, server)
	if err != nil {
		return err
	}
	defer c.Close()
	watch := time.AfterFunc(heartbeat, func() { c.Conn.NetConn().Close() })
	defer watch.Stop()
	defer context.AfterFunc(ctx, func() { c.Conn.NetConn().Close() })()
	for {
		watch.Reset(heartbeat)
		if _, err := c.Write(text); err != nil {
			return fmt.Errorf("calling: %w", err)
		}
		res, err := http.ReadResponse(c.in, nil)
		if err != nil {
			return fmt.Errorf("waiting for a call: %w", err)
		}
		if kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); kind == "text/event-stream" {
			return stream(res.Body, func() { watch.Reset(heartbeat) }, called)
		}
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10))
		switch {
		case err != nil:
			return fmt.Errorf("waiting for a call: %w", err)
		case res.StatusCode == http.StatusOK:
			called()
			return nil
		case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed:
			return errNoWake
		case res.StatusCode != http.StatusNoContent:
			return fmt.Errorf("waiting for a call: the server answered %d", res.StatusCode)
		}
	}
}

// stream reads events until the stream ends, which is always a loss. What is not an event
// that asks for a check-in, such as the comments that keep the line open, only shows that
// the server is there.
func stream(body io.Reader, alive, called func()) error {
	lines := bufio.NewScanner(body)
	asked := false
	for lines.Scan() {
		alive()
		switch line := lines.Text(); line {
		case "event: checkin":
			asked = true
		case "":
			if asked {
				called()
			}
			asked = false
		}
	}
	return errors.Join(errors.New("the stream of calls ended"), lines.Err())
}
