package debian

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"patchbay/provider"
	"patchbay/server/catalog/advisory"
)

// Lists are the files that the tracker keeps its knowledge in.
type Lists struct {
	CVE io.Reader   // data/CVE/list
	DSA []io.Reader // data/DSA/list and data/DLA/list: which version of a release an advisory brought
}

// line is what one line of a list says of one package.
type line struct {
	release string // "" is unstable
	source  string
	version string // that has the fix, "" with a state
	state   string // such as no-dsa
	why     string
	notes   []string // in brackets behind it, such as unimportant
}

var (
	cveHead  = regexp.MustCompile(`^((?:CVE|TEMP)-[0-9A-Z-]+)(?:\s+[\[(](.*))?$`)
	dsaHead  = regexp.MustCompile(`^\[[^\]]*\] ((?:DSA|DLA|DTSA)-[0-9]+(?:-[0-9]+)?) `)
	packages = regexp.MustCompile(`^(?:\[([a-z]+)\]\s+)?-\s+([a-z0-9][a-z0-9+.-]*)(?:\s+(<[a-z-]+>|[0-9][^\s]*))?(?:\s+\((.*)\))?$`)
	crossed  = regexp.MustCompile(`^\{(.*)\}$`)
)

// brought is which version of a release an advisory of Debian brought, by CVE, release, source.
type brought map[[3]string]string

// ReadLists reads the tracker's own lists. For every release that is known it says what holds
// there: the release's own line; else the version that an advisory of Debian brought; else the
// line of unstable.
func ReadLists(in Lists, each func(advisory.Advisory) error) (Report, error) {
	var report Report
	fixes := brought{}
	for _, r := range in.DSA {
		if err := fixes.read(r); err != nil {
			return report, err
		}
	}
	all := map[string]*advisory.Advisory{}
	n := 0
	err := blocks(in.CVE, func(head string, body []string) {
		n++
		m := cveHead.FindStringSubmatch(head)
		if m == nil {
			report.Refuse(Name, n, head, errors.New("it begins like no entry"))
			return
		}
		if err := takeBlock(all, m[1], strings.TrimRight(m[2], ")]"), body, fixes); err != nil {
			report.Refuse(Name, n, m[1], err)
		}
	})
	if err != nil {
		return report, err
	}
	report.Records = len(all)
	return report, give(all, each)
}

// blocks calls f for each entry: a line at the margin and those that are set in below it.
func blocks(in io.Reader, f func(head string, body []string)) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 1<<20)
	var head string
	var body []string
	for s.Scan() {
		text := s.Text()
		if strings.TrimSpace(text) == "" {
			continue
		}
		if text[0] == ' ' || text[0] == '\t' {
			body = append(body, strings.TrimSpace(text))
			continue
		}
		if head != "" {
			f(head, body)
		}
		head, body = text, nil
	}
	if head != "" {
		f(head, body)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("reading the tracker's list: %w", err)
	}
	return nil
}

// read takes the versions that advisories of Debian brought.
func (b brought) read(in io.Reader) error {
	return blocks(in, func(head string, body []string) {
		if !dsaHead.MatchString(head) {
			return
		}
		var cves []string
		for _, text := range body {
			if m := crossed.FindStringSubmatch(text); m != nil {
				cves = append(cves, strings.Fields(m[1])...)
			} else if l, ok := parse(text); ok && l.version != "" {
				for _, id := range cves {
					b[[3]string{id, l.release, l.source}] = l.version
				}
			}
		}
	})
}

func parse(text string) (line, bool) {
	m := packages.FindStringSubmatch(text)
	if m == nil {
		return line{}, false
	}
	l := line{release: m[1], source: m[2]}
	if strings.HasPrefix(m[3], "<") {
		l.state = strings.Trim(m[3], "<>")
	} else {
		l.version = m[3]
	}
	if strings.Contains(m[4], ";") || notes[m[4]] {
		for n := range strings.SplitSeq(m[4], ";") {
			l.notes = append(l.notes, strings.TrimSpace(n))
		}
	} else {
		l.why = m[4]
	}
	return l, l.version != "" || l.state != ""
}

// notes are words in brackets that are no reason.
var notes = map[string]bool{"unimportant": true, "low": true, "medium": true, "high": true}

func takeBlock(all map[string]*advisory.Advisory, id, about string, body []string, fixes brought) error {
	if !advisory.IsID(id) {
		return errors.New("its id has no form that one has")
	}
	a := named(all, id, about)
	unstable, own := map[string]line{}, map[[2]string]line{}
	var sources []string
	for _, text := range body {
		l, ok := parse(text)
		switch {
		case !ok || l.release == "experimental":
			continue
		case l.release == "":
			unstable[l.source] = l
		default:
			own[[2]string{l.release, l.source}] = l
		}
		if !slices.Contains(sources, l.source) {
			sources = append(sources, l.source)
		}
	}
	for _, source := range sources {
		for _, release := range slices.Sorted(maps.Keys(releases)) {
			f := advisory.Affected{Ecosystem: "Debian:" + releases[release], Name: source}
			if holds(id, release, source, unstable, own, fixes, &f) {
				a.Affected = append(a.Affected, f)
			}
		}
	}
	slices.SortFunc(a.Affected, func(x, y advisory.Affected) int {
		return strings.Compare(x.Name+"\x00"+x.Ecosystem, y.Name+"\x00"+y.Ecosystem)
	})
	return nil
}

// holds says what holds in a release; false where nothing does.
func holds(id, release, source string, unstable map[string]line, own map[[2]string]line, fixes brought, f *advisory.Affected) bool {
	l, ok := own[[2]string{release, source}]
	if !ok {
		if v := fixes[[3]string{id, release, source}]; v != "" {
			l, ok = line{version: v}, true
		} else if l, ok = unstable[source]; !ok {
			return false
		}
		if u := unstable[source]; slices.Contains(u.notes, "unimportant") {
			l.notes = u.notes
		}
	}
	e := entry{Status: "open", NoDSA: l.why, NoDSAReason: l.state}
	if slices.Contains(l.notes, "unimportant") {
		e.Urgency = "unimportant"
	}
	switch {
	case l.version != "":
		e.Status, e.FixedVersion = "resolved", l.version
	case l.state == "not-affected":
		return false
	case l.state == "undetermined":
		e.Status = "undetermined"
	}
	f.Word = provider.Calm(e.Urgency, maxText)
	return e.fill(f)
}
