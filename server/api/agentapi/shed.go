package agentapi

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Limits are how much the agents' side takes on at a time. What comes beyond is told to come
// back later, while there is still strength to say so. Zeros are the defaults.
type Limits struct {
	AtOnce   int           // check-ins answered at the same time; 64
	Queue    int           // check-ins that wait for their turn; 5,000
	Patience time.Duration // how long one waits; 10 s, far less than an agent does
	Connects int           // new connections a second; 500
	Doorway  int           // connections that have not asked for anything yet; 2,000
	Files    int           // files being sent at the same time; 100
}

func (l Limits) withDefaults() Limits {
	for of, usual := range map[*int]int{&l.AtOnce: 64, &l.Queue: 5000, &l.Connects: 500, &l.Doorway: 2000, &l.Files: 100} {
		if *of == 0 {
			*of = usual
		}
	}
	if l.Patience == 0 {
		l.Patience = 10 * time.Second
	}
	return l
}

// small is the size of a body that is read before its turn, so that a slow line keeps nobody
// else waiting. Nearly all check-ins are smaller.
const small = 8 << 10

// gates are where messages wait for their turn. Large ones, which are read while they have
// it, enrolments, which strangers send, and files, which take long, cannot hold up the rest.
type gates struct{ checkIns, large, enrolments, content *gate }

func newGates(l Limits) gates {
	few := max(1, l.AtOnce/4)
	return gates{newGate(l.AtOnce, l.Queue, l.Patience), newGate(few, l.Queue/4, l.Patience), newGate(few, l.Queue/4, l.Patience), newGate(l.Files, l.Files, l.Patience)}
}

// gate lets some through at a time, and some wait.
type gate struct {
	places   chan struct{}
	queue    int64
	waiting  atomic.Int64
	patience time.Duration
}

func newGate(atOnce, queue int, patience time.Duration) *gate {
	return &gate{places: make(chan struct{}, atOnce), queue: int64(queue), patience: patience}
}

// enter waits for a place. Where it is true, leave must follow.
func (g *gate) enter(ctx context.Context) bool {
	select {
	case g.places <- struct{}{}:
		return true
	default:
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return false
	}
	defer g.waiting.Add(-1)
	return take(ctx, g.places, g.patience)
}

func (g *gate) leave() { <-g.places }

// take takes a place, or gives up.
func take(ctx context.Context, places chan struct{}, patience time.Duration) bool {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-limit.C:
	}
	return false
}

// boundedCheckIn answers a check-in when it is its turn. The answer is sent after the turn,
// so that an agent that reads slowly takes nothing from others.
func (a *API) boundedCheckIn(w http.ResponseWriter, r *http.Request, s *session) {
	g := a.gates.large
	if r.ContentLength >= 0 && r.ContentLength <= small {
		g = a.gates.checkIns
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if !take(r.Context(), s.turn, a.Limits.Patience) {
		a.busy(w)
		return
	}
	defer func() { <-s.turn }()
	a.through(g, w, r, func(w http.ResponseWriter, r *http.Request) { a.checkIn(w, r, s) })
}

func (a *API) boundedEnroll(w http.ResponseWriter, r *http.Request) {
	a.through(a.gates.enrolments, w, r, a.enroll)
}

// boundedRenew shares the gate of enrolments: both sign a certificate.
func (a *API) boundedRenew(w http.ResponseWriter, r *http.Request) {
	a.through(a.gates.enrolments, w, r, a.renew)
}

func (a *API) through(g *gate, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if !g.enter(r.Context()) {
		a.busy(w)
		return
	}
	later := &kept{ResponseWriter: w, status: http.StatusOK}
	func() {
		defer g.leave()
		next(later, r)
	}()
	w.WriteHeader(later.status)
	_, _ = w.Write(later.body.Bytes()) // who does not take the answer asks again
}

// kept is an answer that is sent later.
type kept struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (k *kept) WriteHeader(status int) { k.status = status }

// Write keeps a part of the body.
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }

// busy sends an agent away for a while, before the server drowns.
func (a *API) busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", a.retryAfter())
	problem(w, http.StatusServiceUnavailable, "The server has too much to do just now. Try again later; nothing was lost.")
}

// retryAfter is when to come back, in seconds: not all at once.
func (a *API) retryAfter() string { return strconv.Itoa(1 + rand.IntN(max(1, a.reconnect()/2))) }

// The bounds of the reconnect window.
const (
	windowLeast = 30 * time.Second
	windowMost  = 10 * time.Minute
)

// ReconnectWindow is over how long a fleet spreads its first try after it lost the server:
// long enough that no more than half of the connections a second that the server can take
// come back on average.
func ReconnectWindow(agents, connects int) time.Duration {
	half := max(1, float64(connects)/2)
	seconds := min(float64(max(agents, 0))/half, windowMost.Seconds())
	return max(windowLeast, time.Duration(seconds*float64(time.Second)))
}

// reconnect is the window told to agents, in seconds.
func (a *API) reconnect() int {
	n := 0
	if a.Agents != nil {
		n = a.Agents()
	}
	a.sessions.mu.Lock()
	n = max(n, len(a.sessions.all))
	a.sessions.mu.Unlock()
	return int(ReconnectWindow(n, a.Limits.Connects) / time.Second)
}
