package apt

import (
	"bufio"
	"bytes"
	"io/fs"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// maxMessages is how many of apt's last lines an outcome carries, maxMessage how long one is.
const (
	maxMessages = 20
	maxMessage  = 400
)

// messages listens to an installation: it keeps the last lines that mean something, and
// the configuration files that dpkg speaks of.
type messages struct {
	kept      []string
	file      string // the configuration file that dpkg is speaking of
	conflicts []string
}

// line is what a command calls for each line; nil when nobody listens.
func (m *messages) line() func(string) {
	if m == nil {
		return nil
	}
	return m.hear
}

func (m *messages) hear(line string) {
	trimmed := strings.TrimSpace(line)
	if rest, ok := strings.CutPrefix(trimmed, "Configuration file '"); ok {
		m.file = strings.TrimSuffix(rest, "'")
	}
	if m.file != "" && strings.Contains(trimmed, "Keeping old config file") {
		m.conflicts = append(m.conflicts, m.file)
		m.file = ""
	}
	if !meaningful(trimmed) {
		return
	}
	m.kept = append(m.kept, provider.Clip(withoutUsers(strings.ToValidUTF8(trimmed, "?")), maxMessage))
	if len(m.kept) > 2*maxMessages {
		m.kept = slices.Delete(m.kept, 0, len(m.kept)-maxMessages)
	}
}

func (m *messages) last() []string { return m.kept[max(0, len(m.kept)-maxMessages):] }

// meaningful leaves out progress and ceremony.
func meaningful(line string) bool {
	for _, prefix := range []string{
		"(Reading database", "Reading ", "Building dependency", "Preparing to unpack", "Selecting previously",
		"Get:", "Hit:", "Ign:", "Fetched ", "Need to get", "After this operation", "The following", "debconf: ",
		"Preconfiguring packages", "Unpacking ", "Processing triggers",
	} {
		if strings.HasPrefix(line, prefix) {
			return false
		}
	}
	return line != "" && !summary.MatchString(line)
}

// conflicts looks where dpkg left the vendor's version of each file.
func (a *Apt) conflicts(paths []string) []provider.Conflict {
	var list []provider.Conflict
	for _, p := range paths {
		c := provider.Conflict{Path: p}
		for _, ext := range []string{".dpkg-dist", ".dpkg-new"} {
			name := strings.TrimPrefix(p, "/") + ext
			if !fs.ValidPath(name) {
				continue
			}
			if _, err := fs.Stat(a.env.Host.Files(), name); err == nil {
				c.Vendor = p + ext
				break
			}
		}
		list = append(list, c)
	}
	return list
}

// changes compares dpkg's record before and after.
func changes(before, after installed, asked []patch.Update) []provider.Change {
	var list []provider.Change
	wanted := map[string]bool{}
	for _, u := range asked {
		wanted[u.Name] = true
	}
	add := func(key id, from, to string) {
		if from != to {
			list = append(list, provider.Change{Name: key.name, Architecture: key.arch, From: from, To: to, Asked: wanted[key.name]})
		}
	}
	for key, item := range before.items {
		add(key, item.Version, after.items[key].Version)
	}
	for key, item := range after.items {
		if _, ok := before.items[key]; !ok {
			add(key, "", item.Version)
		}
	}
	slices.SortFunc(list, func(a, b provider.Change) int {
		return strings.Compare(a.Name+" "+a.Architecture, b.Name+" "+b.Architecture)
	})
	return list
}

// reboots is what asks for a reboot: the packages' own flag and their names in it.
type reboots struct {
	flag  bool
	names map[string]int // how often each package asked
}

func (a *Apt) readReboots() reboots {
	r := reboots{names: map[string]int{}}
	for _, dir := range []string{"run", "var/run"} {
		if _, err := fs.Stat(a.env.Host.Files(), dir+"/reboot-required"); err == nil {
			r.flag = true
		}
		b, err := fs.ReadFile(a.env.Host.Files(), dir+"/reboot-required.pkgs")
		if err != nil {
			continue
		}
		for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
			r.names[strings.TrimSpace(sc.Text())]++
		}
		break // the other is a link to it
	}
	return r
}

// since says whether what changed meanwhile asks for a reboot. Where packages have no flag
// to set, nobody knows.
func (r reboots) since(before reboots, changed []provider.Change) patch.Answer {
	if r.flag && !before.flag {
		return patch.Yes
	}
	for _, c := range changed {
		if r.flag && r.names[c.Name] > 0 {
			return patch.Yes
		}
	}
	return patch.Unknown
}
