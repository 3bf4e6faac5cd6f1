package msrc

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"patchbay/patch"
)

// Knowledge is what several documents say together.
type Knowledge struct {
	Documents []Document // that hold, by ID
	Replaced  []string   // revisions that a newer one took the place of, a sentence each
	fixes     []Fix
	byKB      map[string][]Fix
	severity  map[string]patch.Severity // of a CVE, the worst that is said of it
	newer     map[string][]string       // KB → those that supersede it
}

// Know puts documents together. Of several revisions of one the newest holds; a table says
// less than a document, and gives way to one of its month.
func Know(documents []Document) (Knowledge, error) {
	k := Knowledge{byKB: map[string][]Fix{}, severity: map[string]patch.Severity{}, newer: map[string][]string{}}
	if len(documents) > maxMonths {
		return k, fmt.Errorf("there are more than %d documents", maxMonths)
	}
	holds := map[string]Document{}
	for _, d := range documents {
		last, twice := holds[d.ID]
		if !twice || newer(d, last) {
			holds[d.ID], d = d, last
		}
		if twice {
			k.Replaced = append(k.Replaced, d.name()+" gives way to "+holds[d.ID].name())
		}
	}
	for _, d := range holds {
		k.Documents = append(k.Documents, d)
	}
	slices.SortFunc(k.Documents, func(a, b Document) int { return cmp.Compare(monthOf(a.ID), monthOf(b.ID)) })
	for _, d := range k.Documents {
		k.fixes = append(k.fixes, d.Fixes...)
	}
	for _, f := range k.fixes {
		k.byKB[f.KB] = append(k.byKB[f.KB], f)
		k.severity[f.CVE] = k.severity[f.CVE].Graver(f.Severity)
		if f.Supersedes != "" && !slices.Contains(k.newer[f.Supersedes], f.KB) {
			k.newer[f.Supersedes] = append(k.newer[f.Supersedes], f.KB)
		}
	}
	return k, nil
}

func newer(a, b Document) bool {
	if a.Table != b.Table {
		return b.Table
	}
	return cmp.Or(cmp.Compare(a.Revision, b.Revision), a.Revised.Compare(b.Revised)) > 0
}

func (d Document) name() string {
	if d.Table {
		return d.ID + " (table)"
	}
	return fmt.Sprintf("%s revision %d", d.ID, d.Revision)
}

// monthOf makes an ID one that can be put in order.
func monthOf(id string) string {
	year, month, _ := strings.Cut(id, "-")
	at := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", month[:min(3, len(month))])
	return fmt.Sprintf("%s-%03d-%s", year, at, id)
}

// Update is what is known of a KB.
type Update struct {
	KB           string         `json:"kb"`
	Documents    []string       `json:"documents"`
	Products     []string       `json:"products"`
	Builds       []string       `json:"builds"`
	CVEs         []string       `json:"cves"`
	Exploited    []string       `json:"exploited,omitempty"` // of the CVEs, those that were when the documents were made
	Severity     patch.Severity `json:"severity"`            // the worst
	Kinds        []Kind         `json:"kinds"`
	Restart      patch.Answer   `json:"restart,omitempty"`
	Supersedes   []string       `json:"supersedes,omitempty"`    // the chain downwards, the next older one first
	SupersededBy []string       `json:"superseded_by,omitempty"` // the chain upwards, the next newer one first
}

// Severity is how grave Microsoft calls a CVE, on its worst product.
func (k Knowledge) Severity(cve string) patch.Severity {
	return cmp.Or(k.severity[cve], patch.SeverityUnknown)
}

// Update tells what is known of a KB, written with or without the letters.
func (k Knowledge) Update(kb string) (Update, bool) {
	kb = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(kb)), "KB")
	u := Update{KB: kb, Supersedes: k.Older(kb), SupersededBy: k.Newer(kb)}
	u.take(k.byKB[kb])
	return u, len(k.byKB[kb]) > 0 || len(u.SupersededBy) > 0
}

func (u *Update) take(fixes []Fix) {
	for i, f := range fixes {
		u.Documents, u.Products, u.CVEs = append(u.Documents, f.Document), append(u.Products, f.Product), append(u.CVEs, f.CVE)
		u.Kinds = append(u.Kinds, f.Kind)
		if f.Build != (Build{}) {
			u.Builds = append(u.Builds, f.Build.String())
		}
		if f.Exploited == patch.Yes {
			u.Exploited = append(u.Exploited, f.CVE)
		}
		u.Severity = u.Severity.Graver(f.Severity)
		if i == 0 {
			u.Restart = f.Restart
		} else if u.Restart != f.Restart {
			u.Restart = patch.Unknown
		}
	}
	for _, list := range []*[]string{&u.Documents, &u.Products, &u.CVEs, &u.Builds, &u.Exploited} {
		*list = distinct(*list)
	}
	slices.SortFunc(u.Documents, func(a, b string) int { return cmp.Compare(monthOf(a), monthOf(b)) })
	slices.Sort(u.Kinds)
	u.Kinds = slices.Compact(u.Kinds)
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// Older is the chain of those that a KB supersedes, as far as the documents go, the next first.
func (k Knowledge) Older(kb string) []string {
	return follow(kb, func(kb string) []string {
		var next []string
		for _, f := range k.byKB[kb] {
			if f.Supersedes != "" && !slices.Contains(next, f.Supersedes) {
				next = append(next, f.Supersedes)
			}
		}
		return next
	})
}

// Newer is the chain of those that supersede a KB, the next first.
func (k Knowledge) Newer(kb string) []string {
	return follow(kb, func(kb string) []string { return k.newer[kb] })
}

// follow walks a chain, which may fork, and ends where it comes round again.
func follow(from string, next func(string) []string) []string {
	var chain []string
	seen := map[string]bool{from: true}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, kb := range slices.Sorted(slices.Values(next(queue[0]))) {
			if !seen[kb] {
				seen[kb] = true
				chain, queue = append(chain, kb), append(queue, kb)
			}
		}
	}
	return chain
}

var productForm = regexp.MustCompile(`^(Windows (?:7|8|8\.1|10|11|RT|RT 8\.1|Vista|Server)\b[^()]*?)(?: for (x64|ARM64|32-bit|Itanium)(?:-[Bb]ased)? Systems)?( Service Pack \d)?(?: \(Server Core installation\))?$`)

// windowsOf takes the name of a Windows apart: which it is, and for which architecture, ""
// for all. Programs that run on one are none.
func windowsOf(product string) (line, architecture string) {
	m := productForm.FindStringSubmatch(product)
	if m == nil || strings.Contains(product, ", version") {
		return "", ""
	}
	line = strings.Replace(m[1], " version ", " Version ", 1) + m[3]
	switch m[2] {
	case "x64":
		return line, "amd64"
	case "32-bit":
		return line, "386"
	}
	return line, strings.ToLower(m[2])
}

// Fixes gives each fix of all documents, the oldest document first.
func (k Knowledge) Fixes(each func(Fix)) {
	for _, f := range k.fixes {
		each(f)
	}
}
