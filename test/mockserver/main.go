// Command mockserver serves the real API over an invented fleet, so that the console can be
// built and tried without a single device. Store, engine, index and API are the real ones;
// only the devices are made up: they check in, run what they are ordered and fail where
// their script says so, and go on doing it while the program runs.
//
//	go run ./test/mockserver                  3 customers, 40 devices, most verdicts
//	go run ./test/mockserver -devices 20000   the extremes
//	go run ./test/mockserver -empty           a fresh installation, somebody signed in
//	go run ./test/mockserver -setup           a fresh installation before its first administrator
//	go run ./test/mockserver -signin          as usual, but asks to sign in
//
// Everybody is signed in without asking, except with -signin and -setup. The address is
// http://127.0.0.1:8099, or -listen.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"patchbay/server/access"
	"patchbay/server/api"
	"patchbay/server/assess"
	"patchbay/server/bus"
	"patchbay/server/catalog/purpose"
	"patchbay/server/catalog/support"
	"patchbay/server/documents"
	"patchbay/server/engine"
	"patchbay/server/fleet"
	"patchbay/server/knowledge"
	"patchbay/server/store"
	"patchbay/server/surveyor"
)

// options are the command line.
type options struct {
	listen, console      string
	devices              int
	empty, setup, signin bool
}

// The person everybody is, and may sign in as.
const (
	email    = "mia@example.test"
	password = "four words make one"
)

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:8099", "address to listen on")
	flag.StringVar(&o.console, "console", "console/dist", "directory of the built console")
	flag.IntVar(&o.devices, "devices", 40, "how many devices")
	flag.BoolVar(&o.empty, "empty", false, "no customers and no devices")
	flag.BoolVar(&o.setup, "setup", false, "no administrator yet; prints the one-time link")
	flag.BoolVar(&o.signin, "signin", false, "ask to sign in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "patchbay-mock-")
	if err != nil {
		return fmt.Errorf("making a place for the database: %w", err)
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(ctx, "sqlite:"+filepath.Join(dir, "mock.db"))
	if err != nil {
		return err
	}
	defer w.store.Close()
	cookie := ""
	if o.setup {
		token, err := w.access.SetupToken(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("set up: http://%s/setup#%s\n", o.listen, token)
	} else if cookie, err = w.populate(ctx, o); err != nil {
		return err
	}
	var console fs.FS
	if _, err := os.Stat(o.console); err == nil {
		console = os.DirFS(o.console)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	held, err := documents.Open(ctx, documents.Options{Store: w.store, Key: key, Addresses: []string{"https://patchbay.example.test:8443"},
		Now: time.Now, Log: slog.Default()})
	if err != nil {
		return err
	}
	if !o.setup && !o.empty {
		if err := w.news(ctx, time.Now()); err != nil {
			return err
		}
		if err := w.trust(ctx, held, key, time.Now()); err != nil {
			return err
		}
	}
	files, err := w.content(ctx, o.empty || o.setup)
	if err != nil {
		return err
	}
	defer os.RemoveAll(files.Path)
	known := newFeeds(time.Now(), o.empty || o.setup)
	server, err := api.New(api.Options{Documents: held, Content: files, Feeds: known, Recalls: w.recalled,
		Surveys:  &surveyor.Surveyor{Sources: func() []knowledge.Source { return w.sources }, Now: time.Now, Log: slog.Default()},
		Software: w.index, Looked: fleet.Looked{Index: w.index, Speakers: w.known.Speakers, Feeds: known.Status},
		Ends:  fleet.Ends{Index: w.index, Products: w.known.Products},
		Store: w.store, Access: w.access, Fleet: w.index, Agents: w.index, Engine: w.engine, Events: w.bus, Console: console,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now, Version: "mock", Installation: "Example MSP",
		AgentURL: "https://patchbay.example.test:8443", Pin: "00112233445566778899aabbccddeeff",
		Origins: []string{"http://localhost:5173", "http://127.0.0.1:5173"},
	})
	if err != nil {
		return err
	}
	go w.engine.Run(ctx)
	go w.live(ctx)
	handler := http.Handler(server)
	if !o.signin && !o.setup {
		handler = signedIn(server, cookie)
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { <-ctx.Done(); web.Close() }()
	fmt.Printf("serving %d devices at http://%s (sign in as %s with %q)\n", w.index.Len(), o.listen, email, password)
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// signedIn lends a session to every request that brings none.
func signedIn(next http.Handler, value string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(access.CookieName); err != nil && r.Header.Get("Authorization") == "" {
			r.AddCookie(&http.Cookie{Name: access.CookieName, Value: value})
		}
		next.ServeHTTP(w, r)
	})
}

// world is the server's parts, without the agents' side of it.
type world struct {
	store   *store.Store
	access  *access.Access
	index   *fleet.Index
	engine  *engine.Engine
	bus     *bus.Bus
	now     func() time.Time // in the invented past while the world is made
	devices []*device
	known   *knowledge.Snapshot
	sources []knowledge.Source
	by      store.Who
	recalls *assess.Recalls
}

func newWorld(ctx context.Context, url string) (*world, error) {
	w := &world{bus: bus.New(), now: time.Now, index: fleet.New(24 * time.Hour)}
	var err error
	if w.store, err = store.Open(ctx, url); err != nil {
		return nil, err
	}
	w.access, err = access.New(w.store, access.Options{
		Now: time.Now, Installation: "Example MSP", Passwords: access.Cost{Memory: 1024, Iterations: 1, AtOnce: 2},
	})
	if err != nil {
		return nil, err
	}
	key, err := signer()
	if err != nil {
		return nil, err
	}
	w.recalls = recalls(time.Now())
	if w.known, w.sources, err = learn(time.Now()); err != nil {
		return nil, err
	}
	names, err := support.BuiltIn()
	if err != nil {
		return nil, err
	}
	purposes, err := purpose.BuiltIn()
	if err != nil {
		return nil, err
	}
	w.engine = engine.New(engine.Options{
		Knowledge: func() *knowledge.Snapshot { return w.known }, Names: names, Purposes: purposes, Recalls: w.recalled,
		Store: w.store, Index: w.index, Bus: w.bus, Key: key, Silent: 24 * time.Hour,
		Now: func() time.Time { return w.now() }, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	return w, nil
}
