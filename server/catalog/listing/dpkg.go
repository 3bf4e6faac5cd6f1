package listing

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"patchbay/server/catalog/match"
)

// readStatus reads the status file of dpkg.
func readStatus(text []byte, h *match.Host) error {
	for stanza := range bytes.SplitSeq(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n\n")) {
		f := map[string]string{}
		for line := range bytes.Lines(stanza) {
			if name, value, ok := strings.Cut(strings.TrimRight(string(line), "\n"), ":"); ok && name != "" && name[0] != ' ' {
				f[name] = strings.TrimSpace(value)
			}
		}
		if words := strings.Fields(f["Status"]); len(words) == 3 && !isThere(words[2]) {
			continue
		}
		it := match.Item{Name: f["Package"], Architecture: f["Architecture"], Version: f["Version"], Foreign: match.Publisher(f["Maintainer"], f["Version"])}
		it.Source, it.SourceVersion = source(f["Source"])
		if err := add(h, it); err != nil {
			return err
		}
	}
	return nil
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
