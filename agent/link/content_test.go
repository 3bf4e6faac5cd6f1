package link

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFilesComeWholeOrFromAByteOn(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	l := newLink(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/agent/v1/content/"+hash || r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s %v", r.URL.Path, r.Header)
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789"))
	})
	for from, want := range map[int64]string{0: "0123456789", 1: "123456789", 9: "9"} {
		p, err := l.Content(context.Background(), hash, from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(p.Body)
		if p.Body.Close(); err != nil || string(got) != want || p.From != from || p.Size != 10 {
			t.Errorf("from %d: %q, %+v, %v", from, got, p, err)
		}
	}
	if _, err := l.Content(context.Background(), hash, 11); !errors.Is(err, ErrShorter) {
		t.Error(err)
	}
}

func TestAnswersAboutFilesMeanWhatTheySay(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error // nil is any
	}{
		"none":     {http.NotFound, ErrNoFile},
		"shut out": {status403, ErrRefused},
		"busy":     {retryAfter("7"), Overload{7 * time.Second}},
		"broken":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, nil},
		"led elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.test/", http.StatusFound)
		}, nil},
		"another part":    {part206("bytes 1-9/10"), nil},
		"an unnamed part": {part206(""), nil},
		"a part of none":  {part206("bytes */10"), nil},
		"of no length":    {func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.Write([]byte("x")) }, nil},
		"packed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte("x"))
		}, nil},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil},
	} {
		p, err := newLink(t, c.answer).Content(context.Background(), strings.Repeat("0", 64), 5)
		if err == nil || p.Body != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func part206(header string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", header)
		w.WriteHeader(http.StatusPartialContent)
		w.Write([]byte("x"))
	}
}

func FuzzParseContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-1/2", "bytes 5-9/*", "bytes */7", "bytes 9-1/2", "", "bytes 1-99999999999999999999/2", "bytes -1-2/3", "bytes +1-2/3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		from, size, err := ParseContentRange(s)
		if err == nil && (from < 0 || from >= size) {
			t.Errorf("%q: from %d of %d", s, from, size)
		}
	})
}
