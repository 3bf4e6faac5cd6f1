package access

import (
	"net/http"
	"net/netip"
	"strings"
)

// Address is where a request comes from. A header is believed only when the connection
// itself comes from a trusted proxy; then the last address in it that is not such a proxy
// is the client.
func (a *Access) Address(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	client := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.trusted(client); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = hop.Unmap().WithZone("")
	}
	if client.Is6() {
		// One customer line has a whole /64.
		if p, err := client.Prefix(64); err == nil {
			return p.String()
		}
	}
	return client.String()
}

// Encrypted reports whether the person's browser speaks HTTPS: to us, or to a trusted proxy.
func (a *Access) Encrypted(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && a.trusted(peer.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https"
}

func (a *Access) trusted(addr netip.Addr) bool {
	for _, p := range a.options.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
