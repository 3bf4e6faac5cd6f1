package link

import (
	"errors"
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
	return u, nil
}
