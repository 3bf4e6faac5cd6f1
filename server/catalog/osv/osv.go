// Package osv reads advisories in the form of the Open Source Vulnerability schema, in which
// Debian, Ubuntu, Alpine, AlmaLinux, Rocky Linux, Red Hat, SUSE and the repositories of
// programming languages publish theirs.
//
// The one idea: the schema is common and its use is not. What each publisher puts elsewhere
// (the CVE among the related, the severity in a word of the summary, the module in its
// headline, a state where a version belongs) is put in its place here, once.
package osv

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
)

// Bounds on what is taken of one record.
const (
	maxRecord   = 32 << 20 // bytes; the largest real ones have some megabytes
	maxAliases  = 2_000
	maxAffected = 50_000
	maxVersions = 200_000
	maxText     = 300
)

// record is what is read of one.
type record struct {
	Schema    string     `json:"schema_version"`
	ID        string     `json:"id"`
	Summary   string     `json:"summary"`
	Published string     `json:"published"`
	Modified  string     `json:"modified"`
	Withdrawn string     `json:"withdrawn"`
	Aliases   []string   `json:"aliases"`
	Upstream  []string   `json:"upstream"`
	Related   []string   `json:"related"`
	Severity  []severity `json:"severity"`
	Affected  []affected `json:"affected"`
	Own       own        `json:"database_specific"`
}

type severity struct {
	Type   string `json:"type"`
	Score  string `json:"score"`
	Source string `json:"source"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Ranges []struct {
		Type   string              `json:"type"`
		Events []map[string]string `json:"events"`
	} `json:"ranges"`
	Versions []string   `json:"versions"`
	Severity []severity `json:"severity"`
	Own      own        `json:"ecosystem_specific"`
}

// own is what publishers put into the places for fields of their own. The schema says nothing
// of what these hold, so what has another form says nothing here.
type own struct{ Urgency, Priority, Severity string }

// UnmarshalJSON takes the words that are known.
func (o *own) UnmarshalJSON(text []byte) error {
	var fields map[string]any
	if json.Unmarshal(text, &fields) != nil {
		return nil
	}
	o.Urgency, _ = fields["urgency"].(string)
	o.Priority, _ = fields["ubuntu_priority"].(string)
	o.Severity, _ = fields["severity"].(string)
	return nil
}

// Report is how a reading went.
type Report = feed.Report

// Name is the word for this feed in sentences.
const Name = "OSV"

// Read reads records one after the other: a line each, or one document, or a list of them.
// What breaks off is an error, for then nobody knows what is missing. A record that says what
// cannot be is refused alone.
func Read(in io.Reader, each func(advisory.Advisory) error) (Report, error) {
	var report Report
	b := bufio.NewReader(in)
	if mark, _ := b.Peek(3); string(mark) == "\xef\xbb\xbf" {
		b.Discard(3)
	}
	d := json.NewDecoder(b)
	for n := 1; ; n++ {
		var text json.RawMessage
		if err := d.Decode(&text); errors.Is(err, io.EOF) {
			return report, nil
		} else if err != nil {
			return report, fmt.Errorf("record %d cannot be read: %w", n, err)
		}
		if err := take(&report, n, text, each); err != nil {
			return report, err
		}
	}
}

// take takes one record, or each of a list.
func take(r *Report, n int, text json.RawMessage, each func(advisory.Advisory) error) error {
	if len(text) > 0 && text[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			return fmt.Errorf("record %d cannot be read: %w", n, err)
		}
		for i, one := range list {
			if len(one) > 0 && one[0] == '[' {
				r.Refuse(Name, i+1, "", errors.New("it is a list in a list"))
				continue
			}
			if err := take(r, i+1, one, each); err != nil {
				return err
			}
		}
		return nil
	}
	a, err := Parse(text)
	if err != nil {
		r.Refuse(Name, n, a.ID, err)
		return nil
	}
	r.Records++
	return each(a)
}

// Parse reads one record. With an error the ID is set as far as there is one.
func Parse(text []byte) (advisory.Advisory, error) {
	if len(text) > maxRecord {
		return advisory.Advisory{}, fmt.Errorf("it has %d bytes; no real one has that many", len(text))
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return advisory.Advisory{ID: clip(r.ID)}, err
	}
	if !advisory.IsID(r.ID) {
		return advisory.Advisory{ID: clip(r.ID)}, errors.New("its id has no form that an id has")
	}
	if len(r.Affected) > maxAffected || len(r.Aliases)+len(r.Upstream)+len(r.Related) > maxAliases {
		return advisory.Advisory{ID: r.ID}, errors.New("it names more than any real one does")
	}
	return r.advisory()
}

func (r record) advisory() (advisory.Advisory, error) {
	a := advisory.Advisory{ID: r.ID, Aliases: r.names(), Summary: clip(r.Summary)}
	for _, t := range []struct {
		to   *time.Time
		said string
	}{{&a.Published, r.Published}, {&a.Modified, r.Modified}, {&a.Withdrawn, r.Withdrawn}} {
		at, err := feed.Moment(t.said)
		if err != nil {
			return advisory.Advisory{ID: r.ID}, err
		}
		*t.to = at
	}
	a.Scores = r.scores()
	module := r.module()
	for _, f := range r.Affected {
		list, err := f.read(module)
		if err != nil {
			return advisory.Advisory{ID: r.ID}, err
		}
		a.Affected = append(a.Affected, list...)
	}
	return a, nil
}

// names are what else it is called. Some publishers have the CVE among what is related alone;
// where others name it as the same, what is related is something else.
func (r record) names() []string {
	list := valid(slices.Concat(r.Aliases, r.Upstream))
	for _, id := range list {
		if cve := cveInside.FindString(id); cve != "" { // upstream of USN-6859-1 is UBUNTU-CVE-2024-6387
			list = append(list, cve)
		}
	}
	if !slices.ContainsFunc(list, advisory.IsCVE) && !advisory.IsCVE(r.ID) {
		for _, id := range valid(r.Related) {
			if advisory.IsCVE(id) {
				list = append(list, id)
			}
		}
	}
	if cve := cveInside.FindString(r.ID); cve != "" && cve != r.ID { // UBUNTU-CVE-2024-6387
		list = append(list, cve)
	}
	slices.SortFunc(list, advisory.CompareIDs)
	return slices.DeleteFunc(slices.Compact(list), func(id string) bool { return id == r.ID })
}

var cveInside = regexp.MustCompile(`CVE-\d{4}-\d{4,19}$`)

func valid(ids []string) []string {
	var list []string
	for _, id := range ids {
		if advisory.IsID(id) {
			list = append(list, id)
		}
	}
	return list
}

var (
	wordFirst   = regexp.MustCompile(`(?i)^(?:red hat security advisory: )?(critical|important|moderate|low): `)
	moduleFirst = regexp.MustCompile(`^(?:\w+: )?([a-z0-9][a-z0-9_.+-]{0,60}):([A-Za-z0-9][A-Za-z0-9_.-]{0,40}) `)
)

// scores are all that say how grave it is. The family of Red Hat says it in the summary.
func (r record) scores() []advisory.Score {
	var list []advisory.Score
	if m := wordFirst.FindStringSubmatch(r.Summary); m != nil {
		list = append(list, advisory.Score{Word: strings.ToLower(m[1])})
	}
	if r.Own.Severity != "" {
		list = append(list, advisory.Score{Word: clip(r.Own.Severity)})
	}
	return append(list, read(r.Severity)...)
}

func read(in []severity) []advisory.Score {
	var list []advisory.Score
	for _, s := range in {
		switch {
		case strings.HasPrefix(s.Type, "CVSS_"):
			list = append(list, advisory.Score{By: clip(s.Source), Vector: clip(s.Score)})
		case s.Score != "":
			list = append(list, advisory.Score{By: clip(s.Type), Word: clip(s.Score)})
		}
	}
	return list
}

// module is the module and stream that the headline names: "Important: nodejs:18 security update".
func (r record) module() string {
	if m := moduleFirst.FindStringSubmatch(r.Summary + " "); m != nil {
		return m[1] + ":" + m[2]
	}
	return ""
}

// modular is what versions of packages of a module have in them.
var modular = regexp.MustCompile(`\.module[_+]`)

// read gives what it says of one package. Ranges of commits say nothing of versions.
func (f affected) read(module string) ([]advisory.Affected, error) {
	e, ok := advisory.EcosystemOf(f.Package.Ecosystem)
	if !ok || f.Package.Name == "" {
		return nil, nil // of something that Patchbay cannot see installed
	}
	if len(f.Package.Name) > maxText || len(f.Package.Ecosystem) > maxText || len(f.Versions) > maxVersions {
		return nil, fmt.Errorf("what it says of %.60q is longer than any real one", f.Package.Name)
	}
	a := advisory.Affected{Ecosystem: f.Package.Ecosystem, Name: advisory.Name(e, f.Package.Name), Versions: f.Versions}
	for _, r := range f.Ranges {
		if r.Type == "GIT" {
			continue
		}
		list, state, err := events(e.Scheme, r.Events)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Package.Name, err)
		}
		if state == advisory.NotAffected {
			return nil, nil
		}
		a.Ranges = append(a.Ranges, list...)
	}
	f.state(&a)
	if slices.ContainsFunc(a.Ranges, func(r advisory.Range) bool { return modular.MatchString(r.Fixed) }) {
		a.Module = module
	}
	// Lists of versions of these two name versions of the next release as well; a range says all.
	if len(a.Ranges) > 0 && (e.Name == "Debian" || e.Name == "Ubuntu") {
		a.Versions = nil
	}
	return []advisory.Affected{a}, nil
}

// state puts the words of a package in their places.
func (f affected) state(a *advisory.Affected) {
	for _, w := range []string{f.Own.Urgency, f.Own.Priority, f.Own.Severity} {
		if w != "" && a.Word == "" {
			a.Word = clip(w)
		}
	}
	for _, s := range f.Severity {
		if a.Word == "" && !strings.HasPrefix(s.Type, "CVSS_") {
			a.Word = clip(s.Score)
		}
	}
	if len(a.Ranges) == 0 && len(a.Versions) == 0 { // or only ranges of commits
		a.Ranges, a.State, a.Why = []advisory.Range{{Introduced: "0"}}, advisory.Undetermined, "the advisory names no versions"
	}
	switch f.Own.Urgency {
	case "unimportant":
		a.State = advisory.Unimportant
	case "end-of-life":
		a.State = advisory.EndOfLife
	}
}

// event is one end of a stretch of versions.
type event struct{ kind, version string }

// events makes stretches of the events of a range. They need not stand in order; what begins
// twice or ends twice says nothing more the second time.
func events(scheme string, in []map[string]string) ([]advisory.Range, advisory.State, error) {
	var list []event
	limit, unlimited := "", false
	for _, e := range in {
		for _, kind := range slices.SortedFunc(maps.Keys(e), firstBegins) {
			v := e[kind]
			if len(v) > maxText {
				return nil, "", errors.New("a version of it is longer than any real one")
			}
			switch kind {
			case "introduced":
			case "fixed":
				// Old records of Debian have a state where the version belongs.
				if v == "<not-affected>" || v == "0" {
					return nil, advisory.NotAffected, nil
				}
				if strings.HasPrefix(v, "<") {
					continue
				}
			case "last_affected":
			case "limit":
				_, err := patch.CompareVersions(scheme, v, v) // "*" is none, and so is what cannot be compared
				limit, unlimited = furthest(scheme, limit, v), unlimited || err != nil
				continue
			default:
				return nil, "", fmt.Errorf("it has an event of a kind that is not known, %.40q", kind)
			}
			list = append(list, event{kind, v})
		}
	}
	if err := order(scheme, list); err != nil {
		return nil, "", err
	}
	ranges := stretches(list)
	for i := range ranges {
		if !unlimited {
			ranges[i].Limit = limit
		}
	}
	return ranges, "", nil
}

// firstBegins orders the kinds of one event, which should have but one: what begins goes first.
func firstBegins(a, b string) int {
	switch {
	case a == "introduced" && b != a:
		return -1
	case b == "introduced" && a != b:
		return 1
	}
	return strings.Compare(a, b)
}

// furthest is the greater of two limits, since a version has to be below one of them alone.
func furthest(scheme, a, b string) string {
	if c, err := patch.CompareVersions(scheme, a, b); err == nil && c >= 0 {
		return a
	}
	return b
}

// order sorts events. Where versions cannot be compared, they stay as they are if they take turns.
func order(scheme string, list []event) error {
	var bad error
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b event) int {
		switch {
		case a.version == b.version:
			return 0
		case a.version == "0":
			return -1
		case b.version == "0":
			return 1
		}
		c, err := patch.CompareVersions(scheme, a.version, b.version)
		bad = cmp.Or(bad, err)
		return c
	})
	if bad == nil {
		copy(list, sorted)
		return nil
	}
	for i, e := range list {
		if (e.kind == "introduced") != (i%2 == 0) {
			return bad
		}
	}
	return nil
}

func stretches(list []event) []advisory.Range {
	var ranges []advisory.Range
	open := false
	for _, e := range list {
		switch {
		case e.kind == "introduced" && !open:
			ranges, open = append(ranges, advisory.Range{Introduced: e.version}), true
		case e.kind == "introduced":
		case !open && len(ranges) > 0: // it ended before
		default:
			if !open {
				ranges = append(ranges, advisory.Range{Introduced: "0"})
			}
			if e.kind == "fixed" {
				ranges[len(ranges)-1].Fixed = e.version
			} else {
				ranges[len(ranges)-1].Last = e.version
			}
			open = false
		}
	}
	return ranges
}

// clip makes a text of a stranger one that can be shown.
func clip(s string) string { return provider.Calm(s, maxText) }
