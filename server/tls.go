package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Certificate says what people's browsers are shown. Agents always see the server's own
// authority, whatever stands here.
type Certificate struct {
	Mode  string   // "own", "files", "acme" or "off"; "" is off on loopback and own elsewhere
	Cert  string   // PEM file with the chain, for files
	Key   string   // PEM file, for files
	Names []string // for own and acme
	Email string   // for acme, where the certificate's issuer may write to
	// Directory is the ACME server's address; "" is the client's own default.
	Directory string
}

// The ways to a certificate.
const (
	OwnCertificate = "own"
	GivenFiles     = "files"
	ACME           = "acme"
	NoTLS          = "off"
)

// mode resolves the empty one.
func (c Certificate) mode(listen string) string {
	switch {
	case c.Mode != "":
		return c.Mode
	case loopback(listen):
		return NoTLS
	}
	return OwnCertificate
}

func (c Certificate) scheme(listen string) string {
	if c.mode(listen) == NoTLS {
		return "http"
	}
	return "https"
}

// config is the TLS configuration for people, nil for none.
func (c Certificate) config(s *Server) (*tls.Config, error) {
	switch mode := c.mode(s.Listen); mode {
	case NoTLS:
		return nil, nil
	case OwnCertificate:
		return ownTLS(s, append(c.Names, hostOf(s.PublicURL))), nil
	case GivenFiles:
		return givenTLS(c.Cert, c.Key)
	case ACME:
		if len(c.Names) == 0 {
			return nil, errors.New("getting a certificate by ACME needs the console's name: give --tls-name")
		}
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(s.Data, "acme")),
			HostPolicy: autocert.HostWhitelist(c.Names...), Email: c.Email}
		if c.Directory != "" {
			m.Client = &acme.Client{DirectoryURL: c.Directory}
		}
		return m.TLSConfig(), nil
	default:
		return nil, fmt.Errorf("the certificate must be own, files, acme or off, not %q", mode)
	}
}

// givenTLS reads the files now, to refuse bad ones at the start, and again when they change.
func givenTLS(cert, key string) (*tls.Config, error) {
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	var mu sync.Mutex
	var held *tls.Certificate
	var read time.Time
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		info, err := os.Stat(cert)
		if held != nil && (err != nil || info.ModTime().Equal(read)) {
			return held, nil
		}
		if fresh, err := tls.LoadX509KeyPair(cert, key); err == nil {
			held = &fresh
			if info != nil {
				read = info.ModTime()
			}
		} else if held == nil {
			return nil, err
		}
		return held, nil
	}}, nil
}

// ownTLS shows a certificate of the server's own authority, made anew long before its end.
func ownTLS(s *Server, names []string) *tls.Config {
	names = append(names, "localhost", "127.0.0.1", "::1")
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" })
	var mu sync.Mutex
	var held *tls.Certificate
	var renew time.Time
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		now := s.Now()
		if held != nil && now.Before(renew) {
			return held, nil
		}
		fresh, err := s.Authority.ServerCertificate(names, now)
		if err != nil {
			return nil, err
		}
		held, renew = fresh, now.Add(30*24*time.Hour)
		return held, nil
	}}
}

// agentTLS asks agents for their certificates. Who has none may only enrol.
func agentTLS(s *Server) (*tls.Config, error) {
	host := hostOf(s.AgentURL)
	if host == "" {
		return nil, fmt.Errorf("the address for agents must be like https://patchbay.example:8421")
	}
	hosts := []string{host}
	for _, also := range s.AlsoAt {
		if host = hostOf(also); host == "" {
			return nil, fmt.Errorf("the further address for agents %.200q must be like https://patchbay.example:8421", also)
		}
		hosts = append(hosts, host)
	}
	config := ownTLS(s, hosts)
	config.MinVersion = tls.VersionTLS13
	config.ClientAuth = tls.VerifyClientCertIfGiven
	config.ClientCAs = s.Authority.Pool()
	config.Time = s.Now
	return config, nil
}

// hostOf is the name or address in a URL, "" when there is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return ""
	}
	return host
}
