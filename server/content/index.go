package content

import (
	"strings"

	"patchbay/patch"
)

// Index says as what packages name files, by their hash.
type Index map[string]string

// NewIndex makes the index of a catalogue's packages. A release that was recalled names
// nothing: no device needs its file.
func NewIndex(packages []patch.Package) Index {
	index := Index{}
	for _, p := range packages {
		for _, r := range p.Releases {
			if r.Recalled != "" {
				continue
			}
			for _, i := range r.Installers {
				if hash := strings.ToLower(i.SHA256); IsHash(hash) {
					index[hash] = TidyName(p.Name + " " + r.Version)
				}
			}
		}
	}
	return index
}

// Named is the name of a file, "" when there is none.
func (i Index) Named(sha256 string) string { return i[sha256] }
