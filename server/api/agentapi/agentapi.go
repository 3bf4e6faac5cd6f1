// Package agentapi is the side of the server that agents talk to. It has a listener of its
// own, where nothing but an enrolment token or a certificate by the server's authority is
// understood: an agent's credentials open nothing meant for people, and the reverse.
//
// The hot path is a check-in in which nothing changed. It is answered from memory: the
// agent's last known state, compared with what it says now. Everything else goes through
// one transaction in the store before it is acknowledged.
package agentapi

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"patchbay/server/ca"
	"patchbay/server/peers"
	"patchbay/server/store"
	"patchbay/wire"
)

// Engine is what check-ins set in motion.
type Engine interface {
	// Received says that something about the devices changed; they are due.
	Received(customer string, devices []string)
	// Heard says that a device spoke and nothing changed.
	Heard(device string, at time.Time)
	// Orders gives the newest signed orders for an agent, and their version.
	Orders(ctx context.Context, agent string) (*wire.Envelope, wire.OrdersVersion, error)
	// Enrolled says that a new agent with a new device is there.
	Enrolled(customer, device, agent string)
	// Waiting is closed when the agent should check in now.
	Waiting(agent string) <-chan struct{}
	// CheckInNow calls the device's agent.
	CheckInNow(device string)
}

// Documents are the signed ones that agents are told.
type Documents interface {
	// For gives what a reader with these capabilities lacks, and the time when that is asked for.
	For(ctx context.Context, held wire.HeldDocuments, can []string, withTime bool) ([]wire.Envelope, error)
	// Newest gives what a new reader begins with.
	Newest(ctx context.Context) ([]wire.Envelope, error)
}

// Options are what the agents' side needs.
type Options struct {
	Documents Documents // nil has none
	Store     *store.Store
	Authority *ca.Authority
	Engine    Engine
	AgentURL  string        // where agents reach this listener, told at enrolment
	Next      time.Duration // between check-ins when nothing happens
	Hold      time.Duration // how long a wake-up request waits, and a stream of events is silent at most
	Limits    Limits
	Content   Content // nil has none
	// Named says as what the newest signed catalogue names a file, "" when it does not; nil
	// names none.
	Named func(sha256 string) string
	// Tell tells the other servers on the same database what to look at; nil tells nobody.
	Tell func(peers.Notice)
	// Period is peers.Peers.Period; nil is for a server that is alone.
	Period func() uint64
	Agents func() int // how many there are; nil counts those that spoke since the start
	Now    func() time.Time
	Log    *slog.Logger
}

// API answers agents.
type API struct {
	Options
	sessions sessions
	touches  *touches
	lines    *lines
	gates    gates
}

// New makes the agents' side.
func New(o Options) *API {
	o.Limits = o.Limits.withDefaults()
	return &API{Options: o, sessions: newSessions(), touches: newTouches(), lines: newLines(), gates: newGates(o.Limits)}
}

// Handler routes agents' requests. There are five, and what is none of them is not found.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /agent/v1/enroll", a.boundedEnroll)
	mux.HandleFunc("POST /agent/v1/renew", a.boundedRenew)
	mux.HandleFunc("POST /agent/v1/checkin", a.asAgent(a.boundedCheckIn))
	mux.HandleFunc("GET /agent/v1/wake", a.asAgent(a.wake))
	mux.HandleFunc("GET /agent/v1/content/{sha256}", a.asAgent(a.content))
	return mux
}

// asAgent lets a request through only with a certificate that names an agent still wanted.
func (a *API) asAgent(next func(http.ResponseWriter, *http.Request, *session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			problem(w, http.StatusUnauthorized, "This address is for enrolled agents. Enrol this machine with a token first.")
			return
		}
		id := ca.AgentOf(r.TLS.VerifiedChains[0][0])
		s, err := a.sessions.get(r.Context(), a, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			problem(w, http.StatusForbidden, "This agent is not known here. Enrol the machine again with a new token.")
		case err != nil:
			a.fail(w, r, err)
		case s.revoked():
			problem(w, http.StatusForbidden, "This agent was removed from service. Enrol the machine again if that was a mistake.")
		default:
			next(w, r, s)
		}
	}
}

// wake holds the request until the agent should check in. It looks for orders the agent was
// never sent, rather than trust that the agent was waiting at the moment they were made.
func (a *API) wake(w http.ResponseWriter, r *http.Request, s *session) {
	if wantsEvents(r) {
		a.stream(w, r, s)
		return
	}
	hold, cancel := context.WithTimeout(r.Context(), a.Hold)
	defer cancel()
	called := a.Engine.Waiting(s.agent) // before looking, so that nothing comes in between
	newer, err := a.newer(r.Context(), s)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if newer {
		w.WriteHeader(http.StatusOK)
		return
	}
	select {
	case <-called:
		w.WriteHeader(http.StatusOK)
	case <-hold.Done():
		w.WriteHeader(http.StatusNoContent)
	}
}

// newer reports whether there are orders newer than the agent was sent. Nothing is known of
// one that has not checked in since the start.
func (a *API) newer(ctx context.Context, s *session) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == (wire.OrdersVersion{}) {
		return false, nil
	}
	_, version, err := a.Engine.Orders(ctx, s.agent)
	return version.Newer(s.sent), err
}

// fail answers a failure of the server, which the agent can do nothing about but wait.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		a.Log.Error("answering an agent", "path", r.URL.Path, "error", err)
	}
	w.Header().Set("Retry-After", a.retryAfter())
	problem(w, http.StatusServiceUnavailable, "The server cannot answer just now. Try again later; nothing was lost.")
}

// problem answers with an RFC 9457 problem.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}

// errTooLarge means that a body is beyond its limit.
var errTooLarge = errors.New("the message is too large")

// decode reads a JSON body of at most limit bytes after decompression.
func decode(r *http.Request, limit int64, v any) error {
	body := io.Reader(r.Body)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "":
	case "gzip":
		unpacked, err := gzip.NewReader(io.LimitReader(body, limit))
		if err != nil {
			return errors.New("the message says it is gzip and is not")
		}
		body = unpacked
	default:
		return errors.New("the message is encoded in a way this server does not know; gzip is the only one")
	}
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return errors.New("the message ended too early")
	}
	if int64(len(text)) > limit {
		return errTooLarge
	}
	if err := json.Unmarshal(text, v); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			return fmt.Errorf("the message is not JSON: something is wrong at byte %d", syntax.Offset)
		case errors.As(err, &kind):
			return fmt.Errorf("the field %s must be of another type: %s", kind.Field, kind.Type)
		}
		return errors.New("the message is not of the form this server knows")
	}
	return nil
}

// refuse answers a message that cannot be taken.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, errTooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	problem(w, status, strings.ToUpper(err.Error()[:1])+err.Error()[1:]+".")
}

// answer writes JSON whole.
func answer(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		problem(w, http.StatusInternalServerError, "The answer could not be written down.")
		return
	}
	h := w.Header()
	h["Content-Type"] = contentJSON
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.Write(text)
}

var contentJSON = []string{"application/json"}
