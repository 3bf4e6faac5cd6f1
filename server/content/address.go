package content

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A server that fetches what people name must not become their way into the network that it
// stands in. So the address is looked at where the connection is made, after names were
// resolved and for each redirection, and only what is anybody's on the internet is reached.

// redirects are followed so often.
const redirects = 5

// internal are networks that are not anybody's on the internet, or that carry addresses of
// such ones.
func internal() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
		"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// reachable reports whether fetching may reach an address.
func (s *Shelf) reachable(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	return a.IsValid() && (slices.ContainsFunc(s.Allow, in) || !slices.ContainsFunc(internal(), in))
}

// checkURL reads an address to be fetched from.
func (s *Shelf) checkURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || len(text) > 4000:
		return nil, refuse(ErrAddress, "The address must be like https://example.org/setup.msi.")
	case u.User != nil:
		return nil, refuse(ErrAddress, "The address holds a name or password: fetch the file yourself, and send it.")
	case u.Scheme == "https", u.Scheme == "http" && s.mayPlain(u.Hostname()):
		return u, nil
	}
	return nil, refuse(ErrAddress, "Files are fetched over https only.")
}

// mayPlain reports whether a host is this machine, and allowed.
func (s *Shelf) mayPlain(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() && s.reachable(a)
}

// shownURL is an address without what may be a secret in it.
func shownURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// nameIn is the name of the file that an address names.
func nameIn(u *url.URL) string { return TidyName(path.Base(u.Path)) }

// client fetches. It goes by no proxy: one would resolve names by itself, behind our back.
func (s *Shelf) client() *http.Client {
	dialer := &net.Dialer{Timeout: 20 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !s.reachable(at.Addr()) {
			return refuse(ErrAddress, "The address leads into a network that is not on the internet. If it is meant, start the server with --content-allow.")
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: tlsConfig(s.Roots), TLSHandshakeTimeout: 20 * time.Second,
			ResponseHeaderTimeout: time.Minute, DisableCompression: true, MaxIdleConns: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > redirects {
				return refuse(ErrAddress, "The address leads on more than %d times.", redirects)
			}
			_, err := s.checkURL(r.URL.String())
			return err
		},
	}
}

// contentRange reads where an answer with a part of a file begins, and how large the whole
// is; -1 where it does not say.
func contentRange(header string) (from, whole int64, err error) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	part, total, cut := strings.Cut(rest, "/")
	first, last, dash := strings.Cut(part, "-")
	if !ok || !cut || !dash {
		return 0, 0, fmt.Errorf("the part it sent is not named in a way that can be read")
	}
	from, to := number(first), number(last)
	if whole = number(total); total == "*" {
		whole = -1
	}
	if from < 0 || to < from || whole >= 0 && to >= whole || whole < 0 && total != "*" {
		return 0, 0, fmt.Errorf("the part it sent is not named in a way that can be read")
	}
	return from, whole, nil
}

// number reads digits and nothing else; -1 is no number.
func number(text string) (n int64) {
	if text == "" || len(text) > 18 {
		return -1
	}
	for _, r := range text {
		if r < '0' || r > '9' {
			return -1
		}
		n = n*10 + int64(r-'0')
	}
	return n
}
