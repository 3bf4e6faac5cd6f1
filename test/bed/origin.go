package bed

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// Origin is a web server on the bridge that offers an archive. It can be stopped,
// made to fail, and asked what was fetched.
type Origin struct {
	archive *Archive
	address string // stays the same over Stop and Start

	mu      sync.Mutex
	server  *http.Server
	ended   chan struct{}
	meddle  func(http.ResponseWriter, *http.Request) bool
	fetched []string
}

// Serve offers the archive on the bed's bridge until t ends.
func (b *Bed) Serve(t T, a *Archive) *Origin {
	t.Helper()
	o := &Origin{archive: a, address: net.JoinHostPort(b.Address(), "0")}
	if err := o.Start(); err != nil {
		t.Fatalf("bed: %v", err)
	}
	t.Cleanup(o.Stop)
	return o
}

// URL is the archive's address, without a slash at the end.
func (o *Origin) URL() string { return "http://" + o.address }

// Start serves again after Stop, at the same address.
func (o *Origin) Start() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.server != nil {
		return nil
	}
	l, err := net.Listen("tcp", o.address)
	if err != nil {
		return fmt.Errorf("starting the origin: %w", err)
	}
	o.address = l.Addr().String()
	server, ended := &http.Server{Handler: http.HandlerFunc(o.serve), ReadHeaderTimeout: time.Minute}, make(chan struct{})
	o.server, o.ended = server, ended
	go func() {
		defer close(ended)
		_ = server.Serve(l) // ends when Stop closes it
	}()
	return nil
}

// Stop makes the origin unreachable: connections are refused, open ones cut.
func (o *Origin) Stop() {
	o.mu.Lock()
	server, ended := o.server, o.ended
	o.server = nil
	o.mu.Unlock()
	if server == nil {
		return
	}
	_ = server.Close()
	<-ended
}

// Fail answers every request with the status, until it is 0.
func (o *Origin) Fail(status int) {
	if status == 0 {
		o.Meddle(nil)
		return
	}
	o.Meddle(func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "the test bed was told to fail", status)
		return true
	})
}

// Meddle lets a test answer requests itself: f tells whether it did. Nil ends that.
func (o *Origin) Meddle(f func(http.ResponseWriter, *http.Request) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.meddle = f
}

// Fetched lists the paths asked for so far, the oldest first.
func (o *Origin) Fetched() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.fetched...)
}

func (o *Origin) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	meddle := o.meddle
	o.fetched = append(o.fetched, r.URL.Path)
	o.mu.Unlock()
	if meddle != nil && meddle(w, r) {
		return
	}
	http.FileServer(http.Dir(o.archive.web())).ServeHTTP(w, r)
}

const (
	sourcesFile = "/etc/apt/sources.list.d/bed.list"
	keyFile     = "/etc/apt/keyrings/bed.asc"
)

// Sources points the device's apt at suites of the origin, Stable and Security
// when none is named. It does not refresh the lists.
func (d *Device) Sources(o *Origin, suites ...string) error {
	if len(suites) == 0 {
		suites = []string{Stable, Security}
	}
	var lines strings.Builder
	for _, s := range suites {
		fmt.Fprintf(&lines, "deb [signed-by=%s] %s %s main\n", keyFile, o.URL(), s)
	}
	if err := d.PutFile(keyFile, o.archive.Key(), 0o644); err != nil {
		return err
	}
	return d.PutFile(sourcesFile, lines.String(), 0o644)
}

// ForgetLists empties apt's lists: a device that has never asked.
func (d *Device) ForgetLists(ctx context.Context) error {
	r, err := os.OpenRoot(d.Root())
	if err != nil {
		return err
	}
	defer r.Close()
	for _, p := range []string{"var/lib/apt/lists", "var/cache/apt"} {
		if err := r.RemoveAll(p); err != nil {
			return fmt.Errorf("emptying %s on %s: %w", path.Join("/", p), d.Name, err)
		}
		if err := r.MkdirAll(path.Join(p, "partial"), 0o755); err != nil {
			return err
		}
	}
	return ctx.Err()
}
