package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	heartbeat    = 25 * time.Second
	writeAtMost  = 10 * time.Second // a reader that takes longer is gone
	streamPrefix = "retry: 3000\n\n"
)

// events streams changes to a page for as long as its person stays signed in.
func (s *Server) events(ctx context.Context, _ *Empty) (*huma.StreamResponse, error) {
	leave, refusal := s.streams.enter(caller(ctx).Person.ID)
	if refusal != nil {
		return nil, refusal
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer leave()
		r, w := humago.Unwrap(ctx)
		s.stream(r, w)
	}}, nil
}

func (s *Server) stream(r *http.Request, w http.ResponseWriter) {
	control := http.NewResponseController(w)
	send := func(text string) bool {
		// Best effort: a writer without deadlines is ended by its context.
		_ = control.SetWriteDeadline(time.Now().Add(writeAtMost))
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		if control.Flush() != nil {
			return false
		}
		// Over HTTP/2 a deadline also ends a stream on which nothing is written.
		_ = control.SetWriteDeadline(time.Time{})
		return true
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	changes := s.Events.Subscribe(r.Context())
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if !send(streamPrefix) {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if c, err := s.Access.Identify(r.Context(), r); err != nil || allowed(staff, c) != nil {
				return
			}
			if !send(": still here\n\n") {
				return
			}
		case e, ok := <-changes:
			if !ok {
				return
			}
			body, err := marshalPlain(e)
			if err != nil || !send(fmt.Sprintf("event: change\ndata: %s\n\n", body)) {
				return
			}
		}
	}
}
