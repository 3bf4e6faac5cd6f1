package agentapi

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Door is where connections come in. Shaking hands is the dearest thing that a stranger can
// ask for, so there are only so many a second, in the order of their hellos; and who has
// asked for nothing yet stands in a doorway of limited size. Connections are always taken
// from the operating system, whose own queue would make everybody wait for the slowest.
type Door struct {
	now  func() time.Time
	pace pace

	mu      sync.Mutex
	doorway map[net.Conn]bool
	room    int
}

// patience is how long a hello waits for its turn, less than an agent waits for an answer.
const patience = 5 * time.Second

// NewDoor makes a door. The time is that of the machine.
func NewDoor(l Limits, now func() time.Time) *Door {
	l = l.withDefaults()
	return &Door{now: now, pace: pace{every: time.Second / time.Duration(l.Connects), burst: l.Connects / 4},
		doorway: map[net.Conn]bool{}, room: l.Doorway}
}

// Listener hands on connections for which there is room, and closes the others.
func (d *Door) Listener(l net.Listener) net.Listener { return doorway{l, d} }

type doorway struct {
	net.Listener
	door *Door
}

// Accept gives the next connection there is room for.
func (w doorway) Accept() (net.Conn, error) {
	for {
		c, err := w.Listener.Accept()
		if err != nil || w.door.hasRoom() {
			return c, err
		}
		c.Close() // its owner sees that, and comes back later
	}
}

func (d *Door) hasRoom() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.doorway) < d.room
}

// State is told by the HTTP server how its connections stand.
func (d *Door) State(c net.Conn, s http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s == http.StateNew {
		d.doorway[c] = true
	} else {
		delete(d.doorway, c)
	}
}

var errCrowd = errors.New("too many connections at the same time")

// Hello keeps the pace of handshakes, for tls.Config.GetConfigForClient: it changes nothing
// of the configuration, it waits.
func (d *Door) Hello(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	wait, ok := d.pace.take(d.now(), patience)
	if !ok {
		return nil, errCrowd
	}
	if wait == 0 {
		return nil, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-hello.Context().Done():
		return nil, hello.Context().Err()
	case <-timer.C:
		return nil, nil
	}
}

// pace gives turns, so many a second, after a burst that is free.
type pace struct {
	every time.Duration
	burst int

	mu   sync.Mutex
	next time.Time
}

// take gives the wait until the next turn, unless that is longer than most; then there is no
// turn.
func (p *pace) take(now time.Time, most time.Duration) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if earliest := now.Add(-time.Duration(p.burst) * p.every); p.next.Before(earliest) {
		p.next = earliest
	}
	wait = max(0, p.next.Sub(now))
	if wait > most {
		return 0, false
	}
	p.next = p.next.Add(p.every)
	return wait, true
}
