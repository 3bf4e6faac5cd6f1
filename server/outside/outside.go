// Package outside is how the server gets what lies on the internet, at addresses that people
// name.
//
// The one idea: a server that fetches must not become a way into the network that it stands
// in. So the address is looked at where the connection is made, after names were resolved and
// for each redirection, and only what is anybody's on the internet is reached.
package outside

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Redirects are followed so often.
const Redirects = 5

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

// Reachable reports whether an address may be reached: it is anybody's on the internet, or of
// one of the networks that are allowed.
func Reachable(a netip.Addr, allow []netip.Prefix) bool {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	return a.IsValid() && (slices.ContainsFunc(allow, in) || !slices.ContainsFunc(internal(), in))
}

// Options say what a client may do.
type Options struct {
	Allow  []netip.Prefix // networks that are nobody's on the internet, and may be reached
	Roots  *x509.CertPool // whom it believes; nil are the system's
	Inside error          // told where an address leads into a network that is not on the internet
	Often  error          // told where one leads on too often
	// Follow looks at the address of a redirection, and at the first one of the same request.
	Follow func(to, first *url.URL) error
}

// Client makes one that goes by no proxy: a proxy would resolve names by itself, behind our
// back.
func Client(o Options) *http.Client {
	dialer := &net.Dialer{Timeout: 20 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !Reachable(at.Addr(), o.Allow) {
			return o.Inside
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 20 * time.Second, ResponseHeaderTimeout: time.Minute, DisableCompression: true, MaxIdleConns: 4,
			IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > Redirects {
				return o.Often
			}
			return o.Follow(r.URL, via[0].URL)
		},
	}
}

// Shown is an address without what may be a secret in it.
func Shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Reason is an error without the address that a client repeats in it, which may hold a secret.
func Reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Range reads where an answer with a part of a file begins, and how large the whole is; -1
// where it does not say.
func Range(header string) (from, whole int64, err error) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	part, total, cut := strings.Cut(rest, "/")
	first, last, dash := strings.Cut(part, "-")
	if !ok || !cut || !dash {
		return 0, 0, errRange
	}
	from, to := number(first), number(last)
	if whole = number(total); total == "*" {
		whole = -1
	}
	if from < 0 || to < from || whole >= 0 && to >= whole || whole < 0 && total != "*" {
		return 0, 0, errRange
	}
	return from, whole, nil
}

var errRange = errors.New("the part it sent is not named in a way that can be read")

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
