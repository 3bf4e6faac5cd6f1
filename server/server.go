// Package server puts the parts together: store, engine, index, the side for people and
// the side for agents. It decides nothing.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/server/access"
	"patchbay/server/api"
	"patchbay/server/api/agentapi"
	"patchbay/server/assess"
	"patchbay/server/backup"
	"patchbay/server/bus"
	"patchbay/server/ca"
	"patchbay/server/catalog/feeds"
	"patchbay/server/catalog/purpose"
	"patchbay/server/catalog/support"
	"patchbay/server/content"
	"patchbay/server/documents"
	"patchbay/server/effect"
	"patchbay/server/engine"
	"patchbay/server/fleet"
	"patchbay/server/knowledge"
	"patchbay/server/peers"
	"patchbay/server/store"
	"patchbay/server/surveyor"
)

// Options are all that a server can be told.
type Options struct {
	Data         string   // folder for keys and the embedded database
	Database     string   // address of the database; "" is the embedded one in Data
	Listen       string   // where people's browsers reach it
	AgentListen  string   // where agents reach it
	PublicURL    string   // the console's address as people type it; "" is derived from Listen
	AgentURL     string   // the address agents are told; "" is derived from AgentListen
	AlsoAt       []string // further addresses at which agents look for this server when one does not answer
	Certificate  Certificate
	Proxies      []netip.Prefix // whose X-Forwarded-For is believed
	Installation string         // the MSP's name
	Version      string
	Console      fs.FS
	CheckIn      time.Duration   // between check-ins when nothing happens; 0 is a minute
	Silent       time.Duration   // after which a quiet device counts as silent; 0 is a day
	Content      Content         // the files that agents install from
	Feeds        Feeds           // what the world publishes of software; the zero value gets none
	AgentLimits  agentapi.Limits // how much the agents' side takes on at a time; zeros are the defaults
	Now          func() time.Time
	Log          *slog.Logger
	// Around stands around each effect of the server: commits, answers, notices, key files.
	// Tests end the server there; nil is for everybody else.
	Around effect.Around
}

// Server is a running installation.
type Server struct {
	Options
	Store     *store.Store
	Access    *access.Access
	Authority *ca.Authority
	Engine    *engine.Engine
	Documents *documents.Documents
	Shelf     *content.Shelf
	Keeper    *feeds.Keeper
	book      knowledge.Book // what the feeds say together
	recalls   atomic.Pointer[assess.Recalls]
	events    *bus.Bus
	index     *fleet.Index
	Peers     *peers.Peers // the other servers on the same database; nil where there can be none

	people, agents   *http.Server
	agentAPI         *agentapi.API
	peopleL, agentsL net.Listener
	agentsTLS        net.Listener // agentsL behind its door
	tickets          *tls.Config  // of agentsTLS
	catalog          atomic.Pointer[content.Index]
	replaced         chan error // the key is no longer believed
	stop             context.CancelFunc
	running          sync.WaitGroup
}

// New opens the database and the listeners. Nothing is answered before Run.
func New(ctx context.Context, o Options) (*Server, error) {
	s := &Server{Options: withDefaults(o), replaced: make(chan error, 1)}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if s.Store, s.Authority, err = openAll(ctx, s.Data, s.Database, s.Now(), s.Around); err != nil {
		return err
	}
	if err := s.Store.MSP(store.Who{ID: "system"}).NoteProgram(ctx, s.Version); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.build(ctx); err != nil {
		return err
	}
	s.Store.Unsure = s.unsure
	return s.Engine.Load(ctx)
}

// unsure drops what is remembered, and looks at everything: a person changed something, was
// told that it went wrong, and it may have been committed all the same.
func (s *Server) unsure() {
	s.cutOff()
	s.Engine.DueAll()
}

func withDefaults(o Options) Options {
	o.Database = backup.DatabaseIn(o.Data, o.Database)
	if o.CheckIn == 0 {
		o.CheckIn = time.Minute
	}
	if o.Silent == 0 {
		o.Silent = 24 * time.Hour
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// listen takes both addresses, so that a mistake in one is told before anything runs.
func (s *Server) listen() (err error) {
	if s.peopleL, err = net.Listen("tcp", s.Listen); err != nil {
		return fmt.Errorf("listening for people: %w", err)
	}
	if s.agentsL, err = net.Listen("tcp", s.AgentListen); err != nil {
		return fmt.Errorf("listening for agents: %w", err)
	}
	if s.PublicURL == "" {
		s.PublicURL = address(s.Certificate.scheme(s.Listen), s.peopleL.Addr(), s.Listen)
	}
	if s.AgentURL == "" {
		s.AgentURL = address("https", s.agentsL.Addr(), s.AgentListen)
	}
	return nil
}

// address is a URL for a listener: by the host's name where it listens on all addresses.
func address(scheme string, at net.Addr, listen string) string {
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(at.String())
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// build makes the parts from the inside out.
func (s *Server) build(ctx context.Context) (err error) {
	var secret [32]byte
	copy(secret[:], s.Authority.Secret())
	s.Access, err = access.New(s.Store, access.Options{Now: s.Now, Secret: secret, BeyondLoopback: s.beyondLoopback(),
		TrustedProxies: s.Proxies, Installation: s.Installation})
	if err != nil {
		return err
	}
	names, err := support.BuiltIn()
	if err != nil {
		return err
	}
	purposes, err := purpose.BuiltIn()
	if err != nil {
		return err
	}
	events, index := bus.New(), fleet.New(s.Silent)
	s.meet()
	s.index, s.events = index, events
	s.Engine = engine.New(engine.Options{Store: s.Store, Index: index, Knowledge: s.book.Current, Recalls: s.recalls.Load, Names: names, Purposes: purposes, Bus: events, Key: s.Authority.OrdersKey(), Silent: s.Silent,
		Gone: func(agent string) { s.agentAPI.Forget(agent) }, Tell: s.Peers.Tell, Period: s.Peers.Period, Now: s.Now, Log: s.Log})
	s.Documents, err = documents.Open(ctx, documents.Options{Store: s.Store, Key: s.Authority.OrdersKey(), Authority: s.Authority.Certificate.Raw,
		Addresses: append([]string{s.AgentURL}, s.AlsoAt...), Changed: s.republished, Replaced: s.keyReplaced,
		Packages: s.SetCatalog, Now: s.Now, Log: s.Log})
	if err != nil {
		return err
	}
	s.Engine.Approvals = s.Documents.Approvals
	if err := s.openContent(ctx); err != nil {
		return err
	}
	if err := s.openFeeds(); err != nil {
		return err
	}
	s.agentAPI = agentapi.New(agentapi.Options{Documents: s.Documents, Store: s.Store, Authority: s.Authority, Engine: s.Engine, AgentURL: s.AgentURL,
		Content: s.Shelf, Named: s.named, Tell: s.Peers.Tell, Period: s.Peers.Period, Next: s.CheckIn, Hold: 50 * time.Second, Limits: s.AgentLimits, Agents: index.Len, Now: s.Now, Log: s.Log})
	people, err := api.New(api.Options{Store: s.Store, Access: s.Access, Fleet: index, Agents: index, Engine: s.Engine, Events: events, Documents: s.Documents,
		Content: s.Shelf, Feeds: s.Keeper, Recalls: s.recalls.Load, Ends: fleet.Ends{Index: index, Products: func() *support.Products { return s.book.Current().Products() }}, FeedKeys: s.Feeds.Keys,
		Surveys:  &surveyor.Surveyor{Sources: s.sources, Now: s.Now, Log: s.Log},
		Software: index, Looked: fleet.Looked{Index: index, Speakers: func(release string) []string { return s.book.Current().Speakers(release) }, Feeds: s.Keeper.Status},
		Console: s.Console, Log: s.Log, Now: s.Now, Version: s.Version, Installation: s.Installation,
		AgentURL: s.AgentURL, Pin: s.Authority.Pin(), Origins: []string{s.PublicURL}})
	if err != nil {
		return err
	}
	s.people = s.httpServer(people)
	s.agents = s.httpServer(s.agentAPI.Handler())
	if s.people.TLSConfig, err = s.Certificate.config(s); err != nil {
		return err
	}
	s.agentsTLS, err = s.agentDoor()
	return err
}

// httpServer bounds how long anybody may keep a connection busy. Streams of events move the
// end of writing themselves; agents wait for less than two minutes.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: answering(h, s.Around), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 2 * time.Minute,
		IdleTimeout:    3 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
}

// beyondLoopback reports whether others than this machine can reach the console.
func (s *Server) beyondLoopback() bool {
	if !loopback(s.peopleL.Addr().String()) {
		return true
	}
	u, err := url.Parse(s.PublicURL)
	return err != nil || !loopback(u.Hostname())
}

// loopback reports whether an address, with or without a port, is this machine's own.
func loopback(at string) bool {
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		host = at
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Addresses are those that the listeners got, where the options left the port open.
func (s *Server) Addresses() (console, agents net.Addr) { return s.peopleL.Addr(), s.agentsL.Addr() }

// Run answers until ctx ends or a listener fails. It then finishes what is under way.
func (s *Server) Run(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	failed := make(chan error, 2)
	s.run(func() { s.Peers.Run(ctx) })
	s.run(func() { s.hearOthers(ctx) })
	s.run(func() { s.Documents.Run(ctx) })
	s.run(func() { s.Shelf.Run(ctx) })
	s.run(func() { s.Keeper.Run(ctx) })
	s.run(func() { s.learn(ctx) })
	s.run(func() { s.Engine.Run(ctx) })
	s.run(func() { s.Engine.Daily(ctx, 10*time.Second) })
	s.run(func() { s.agentAPI.Run(ctx) })
	s.run(func() { s.keepTickets(ctx) })
	s.run(func() { failed <- s.serve(s.agents, s.agentsTLS) })
	s.run(func() { failed <- s.serve(s.people, s.peopleL) })
	s.Log.Info("listening", "console", s.PublicURL, "agents", s.AgentURL)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-s.replaced:
	}
	s.stop()
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, h := range []*http.Server{s.people, s.agents} {
		if h.Shutdown(grace) != nil {
			h.Close() // streams that stay open are cut
		}
	}
	s.running.Wait()
	return err
}

func (s *Server) run(f func()) { s.running.Go(f) }

func (s *Server) serve(h *http.Server, l net.Listener) error {
	var err error
	if h.TLSConfig == nil {
		err = h.Serve(l)
	} else {
		err = h.ServeTLS(l, "", "")
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close releases everything. Call it after Run has returned.
func (s *Server) Close() error { return s.close() }

func (s *Server) close() error {
	var errs []error
	for _, l := range []net.Listener{s.peopleL, s.agentsL} {
		if l != nil {
			l.Close() // closed already after Run
		}
	}
	if s.Store != nil {
		errs = append(errs, s.Store.Close())
	}
	return errors.Join(errs...)
}
