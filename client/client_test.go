package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(s.URL, "pbk_secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestListWalksThroughPages(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("after"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		var items []string
		for i := from; i < min(1200, from+min(limit, 500)); i++ {
			items = append(items, strconv.Itoa(i))
		}
		next := ""
		if end := from + len(items); end < 1200 {
			next = strconv.Itoa(end)
		}
		fmt.Fprintf(w, `{"items":[%s],"total":1200,"next":%q}`, strings.Join(items, ","), next)
	})
	for _, limit := range []int{0, 1, 500, 700, 5000} {
		p, err := List[int](t.Context(), c, "/x", url.Values{"q": {""}}, limit)
		want := 1200
		if limit > 0 {
			want = min(limit, want)
		}
		if err != nil || len(p.Items) != want || p.Total != 1200 || p.Items[want-1] != want-1 {
			t.Errorf("limit %d: %d rows, %v", limit, len(p.Items), err)
		}
	}
}

func TestRefusalsKeepTheServersSentence(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/page" {
			w.WriteHeader(502)
			w.Write([]byte("<html>bad gateway"))
			return
		}
		w.WriteHeader(422)
		w.Write([]byte(`{"type":"about:blank","status":422,"detail":"Say why.","errors":[{"location":"body.reason","message":"is empty"}]}`))
	})
	_, err := Get[int](t.Context(), c, "/x", nil)
	var p *Problem
	if !errors.As(err, &p) || p.Status != 422 || err.Error() != "Say why.\n  body.reason: is empty" {
		t.Errorf("got %v", err)
	}
	if _, err := Get[int](t.Context(), c, "/page", nil); !errors.As(err, &p) || p.Status != 502 {
		t.Errorf("a proxy's page: %v", err)
	}
}

func TestKeyStaysWithItsServer(t *testing.T) {
	seen := ""
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("Authorization") }))
	defer other.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if _, err := Get[int](t.Context(), c, "/x", nil); err == nil || seen != "" {
		t.Errorf("followed to another server with %q, %v", seen, err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, bad := range []string{"", "patchbay.example", "ftp://x", "https://", "://", "file:///etc/passwd"} {
		if _, err := New(bad, "", nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := New("https://x", "", []byte("no PEM")); err == nil {
		t.Error("an authority without a certificate is taken")
	}
}
