package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// streams answers the wake-up channel as Patchbay's server does: with a stream that gives a
// sign of life after half of the time the agent asks for at least. held is for how long each
// stream lived.
func (s *server) streams(held *[]time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" {
			s.wake(w, r)
			return
		}
		seconds, err := strconv.Atoi(r.URL.Query().Get("beat"))
		if err != nil || seconds < 10 || seconds > 50 {
			s.t.Errorf("a beat of %d s is asked for, %v", seconds, err)
		}
		began := time.Now()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			*held = append(*held, time.Since(began))
		}()
		w.Header().Set("Content-Type", "text/event-stream")
		beat := time.Duration(seconds) * time.Second
		for say := ": open\n\n"; ; {
			_, err := io.WriteString(w, say)
			if err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-s.call:
				say = "event: checkin\ndata: now\n\n"
			case <-time.After(beat/2 + rand.N(beat/2+1)):
				say = ":\n\n"
			case <-r.Context().Done():
				return
			}
		}
	}
}

// answerWake puts another handler in front of the wake-up channel.
func (s *server) answerWake(wake http.Handler) {
	rest := s.http.Handler
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/agent/v1/wake" {
			wake.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// impatient is a connection through something that cuts what is quiet for too long.
type impatient struct {
	net.Conn
	most  time.Duration
	timer *time.Timer
}

func cutAfter(most time.Duration, c net.Conn) net.Conn {
	return &impatient{c, most, time.AfterFunc(most, func() { c.Close() })}
}

// Read reads, and makes the connection lively.
func (c *impatient) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.timer.Reset(c.most)
	}
	return n, err
}

// Write writes, and makes the connection lively.
func (c *impatient) Write(p []byte) (int, error) {
	c.timer.Reset(c.most)
	return c.Conn.Write(p)
}

// Close ends both.
func (c *impatient) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

// Whatever a proxy takes for idle, from the shortest beat on: the second stream that it cuts
// is the last.
func TestStreamOutlivesAProxyThatCutsWhatIsQuiet(t *testing.T) {
	for most := 11 * time.Second; most < 50*time.Second; most += 3 * time.Second {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var held []time.Duration
			w.server.answerWake(w.server.streams(&held))
			o := w.options()
			o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := w.server.net.dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return cutAfter(most, c), nil
			}
			w.startWith(o)
			pass(8 * time.Hour)
			if lives := w.server.lives(&held); len(lives) < 1 || len(lives) > 2 {
				t.Errorf("cut after %v: %d streams were lost: %v", most, len(lives), lives)
			}
			w.end()
		})
	}
}

// lives are for how long the streams lived that ended.
func (s *server) lives(held *[]time.Duration) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration{}, *held...)
}

// gathered hands an answer on when it is over, as proxies do that look into it as a whole.
type gathered struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Write keeps what is written.
func (g *gathered) Write(p []byte) (int, error) { return g.body.Write(p) }

// WriteHeader keeps the status.
func (g *gathered) WriteHeader(status int) { g.status = status }

// FlushError lets nobody through.
func (g *gathered) FlushError() error { return nil }

func gather(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := &gathered{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(g, r)
		w.WriteHeader(g.status)
		io.Copy(w, &g.body)
	})
}

// Where answers are kept back until they are over no event ever arrives. The agent finds
// that out in less time than a call is held, is called all the same, and says so.
func TestCallsAreHeldWhereAnswersAreGathered(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		var held []time.Duration
		w.server.answerWake(gather(w.server.streams(&held)))
		w.start()
		pass(20 * time.Second)
		before := len(w.server.heard())
		w.order(job("curl", "1.0", "1.1"))
		pass(5 * time.Second)
		if after := len(w.server.heard()); after <= before {
			t.Error("the agent was not called within the hold")
		}
		pass(time.Minute)
		if got := w.last(job("curl", "1.0", "1.1")); got.Step != "done" {
			t.Errorf("%+v", got)
		}
		if said := w.said(); !strings.Contains(said, "by held calls") || !strings.Contains(said, "tried again at") {
			t.Errorf("the status does not say that calls are held:\n%s", said)
		}
	})
}

// Where a stream comes through, nothing is said of it.
func TestStreamIsNotSpokenOf(t *testing.T) {
	inside(t, func(t *testing.T, w *world) {
		var held []time.Duration
		w.server.answerWake(w.server.streams(&held))
		w.start()
		pass(time.Minute)
		if said := w.said(); strings.Contains(said, "Wake-up") {
			t.Errorf("%s", said)
		}
	})
}

// said is what patchbay-agent status prints.
func (w *world) said() string {
	w.t.Helper()
	standing, err := Look(w.disk.revive())
	if err != nil {
		w.t.Fatal(err)
	}
	var text strings.Builder
	if err := standing.Print(&text, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(&text)
}
