package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzIssuer: an issuer may call itself anything and is shown on one short line.
func FuzzIssuer(f *testing.F) {
	f.Add("Acme \x1b[2J\nInspection", "Acme")
	f.Add("", "Acme")
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, name, organization string) {
		who := IssuerOf(&x509.Certificate{Issuer: pkix.Name{CommonName: name, Organization: []string{organization}}})
		if who == "" || utf8.RuneCountInString(who) > 101 || !utf8.ValidString(who) || strings.ContainsAny(who, "\x1b\n\r\u202e") {
			t.Errorf("%q", who)
		}
	})
}
