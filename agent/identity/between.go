package identity

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"strings"
	"unicode"
)

// Between is somebody who answers in the server's place, with a certificate that the server's
// own authority did not issue: most often a firewall or proxy that opens TLS. It is never
// trusted, whatever this machine's operating system thinks of it.
type Between struct {
	Issuer string // as it calls itself
}

// Error says what to do about it.
func (b Between) Error() string {
	return fmt.Sprintf("something between this machine and the server answers with its own certificate (issued by %s). "+
		"It is not trusted and was told nothing: let connections to the server's address for agents pass without being opened, "+
		"or enrol this machine again if the server was set up anew", b.Issuer)
}

// IssuerOf is who issued a certificate, fit for being shown: it may be anything.
func IssuerOf(c *x509.Certificate) string {
	name := c.Issuer.CommonName
	if name == "" {
		name = strings.Join(c.Issuer.Organization, ", ")
	}
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100]) + "…"
	}
	return cmp.Or(strings.TrimSpace(name), "somebody without a name")
}
