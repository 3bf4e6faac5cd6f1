package agent

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
)

// pipe is a network of one address, without an operating system.
type pipe struct {
	conns chan net.Conn
	mu    sync.Mutex
	down  bool
	host  string // where it answers; "" everywhere
	dials int
	open  []net.Conn
}

func (p *pipe) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipe) Close() error   { close(p.conns); return nil }
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// only answers at one address from now on.
func (p *pipe) only(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = address
}

func (p *pipe) dial(ctx context.Context, _, address string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials++
	if p.down || p.host != "" && p.host != address {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	near, far = buffer(near), buffer(far)
	p.open = append(p.open, far)
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// buffered is an end of a pipe whose writes do not wait for a reader, as a network's do not.
type buffered struct {
	net.Conn
	out  chan []byte
	once sync.Once
	done chan struct{}
}

func buffer(c net.Conn) net.Conn {
	b := &buffered{Conn: c, out: make(chan []byte, 1000), done: make(chan struct{})}
	go func() {
		for {
			select {
			case data := <-b.out:
				b.Conn.Write(data)
			case <-b.done:
				return
			}
		}
	}()
	return b
}

func (b *buffered) Write(data []byte) (int, error) {
	select {
	case <-b.done:
		return 0, net.ErrClosed
	case b.out <- bytes.Clone(data):
		return len(data), nil
	}
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Conn.Close()
}

func (p *pipe) dialled() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// cut breaks every connection; nobody answers until it is mended.
func (p *pipe) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for _, c := range p.open {
		c.Close()
	}
	p.open = nil
}
