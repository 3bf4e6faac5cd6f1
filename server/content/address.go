package content

import (
	"net/http"
	"net/netip"
	"net/url"
	"path"

	"patchbay/server/outside"
)

// reachable reports whether fetching may reach an address.
func (s *Shelf) reachable(a netip.Addr) bool { return outside.Reachable(a, s.Allow) }

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

// nameIn is the name of the file that an address names.
func nameIn(u *url.URL) string { return TidyName(path.Base(u.Path)) }

// client fetches.
func (s *Shelf) client() *http.Client {
	return outside.Client(outside.Options{Allow: s.Allow, Roots: s.Roots,
		Inside: refuse(ErrAddress, "The address leads into a network that is not on the internet. If it is meant, start the server with --content-allow."),
		Often:  refuse(ErrAddress, "The address leads on more than %d times.", outside.Redirects),
		Follow: func(to, _ *url.URL) error {
			_, err := s.checkURL(to.String())
			return err
		}})
}
