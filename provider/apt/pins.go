package apt

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// pin is one paragraph of apt's preferences. Patchbay does not decide by it, apt does; it
// only serves to say why apt decided.
type pin struct {
	file     string
	packages []string // names or patterns
	pin      string   // "release a=stable", "version 1.*", "origin host"
}

type pins struct{ list []pin }

const (
	preferences    = "etc/apt/preferences"
	preferencesDir = "etc/apt/preferences.d"
)

// readPins reads the preferences as far as they can be read.
func readPins(files fs.FS) pins {
	var p pins
	p.readFile(files, preferences)
	entries, _ := fs.ReadDir(files, preferencesDir)
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext == "" || ext == ".pref" {
			p.readFile(files, path.Join(preferencesDir, e.Name()))
		}
	}
	return p
}

func (p *pins) readFile(files fs.FS, name string) {
	f, err := files.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	found, _ := parsePins(f) // an explanation is missing then, nothing else
	for _, one := range found {
		one.file = "/" + name
		p.list = append(p.list, one)
	}
}

func parsePins(r io.Reader) ([]pin, error) {
	var found []pin
	err := stanzas(r, func(stanza []byte) error {
		var one pin
		eachField(stanza, func(name, value []byte) {
			switch {
			case is(name, "Package"):
				one.packages = strings.Fields(string(value))
			case is(name, "Pin"):
				one.pin = string(value)
			}
		})
		if len(one.packages) > 0 {
			found = append(found, one)
		}
		return nil
	})
	return found, err
}

// why says what keeps the newest version of an item away.
func (p pins) why(item patch.Item, newest offer) string {
	for _, specific := range []bool{true, false} {
		for _, one := range p.list {
			if one.matches(item, specific) {
				return fmt.Sprintf("Local preferences in %s choose another version than %s (%s).", one.file, newest.version, provider.Clip(one.pin, 80))
			}
		}
	}
	return fmt.Sprintf("apt is set up on this device to prefer another source than the one of %s.", newest.version)
}

// matches compares names, patterns and source packages; "*" matches everything and is
// only looked at when nothing more specific did.
func (one pin) matches(item patch.Item, specific bool) bool {
	for _, pattern := range one.packages {
		if specific == (pattern == "*") {
			continue
		}
		name := item.Name
		if rest, ok := strings.CutPrefix(pattern, "src:"); ok {
			if pattern = rest; item.Source != "" {
				name = item.Source
			}
		}
		if expr, ok := strings.CutPrefix(pattern, "/"); ok {
			re, err := regexp.Compile(strings.TrimSuffix(expr, "/"))
			if err == nil && re.MatchString(name) {
				return true
			}
			continue
		}
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}
