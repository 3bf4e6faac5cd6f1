package flatpak

import (
	"bufio"
	"bytes"
	"errors"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// config is what an installation is set up to do.
type config struct {
	remotes        map[string]*remote
	masked, pinned []string // patterns of refs
}

// remote is one source of apps.
type remote struct {
	name, url, subset, collection string
	signed                        bool // flatpak takes from it only what a key signed that this device knows
	disabled                      bool
}

// origin names who publishes in it.
func (r *remote) origin() string {
	if !r.signed {
		return ""
	}
	if r.collection != "" {
		return r.collection
	}
	return r.name
}

// parseConfig reads OSTree's configuration, in GLib's form of key files.
func parseConfig(b []byte) (config, error) {
	c := config{remotes: map[string]*remote{}}
	if !utf8.Valid(b) {
		return c, errors.New("it is not text in UTF-8")
	}
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, maxConfig)
	group := ""
	var r *remote
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "[") {
			if !strings.HasSuffix(line, "]") {
				return c, errors.New("a group's name does not end")
			}
			group, r = line[1:len(line)-1], nil
			if name, ok := strings.CutPrefix(group, "remote "); ok {
				name = strings.Trim(name, `"`)
				if !validPart.MatchString(name) {
					continue // flatpak could not be told of it either
				}
				if r = c.remotes[name]; r == nil {
					r = &remote{name: name}
					c.remotes[name] = r
				}
			}
			continue
		}
		key, val, ok := strings.Cut(line, "=")
		if !ok {
			return c, errors.New("a line is neither a group nor a setting")
		}
		c.set(group, r, strings.TrimSpace(key), strings.TrimSpace(val))
	}
	return c, sc.Err()
}

func (c *config) set(group string, r *remote, key, val string) {
	switch {
	case group == "core" && key == "xa.masked":
		c.masked = patterns(val)
	case group == "core" && key == "xa.pinned":
		c.pinned = patterns(val)
	case r == nil:
	case key == "url":
		r.url = val
	case key == "gpg-verify":
		r.signed = val == "true"
	case key == "xa.disable":
		r.disabled = val == "true"
	case key == "xa.subset" && validPart.MatchString(val):
		r.subset = val
	case key == "collection-id" && printable(val):
		r.collection = val
	}
}

func patterns(val string) []string {
	var list []string
	for p := range strings.SplitSeq(val, ";") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, p)
		}
	}
	return list
}

func (c config) masks(d deployed) bool { return anyMatch(c.masked, d) }
func (c config) pins(d deployed) bool  { return anyMatch(c.pinned, d) }

func anyMatch(patterns []string, d deployed) bool {
	for _, p := range patterns {
		if matches(p, d) {
			return true
		}
	}
	return false
}

// matches is flatpak's rule: [app/|runtime/]ID[/ARCH[/BRANCH]], where a star is any run of
// characters other than a slash, and what is left out is anything.
func matches(pattern string, d deployed) bool {
	parts := strings.Split(pattern, "/")
	if parts[0] == "app" || parts[0] == "runtime" {
		if parts[0] != d.kind {
			return false
		}
		parts = parts[1:]
	}
	of := []string{d.id, d.arch, d.branch}
	if len(parts) > len(of) {
		return false
	}
	for i, p := range parts {
		if p != "" && !starred(p).MatchString(of[i]) {
			return false
		}
	}
	return true
}

func starred(p string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, "[^/]*") + "$")
}

// address is the remote's address without what only its owner may know.
func (r *remote) address() string {
	u, err := url.Parse(r.url)
	if err != nil || u.Host == "" {
		if strings.HasPrefix(r.url, "file://") {
			return path.Clean(calm(r.url))
		}
		return ""
	}
	return calm(u.Scheme + "://" + u.Host + u.Path)
}

// title names the remote of an installation, as reports do.
func (r *remote) title(p place) string {
	s := r.name
	if p.user != "" {
		s += " of " + p.user
	}
	if a := r.address(); a != "" {
		s += " " + a
	}
	return s
}
