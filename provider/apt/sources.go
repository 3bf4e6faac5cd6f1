package apt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"patchbay/provider"
)

// listsDir is where apt keeps the indexes and lists of its sources.
const listsDir = "var/lib/apt/lists"

// source is one configured place: a repository and a suite of it.
type source struct {
	name    string // "http://deb.example.org/debian bookworm", as apt's messages name it; no credentials
	base    string // the address of its folder, with a slash at the end; no credentials
	dist    string // "bookworm"; "./" and the like for a flat repository
	file    string // the signed index's name in listsDir
	release release
	problem string // why nothing is to be expected of it, "" when all is well
	lists   []*list
}

// list is one list of packages of a source.
type list struct {
	source *source
	uri    string // without the compression's extension; no credentials
	file   string // its name in listsDir, without the compression's extension
	found  string // its name there as it is; "" when it is not
	offers []offer
}

// path is how the source's index names the list.
func (l *list) path() string { return strings.TrimPrefix(l.uri, l.source.base) }

var extensions = []string{"", ".lz4", ".gz", ".xz", ".zst", ".bz2", ".lzma"}

// configured asks apt what sources it is set up with. It fetches nothing.
func configured(ctx context.Context, host provider.Host) ([]*source, error) {
	res, err := host.Run(ctx, provider.Command{Args: []string{"apt-get", "update", "--print-uris"}})
	if err != nil {
		return nil, fmt.Errorf("asking apt for its sources: %w", err)
	}
	if res.Code != 0 {
		return nil, fmt.Errorf("asking apt for its sources: %s", words(res))
	}
	sources := parseTargets(res.Stdout)
	if len(sources) == 0 {
		return nil, errors.New("no package source is configured, so nothing can be known of updates")
	}
	return sources, nil
}

// parseTargets reads the lines "'URI' file size hash" of what an update would fetch.
func parseTargets(out string) []*source {
	var sources []*source
	var packages []*list
	byBase := map[string]*source{}
	for line := range strings.Lines(out) {
		uri, file, ok := splitTarget(line)
		if !ok {
			continue
		}
		uri = withoutUser(uri)
		if base, ok := strings.CutSuffix(uri, "/InRelease"); ok {
			base += "/"
			if byBase[base] == nil {
				s := &source{base: base, file: file}
				s.name, s.dist = describe(base)
				byBase[base] = s
				sources = append(sources, s)
			}
			continue
		}
		uri = trimExtension(uri)
		if strings.HasSuffix(uri, "/Packages") {
			packages = append(packages, &list{uri: uri, file: file})
		}
	}
	for _, l := range packages {
		if s := longestBase(sources, l.uri); s != nil {
			l.source = s
			s.lists = append(s.lists, l)
		}
	}
	slices.SortFunc(sources, func(a, b *source) int { return strings.Compare(a.name, b.name) })
	return sources
}

// splitTarget cuts one line; the file must be a plain name.
func splitTarget(line string) (uri, file string, ok bool) {
	rest, ok := strings.CutPrefix(line, "'")
	if !ok {
		return "", "", false
	}
	uri, rest, ok = strings.Cut(rest, "' ")
	if !ok {
		return "", "", false
	}
	file, _, _ = strings.Cut(strings.TrimRight(rest, "\n"), " ")
	if scheme, _, ok := strings.Cut(uri, ":"); !ok || scheme == "" {
		return "", "", false
	}
	return uri, file, file != "" && fs.ValidPath(file) && !strings.Contains(file, "/") && file != "."
}

func trimExtension(uri string) string {
	for _, ext := range extensions[1:] {
		if s, ok := strings.CutSuffix(uri, ext); ok {
			return s
		}
	}
	return uri
}

func longestBase(sources []*source, uri string) *source {
	var best *source
	for _, s := range sources {
		if strings.HasPrefix(uri, s.base) && (best == nil || len(s.base) > len(best.base)) {
			best = s
		}
	}
	return best
}

// describe names a source as apt's own messages do.
func describe(base string) (name, dist string) {
	if repo, dist, ok := cutLast(base, "/dists/"); ok {
		dist = strings.TrimSuffix(dist, "/")
		return repo + " " + dist, dist
	}
	if repo, ok := strings.CutSuffix(base, "/./"); ok {
		return repo + " ./", "./"
	}
	// A flat repository in a folder: apt prints the folder apart, but nothing here says
	// where it begins.
	return strings.TrimSuffix(base, "/"), ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// withoutUser takes the user and password out of an address, and whatever else follows a
// question mark: tokens are put there too.
func withoutUser(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return uri
	}
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if strings.Contains(rest, "/") {
		host += "/"
	}
	return scheme + "://" + host + path
}

// withoutUsers does the same for every address in a text.
func withoutUsers(text string) string {
	words := strings.Split(text, " ")
	for i, w := range words {
		if strings.Contains(w, "://") && strings.Contains(w, "@") {
			words[i] = cleanWord(w)
		}
	}
	return strings.Join(words, " ")
}

// cleanWord keeps what stands before the address, such as a quotation mark.
func cleanWord(w string) string {
	i := strings.Index(w, "://")
	for i > 0 && isLowerAlnum(w[i-1]|0x20) {
		i--
	}
	if _, err := url.Parse(w[i:]); err != nil {
		scheme, _, _ := strings.Cut(w[i:], "://")
		return w[:i] + scheme + "://…"
	}
	return w[:i] + withoutUser(w[i:])
}
