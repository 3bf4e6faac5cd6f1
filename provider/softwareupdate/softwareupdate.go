// Package softwareupdate is the provider for what Apple updates on a Mac: macOS itself, and
// tools that come by the same way.
//
// macOS's own program lists what is on offer; what is installed is read from macOS's own
// files. On Macs with Apple silicon an update of macOS needs the password of an owner of the
// machine, which Patchbay does not have and does not want: there it is told what is missing,
// and that a person must install it.
package softwareupdate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/patch/plist"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "softwareupdate"

// macOS is the name of the item that is the system.
const macOS = "macOS"

const (
	systemFile  = "System/Library/CoreServices/SystemVersion.plist"
	historyFile = "Library/Receipts/InstallHistory.plist"
	settings    = "Library/Preferences/com.apple.SoftwareUpdate.plist"
	maxFile     = 32 << 20

	// unknown is the version of what is on offer and was never installed: a word is before every
	// number.
	unknown = "unknown"
)

// Kind is Apple's updates, on a Mac.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeBrew, Exact: true, Phase: provider.System},
		Open:   open,
	}
}

// Mac speaks for one machine.
type Mac struct{ env provider.Env }

var (
	_ provider.Provider  = (*Mac)(nil)
	_ provider.Refresher = (*Mac)(nil)
	_ provider.Stager    = (*Mac)(nil)
)

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	if _, err := fs.Stat(env.Host.Files(), systemFile); err != nil {
		return nil, fmt.Errorf("this is not a Mac: %w", provider.ErrAbsent)
	}
	return &Mac{env: env}, nil
}

// read gives a file of at most maxFile bytes.
func (m *Mac) read(name string) ([]byte, error) {
	f, err := m.env.Host.Files().Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("it is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("reading /%s: %w", name, err)
	}
	return b, nil
}

// Installed lists macOS, and what came by the same way.
func (m *Mac) Installed(context.Context) ([]patch.Item, error) {
	b, err := m.read(systemFile)
	if err != nil {
		return nil, err
	}
	system, err := parseSystem(b)
	if err != nil {
		return nil, fmt.Errorf("reading /%s: %w", systemFile, err)
	}
	items := []patch.Item{system}
	b, err = m.read(historyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a Mac that never installed anything
	case err != nil:
		return nil, err
	default:
		more, err := parseHistory(b)
		if err != nil {
			return nil, fmt.Errorf("reading /%s: %w", historyFile, err)
		}
		items = append(items, more...)
	}
	for _, name := range m.record().Names { // on offer, and never installed
		if !slices.ContainsFunc(items, func(i patch.Item) bool { return i.Name == name }) {
			items = append(items, patch.Item{Provider: Name, Name: name, Version: unknown, Origin: "Apple"})
		}
	}
	slices.SortFunc(items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return items, nil
}

// parseSystem reads which macOS this is. Its build is a part of the version: it tells two
// releases of one number apart.
func parseSystem(b []byte) (patch.Item, error) {
	d, err := plist.Dict(b)
	if err != nil {
		return patch.Item{}, err
	}
	i := patch.Item{Provider: Name, Name: macOS, Version: d["ProductVersion"] + "-" + d["ProductBuildVersion"], Origin: "Apple"}
	if !validNumber.MatchString(d["ProductVersion"]) || !validBuild.MatchString(d["ProductBuildVersion"]) {
		return patch.Item{}, fmt.Errorf("%.80q is no version of macOS", i.Version)
	}
	return i, nil
}

var (
	validNumber = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3}){0,3}$`)
	validBuild  = regexp.MustCompile(`^[0-9]{1,3}[A-Z][0-9]{1,5}[a-z]?$`)
	validName   = regexp.MustCompile(`^[\pL\pN][\pL\pN (),.&+_-]{0,99}$`)
	validLabel  = regexp.MustCompile(`^[\pL\pN][\pL\pN (),.&+_-]{0,199}$`)
)

func validVersion(v string) bool {
	_, err := patch.CompareVersions(patch.SchemeBrew, v, v)
	return err == nil
}

// parseHistory reads what was installed by Software Update, the last version of each. What
// macOS fetches by itself in the background says so.
func parseHistory(b []byte) ([]patch.Item, error) {
	list, err := plist.Dicts(b)
	if err != nil {
		return nil, err
	}
	at, last := map[string]string{}, map[string]patch.Item{}
	for _, d := range list {
		process := strings.ToLower(strings.ReplaceAll(d["processName"], " ", ""))
		name, version := strings.TrimSpace(d["displayName"]), strings.TrimSpace(d["displayVersion"])
		if !strings.HasPrefix(process, "softwareupdate") || !validName.MatchString(name) || !validVersion(version) || strings.HasPrefix(name, macOS) {
			continue
		}
		if d["date"] < at[name] {
			continue
		}
		i := patch.Item{Provider: Name, Name: name, Version: version, Origin: "Apple"}
		if d["contentType"] == "config-data" {
			i.Updater = macOS
		}
		at[name], last[name] = d["date"], i
	}
	items := make([]patch.Item, 0, len(last))
	for _, i := range last {
		items = append(items, i)
	}
	return items, nil
}

// entry is one update in the list.
type entry struct {
	label, name, version string
	size                 int64
	restart, deferred    bool
	security             bool
	major                string // of macOS, "" for others
}

const (
	foundHeader = "Software Update found the following new or updated software:"
	noneFound   = "No new software available."
)

// parseList reads what softwareupdate --list says. An answer that is neither a list nor that
// there is none is an error, and so is an entry of which a part cannot be read.
func parseList(res provider.Result) ([]entry, error) {
	text := res.Stdout + "\n" + res.Stderr // macOS says on the one or the other that there is none
	list := []entry{}
	var label string
	found := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == foundHeader:
			found = true
		case strings.HasPrefix(line, "* Label: "), strings.HasPrefix(line, "- Label: "):
			if label != "" {
				return nil, fmt.Errorf("the update %.80q has no description", label)
			}
			label = line[len("* Label: "):]
			if !validLabel.MatchString(label) {
				return nil, fmt.Errorf("%.80q is no name of an update", label)
			}
		case strings.HasPrefix(line, "* "):
			return nil, fmt.Errorf("the line %.80q cannot be read", line)
		case strings.HasPrefix(line, "Title: "):
			if label == "" {
				return nil, fmt.Errorf("the description %.80q belongs to no update", line)
			}
			e, err := parseEntry(label, line)
			if err != nil {
				return nil, err
			}
			list, label = append(list, e), ""
		}
	}
	switch {
	case label != "":
		return nil, fmt.Errorf("the update %.80q has no description", label)
	case found != (len(list) > 0):
		return nil, errors.New("its list of updates cannot be read")
	case !found && !strings.Contains(text, noneFound):
		return nil, fmt.Errorf("it says neither what is new nor that nothing is: %s", words(res))
	}
	return list, nil
}

// parseEntry reads "Title: T, Version: V, Size: 1KiB, Recommended: YES, Action: restart,".
func parseEntry(label, line string) (entry, error) {
	e := entry{label: label}
	title, rest, ok := strings.Cut(strings.TrimPrefix(line, "Title: "), ", Version: ")
	version, rest, _ := strings.Cut(rest, ",")
	if !ok || !validVersion(version) {
		return e, fmt.Errorf("the update %.80q has no version", label)
	}
	e.name, e.version = strings.TrimSpace(strings.TrimSuffix(title, version)), version
	if strings.HasPrefix(title, macOS+" ") {
		e.name, e.major = macOS, strings.SplitN(version, ".", 2)[0]
		if i := strings.LastIndexByte(label, '-'); i >= 0 && validBuild.MatchString(label[i+1:]) {
			e.version = version + "-" + label[i+1:]
		}
	}
	if !validName.MatchString(e.name) || !validVersion(e.version) {
		return e, fmt.Errorf("the update %.80q is of %.80q %.80q", label, e.name, e.version)
	}
	for part := range strings.SplitSeq(rest, ",") {
		key, val, _ := strings.Cut(strings.TrimSpace(part), ": ")
		switch key {
		case "Size":
			e.size = size(val)
		case "Action":
			e.restart = val != ""
		case "Deferred":
			e.deferred = val == "YES"
		}
	}
	e.security = strings.Contains(title, "Security")
	return e, nil
}

// size reads "920416KiB", and "2048000K" of older macOS; 0 is not known.
func size(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimRight(s, "KiB"), 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return 0
	}
	return n << 10
}

// record is the agent's own record of the last refresh.
type record struct {
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`
	Error       string    `json:"error,omitempty"`
	Names       []string  `json:"names,omitempty"` // of what was on offer
}

// recordsFile is where the record is, in Env.Records.
const recordsFile = "softwareupdate-refreshed.json"

func (m *Mac) record() record {
	var rec record
	m.env.ReadRecord(recordsFile, &rec)
	return rec
}

// source is Apple's one. Where this agent has not asked it yet, macOS's own record says when
// it last did; where neither has, nobody knows what is on offer.
func (m *Mac) source() patch.Source {
	rec := m.record()
	s := patch.Source{Provider: Name, Name: "Apple Software Update", Origin: "Apple", Error: rec.Error}
	at := rec.RefreshedAt
	if b, err := m.read(settings); err == nil && at.IsZero() {
		d, _ := plist.Dict(b) // what cannot be read says nothing
		at, _ = time.Parse(time.RFC3339, cmp.Or(d["LastFullSuccessfulDate"], d["LastSuccessfulDate"]))
	}
	if !at.IsZero() {
		s.RefreshedAt = &at
	} else if s.Error == "" {
		s.Error = "it was never asked"
	}
	return s
}

// list asks for what is on offer: anew, or as macOS last heard.
func (m *Mac) list(ctx context.Context, args ...string) ([]entry, error) {
	res, err := m.env.Host.Run(ctx, provider.Command{Args: append([]string{"softwareupdate", "--list"}, args...)})
	if err != nil {
		return nil, fmt.Errorf("asking what is on offer: %w", err)
	}
	if res.Code != 0 {
		return nil, fmt.Errorf("asking what is on offer: %w", failure(res))
	}
	list, err := parseList(res)
	if err != nil {
		return nil, fmt.Errorf("asking what is on offer: %w", err)
	}
	return list, nil
}

// Refresh lets macOS ask Apple.
func (m *Mac) Refresh(ctx context.Context) ([]patch.Source, error) {
	list, err := m.list(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	rec := m.record()
	if rec.Error = ""; err != nil {
		rec.Error = provider.Clip(err.Error(), provider.MaxWords)
	} else {
		rec.RefreshedAt, rec.Names = m.env.Now().UTC(), nil
		for _, e := range list {
			if !slices.Contains(rec.Names, e.name) {
				rec.Names = append(rec.Names, e.name)
			}
		}
	}
	if err := m.env.WriteRecord(recordsFile, rec); err != nil {
		return nil, err
	}
	return []patch.Source{m.source()}, nil
}

// Available lists what macOS last heard of.
func (m *Mac) Available(ctx context.Context) (patch.Offer, error) {
	items, err := m.Installed(ctx)
	if err != nil {
		return patch.Offer{}, err
	}
	list, err := m.list(ctx, "--no-scan")
	offer := patch.Offer{Updates: []patch.Update{}, Sources: []patch.Source{m.source()}}
	if err != nil {
		return offer, err
	}
	if offer.Sources[0].RefreshedAt == nil {
		return offer, errors.New("nobody ever asked Apple what is on offer")
	}
	offer.Updates, offer.Notes = updates(list, items)
	return offer, nil
}

// updates sets beside each item what is on offer for it: of macOS the newest of the same major
// version, and only when there is none the newest of all.
func updates(list []entry, items []patch.Item) (ups []patch.Update, notes []string) {
	ups = []patch.Update{}
	best := map[string]entry{}
	for _, e := range list {
		was, there := best[e.name]
		if !there || better(e, was, items) {
			best[e.name] = e
		}
	}
	for _, e := range list {
		if b := best[e.name]; b.label != e.label {
			notes = append(notes, fmt.Sprintf("%s %s is on offer beside %s.", e.name, e.version, b.version))
		}
	}
	for _, e := range best {
		installed := unknown
		if i := find(items, e.name); i >= 0 {
			installed = items[i].Version
		}
		if c, err := patch.CompareVersions(patch.SchemeBrew, installed, e.version); err == nil && c >= 0 {
			notes = append(notes, fmt.Sprintf("%s %s is on offer, and %s is installed.", e.name, e.version, installed))
			continue
		}
		u := patch.Update{
			Provider: Name, Name: e.name, Installed: installed, Available: e.version, Origin: "Apple", Size: e.size,
			Classes: []patch.Class{patch.Other}, Reboot: patch.No,
			Reversibility: patch.NotAtAll, ReversibilityWhy: "Apple offers no way back to an older version.",
		}
		if e.restart {
			u.Reboot = patch.Yes
		}
		if e.security {
			u.Classes = []patch.Class{patch.Security}
		}
		if e.major != "" && e.major != strings.SplitN(installed, ".", 2)[0] {
			u.Classes = append(u.Classes, patch.Feature)
			slices.Sort(u.Classes)
		}
		if e.deferred {
			u.Block, u.BlockWhy = patch.Phased, "A profile on this Mac puts it off."
		}
		ups = append(ups, u)
	}
	slices.SortFunc(ups, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
	slices.Sort(notes)
	return ups, notes
}

func find(items []patch.Item, name string) int {
	return slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == name })
}

// better reports whether a is to be offered rather than b, which has the same name.
func better(a, b entry, items []patch.Item) bool {
	if i := find(items, a.name); i >= 0 && a.major != b.major {
		major := strings.SplitN(items[i].Version, ".", 2)[0]
		if a.major == major || b.major == major {
			return a.major == major
		}
	}
	c, err := patch.CompareVersions(patch.SchemeBrew, a.version, b.version)
	return err == nil && c > 0
}
