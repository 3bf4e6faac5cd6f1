// Package nvd reads the National Vulnerability Database and says whether a product that has
// the name of the Common Platform Enumeration is affected.
//
// The one idea: these records name products from afar. That a record names a version proves
// little, and that it names none proves nothing while nobody has analysed it. So there are
// three answers, each with its reason, and whoever shows one marks it as not confirmed.
//
// This product uses data of the NVD and is not endorsed or certified by it.
package nvd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/cpe"
	"patchbay/server/catalog/feed"
	"patchbay/server/catalog/ssvc"
)

// Name is the word for this feed in sentences.
const Name = "NVD"

// Bounds on what is taken of one record. Real ones reach a quarter of a megabyte, and those
// that list each version of a router's system some thousand of them.
const (
	maxRecord   = 16 << 20
	maxCriteria = 100_000
	maxScores   = 100
	maxUnread   = 5
)

// CVE is one record.
type CVE struct {
	ID             string
	Status         string // in NVD's own words; "" where somebody else wrote the configurations
	Summary        string
	Published      time.Time
	Modified       time.Time
	Scores         []Score
	Points         ssvc.Points
	Configurations []Configuration
	Unread         []string // what it says of products and nobody can read, a sentence each
}

// Score is what one source says of how grave it is.
type Score struct {
	advisory.Score
	Primary bool // it is NVD's own, or one that it took as its own
}

// Configuration is a set of nodes that hold all together, or one of which is enough.
type Configuration struct {
	All    bool
	Negate bool
	Nodes  []Node
}

// Node is a set of criteria.
type Node struct {
	All      bool
	Negate   bool
	Criteria []Criterion
}

// Criterion is a product with a stretch of versions. What is not vulnerable itself is what
// the vulnerable one has to run on.
type Criterion struct {
	Product    cpe.Name
	Vulnerable bool
	From       Bound
	To         Bound
}

// Bound is one end of a stretch of versions; the zero value is no end.
type Bound struct {
	Version  string
	Excluded bool
}

// Report is how a reading went.
type Report struct {
	feed.Report
	Partly int `json:"partly"` // records taken that say something of products that nobody can read
}

// record is one as it is written.
type record struct {
	ID           string `json:"id"`
	Status       string `json:"vulnStatus"`
	Published    string `json:"published"`
	Modified     string `json:"lastModified"`
	Descriptions []struct {
		Lang  string `json:"lang"`
		Value string `json:"value"`
	} `json:"descriptions"`
	Metrics struct {
		V2   []metric `json:"cvssMetricV2"`
		V30  []metric `json:"cvssMetricV30"`
		V31  []metric `json:"cvssMetricV31"`
		V4   []metric `json:"cvssMetricV40"`
		SSVC []struct {
			Data ssvc.Told `json:"ssvcData"`
		} `json:"ssvcV203"`
	} `json:"metrics"`
	Configurations []configuration `json:"configurations"`
}

type metric struct {
	Source string `json:"source"`
	Type   string `json:"type"`
	Data   struct {
		Vector string `json:"vectorString"`
	} `json:"cvssData"`
}

type configuration struct {
	Operator string `json:"operator"`
	Negate   bool   `json:"negate"`
	Nodes    []struct {
		Operator string `json:"operator"`
		Negate   bool   `json:"negate"`
		Criteria []struct {
			Vulnerable    bool   `json:"vulnerable"`
			Criteria      string `json:"criteria"`
			FromIncluding string `json:"versionStartIncluding"`
			FromExcluding string `json:"versionStartExcluding"`
			ToIncluding   string `json:"versionEndIncluding"`
			ToExcluding   string `json:"versionEndExcluding"`
		} `json:"cpeMatch"`
	} `json:"nodes"`
}

// Read reads pages of the programming interface of version 2.0, one after the other, the files
// of the feed, which look the same, or a record a line. A page with another number of records
// than it says is an error.
func Read(in io.Reader, each func(CVE) error) (Report, error) {
	var report Report
	paged, told := false, 0
	shape := feed.Shape{List: "vulnerabilities", Whole: true, Most: maxRecord, Head: func(name string, value json.RawMessage) error {
		if name != "resultsPerPage" {
			return nil
		}
		var n int
		if err := json.Unmarshal(value, &n); err != nil {
			return fmt.Errorf("its %s cannot be read: %w", name, err)
		}
		paged, told = true, told+n
		return nil
	}}
	err := feed.Records(in, shape, func(n int, text json.RawMessage) error {
		c, err := parse(text)
		if err != nil {
			report.Refuse(Name, n, c.ID, err)
			return nil
		}
		report.Records++
		if len(c.Unread) > 0 {
			report.Partly++
		}
		return each(c)
	})
	if total := report.Records + report.Refused; err == nil && paged && told != total {
		err = fmt.Errorf("its pages say that they have %d records and have %d", told, total)
	}
	if err != nil {
		return report, fmt.Errorf("%s: %w", Name, err)
	}
	return report, nil
}

// parse reads one record, alone or within an entry of a page. With an error the ID is set as
// far as there is one.
func parse(text []byte) (CVE, error) {
	var entry struct {
		ID  string          `json:"id"`
		CVE json.RawMessage `json:"cve"`
	}
	if err := json.Unmarshal(text, &entry); err != nil {
		return CVE{ID: entry.ID}, err
	}
	r := record{ID: entry.ID}
	if len(entry.CVE) > 0 {
		text = entry.CVE
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return CVE{ID: r.ID}, err
	}
	if !advisory.IsCVE(r.ID) {
		return CVE{ID: r.ID}, errors.New("its id is no CVE number")
	}
	return r.read()
}

func (r record) read() (CVE, error) {
	c := CVE{ID: r.ID, Status: feed.Clip(r.Status)}
	var err error
	if c.Published, err = feed.Moment(r.Published); err != nil {
		return c, fmt.Errorf("when it was published: %w", err)
	}
	if c.Modified, err = feed.Moment(r.Modified); err != nil {
		return c, fmt.Errorf("when it was changed: %w", err)
	}
	for _, d := range r.Descriptions {
		if d.Lang == "en" && c.Summary == "" {
			c.Summary = feed.Clip(d.Value)
		}
	}
	c.Scores = r.scores()
	for _, s := range r.Metrics.SSVC {
		p, err := s.Data.Points()
		if err != nil {
			return c, err
		}
		if p.Told() && (!c.Points.Told() || p.At.After(c.Points.At)) {
			c.Points = p
		}
	}
	return c, r.configure(&c)
}

// scores are all that sources say, of the newest version of the standard first.
func (r record) scores() []Score {
	var list []Score
	for _, version := range [][]metric{r.Metrics.V4, r.Metrics.V31, r.Metrics.V30, r.Metrics.V2} {
		for _, m := range version {
			if m.Data.Vector == "" || len(list) >= maxScores {
				continue
			}
			by := feed.Clip(m.Source)
			if by == "nvd@nist.gov" {
				by = Name
			}
			list = append(list, Score{advisory.Score{By: by, Vector: feed.Clip(m.Data.Vector)}, m.Type == "Primary"})
		}
	}
	return list
}

// configure reads what it says of products. What cannot be read is told, and the rest is kept.
func (r record) configure(c *CVE) error {
	count := 0
	for _, in := range r.Configurations {
		out := Configuration{All: in.Operator == "AND", Negate: in.Negate}
		for _, n := range in.Nodes {
			node := Node{All: n.Operator == "AND", Negate: n.Negate}
			if count += len(n.Criteria); count > maxCriteria {
				return fmt.Errorf("it has more than %d criteria; no real one has", maxCriteria)
			}
			for _, m := range n.Criteria {
				name, err := cpe.Parse(strings.TrimSpace(m.Criteria))
				from, to, bad := bounds(m.FromIncluding, m.FromExcluding, m.ToIncluding, m.ToExcluding)
				if err = errors.Join(err, bad); err != nil {
					c.unread(err)
					continue
				}
				node.Criteria = append(node.Criteria, Criterion{name, m.Vulnerable, from, to})
			}
			out.Nodes = append(out.Nodes, node)
		}
		c.Configurations = append(c.Configurations, out)
	}
	return nil
}

func (c *CVE) unread(err error) {
	if len(c.Unread) < maxUnread {
		c.Unread = append(c.Unread, feed.Clip(err.Error()))
	}
}

// bounds reads both ends. Some have spaces around their versions.
func bounds(fromIncluding, fromExcluding, toIncluding, toExcluding string) (from, to Bound, err error) {
	if from, err = bound(fromIncluding, fromExcluding); err != nil {
		return from, to, err
	}
	to, err = bound(toIncluding, toExcluding)
	return from, to, err
}

func bound(including, excluding string) (Bound, error) {
	including, excluding = strings.TrimSpace(including), strings.TrimSpace(excluding)
	switch {
	case len(including) > maxVersion || len(excluding) > maxVersion:
		return Bound{}, errors.New("a version of it is longer than any real one")
	case including != "" && excluding != "":
		return Bound{}, errors.New("a stretch of versions has two beginnings or two ends")
	case excluding != "":
		return Bound{excluding, true}, nil
	}
	return Bound{including, false}, nil
}

// All are the scores without whose they are, as a severity is made of.
func (c CVE) All() []advisory.Score {
	var list []advisory.Score
	for _, s := range c.Scores {
		list = append(list, s.Score)
	}
	return list
}

// Products are what records are found by: the keys of the products that it calls vulnerable.
func (c CVE) Products() []string {
	var list []string
	seen := map[string]bool{}
	for _, f := range c.Configurations {
		for _, n := range f.Nodes {
			for _, m := range n.Criteria {
				if key := m.Product.Key(); m.Vulnerable && !seen[key] {
					seen[key] = true
					list = append(list, key)
				}
			}
		}
	}
	return list
}
