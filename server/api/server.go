package api

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"patchbay/server/access"
	"patchbay/server/assess"
	"patchbay/server/store"
)

// Options is what an installation gives the API to work with.
type Options struct {
	Store        *store.Store
	Access       *access.Access
	Fleet        Fleet
	Engine       Engine
	Events       Events
	Documents    Documents
	Agents       Agents
	Content      Content
	Feeds        Feeds
	Recalls      func() *assess.Recalls // what is not to be installed now; nil knows of none
	Ends         Ends
	Looked       Looked
	Software     Software
	Surveys      Surveys
	FeedKeys     [][]byte // Ed25519 public keys, one of which suffices under a bundle of feeds
	Console      fs.FS    // the console's built files; nil serves none
	Log          *slog.Logger
	Now          func() time.Time
	Version      string
	Installation string // the MSP's name, as the console shows it
	AgentURL     string // where agents enrol, for the line people copy
	Pin          string // wire.PinOf the server's CA, part of every enrolment token
	// Origins are other origins whose pages may call the API, such as the public URL
	// behind a proxy that rewrites the host.
	Origins []string
}

// Server answers people and their programs.
type Server struct {
	Options
	log     *slog.Logger
	doc     []byte // the OpenAPI document
	streams *streams
	handler http.Handler
}

const maxBody = 64 << 10 // bytes of a request's body

// New builds the handler. It fails when a route has no rule of access.
func New(o Options) (*Server, error) {
	s := &Server{Options: o, log: o.Log, streams: newStreams()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	api, err := s.register(mux)
	if err != nil {
		return nil, err
	}
	if s.doc, err = document(api); err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /api/openapi.json", s.openapi)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, notFound()) })
	mux.Handle("/", newFiles(o.Console))
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusForbidden, "This request comes from another site's page. Use the console's own address."))
	}))
	for _, origin := range o.Origins {
		if err := cross.AddTrustedOrigin(origin); err != nil {
			return nil, errors.New("an origin must be like https://patchbay.example, without a path")
		}
	}
	s.handler = s.recovered(s.guarded(cross.Handler(mux)))
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// recovered keeps a bug in one request from being more than that.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.log.Error("request crashed", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			writeProblem(w, problem(http.StatusInternalServerError, "Something went wrong in the server. Its log says what."))
		}()
		next.ServeHTTP(w, r)
	})
}

// guarded sets the headers that every answer has, and refuses paths that are written in
// another than the one canonical way, so that no check can be walked around.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Content-Security-Policy", policy(""))
		if s.Access != nil && s.Access.Encrypted(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		if s.misdirected(r) {
			writeProblem(w, problem(http.StatusMisdirectedRequest, "This server answers on its own machine only, as localhost. To reach it by another name, start it with --public-url."))
			return
		}
		if !canonical(r) {
			writeProblem(w, notFound())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// policy is the content security policy. Styles that the console makes while it runs carry
// a nonce; scripts come from files only.
func policy(nonce string) string {
	style := "style-src 'self'"
	if nonce != "" {
		style += " 'nonce-" + nonce + "'"
	}
	return "default-src 'self'; " + style + "; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

func canonical(r *http.Request) bool {
	p := r.URL.Path
	if r.Method == http.MethodConnect || !strings.HasPrefix(p, "/") || r.URL.RawPath != "" || strings.ContainsAny(p, "\\\x00;") {
		return false
	}
	return path.Clean(p) == p
}

var _ huma.StatusError = (*Problem)(nil)
