package link

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestProxysAddressIsReadOrRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"": true, "proxy.example:3128": true, "http://proxy.example": true, "http://a:b%20c@proxy.example:3128/": true, "socks5://proxy.example": true,
		"http://": false, "://": false, "http://a:b%zz@proxy.example": false, "http://a:b c@proxy.example": false, "http://proxy.example:port": false,
	} {
		if readable(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}

// FuzzProxyAnswered: whatever a proxy answers, nothing of it but the status is repeated, and
// nothing of the password it was given.
func FuzzProxyAnswered(f *testing.F) {
	f.Add(407, "secret")
	f.Add(200, "")
	f.Fuzz(func(t *testing.T, status int, text string) {
		proxy := &url.URL{Scheme: "http", Host: "proxy.example:3128", User: url.UserPassword("name-of-it", "secret-of-it")}
		req := httptest.NewRequest(http.MethodConnect, "https://patchbay.example:8421", nil)
		err := ProxyAnswered(context.Background(), proxy, req, &http.Response{StatusCode: status, Status: text + " secret-of-it"})
		if (err == nil) != (status == http.StatusOK) {
			t.Errorf("%d: %v", status, err)
		}
		if err != nil && (strings.Contains(err.Error(), "-of-it") || strings.ContainsAny(err.Error(), "\n\x1b")) {
			t.Errorf("%d: %q", status, err)
		}
	})
}

func TestOlderTLSIsExplained(t *testing.T) {
	for text, want := range map[string]bool{
		"remote error: tls: protocol version not supported":         true,
		"tls: server selected unsupported protocol version 303":     true,
		"dial tcp 127.0.0.1:1: connect: connection refused":         false,
		"the proxy wants another protocol version of this sentence": false,
	} {
		err := errors.New(text)
		if got := Explain(err); !errors.Is(got, err) || (got.Error() != text) != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if Explain(nil) != nil {
		t.Error("no failure is one")
	}
}
