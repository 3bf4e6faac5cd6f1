package listing

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"patchbay/server/catalog/match"
)

// readStatus reads the status file of dpkg: stanzas with lines between them that have nothing
// but blanks.
func readStatus(text []byte, h *match.Host) error {
	f := map[string]string{}
	for line := range bytes.Lines(text) {
		s := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(s) == "" {
			if err := stanza(f, h); err != nil {
				return err
			}
			clear(f)
		} else if name, value, ok := strings.Cut(s, ":"); ok && name != "" && name[0] != ' ' && name[0] != '\t' {
			f[strings.ToLower(name)] = strings.TrimSpace(value) // dpkg takes names in any case
		}
	}
	return stanza(f, h)
}

// stanza takes what one package says of itself.
func stanza(f map[string]string, h *match.Host) error {
	if words := strings.Fields(f["status"]); len(words) > 0 && !isThere(words[len(words)-1]) {
		return nil
	}
	it := match.Item{Name: f["package"], Architecture: f["architecture"], Version: f["version"], Foreign: match.Publisher(f["maintainer"], f["version"])}
	it.Source, it.SourceVersion = source(f["source"])
	return add(h, it)
}

// isThere reports whether files of a package are on the machine, be it half installed.
func isThere(state string) bool {
	return !slices.Contains([]string{"not-installed", "config-files"}, state)
}

// source reads "openssl" and "openssl (3.0.15-1)".
func source(s string) (name, version string) {
	name, rest, _ := strings.Cut(s, " ")
	return name, strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(rest), "("), ")")
}

// readTable reads columns between tabs under a head line that names them.
func readTable(text []byte, h *match.Host) error {
	var head []string
	return lines(text, func(_ int, line string) error {
		cells := strings.Split(line, "\t")
		if head == nil {
			head = cells
			if !slices.Contains(head, "version") {
				return errors.New("the table has no column version")
			}
			return nil
		}
		f := map[string]string{}
		for i, name := range head {
			if i < len(cells) {
				f[name] = strings.TrimSpace(cells[i])
			}
		}
		if s := f["status"]; s != "" && !strings.HasPrefix(s, "i") && !strings.HasPrefix(s, "h") {
			return nil // such as rc: removed, its settings are still there
		}
		return add(h, match.Item{Name: f["package"], Architecture: f["arch"], Version: f["version"], Source: f["source"], SourceVersion: f["source_version"],
			Foreign: match.Publisher(f["maintainer"], f["version"])})
	})
}
