package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// Names come from everywhere, and some characters make one look like another: those that
// turn the direction of text around, and those that cannot be seen. Here is what is decided:
//   - People may not use them in names they give (cleanName), but for the two joiners that
//     Persian, the scripts of India and emoji need, between other characters.
//   - What devices say is kept as it was said. Every answer shows such a character as �.
//   - Letters of different scripts that look alike are left alone: the world's names are
//     written in all of them, and IDs are what acts are done by.

// hiders are the characters no answer carries.
const hiders = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"

// hides reports whether a character may not stand in a name that a person gives.
func hides(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.IsControl(r) || r == unicode.ReplacementChar ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// shown replaces what hides.
func shown(text []byte) []byte {
	if !bytes.ContainsAny(text, hiders) {
		return text
	}
	return bytes.Map(func(r rune) rune {
		if strings.ContainsRune(hiders, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// shownName is a name as answers show it.
func shownName(name string) string { return string(shown([]byte(name))) }

// plainJSON writes answers as the framework does, without what hides.
func plainJSON() huma.Format {
	format := huma.DefaultJSONFormat
	write := format.Marshal
	format.Marshal = func(w io.Writer, v any) error {
		var b bytes.Buffer
		if err := write(&b, v); err != nil {
			return err
		}
		_, err := w.Write(shown(b.Bytes()))
		return err
	}
	return format
}

// marshalPlain is json.Marshal without what hides.
func marshalPlain(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return shown(b), err
}

// misdirected refuses requests by a name of the outside world on a server that only this
// machine may reach: a page whose name leads here, or a proxy that the server was not told
// of, must not get around what holds beyond loopback.
func (s *Server) misdirected(r *http.Request) bool {
	if s.Access == nil || s.Access.BeyondLoopback() {
		return false
	}
	host := r.Host
	if name, port, err := net.SplitHostPort(host); err == nil && port != "" {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	ip := net.ParseIP(host)
	return !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback())
}
