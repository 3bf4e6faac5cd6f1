package match

import (
	"regexp"
	"strings"

	"patchbay/server/catalog/advisory"
)

// moduleTag is what one build of a module's stream leaves in the versions of its packages.
var moduleTag = regexp.MustCompile(`\.(module[_+]el[0-9.]+\+\d+\+[0-9a-f]+)`)

func tagOf(version string) string {
	if m := moduleTag.FindStringSubmatch(version); m != nil {
		return m[1]
	}
	return ""
}

// streamsOf says of which stream the builds are that a host has packages of: as advisories
// name them, or as the package shows that a module is named after.
func (x *Index) streamsOf(h Host) map[string]string {
	streams := map[string]string{}
	for _, it := range h.Items {
		tag := tagOf(it.Version)
		if tag == "" {
			continue
		}
		if it.Module != "" {
			streams[tag] = it.Module
		} else if s := x.tags[tag]; s != "" && streams[tag] == "" {
			streams[tag] = s
		}
	}
	for _, whole := range []bool{true, false} { // the package of that name tells it before its parts do
		for _, it := range h.Items {
			if tag := tagOf(it.Version); tag != "" && streams[tag] == "" {
				if s := x.streamByVersion(it, whole); s != "" {
					streams[tag] = s
				}
			}
		}
	}
	return streams
}

// streamByVersion is for the package that gives a module its name, and for its parts, such as
// php-cli: streams are named after its versions.
func (x *Index) streamByVersion(it Item, whole bool) string {
	_, version := epoch(it.Version)
	module := it.Name
	if !whole {
		var ok bool
		if module, _, ok = strings.Cut(it.Name, "-"); !ok {
			return ""
		}
	}
	best := ""
	for _, stream := range x.modules[module] {
		if (version == stream || strings.HasPrefix(version, stream+".") || strings.HasPrefix(version, stream+"-")) && len(stream) > len(best) {
			best = stream
		}
	}
	if best == "" {
		return ""
	}
	return module + ":" + best
}

// module reports whether an advisory can be about an item as far as modules go: packages are
// compared within one stream alone. A note says why that is not known.
func (m *Matcher) module(it Item, a *advisory.Affected) (stays bool, note string) {
	tag, of := m.tag, ""
	if it.Module != "" {
		of = it.Module
	} else if tag != "" {
		of = m.streams[tag]
	}
	modular := a.Module != "" || a.ModuleTag()
	switch {
	case tag == "" && it.Module == "":
		return !modular, ""
	case !modular:
		return false, ""
	case of == "":
		if base, _, _ := strings.Cut(a.Module, ":"); base == it.Name && a.Module != "" {
			return false, "" // its versions are of another stream than any that is named
		}
		return true, "It is of a module, and nothing says of which stream."
	case a.Module == "":
		return true, "It is of a module, and the advisory does not say for which stream it is."
	}
	return of == a.Module, ""
}
