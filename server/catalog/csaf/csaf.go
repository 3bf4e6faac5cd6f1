// Package csaf reads security documents in the Common Security Advisory Framework 2.0, which
// vendors use for advisories and for VEX: what of theirs a vulnerability affects, and what not.
//
// The one idea: a document speaks of products by numbers of its own, put together of packages
// and of what they are a part of. These are put together once, here, and each product then has
// one state for each vulnerability: the graver one, where a document says two.
package csaf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
)

// Name is the word for this feed in sentences.
const Name = "CSAF"

// Bounds on what is taken of one document. Real ones of a kernel have tens of megabytes.
const (
	maxDocument        = 128 << 20
	maxDepth           = 30
	maxProducts        = 1_000_000
	maxVulnerabilities = 20_000
	maxStated          = 5_000_000
	maxRemedies        = 2_000
)

// Status is what a document says of a product and a vulnerability.
type Status string

// The statuses, the gravest first.
const (
	Affected      Status = "affected"
	Investigated  Status = "under-investigation"
	Fixed         Status = "fixed"
	NotAffected   Status = "not-affected"
	notMentioned  Status = ""
	productStatus        = "product_status"
)

// statuses are what documents call them. What is recommended is a version that has the fix.
var statuses = map[string]Status{
	"known_affected": Affected, "first_affected": Affected, "last_affected": Affected,
	"under_investigation": Investigated, "unknown": Investigated,
	"fixed": Fixed, "first_fixed": Fixed, "recommended": Fixed,
	"known_not_affected": NotAffected,
}

// graver is whether one status holds where a document says both of one product.
func graver(a, b Status) bool {
	order := []Status{notMentioned, NotAffected, Fixed, Investigated, Affected}
	return slices.Index(order, a) > slices.Index(order, b)
}

// Remedy is what helps: a fix, a way around, or nothing.
type Remedy struct {
	Kind    string // as the standard has it: vendor_fix, workaround, mitigation, none_available, no_fix_planned
	Details string
	URL     string
}

// Stated is what is said of one product.
type Stated struct {
	Product  *Product
	Status   Status
	Remedies []*Remedy
}

// Vulnerability is one of a document's.
type Vulnerability struct {
	CVE    string // "" where it has none
	Title  string
	Scores []advisory.Score
	Stated []Stated // sorted by product
}

// Document is one document.
type Document struct {
	ID              string
	Title           string
	Publisher       string
	Category        string
	Word            string // how grave it is as a whole, in its publisher's word
	Published       time.Time
	Modified        time.Time
	Vulnerabilities []Vulnerability
}

// document is one as it is written.
type document struct {
	Document struct {
		Category string `json:"category"`
		Title    string `json:"title"`
		Severity struct {
			Text string `json:"text"`
		} `json:"aggregate_severity"`
		Publisher struct {
			Name string `json:"name"`
		} `json:"publisher"`
		Tracking struct {
			ID       string `json:"id"`
			Initial  string `json:"initial_release_date"`
			Modified string `json:"current_release_date"`
		} `json:"tracking"`
		Version string `json:"csaf_version"`
	} `json:"document"`
	Tree            tree            `json:"product_tree"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type vulnerability struct {
	CVE      string              `json:"cve"`
	Title    string              `json:"title"`
	Status   map[string][]string `json:"product_status"`
	Remedies []struct {
		Category string   `json:"category"`
		Details  string   `json:"details"`
		URL      string   `json:"url"`
		Products []string `json:"product_ids"`
		Groups   []string `json:"group_ids"`
	} `json:"remediations"`
	Scores []struct {
		V2 vector `json:"cvss_v2"`
		V3 vector `json:"cvss_v3"`
		V4 vector `json:"cvss_v4"`
	} `json:"scores"`
	Threats []struct {
		Category string `json:"category"`
		Details  string `json:"details"`
	} `json:"threats"`
}

type vector struct {
	Vector string `json:"vectorString"`
}

// Read reads documents: one alone, or several that follow each other.
func Read(in io.Reader, each func(Document) error) (feed.Report, error) {
	var report feed.Report
	err := feed.Records(in, feed.Shape{Most: maxDocument}, func(n int, text json.RawMessage) error {
		d, err := parse(text)
		if err != nil {
			report.Refuse(Name, n, d.ID, err)
			return nil
		}
		report.Records++
		return each(d)
	})
	if err != nil {
		return report, fmt.Errorf("%s: %w", Name, err)
	}
	return report, nil
}

// parse reads one document. With an error the ID is set as far as there is one.
func parse(text []byte) (Document, error) {
	var in document
	if !bytes.Contains(text, []byte(`"tracking"`)) {
		return Document{}, errors.New("it is no security document")
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return Document{ID: in.Document.Tracking.ID}, err
	}
	head := in.Document
	d := Document{ID: head.Tracking.ID, Title: feed.Clip(head.Title), Publisher: feed.Clip(head.Publisher.Name), Category: feed.Clip(head.Category), Word: feed.Clip(head.Severity.Text)}
	if !advisory.IsID(d.ID) {
		return d, errors.New("its id has no form that an id has")
	}
	var err error
	if d.Published, err = feed.Moment(head.Tracking.Initial); err != nil {
		return d, fmt.Errorf("when it was published: %w", err)
	}
	if d.Modified, err = feed.Moment(head.Tracking.Modified); err != nil {
		return d, fmt.Errorf("when it was changed: %w", err)
	}
	known, err := in.Tree.products()
	if err != nil {
		return d, err
	}
	if len(in.Vulnerabilities) > maxVulnerabilities {
		return d, errors.New("it has more vulnerabilities than any real one")
	}
	left := maxStated
	for _, v := range in.Vulnerabilities {
		out, err := v.read(d.Publisher, known, &left)
		if err != nil {
			return Document{ID: d.ID}, fmt.Errorf("%.40q: %w", v.CVE, err)
		}
		d.Vulnerabilities = append(d.Vulnerabilities, out)
	}
	return d, nil
}

// read reads one vulnerability. left is how many statements may still come.
func (v vulnerability) read(by string, known *products, left *int) (Vulnerability, error) {
	if v.CVE != "" && !advisory.IsCVE(v.CVE) {
		return Vulnerability{}, errors.New("its id is no CVE number")
	}
	out := Vulnerability{CVE: v.CVE, Title: feed.Clip(v.Title), Scores: v.scores(by)}
	states := map[string]Status{}
	for word, list := range v.Status {
		status, ok := statuses[word]
		if !ok {
			return out, fmt.Errorf("its %s says %.40q, which nobody knows", productStatus, word)
		}
		if *left -= len(list); *left < 0 {
			return out, errors.New("it says more of products than any real one")
		}
		for _, id := range list {
			if graver(status, states[id]) {
				states[id] = status
			}
		}
	}
	helps, err := v.remedies(known, left)
	if err != nil {
		return out, err
	}
	for id, status := range states {
		out.Stated = append(out.Stated, Stated{known.get(id), status, helps[id]})
	}
	slices.SortFunc(out.Stated, func(a, b Stated) int { return strings.Compare(a.Product.ID, b.Product.ID) })
	return out, nil
}

// remedies are what helps, by product. What names no product is for all of them.
func (v vulnerability) remedies(known *products, left *int) (map[string][]*Remedy, error) {
	if len(v.Remedies) > maxRemedies {
		return nil, errors.New("it has more remediations than any real one")
	}
	helps := map[string][]*Remedy{}
	for _, r := range v.Remedies {
		one := &Remedy{Kind: feed.Clip(r.Category), Details: feed.Clip(r.Details), URL: feed.Clip(r.URL)}
		list := r.Products
		for _, g := range r.Groups {
			list = append(list, known.groups[g]...)
		}
		if *left -= len(list); *left < 0 {
			return nil, errors.New("it says more of products than any real one")
		}
		for _, id := range list {
			helps[id] = append(helps[id], one)
		}
	}
	return helps, nil
}

// scores are all that say how grave it is.
func (v vulnerability) scores(by string) []advisory.Score {
	var list []advisory.Score
	add := func(s advisory.Score) {
		if (s.Vector != "" || s.Word != "") && len(list) < 50 && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, s := range v.Scores {
		for _, one := range []vector{s.V4, s.V3, s.V2} {
			if one.Vector != "" {
				add(advisory.Score{By: by, Vector: feed.Clip(one.Vector)})
			}
		}
	}
	for _, t := range v.Threats {
		if t.Category == "impact" {
			add(advisory.Score{By: by, Word: feed.Clip(t.Details)})
		}
	}
	return list
}
