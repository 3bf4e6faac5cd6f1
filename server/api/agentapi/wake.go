package agentapi

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	beatLeast    = 10 * time.Second // an agent may ask for a sign of life this often and no oftener
	betweenCalls = time.Second      // many calls in a short time are one
	writeAtMost  = 10 * time.Second // an agent that takes longer to read one event is gone

	lineOpen  = ": open\n\n"
	lineBeat  = ":\n\n"
	lineCheck = "event: checkin\ndata: now\n\n"
)

// wantsEvents reports whether the agent knows the wake-up channel as a stream. One that
// does not say so holds a call.
func wantsEvents(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// stream answers with an endless stream of events, of which there is one: check in. It ends
// when the agent goes, opens another or is no longer wanted, and when the server stops.
func (a *API) stream(w http.ResponseWriter, r *http.Request, s *session) {
	l := &line{control: http.NewResponseController(w), w: w, over: make(chan struct{}), boot: r.URL.Query().Get("boot")}
	s.mu.Lock()
	record := s.record.Boot
	s.mu.Unlock()
	if record != "" && l.boot != "" && l.boot != record { // it would take the line of the machine on record
		problem(w, http.StatusConflict, "Another machine with this machine's key is on record. Check in first.")
		return
	}
	before, ok := a.lines.put(s.agent, l)
	if !ok {
		a.busy(w)
		return
	}
	defer a.lines.drop(s.agent, l)
	if s.revoked() { // asked again now that Forget would find the line
		problem(w, http.StatusForbidden, "This agent was removed from service. Enrol the machine again if that was a mistake.")
		return
	}
	if before != nil && before.boot != l.boot {
		a.Log.Warn("an agent's wake-up channel was opened anew while it was open, after a restart of its machine or by another machine with its key",
			"agent", s.agent, "before", shorten(before.boot, maxName), "now", shorten(l.boot, maxName))
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	_ = l.control.SetReadDeadline(time.Time{}) // nothing more is read, so no reading may time out
	a.hold(r.Context(), l, s, beatAsked(r, a.Hold))
}

// hold keeps the line open. It looks for orders the agent was never sent, as wake does.
func (a *API) hold(ctx context.Context, l *line, s *session, beat time.Duration) {
	called := a.Engine.Waiting(s.agent) // before looking, so that nothing comes in between
	if !l.say(lineOpen) {
		return
	}
	newer, err := a.newer(ctx, s)
	if err != nil && ctx.Err() == nil {
		a.Log.Error("looking for orders newer than an agent was sent", "agent", s.agent, "error", err)
	}
	if err != nil || newer && !l.say(lineCheck) {
		return
	}
	for ok := true; ok; {
		select {
		case <-ctx.Done():
			return
		case <-l.over:
			return
		case <-time.After(spread(beat)):
			ok = l.say(lineBeat)
		case <-called:
			called = a.Engine.Waiting(s.agent) // before it is told: what is ordered from here on is told again
			ok = l.say(lineCheck) && l.rest(ctx, betweenCalls)
		}
	}
}

// beatAsked is the longest time between two signs of life: the agent may ask for less than
// most, where something on its way takes a quiet connection for a dead one.
func beatAsked(r *http.Request, most time.Duration) time.Duration {
	seconds, err := strconv.Atoi(r.URL.Query().Get("beat"))
	if err != nil || seconds <= 0 || seconds > int(most/time.Second) {
		return most
	}
	return min(most, max(beatLeast, time.Duration(seconds)*time.Second))
}

// spread is a time between half of most and most, so that a fleet that connected at one
// moment is not answered at one moment ever after.
func spread(most time.Duration) time.Duration {
	return most/2 + rand.N(most/2+1)
}

// line is one open stream.
type line struct {
	w       http.ResponseWriter
	control *http.ResponseController
	boot    string // of the machine the agent runs on, as it says
	over    chan struct{}

	mu  sync.Mutex
	cut bool
}

// say sends text and reports whether the line still holds.
func (l *line) say(text string) bool {
	l.mu.Lock()
	if l.cut || l.control.SetWriteDeadline(time.Now().Add(writeAtMost)) != nil {
		l.mu.Unlock()
		return false
	}
	l.mu.Unlock()
	_, err := l.w.Write([]byte(text))
	return err == nil && l.control.Flush() == nil
}

// rest waits, and reports whether the line still holds.
func (l *line) rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-l.over:
		return false
	case <-time.After(d):
		return true
	}
}

// end ends the stream at once, also one whose reader is stuck.
func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return
	}
	l.cut = true
	close(l.over)
	_ = l.control.SetWriteDeadline(time.Now()) // what has ended already has no deadline
}

// lines are the open streams by agent: one for each, the newest.
type lines struct {
	mu      sync.Mutex
	open    map[string]*line
	stopped bool
}

func newLines() *lines { return &lines{open: map[string]*line{}} }

// put keeps a line in place of the agent's last, which ends. It is false once the server
// stops.
func (ls *lines) put(agent string, l *line) (before *line, ok bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.stopped {
		return nil, false
	}
	if before = ls.open[agent]; before != nil {
		before.end()
	}
	ls.open[agent] = l
	return before, true
}

// drop forgets a line that ended, and keeps it from being touched after its answer is over.
func (ls *lines) drop(agent string, l *line) {
	l.mu.Lock()
	l.cut = true
	l.mu.Unlock()
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open[agent] == l {
		delete(ls.open, agent)
	}
}

// end ends the agent's line, if it holds one.
func (ls *lines) end(agent string) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l := ls.open[agent]; l != nil {
		l.end()
	}
}

// stop ends all lines and takes no more.
func (ls *lines) stop() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.stopped = true
	for _, l := range ls.open {
		l.end()
	}
}

// Held is how many agents hold the wake-up channel open as a stream.
func (a *API) Held() int {
	a.lines.mu.Lock()
	defer a.lines.mu.Unlock()
	return len(a.lines.open)
}
