package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// errProxy does not repeat the address, which may hold a password.
var errProxy = errors.New("the proxy's address in HTTPS_PROXY cannot be read: " +
	"it should look like http://proxy.example:3128, and a password's special characters be written as %XX")

// Proxy is the proxy that the environment names for a request. An address that cannot be
// read is an error: going without the proxy, as is the custom, is not what was asked for.
func Proxy(req *http.Request) (*url.URL, error) {
	if !readable(cmp.Or(os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy"))) {
		return nil, errProxy
	}
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errProxy
	}
	if u != nil && u.Scheme == "https" {
		return nil, fmt.Errorf("the proxy in HTTPS_PROXY, %s, is to be reached by https, which this agent does not do: "+
			"write http://, for what goes through it is encrypted from this machine to the server", u.Host)
	}
	return u, nil
}

// readable reports whether a proxy's address, if there is one, is one. It may lack http://.
func readable(address string) bool {
	if address == "" {
		return true
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	return err == nil && u.Host != ""
}

// ProxyAnswered turns a proxy's refusal to connect to the server into words. The proxy's own
// are left out: it may say anything, also back what it was told.
func ProxyAnswered(_ context.Context, proxy *url.URL, req *http.Request, res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return fmt.Errorf("the proxy %s wants another name and password than it was given: "+
			"write them into HTTPS_PROXY, as in http://name:password@%s", proxy.Host, proxy.Host)
	}
	return fmt.Errorf("the proxy %s does not connect this machine to %s: it answered %d %s",
		proxy.Host, req.Host, res.StatusCode, http.StatusText(res.StatusCode))
}

// Explain says in words what the failure of a connection most likely means, where the one in
// the error would not tell.
func Explain(err error) error {
	if err != nil && strings.Contains(err.Error(), "tls: ") && strings.Contains(err.Error(), "protocol version") {
		return fmt.Errorf("something between this machine and the server answers with an older TLS than the server speaks: "+
			"let connections to the server's address for agents pass without being opened: %w", err)
	}
	return err
}
