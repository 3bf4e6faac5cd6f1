package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"patchbay/server/access"
	"patchbay/server/store"
)

// rule says who may use a route. The zero rule is nobody, and the server does not start.
type rule int

const (
	noRule   rule = iota
	anyone        // also without being signed in
	signedIn      // a person, also one who has yet to show a second factor
	staff         // a person who has shown all that this installation asks for, or a program with a key of such a one
	inPerson      // the same without programs: a key must not lead to more than itself
)

// base is where the API lives.
const base = "/api/v1"

// route is one line of the route table.
type route struct {
	method, path string
	rule         rule
	id, summary  string
	status       int  // of success; 0 is the usual one
	streams      bool // its body is a file, which the handler reads by itself
	register     func(s *Server, api huma.API, op huma.Operation)
}

// handle makes a line of the table from a typed handler. The pattern is "METHOD /path".
func handle[I, O any](pattern string, who rule, id, summary string, h func(*Server, context.Context, *I) (*O, error)) route {
	method, path, _ := strings.Cut(pattern, " ")
	return route{method: method, path: base + path, rule: who, id: id, summary: summary,
		register: func(s *Server, api huma.API, op huma.Operation) {
			huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
				out, err := h(s, ctx, in)
				if err != nil {
					return nil, s.problemOf(ctx, err)
				}
				return out, nil
			})
		}}
}

// answering sets the status of success.
func (r route) answering(status int) route {
	r.status = status
	return r
}

// streamed leaves the body to the handler: it is a file, and may be large.
func (r route) streamed() route {
	r.streams = true
	return r
}

// register puts the table on the mux.
func (s *Server) register(mux *http.ServeMux) (huma.API, error) {
	api := humago.New(mux, config(s.Version))
	for _, r := range routes() {
		if r.rule == noRule {
			return nil, fmt.Errorf("registering %s %s: it has no rule of access", r.method, r.path)
		}
		op := huma.Operation{
			Method: r.method, Path: r.path, OperationID: r.id, Summary: r.summary,
			Tags: []string{strings.SplitN(r.id, "-", 2)[0]}, DefaultStatus: r.status,
			MaxBodyBytes: -1, // read and limited by ask
			Middlewares:  huma.Middlewares{s.ask(r)},
		}
		if r.streams {
			op.RequestBody = &huma.RequestBody{Required: true, Description: "The file, as it is",
				Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
		}
		if r.rule == anyone {
			op.Security = []map[string][]string{{}}
		}
		r.register(s, api, op)
	}
	return api, nil
}

// callerKey is where a request's context keeps its caller.
type callerKey struct{}

// caller is who is asking.
func caller(ctx context.Context) access.Caller {
	c, _ := ctx.Value(callerKey{}).(access.Caller)
	return c
}

// who is the caller as the store writes it into its audit chain.
func who(ctx context.Context) store.Who {
	c := caller(ctx)
	return store.Who{ID: c.Person.ID, Name: c.Person.Name}
}

// requestKey is where a request's context keeps the request, for the few handlers that set
// cookies or need the address.
type requestKey struct{}

func request(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}

// controlKey is where the context of a request with a file keeps what moves its deadlines.
type controlKey struct{}

func control(ctx context.Context) *http.ResponseController {
	c, _ := ctx.Value(controlKey{}).(*http.ResponseController)
	return c
}

// ask finds out who is asking and holds the rule. It runs before anything of the request's
// body is looked at.
func (s *Server) ask(of route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		c, err := s.Access.Identify(r.Context(), r)
		if err != nil && !errors.Is(err, access.ErrSignedOut) {
			writeProblem(w, asProblem(s.problemOf(r.Context(), err)))
			return
		}
		if p := allowed(of.rule, c); p != nil {
			writeProblem(w, p)
			return
		}
		ctx = huma.WithValue(huma.WithValue(ctx, callerKey{}, c), requestKey{}, r)
		if of.streams {
			next(huma.WithValue(ctx, controlKey{}, http.NewResponseController(w)))
			return
		}
		if p := readBody(r, w); p != nil {
			writeProblem(w, p)
			return
		}
		next(ctx)
	}
}

// allowed holds a rule against a caller.
func allowed(need rule, c access.Caller) *Problem {
	switch {
	case need == anyone:
		return nil
	case c.Person.ID == "":
		return problem(http.StatusUnauthorized, "Sign in first.")
	case need == signedIn && !c.Key, need == staff && !c.TOTPRequired, need == inPerson && !c.Key && !c.TOTPRequired:
		return nil
	case c.TOTPRequired:
		p := problem(http.StatusForbidden, "This server can be reached from outside: set up a second factor first.")
		p.Type = totpRequired
		return p
	}
	return problem(http.StatusForbidden, "An API key cannot do this: sign in as a person.")
}

// readBody reads the whole body, so that one that is too long or breaks off is refused
// before anything begins.
func readBody(r *http.Request, w http.ResponseWriter) *Problem {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return problem(http.StatusRequestEntityTooLarge, "The body is too large: at most 64 KiB.")
	}
	if err != nil {
		return problem(http.StatusBadRequest, "The body broke off before its end: send it again.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func asProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return problem(http.StatusInternalServerError, "Something went wrong in the server. Its log says what.")
}

// Out is an answer that is only a body.
type Out[T any] struct{ Body T }

// Empty is an answer without a body.
type Empty struct{}

func out[T any](v T) *Out[T] { return &Out[T]{v} }
