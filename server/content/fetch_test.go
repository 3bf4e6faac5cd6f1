package content

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"patchbay/server/outside"
)

// maker is another server that has a file, and does with it what a test wants.
type maker struct {
	data   []byte
	serve  atomic.Pointer[http.HandlerFunc] // nil has the file, in parts where it is asked so
	asked  atomic.Int64
	ranges sync.Map // Range headers by the number of the question
	server *httptest.Server
}

func newMaker(t testing.TB, data []byte) *maker {
	m := &maker{data: data}
	m.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := m.asked.Add(1)
		m.ranges.Store(n, r.Header.Get("Range"))
		if h := m.serve.Load(); h != nil {
			(*h)(w, r)
			return
		}
		m.whole(w, r)
	}))
	m.server.Config.ErrorLog = nil
	t.Cleanup(m.server.Close)
	return m
}

func (m *maker) whole(w http.ResponseWriter, r *http.Request) {
	from := m.from(r)
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(m.data)-1, len(m.data)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(m.data)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(m.data[from:])
}

func (m *maker) from(r *http.Request) int {
	var from int
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	return min(from, len(m.data))
}

func (m *maker) does(h http.HandlerFunc) { m.serve.Store(&h) }

// fetching is a world whose shelf fetches and believes the maker.
func fetching(t testing.TB, m *maker) *world {
	w := newWorld(t)
	w.options.Roots = x509.NewCertPool()
	w.options.Roots.AddCert(m.server.Certificate())
	w.options.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	w.begin()
	return w
}

// run runs the shelf until the fetch has ended.
func (w *world) run() Fetch {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		w.shelf.Run(ctx)
	}()
	defer func() {
		stop()
		<-over
	}()
	for range 3000 {
		if all := w.shelf.Fetches(); len(all) > 0 && all[0].EndedAt != nil {
			return all[0]
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("the fetch does not end: %+v", w.shelf.Fetches())
	return Fetch{}
}

func (w *world) ask(f File, address string) {
	w.t.Helper()
	_, err := w.shelf.Fetch(ann, f, address)
	ok(w.t, err)
}

func TestAServerFetchesWhatItIsAsked(t *testing.T) {
	data := noise(1, 3*chunk)
	for name, size := range map[string]int64{"size named": int64(len(data)), "size not named": 0} {
		t.Run(name, func(t *testing.T) {
			m := newMaker(t, data)
			w := fetching(t, m)
			w.ask(File{SHA256: hashOf(data), Size: size}, m.server.URL+"/dl/Setup%20x64.exe?token=s3cret")
			got := w.run()
			if got.State != FetchDone || got.Received != int64(len(data)) || got.Name != "Setup x64.exe" || strings.Contains(got.Address, "s3cret") {
				t.Errorf("%+v", got)
			}
			e, err := w.shelf.Show(t.Context(), hashOf(data))
			if ok(t, err); !w.holds(data) || e.AddedBy != ann.ID || e.Source != m.server.URL+"/dl/Setup%20x64.exe" {
				t.Errorf("%+v", e)
			}
			w.lawful()
		})
	}
}

// It breaks off after every part, and the server ends in between: in the end the file is
// there, and no byte was asked for that had come before.
func TestAFetchGoesOnWhereItBrokeOff(t *testing.T) {
	data := noise(1, 5*chunk+17)
	m := newMaker(t, data)
	m.does(func(w http.ResponseWriter, r *http.Request) {
		from := m.from(r)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(data[from:min(len(data), from+chunk+1)])
		w.(http.Flusher).Flush()
		if from+chunk+1 < len(data) {
			panic(http.ErrAbortHandler)
		}
	})
	w := fetching(t, m)
	w.ask(fileOf(data, ""), m.server.URL+"/a.msi")
	if got := w.run(); got.State != FetchDone || !w.holds(data) {
		t.Fatalf("%+v", got)
	}
	for n := int64(2); n <= m.asked.Load(); n++ {
		if r, _ := m.ranges.Load(n); r == "" || r == "bytes=0-" {
			t.Errorf("question %d asked for all of it: %q", n, r)
		}
	}
	w.lawful()
}

func TestAFetchGoesOnAfterARestart(t *testing.T) {
	data := noise(1, 4*chunk)
	for name, begun := range map[string][]byte{"a part": data[:chunk], "all of it": data, "more than it": append(append([]byte{}, data...), 'x'),
		"another file": noise(2, chunk)} {
		for _, size := range []int64{0, int64(len(data))} {
			t.Run(name, func(t *testing.T) {
				m := newMaker(t, data)
				m.does(func(w http.ResponseWriter, r *http.Request) {
					http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(data)))
				})
				w := fetching(t, m)
				ok(t, os.WriteFile(w.shelf.part("fetch-"+hashOf(data)), begun, 0o600))
				w.begin()
				w.ask(File{SHA256: hashOf(data), Size: size}, m.server.URL+"/a.msi")
				if got := w.run(); got.State != FetchDone || !w.holds(data) || w.left() != 0 {
					t.Errorf("%+v, %d left", got, w.left())
				}
				w.lawful()
			})
		}
	}
}

// Whatever the other server does: what it sends is kept only where it is the file, and the
// fetch says in a sentence why not.
func TestNothingElseIsKeptOfWhatAnotherServerSends(t *testing.T) {
	data := noise(1, 2*chunk)
	flipped := append([]byte{}, data...)
	flipped[chunk] ^= 1
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(data) }))
	t.Cleanup(open.Close)
	elsewhere := strings.Replace(open.URL, "127.0.0.1", "localhost", 1) // has the very file, over plain http
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		size int64
	}{
		"another file": {func(w http.ResponseWriter, r *http.Request) { w.Write(flipped) }, 0},
		"too much":     {func(w http.ResponseWriter, r *http.Request) { w.Write(append(data, 'x')) }, int64(len(data))},
		"no end": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(data); err != nil {
					return
				}
			}
		}, int64(len(data))},
		"less":      {func(w http.ResponseWriter, r *http.Request) { w.Write(data[:chunk]) }, 0},
		"nothing":   {func(w http.ResponseWriter, r *http.Request) {}, 0},
		"not there": {http.NotFound, 0},
		"broken":    {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "x", 500) }, 0},
		"packed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(data)
		}, 0},
		"part unasked": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", len(data)-1, len(data)))
			w.WriteHeader(206)
			w.Write(data[1:])
		}, 0},
		"part unnamed": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(206); w.Write(data) }, 0},
		"no part":      {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(416) }, 0},
		"larger than anything": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(largest+1))
			w.WriteHeader(200)
		}, 0},
		"round and round": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }, 0},
		"down to plain":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) }, 0},
		"to a file": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, 0},
		"to the inside": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://10.0.0.1/", http.StatusFound)
		}, 0},
		"hangs up": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMaker(t, data)
			m.does(c.h)
			w := fetching(t, m)
			w.ask(File{SHA256: hashOf(data), Size: c.size}, m.server.URL+"/a.msi")
			got := w.run()
			if got.State != FetchFailed || got.Error == "" || strings.ContainsAny(got.Error, "\n") || w.holds(data) {
				t.Errorf("%+v", got)
			}
			w.lawful()
			m.serve.Store(nil) // it is mended, and asked again
			w.ask(File{SHA256: hashOf(data), Size: c.size}, m.server.URL+"/a.msi")
			if got := w.run(); got.State != FetchDone || !w.holds(data) {
				t.Errorf("asked again: %+v", got)
			}
			w.lawful()
		})
	}
}

func TestFetchingFollowsAFewRedirections(t *testing.T) {
	data := noise(1, 100)
	m := newMaker(t, data)
	m.does(func(w http.ResponseWriter, r *http.Request) {
		if n := m.asked.Load(); n < outside.Redirects {
			http.Redirect(w, r, fmt.Sprint("/", n), http.StatusFound)
			return
		}
		m.whole(w, r)
	})
	w := fetching(t, m)
	w.ask(fileOf(data, ""), m.server.URL+"/a.msi")
	if got := w.run(); got.State != FetchDone {
		t.Errorf("%+v", got)
	}
}

// Without being allowed to, a server reaches nothing but the internet.
func TestAServerReachesNothingInside(t *testing.T) {
	data := noise(1, 100)
	m := newMaker(t, data)
	w := fetching(t, m)
	w.options.Allow = nil
	w.begin()
	port := m.server.URL[strings.LastIndex(m.server.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1.2.3"} {
		w.ask(fileOf(data, ""), "https://"+host+port+"/a.msi")
		if got := w.run(); got.State != FetchFailed || !strings.Contains(got.Error, "content-allow") && host != "localhost" {
			t.Errorf("%s: %+v", host, got)
		}
	}
	if n := m.asked.Load(); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
	for _, a := range []string{"10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "::1",
		"fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a::1", "ff02::1", "::10.0.0.1"} {
		if w.shelf.reachable(netip.MustParseAddr(a)) {
			t.Errorf("%s is reached", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "172.32.0.1", "2606:4700::1", "192.0.1.1"} {
		if !w.shelf.reachable(netip.MustParseAddr(a)) {
			t.Errorf("%s is not reached", a)
		}
	}
	for _, u := range []string{"", "a.msi", "http://example.org/a.msi", "http://127.0.0.1/a", "ftp://example.org/a", "file:///etc/passwd", "https:///a", "https:a",
		"https://me:secret@example.org/a", "HTTP://[::1]/", "https://" + strings.Repeat("a", 5000), "\x00"} {
		_, err := w.shelf.Fetch(ann, fileOf(data, ""), u)
		if w.refused(ErrAddress, err); strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
	_, err := w.shelf.Fetch(ann, File{SHA256: "x"}, "https://example.org/a")
	w.refused(ErrWrong, err)
}

func TestOneFileIsFetchedOnceAtATime(t *testing.T) {
	data := noise(1, 100)
	m := newMaker(t, data)
	w := fetching(t, m)
	for range 3 {
		w.ask(fileOf(data, ""), m.server.URL+"/a.msi")
	}
	if all := w.shelf.Fetches(); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	var err error
	for i := 0; err == nil && i < 2*fetchQueue; i++ {
		_, err = w.shelf.Fetch(ann, fileOf(noise(uint64(i+2), 10), ""), m.server.URL+"/a.msi")
	}
	w.refused(ErrBusy, err)
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://example.org/a", "http://127.0.0.1/", "https://a@b/", "https://[::1%25x]/", "//x"} {
		f.Add(s)
	}
	s := &Shelf{}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := s.checkURL(text)
		var r *Refusal
		switch {
		case err != nil && !errors.As(err, &r):
			t.Errorf("%q: %v", text, err)
		case err == nil && (u.Scheme != "https" || u.User != nil || u.Host == ""):
			t.Errorf("%q is taken as %v", text, u)
		case err == nil && nameIn(u) == "":
			t.Errorf("%q has no name", text)
		}
	})
}
