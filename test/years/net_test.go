package years

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// wires are the network between one machine and the server, without an operating system.
type wires struct {
	conns chan net.Conn
	mu    sync.Mutex
	open  []*end
	shut  sync.Once
}

func newWires() *wires { return &wires{conns: make(chan net.Conn)} }

// Accept gives the next connection.
func (p *wires) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close ends accepting.
func (p *wires) Close() error { p.shut.Do(func() { close(p.conns) }); return nil }

// Addr is nowhere.
func (p *wires) Addr() net.Addr { return &net.UnixAddr{Name: "wires"} }

func (p *wires) dial(ctx context.Context) (net.Conn, error) {
	out, in := newHalf(), newHalf()
	near, far := &end{in: in, out: out}, &end{in: out, out: in}
	p.mu.Lock()
	p.open = append(p.open, near)
	p.mu.Unlock()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cut breaks every connection; what is on its way is lost.
func (p *wires) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		c.in.change(func(h *half) { h.broken = true })
		c.out.change(func(h *half) { h.broken = true })
	}
	p.open = nil
}

var (
	errRefused = errors.New("connection refused")
	errBroken  = errors.New("connection reset by peer")
)

// end is one end of a connection. Its writes wait for no reader.
type end struct{ in, out *half }

// half is one direction of a connection.
type half struct {
	mu       sync.Mutex
	news     *sync.Cond
	held     []byte
	closed   bool // nothing more will come
	broken   bool
	deadline time.Time
	timer    *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.news = sync.NewCond(&h.mu)
	return h
}

func (h *half) change(f func(*half)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h)
	h.news.Broadcast()
}

// Read gives what came, or waits for it.
func (e *end) Read(p []byte) (int, error) {
	h := e.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.broken:
			return 0, errBroken
		case !h.deadline.IsZero() && !time.Now().Before(h.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(h.held) > 0:
			n := copy(p, h.held)
			h.held = h.held[n:]
			return n, nil
		case h.closed:
			return 0, io.EOF
		}
		h.news.Wait()
	}
}

// Write hands data on.
func (e *end) Write(data []byte) (n int, err error) {
	e.out.change(func(h *half) {
		if h.closed || h.broken {
			err = errBroken
			return
		}
		h.held = append(h.held, data...)
		n = len(data)
	})
	return n, err
}

// Close ends both directions. The other side still reads what was written.
func (e *end) Close() error {
	e.out.change(func(h *half) { h.closed = true })
	e.in.change(func(h *half) { h.broken, h.closed = true, true; h.stopTimer() })
	return nil
}

func (h *half) stopTimer() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}

// LocalAddr is nowhere.
func (e *end) LocalAddr() net.Addr { return &net.UnixAddr{Name: "end"} }

// RemoteAddr is nowhere.
func (e *end) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "end"} }

// SetDeadline is for reading; writing waits for nobody.
func (e *end) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

// SetWriteDeadline changes nothing: writing waits for nobody.
func (e *end) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline ends reading at a time.
func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func(h *half) {
		h.stopTimer()
		h.deadline = t
		if !t.IsZero() && time.Until(t) > 0 && !h.closed {
			h.timer = time.AfterFunc(time.Until(t), func() { h.change(func(*half) {}) })
		}
	})
	return nil
}
