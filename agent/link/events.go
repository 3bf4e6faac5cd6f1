package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// BeatMost is the longest time between two signs of life that a server is asked for.
	BeatMost = 50 * time.Second
	// BeatLeast is the shortest.
	BeatLeast = 10 * time.Second

	connectMost  = 2 * time.Minute // until the question has gone out
	firstWord    = 5 * time.Second // from then to the first sign of life: what takes longer holds the answer back
	lineMost     = 4 << 10         // bytes of one line of a stream
	checkInEvent = "checkin"
)

// ErrNoStream means that no stream of events comes through from the server: it is older, or
// something on the way gathers answers before it hands them on.
var ErrNoStream = errors.New("no stream of events comes through from the server")

// Lost is a stream that ended.
type Lost struct {
	Quiet time.Duration // since the last sign of life
	Err   error
}

// Error says how.
func (l Lost) Error() string {
	return fmt.Sprintf("the stream of events ended %s after the last sign of life: %v", l.Quiet.Round(time.Second), l.Err)
}

// Unwrap gives the cause.
func (l Lost) Unwrap() error { return l.Err }

// Stream says how to hold the wake-up channel.
type Stream struct {
	Boot string           // of this machine
	Beat time.Duration    // the longest time between two signs of life to ask the server for
	Now  func() time.Time //
	Call func()           // the server wants to hear from this agent
}

// Listen holds the wake-up channel open as a stream until it ends, and always gives an error:
// ErrNoStream, ErrNoWake, ErrRefused, Overload or Lost.
func (l *Link) Listen(ctx context.Context, s Stream) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var asked atomic.Bool
	silence := time.AfterFunc(connectMost, func() { cancel(errSilent) })
	defer silence.Stop()
	res, err := l.openStream(ctx, s, func() {
		asked.Store(true)
		silence.Reset(firstWord)
	})
	if err != nil {
		if asked.Load() && errors.Is(context.Cause(ctx), errSilent) {
			return ErrNoStream
		}
		return fmt.Errorf("opening the stream of events: %w", err)
	}
	defer res.Body.Close()
	if !isStream(res) {
		return notStream(res, s.Call)
	}
	return follow(ctx, s, res.Body, silence)
}

// follow reads the stream until it ends, or is silent for too long.
func follow(ctx context.Context, s Stream, body io.Reader, silence *time.Timer) error {
	last, spoke := s.Now(), false
	err := events(body, func(event string) {
		last, spoke = s.Now(), true
		silence.Reset(2 * s.Beat)
		if event == checkInEvent {
			s.Call()
		}
	})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if !spoke && errors.Is(err, errSilent) {
		return ErrNoStream
	}
	return Lost{s.Now().Sub(last), err}
}

var errSilent = errors.New("it said nothing for too long")

// openStream asks for a stream. It tells when the question has gone out, and makes no second
// connection when the first is lost.
func (l *Link) openStream(ctx context.Context, s Stream, asked func()) (*http.Response, error) {
	shut := new(atomic.Bool)
	ctx = context.WithValue(ctx, gate{}, shut)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { shut.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { asked() },
	})
	query := url.Values{"boot": {s.Boot}, "beat": {strconv.Itoa(int(s.Beat / time.Second))}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base()+"/agent/v1/wake?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Accept-Encoding", "identity") // what packs an answer gathers it first
	return l.client.Do(req)
}

func isStream(res *http.Response) bool {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return res.StatusCode == http.StatusOK && err == nil && kind == "text/event-stream"
}

// notStream tells what an answer of another kind means. An older server takes the question
// for a call, and may have ended it because it wants to hear from this agent.
func notStream(res *http.Response, call func()) error {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10)) // so that the connection can be used again
	switch res.StatusCode {
	case http.StatusOK:
		call()
		return ErrNoStream
	case http.StatusNoContent:
		return ErrNoStream
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return ErrNoWake
	}
	return fmt.Errorf("opening the stream of events: %w", status(res))
}

// events reads a stream to its end and tells each event's name, and "" for each comment: that
// the server lives. The stream may be anything.
func events(r io.Reader, tell func(event string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 256), lineMost)
	name := ""
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "" && name != "":
			tell(name)
			name = ""
		case strings.HasPrefix(line, ":"):
			tell("")
		case strings.HasPrefix(line, "event:"):
			name = strings.TrimSpace(strings.TrimPrefix(line, "event:"))
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.EOF
}
