package link

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"patchbay/wire"
)

func newLink(t *testing.T, handler http.HandlerFunc) *Link {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	l, err := New(server.URL+"/", &tls.Config{RootCAs: config.RootCAs}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func reply(w http.ResponseWriter) {
	json.NewEncoder(w).Encode(wire.Reply{Version: 1, Time: time.Unix(1e9, 0)})
}

func TestHeadersAreFew(t *testing.T) {
	l := newLink(t, func(w http.ResponseWriter, r *http.Request) {
		text, err := httputil.DumpRequest(r, false)
		if err != nil || len(text) > 200 {
			t.Errorf("%d bytes of headers, %v: %s", len(text), err, text)
		}
		reply(w)
	})
	if _, err := l.CheckIn(context.Background(), wire.CheckIn{Version: 1}); err != nil {
		t.Error(err)
	}
}

func TestLargeCheckInIsCompressed(t *testing.T) {
	long := strings.Repeat("abc", squeeze)
	l := newLink(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Encoding") != "gzip" || r.ContentLength > squeeze {
			t.Errorf("%s, %d bytes", r.Header.Get("Content-Encoding"), r.ContentLength)
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		var c wire.CheckIn
		if err := json.NewDecoder(z).Decode(&c); err != nil || c.Build != long {
			t.Errorf("arrived otherwise: %v", err)
		}
		reply(w)
	})
	if _, err := l.CheckIn(context.Background(), wire.CheckIn{Build: long}); err != nil {
		t.Error(err)
	}
}

func TestAnswersMeanWhatTheySay(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    func(error) bool
	}{
		"revoked":   {status403, func(err error) bool { return errors.Is(err, ErrRefused) }},
		"unknown":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, func(err error) bool { return errors.Is(err, ErrRefused) }},
		"overload":  {retryAfter("30"), func(err error) bool { return errors.Is(err, Overload{30 * time.Second}) }},
		"for years": {retryAfter("999999999"), func(err error) bool { return errors.Is(err, Overload{time.Hour}) }},
		"odd time":  {retryAfter("-1"), func(err error) bool { return err != nil && !errors.As(err, new(Overload)) }},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
		},
			func(err error) bool { return err != nil && strings.Contains(err.Error(), "307") }},
		"problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			io.WriteString(w, `{"detail":"Too\nold."}`)
		},
			func(err error) bool { return err != nil && strings.HasSuffix(err.Error(), "400 Bad Request: Too old.") }},
		"page":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>log in</html>") }, func(err error) bool { return err != nil }},
		"other":   {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }, func(err error) bool { return err != nil }},
		"endless": {endless, func(err error) bool { return err != nil && strings.Contains(err.Error(), "larger") }},
	} {
		if _, err := newLink(t, c.handler).CheckIn(context.Background(), wire.CheckIn{}); !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func status403(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }

func retryAfter(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", s)
		w.WriteHeader(503)
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for range wire.MaxReply/1000 + 2 {
		io.WriteString(w, strings.Repeat(" ", 1000))
	}
}

func TestCallsAreTold(t *testing.T) {
	for status, want := range map[int]struct {
		call bool
		err  error
	}{200: {true, nil}, 204: {false, nil}, 404: {false, ErrNoWake}, 403: {false, ErrRefused}} {
		l := newLink(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if call, err := l.Wake(context.Background()); call != want.call || !errors.Is(err, want.err) {
			t.Errorf("%d: %v, %v", status, call, err)
		}
	}
}

func TestOnlyHTTPS(t *testing.T) {
	for _, url := range []string{"http://a.example", "a.example", "", "https://", "://"} {
		if _, err := New(url, nil, nil); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}
