// Package cpe reads names of products as the Common Platform Enumeration writes them, in its
// form 2.3 and in the older one, which begins with cpe:/.
//
// The one idea: a part of a name is a value, "any" or "not applicable", and these three are
// told apart. What a name leaves out is any.
package cpe

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// What a part may be beside a value.
const (
	Any  = "*"
	None = "-" // not applicable, or left open by whoever wrote it
)

// maxName is longer than any real name.
const maxName = 600

// Name is a name taken apart. Values are without their escapes, in lower case; a value that is
// a star or a hyphen itself keeps its escape.
type Name struct {
	Part            string // a: program, o: system, h: hardware
	Vendor          string
	Product         string
	Version         string
	Update          string
	Edition         string
	Language        string
	SoftwareEdition string
	TargetSoftware  string
	TargetHardware  string
	Other           string
	Pattern         bool // a value has a star or a question mark that stands for other letters
}

// parts are the fields in their order.
func (n *Name) parts() []*string {
	return []*string{&n.Part, &n.Vendor, &n.Product, &n.Version, &n.Update, &n.Edition, &n.Language, &n.SoftwareEdition, &n.TargetSoftware, &n.TargetHardware, &n.Other}
}

// Product is a name of a product alone: part, vendor and product.
func Product(part, vendor, product string) Name {
	n := Name{Part: part, Vendor: vendor, Product: product}
	n.fill()
	return n
}

func (n *Name) fill() {
	for _, p := range n.parts() {
		if *p == "" {
			*p = Any
		}
	}
}

// Parse reads a name in either form.
func Parse(s string) (Name, error) {
	if len(s) > maxName {
		return Name{}, errors.New("the name is longer than any real one")
	}
	var n Name
	var err error
	switch {
	case strings.HasPrefix(s, "cpe:2.3:"):
		n, err = formatted(s[len("cpe:2.3:"):])
	case strings.HasPrefix(s, "cpe:/"):
		n, err = uri(s[len("cpe:/"):])
	default:
		return Name{}, fmt.Errorf("%.60q is no name of a product", s)
	}
	if err != nil {
		return Name{}, fmt.Errorf("%.60q: %w", s, err)
	}
	n.fill()
	switch {
	case n.Part != "a" && n.Part != "o" && n.Part != "h":
		return Name{}, fmt.Errorf("%.60q is neither of a program nor of a system nor of hardware", s)
	case n.Vendor == Any || n.Product == Any || n.Vendor == None || n.Product == None:
		return Name{}, fmt.Errorf("%.60q names no product", s)
	}
	return n, nil
}

// formatted reads the form 2.3, where colons and other letters have a backslash before them.
func formatted(s string) (Name, error) {
	var n Name
	fields := n.parts()
	for i, raw := range split(s) {
		if i >= len(fields) {
			return n, errors.New("it has too many parts")
		}
		v, pattern, err := unescape(raw)
		if err != nil {
			return n, err
		}
		*fields[i], n.Pattern = v, n.Pattern || pattern
	}
	return n, nil
}

// split cuts at the colons that have no backslash before them.
func split(s string) []string {
	var list []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			list, from = append(list, s[from:i]), i+1
		}
	}
	return append(list, s[from:])
}

func unescape(s string) (value string, pattern bool, err error) {
	if s == Any || s == None || s == `\-` || s == `\*` {
		return s, false, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 == len(s):
			return "", false, errors.New("it ends with a backslash")
		case c == '\\':
			i++
			c = s[i]
		case c == '*' || c == '?':
			pattern = true
		}
		if c <= ' ' || c > '~' {
			return "", false, errors.New("it has a letter that no name has")
		}
		b.WriteByte(c)
	}
	if value = strings.ToLower(b.String()); value == `\*` || value == `\-` {
		return "", false, errors.New("it has a backslash as a value")
	}
	return value, pattern, nil
}

// uri reads the older form, with the editions packed between tildes.
func uri(s string) (Name, error) {
	var n Name
	fields := n.parts()
	for i, raw := range strings.Split(s, ":") {
		if i >= 7 {
			return n, errors.New("it has too many parts")
		}
		v, err := url.PathUnescape(raw)
		if err != nil || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return n, errors.New("it has a letter that no name has")
		}
		*fields[i] = strings.ToLower(v)
	}
	if packed := strings.Split(n.Edition, "~"); len(packed) == 6 && packed[0] == "" {
		n.Edition, n.SoftwareEdition, n.TargetSoftware, n.TargetHardware, n.Other = packed[1], packed[2], packed[3], packed[4], packed[5]
	}
	return n, nil
}

// String writes a name in the form 2.3.
func (n Name) String() string {
	var b strings.Builder
	b.WriteString("cpe:2.3")
	for _, p := range n.parts() {
		b.WriteByte(':')
		b.WriteString(escape(*p, n.Pattern))
	}
	return b.String()
}

func escape(s string, pattern bool) string {
	if s == "" {
		return Any
	}
	if s == Any || s == None || s == `\-` || s == `\*` {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || pattern && (c == '*' || c == '?')
		if !plain {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Key is what a product is found by, whatever its version: vendor:product.
func (n Name) Key() string { return n.Vendor + ":" + n.Product }
