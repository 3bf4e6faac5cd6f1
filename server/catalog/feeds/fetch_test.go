package feeds

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// publisher is a server that has a feed, and does with it what a test wants.
type publisher struct {
	*httptest.Server

	mu    sync.Mutex
	text  string
	etag  string
	does  func(w http.ResponseWriter, r *http.Request, n int) bool // false has the feed itself
	asked []*http.Request
}

func newPublisher(t testing.TB, text string) *publisher {
	p := &publisher{text: text, etag: `"1"`}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(p.answer))
	p.Config.ErrorLog = nil
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) answer(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r)
	n, does := len(p.asked), p.does
	p.mu.Unlock()
	if does != nil && does(w, r, n) {
		return
	}
	p.mu.Lock()
	text, etag := p.text, p.etag
	p.mu.Unlock()
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
}

// has has the publisher publish another text.
func (p *publisher) has(text, etag string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.etag = text, etag
}

// begin is a world that gets a feed from there.
func (p *publisher) begin(t testing.TB) *world {
	w := newWorld(t)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	w.options.Roots, w.options.Allow = roots, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{p.URL + "/feed.txt?key=secret"}, Every: time.Hour}}
	w.begin()
	return w
}

// attempt looks for the feed once, as the loop does.
func (w *world) attempt() Status {
	w.keeper.attempt(context.Background(), w.keeper.all["one"])
	return w.keeper.Status()[0]
}

func TestAFeedThatIsUnchangedIsNotSentAgain(t *testing.T) {
	p := newPublisher(t, text(0, 100, "a"))
	w := p.begin(t)
	if s := w.attempt(); s.Standing(w.time()) != Fresh || s.Current.Records != 100 || s.Generation != 1 {
		t.Fatalf("%+v %+v", s, s.Trouble)
	}
	w.pass(time.Hour)
	s := w.attempt()
	if s.Generation != 1 || !s.CheckedAt.Equal(w.time()) || !s.FreshAt.Equal(w.time()) || !s.Current.FetchedAt.Equal(w.time().Add(-time.Hour)) {
		t.Errorf("%+v", s)
	}
	if got := p.asked[1].Header.Get("If-None-Match"); got != `"1"` {
		t.Errorf("it was asked for with %q", got)
	}
	p.has(text(0, 101, "a"), `"2"`)
	if s := w.attempt(); s.Generation != 2 || s.Current.Change.Added != 1 || s.Current.Change.Before != 100 {
		t.Errorf("%+v", s.Current)
	}
}

// Whatever a publisher does wrong, what held before holds, the reason is told without what may
// be a secret, and once it is mended the feed comes.
func TestWhatAPublisherDoesWrong(t *testing.T) {
	first, second := text(0, 100, "a"), text(0, 120, "a")
	says := func(code int, header ...string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			return true
		}
	}
	sends := func(body string, header ...string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.Write([]byte(body))
			return true
		}
	}
	for _, c := range []struct {
		what string
		does func(http.ResponseWriter, *http.Request, int) bool
		why  string
	}{
		{"is broken", says(500), "500"},
		{"is busy", says(429, "Retry-After", "7200"), "429"},
		{"is away", says(503), "503"},
		{"wants a password", says(401), "401"},
		{"has it no more", says(404), "not there"},
		{"has nothing", sends(""), "empty"},
		{"sends a page of the web", sends("<html>log in</html>"), "breaks off"},
		{"sends half of it as if it were all", sends(second[:700]), "breaks off"},
		{"says that it is longer", sends(second[:700], "Content-Length", "900"), "broke off"},
		{"sends it packed", sends(second, "Content-Encoding", "gzip"), "another form"},
		{"sends too much", sends(strings.Repeat("ID a\n", 1<<19)), "larger than"},
		{"leads on to plain http", says(302, "Location", "http://127.0.0.1:1/feed.txt?token=secret"), "not https"},
		{"leads on to a password", says(302, "Location", "https://a:secret@127.0.0.1:1/feed.txt"), "password"},
		{"leads in a circle", says(302, "Location", "/feed.txt?key=secret"), "leads on more than 5"},
		{"leads into the network", says(302, "Location", "https://10.0.0.1/feed.txt?key=secret"), "not on the internet"},
		{"says unchanged of what is not here", func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Header.Get("If-None-Match") == "" {
				w.WriteHeader(304)
				return true
			}
			return false
		}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := newPublisher(t, first)
			w := p.begin(t)
			w.options.Feeds[0].Most = 1 << 20
			w.begin()
			w.attempt()
			p.has(second, `"2"`)
			p.does = c.does
			w.pass(time.Hour)
			s := w.attempt()
			if c.why != "" && (s.Trouble == nil || !strings.Contains(s.Trouble.Text, c.why) || strings.Contains(s.Trouble.Text, "secret") || s.Generation != 1 || w.reads("one") != first) {
				t.Errorf("%+v of generation %d", s.Trouble, s.Generation)
			}
			p.does = nil
			w.pass(time.Minute)
			if s := w.attempt(); s.Trouble != nil || w.reads("one") != second {
				t.Errorf("mended: %+v", s.Trouble)
			}
			w.unfinished(t)
		})
	}
}

// unfinished holds that nothing is left but what is named.
func (w *world) unfinished(t testing.TB) {
	t.Helper()
	ok(t, filepath.WalkDir(w.options.Path, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && (strings.Contains(path, "/part/") || strings.HasPrefix(e.Name(), newFile)) {
			t.Errorf("%s is left", path)
		}
		return err
	}))
}

func TestAPublisherThatWantsToBeLeftAloneIs(t *testing.T) {
	p := newPublisher(t, text(0, 10, "a"))
	p.does = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(429)
		return true
	}
	w := p.begin(t)
	if s := w.attempt(); !s.Next.Equal(w.time().Add(2 * time.Hour)) {
		t.Errorf("it is asked again at %v", s.Next)
	}
}

// A connection that is cut again and again still brings the feed, each byte once.
func TestWhatBreaksOffIsGoneOnWith(t *testing.T) {
	p := newPublisher(t, text(0, 5000, "a"))
	p.does = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n < 4 {
			cutAfter(w, r, p, 9000)
			return true
		}
		return false
	}
	w := p.begin(t)
	if s := w.attempt(); s.Trouble != nil || w.reads("one") != p.text {
		t.Fatalf("%+v", s.Trouble)
	}
	for i, r := range p.asked {
		if got := r.Header.Get("Range"); (got != "") != (i > 0) || i > 0 && r.Header.Get("If-Range") != `"1"` {
			t.Errorf("question %d: %q if %q", i, got, r.Header.Get("If-Range"))
		}
	}
	w.unfinished(t)
}

// cutAfter sends so many bytes of what was asked for, and cuts the connection.
func cutAfter(w http.ResponseWriter, r *http.Request, p *publisher, n int) {
	from := 0
	if rng := r.Header.Get("Range"); rng != "" {
		fmt.Sscanf(rng, "bytes=%d-", &from)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(p.text)-1, len(p.text)))
	}
	w.Header().Set("ETag", p.etag)
	w.Header().Set("Content-Length", fmt.Sprint(len(p.text)-from))
	if from > 0 {
		w.WriteHeader(206)
	}
	w.Write([]byte(p.text[from:min(from+n, len(p.text))]))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// A feed that changes while it is got is got anew: no two versions are put together.
func TestNoTwoVersionsArePutTogether(t *testing.T) {
	old, new := text(0, 5000, "a"), text(0, 5000, "b")
	for _, answers := range []string{"all of it", "a part under another mark", "a part that is not the one"} {
		p := newPublisher(t, old)
		p.does = func(w http.ResponseWriter, r *http.Request, n int) bool {
			switch {
			case n == 1:
				cutAfter(w, r, p, 9000)
			case n == 2:
				p.has(new, `"2"`)
				if answers == "all of it" {
					return false
				}
				from := 9000
				if answers == "a part that is not the one" {
					from = 8999
				} else {
					w.Header().Set("ETag", `"2"`)
				}
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(new)-1, len(new)))
				w.WriteHeader(206)
				w.Write([]byte(new[from:]))
			default:
				return false
			}
			return true
		}
		w := p.begin(t)
		if s := w.attempt(); s.Trouble != nil || w.reads("one") != new {
			t.Errorf("%s: %+v", answers, s.Trouble)
		}
	}
}

// A feed without any mark is never gone on with.
func TestWithoutAMarkItIsGotAnew(t *testing.T) {
	p := newPublisher(t, text(0, 5000, "a"))
	p.has(p.text, "")
	p.does = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			cutAfter(w, r, p, 9000)
		}
		return false
	}
	w := p.begin(t)
	if s := w.attempt(); s.Trouble != nil || p.asked[1].Header.Get("Range") != "" {
		t.Errorf("%+v, asked for %q", s.Trouble, p.asked[1].Header.Get("Range"))
	}
}

func TestOnlyTheInternetIsReached(t *testing.T) {
	p := newPublisher(t, text(0, 10, "a"))
	w := p.begin(t)
	w.options.Allow = nil
	w.begin()
	if s := w.attempt(); s.Trouble == nil || !strings.Contains(s.Trouble.Text, "not on the internet") || len(p.asked) > 0 {
		t.Errorf("%+v", s.Trouble)
	}
}

func TestAMonthThatHasJustBegunMayBeMissing(t *testing.T) {
	p := newPublisher(t, "")
	p.does = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.Path == "/2026-Mar" {
			w.WriteHeader(404)
		} else {
			fmt.Fprintf(w, "%s a\nend\n", r.URL.Path)
		}
		return true
	}
	w := p.begin(t)
	w.options.Feeds[0].From = []string{p.URL + "/{month:2025-11}"}
	w.begin()
	if s := w.attempt(); s.Trouble != nil || s.Current.Records != 4 {
		t.Errorf("%+v", s.Trouble)
	}
	w.pass(31 * 24 * time.Hour) // now March may not be missing any more
	if s := w.attempt(); s.Trouble == nil || s.Current.Records != 4 {
		t.Errorf("%+v", s.Trouble)
	}
}
