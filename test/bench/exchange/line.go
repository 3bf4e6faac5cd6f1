package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// What TLS 1.3 adds to a record of data: its head, the true type and the seal.
const (
	recordHead  = 5
	recordExtra = 1 + 16
	dataRecord  = 23
)

// counter counts the bytes that TLS carries, by the lengths of its records: nothing has to
// be decrypted for that.
type counter struct {
	mu    sync.Mutex
	total int64
}

func (c *counter) plain() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// dial makes a connection whose records are counted.
func (c *counter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn, in: records{c: c}, out: records{c: c}}, nil
}

type countedConn struct {
	net.Conn
	in, out records
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.add(p[:n])
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.out.add(p[:n])
	return n, err
}

// records follows the borders of records through one direction of a connection.
type records struct {
	c    *counter
	head []byte
	skip int // bytes of the record's body still to come
}

func (r *records) add(p []byte) {
	for len(p) > 0 {
		n := min(r.skip, len(p))
		r.skip, p = r.skip-n, p[n:]
		n = min(recordHead-len(r.head), len(p))
		r.head, p = append(r.head, p[:n]...), p[n:]
		if len(r.head) < recordHead {
			return
		}
		length := int(binary.BigEndian.Uint16(r.head[3:]))
		if r.head[0] == dataRecord {
			r.c.mu.Lock()
			r.c.total += int64(max(0, length-recordExtra))
			r.c.mu.Unlock()
		}
		r.skip, r.head = length, r.head[:0]
	}
}

// echoFleet gives each agent a second connection, kept open, on which it sends the same
// body to the echo and gets as much back as from the server.
func echoFleet(fleet []*simulated, address string, body, reply []byte) func(*simulated) error {
	url := fmt.Sprintf("https://%s/?n=%d", address, len(reply))
	clients := map[*simulated]*http.Client{}
	for _, a := range fleet {
		clients[a] = &http.Client{Transport: &http.Transport{TLSClientConfig: a.tls.Clone(), MaxIdleConnsPerHost: 1}}
	}
	return func(a *simulated) error {
		res, err := clients[a].Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n != int64(len(reply)) {
			return fmt.Errorf("the echo answered %d bytes instead of %d: %w", n, len(reply), err)
		}
		return nil
	}
}
