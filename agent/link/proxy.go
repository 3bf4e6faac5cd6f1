package link

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Proxy is the proxy that the environment names for a request. What it names may hold a
// password, so an address that cannot be read is not repeated.
func Proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the proxy's address in HTTPS_PROXY cannot be read: " +
			"it should look like http://proxy.example:3128, and a password's special characters be written as %XX")
	}
	if u != nil && u.Scheme == "https" {
		return nil, fmt.Errorf("the proxy in HTTPS_PROXY, %s, is to be reached by https, which this agent does not do: "+
			"write http://, for what goes through it is encrypted from this machine to the server", u.Host)
	}
	return u, nil
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
