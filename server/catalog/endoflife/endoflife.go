// Package endoflife reads what endoflife.date knows of how long products are supported, and
// says for a version whether anybody still mends it.
//
// The one idea: support is of several kinds that end on several days: what the vendor gives
// to everybody, what others give to everybody after that, and what has to be paid for. The
// third is told and never counted, since nobody here knows who has a contract.
package endoflife

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/feed"
)

// Name is the word for this feed in sentences.
const Name = "endoflife.date"

// Bounds on what is taken of one product.
const (
	maxRecord = 8 << 20
	maxCycles = 5_000
	maxIDs    = 2_000
)

// End is when something ends: on a day, or told without one. The zero value is not known.
type End struct {
	Day  time.Time    `json:"day,omitzero"` // the last one
	Over patch.Answer `json:"over,omitempty"`
}

// Ended says whether it is over at a moment.
func (e End) Ended(now time.Time) patch.Answer {
	switch {
	case e.Day.IsZero():
		return e.Over
	case now.Before(e.Day.AddDate(0, 0, 1)):
		return patch.No
	}
	return patch.Yes
}

// Cycle is a line of releases of a product. Its name is text: 10.10 is not 10.1.
type Cycle struct {
	Name         string    `json:"name"`
	Label        string    `json:"label,omitempty"`
	Codename     string    `json:"codename,omitempty"`
	Released     time.Time `json:"released,omitzero"`
	LongTerm     bool      `json:"long_term,omitempty"` // the vendor calls it so; it says nothing of days
	Active       End       `json:"active"`              // until then more than security is mended
	Vendor       End       `json:"vendor"`              // until then the vendor mends what is unsafe, for everybody
	Extended     End       `json:"extended"`            // until then somebody does, for everybody or for those who pay: Product.Free
	Discontinued End       `json:"discontinued"`        // of hardware: until then it is sold
	Latest       string    `json:"latest,omitempty"`
	LatestAt     time.Time `json:"latest_at,omitzero"`
}

// Product is a product with its cycles, the newest first.
type Product struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Category string   `json:"category,omitempty"`
	Aliases  []string `json:"aliases,omitempty"`
	PURLs    []string `json:"purls,omitempty"`
	CPEs     []string `json:"cpes,omitempty"`
	Longer   string   `json:"longer,omitempty"` // what its extended support is called
	Free     bool     `json:"free,omitempty"`   // its extended support is for everybody
	Cycles   []Cycle  `json:"cycles"`
}

// free are the products whose extended support is for everybody: Debian LTS, and what Pulsar
// calls security support. All others' has to be paid for, as far as their vendors say.
var free = map[string]bool{"debian": true, "apache-pulsar": true}

// record is a product in both ways in which it is written: in the files of the project, and by
// its programming interface.
type record struct {
	FileName string   `json:"_name"`
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Label    string   `json:"label"`
	Category string   `json:"category"`
	Aliases  []string `json:"aliases"`
	Others   []string `json:"alternate_urls"`
	IDs      []struct {
		PURL string `json:"purl"`
		CPE  string `json:"cpe"`
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"identifiers"`
	Column any `json:"eoesColumn"`
	Labels struct {
		Longer string `json:"eoes"`
	} `json:"labels"`
	Releases []release `json:"releases"`
}

type release struct {
	Cycle        string          `json:"releaseCycle"`
	Name         string          `json:"name"`
	CycleLabel   string          `json:"releaseLabel"`
	Label        string          `json:"label"`
	Codename     string          `json:"codename"`
	Released     string          `json:"releaseDate"`
	Active       mixed           `json:"eoas"`
	Vendor       mixed           `json:"eol"`
	Extended     mixed           `json:"eoes"`
	LongTerm     mixed           `json:"lts"`
	Discontinued mixed           `json:"discontinued"`
	Latest       json.RawMessage `json:"latest"`
	LatestAt     string          `json:"latestReleaseDate"`

	IsActive       *bool  `json:"isEoas"`
	ActiveFrom     string `json:"eoasFrom"`
	IsVendor       *bool  `json:"isEol"`
	VendorFrom     string `json:"eolFrom"`
	IsExtended     *bool  `json:"isEoes"`
	ExtendedFrom   string `json:"eoesFrom"`
	IsLongTerm     *bool  `json:"isLts"`
	IsDiscontinued *bool  `json:"isDiscontinued"`
	DiscontinuedAt string `json:"discontinuedFrom"`
}

// mixed is a date or a boolean.
type mixed struct{ End }

// UnmarshalJSON reads either.
func (m *mixed) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "null":
	case "true":
		m.Over = patch.Yes
	case "false":
		m.Over = patch.No
	default:
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return fmt.Errorf("%.40q is neither a date nor yes or no", text)
		}
		day, err := feed.Day(s)
		if err != nil {
			return err
		}
		m.Day = day
	}
	return nil
}

// Read reads products: a line each, or the answer of the programming interface to the question
// for all of them, with as many as it says.
func Read(in io.Reader, each func(Product) error) (feed.Report, error) {
	var report feed.Report
	total := -1
	shape := feed.Shape{List: "result", Whole: true, Most: maxRecord, Head: func(name string, value json.RawMessage) error {
		if name != "total" {
			return nil
		}
		if err := json.Unmarshal(value, &total); err != nil {
			return fmt.Errorf("its total cannot be read: %w", err)
		}
		return nil
	}}
	seen := map[string]bool{}
	err := feed.Records(in, shape, func(n int, text json.RawMessage) error {
		p, err := parse(text)
		if err == nil && seen[p.Name] {
			err = errors.New("it stands there twice")
		}
		if err != nil {
			report.Refuse(Name, n, p.Name, err)
			return nil
		}
		seen[p.Name] = true
		report.Records++
		return each(p)
	})
	if err == nil && total >= 0 && total != report.Records+report.Refused {
		err = fmt.Errorf("it says that it has %d products and has %d", total, report.Records+report.Refused)
	}
	if err != nil {
		return report, fmt.Errorf("%s: %w", Name, err)
	}
	return report, nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._+-]{0,99}$`)

// parse reads one product. With an error the name is set as far as there is one.
func parse(text []byte) (Product, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return Product{Name: r.FileName + r.Name}, err
	}
	p := Product{Name: first(r.FileName, r.Name), Title: feed.Clip(first(r.Title, r.Label)), Category: feed.Clip(r.Category)}
	if !nameForm.MatchString(p.Name) {
		return p, errors.New("its name has no form that a name has")
	}
	if len(r.Releases) > maxCycles || len(r.IDs) > maxIDs || len(r.Aliases)+len(r.Others) > maxIDs {
		return p, errors.New("it has more than any real one")
	}
	p.Free = free[p.Name]
	p.Longer = feed.Clip(r.Labels.Longer)
	if s, ok := r.Column.(string); ok {
		p.Longer = feed.Clip(markup.ReplaceAllString(s, ""))
	}
	for _, alias := range append(r.Aliases, r.Others...) {
		p.Aliases = append(p.Aliases, feed.Clip(strings.TrimPrefix(alias, "/")))
	}
	for _, id := range r.IDs {
		switch {
		case id.PURL != "":
			p.PURLs = append(p.PURLs, feed.Clip(id.PURL))
		case id.CPE != "":
			p.CPEs = append(p.CPEs, feed.Clip(id.CPE))
		case id.Type == "purl":
			p.PURLs = append(p.PURLs, feed.Clip(id.ID))
		case id.Type == "cpe":
			p.CPEs = append(p.CPEs, feed.Clip(id.ID))
		}
	}
	for _, one := range r.Releases {
		c, err := one.cycle()
		if err != nil {
			return p, fmt.Errorf("its cycle %.40q: %w", c.Name, err)
		}
		p.Cycles = append(p.Cycles, c)
	}
	return p, nil
}

var markup = regexp.MustCompile(`<[^>]*>`)

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (r release) cycle() (Cycle, error) {
	c := Cycle{Name: feed.Clip(first(r.Cycle, r.Name)), Label: feed.Clip(first(r.CycleLabel, r.Label)), Codename: feed.Clip(r.Codename),
		Active: r.Active.End, Vendor: r.Vendor.End, Extended: r.Extended.End, Discontinued: r.Discontinued.End}
	if c.Name == "" {
		return c, errors.New("it has no name")
	}
	var err error
	for _, one := range []struct {
		end  *End
		over *bool
		day  string
	}{{&c.Active, r.IsActive, r.ActiveFrom}, {&c.Vendor, r.IsVendor, r.VendorFrom}, {&c.Extended, r.IsExtended, r.ExtendedFrom}, {&c.Discontinued, r.IsDiscontinued, r.DiscontinuedAt}} {
		if err = one.end.read(one.over, one.day); err != nil {
			return c, err
		}
	}
	c.LongTerm = r.LongTerm.Over == patch.Yes || !r.LongTerm.Day.IsZero() || r.IsLongTerm != nil && *r.IsLongTerm
	if c.Released, err = feed.Day(r.Released); err != nil {
		return c, err
	}
	return c, r.latest(&c)
}

// read takes what the programming interface says: whether it is over today, and the day.
func (e *End) read(over *bool, day string) error {
	if over != nil {
		e.Over = patch.No
		if *over {
			e.Over = patch.Yes
		}
	}
	if day == "" {
		return nil
	}
	var err error
	e.Day, err = feed.Day(day)
	return err
}

// latest reads the newest release: a text, or an object of its own.
func (r release) latest(c *Cycle) (err error) {
	at := r.LatestAt
	if len(r.Latest) > 0 && r.Latest[0] == '{' {
		var l struct {
			Name string `json:"name"`
			Date string `json:"date"`
		}
		if err = json.Unmarshal(r.Latest, &l); err != nil {
			return err
		}
		c.Latest, at = feed.Clip(l.Name), l.Date
	} else if len(r.Latest) > 0 && r.Latest[0] == '"' {
		var s string
		if err = json.Unmarshal(r.Latest, &s); err != nil {
			return err
		}
		c.Latest = feed.Clip(s)
	}
	c.LatestAt, err = feed.Day(at)
	return err
}
