// Package ssvc reads what CISA says of a vulnerability by the points of Stakeholder-Specific
// Vulnerability Categorization, from CVE records (Vulnrichment) and from NVD, and the CVSS
// vectors that stand beside them.
//
// The one idea: the points are facts about a vulnerability and no decision. How much it
// matters to somebody is not in the data, and neither is what to do. A point that is not told
// is not known, which is something else than its lowest value.
package ssvc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
)

// Name is the word for this feed in sentences.
const Name = "SSVC"

// Bounds on what is taken of one CVE record; the largest real ones have a megabyte.
const (
	maxRecord = 16 << 20
	maxScores = 50
)

// Exploitation says how far it is exploited. The zero value is not known.
type Exploitation string

// The values of exploitation.
const (
	NoExploit Exploitation = "none"
	PoC       Exploitation = "poc" // how it is done is public
	Active    Exploitation = "active"
)

// Impact says how much of a program who exploits it has then. The zero value is not known.
type Impact string

// The values of technical impact.
const (
	Partial Impact = "partial"
	Total   Impact = "total"
)

// Points are what is told of a vulnerability, and when.
type Points struct {
	Exploitation Exploitation `json:"exploitation,omitempty"`
	Automatable  patch.Answer `json:"automatable,omitempty"` // all steps up to exploitation can be done by a program
	Impact       Impact       `json:"impact,omitempty"`
	At           time.Time    `json:"at,omitzero"`
}

// Told reports whether any point is known.
func (p Points) Told() bool { return p.Exploitation != "" || p.Automatable != "" || p.Impact != "" }

// Options reads the points as both publishers write them: "Technical Impact" with "total" or
// "Total" in CVE records, "technicalImpact" at NVD. A value that is none of the known ones is
// an error, and so is a point with two values.
func Options(list []map[string]string) (Points, error) {
	var p Points
	for _, o := range list[:min(len(list), 20)] {
		for name, value := range o {
			if err := p.take(plain(name), plain(value)); err != nil {
				return Points{}, err
			}
		}
	}
	return p, nil
}

func plain(s string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(s))
}

func (p *Points) take(name, value string) error {
	switch name {
	case "exploitation":
		return set(&p.Exploitation, name, value, map[string]Exploitation{"none": NoExploit, "poc": PoC, "publicpoc": PoC, "proofofconcept": PoC, "active": Active})
	case "automatable":
		return set(&p.Automatable, name, value, map[string]patch.Answer{"yes": patch.Yes, "no": patch.No})
	case "technicalimpact":
		return set(&p.Impact, name, value, map[string]Impact{"partial": Partial, "total": Total})
	}
	return nil // what else is said is for others
}

func set[T ~string](field *T, name, value string, values map[string]T) error {
	v, ok := values[value]
	switch {
	case !ok:
		return fmt.Errorf("its %s is %.40q, which is no value of it", name, value)
	case *field != "" && *field != v:
		return fmt.Errorf("its %s has two values", name)
	}
	*field = v
	return nil
}

// Record is what one CVE record says.
type Record struct {
	CVE      string           `json:"cve"`
	Rejected bool             `json:"rejected,omitempty"`
	Points   Points           `json:"points"`
	Scores   []advisory.Score `json:"scores,omitempty"`
}

// record is a CVE record of version 5 as it is written.
type record struct {
	Meta struct {
		ID    string `json:"cveId"`
		State string `json:"state"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA container   `json:"cna"`
		ADP []container `json:"adp"`
	} `json:"containers"`
}

type container struct {
	Provider struct {
		ShortName string `json:"shortName"`
	} `json:"providerMetadata"`
	Metrics []metric `json:"metrics"`
}

type vector struct {
	Vector string `json:"vectorString"`
}

type metric struct {
	V2    vector `json:"cvssV2_0"`
	V30   vector `json:"cvssV3_0"`
	V31   vector `json:"cvssV3_1"`
	V4    vector `json:"cvssV4_0"`
	Other struct {
		Type    string          `json:"type"`
		Content json.RawMessage `json:"content"`
	} `json:"other"`
}

// Told is a set of points as it is written.
type Told struct {
	Timestamp string              `json:"timestamp"`
	Options   []map[string]string `json:"options"`
}

// Points reads them.
func (t Told) Points() (Points, error) {
	p, err := Options(t.Options)
	if err != nil {
		return p, err
	}
	if p.At, err = feed.Moment(t.Timestamp); err != nil {
		return Points{}, fmt.Errorf("when its points were told: %w", err)
	}
	return p, nil
}

// Read reads CVE records: a line each, one document, or a list.
func Read(in io.Reader, each func(Record) error) (feed.Report, error) {
	var report feed.Report
	err := feed.Records(in, feed.Shape{Most: maxRecord}, func(n int, text json.RawMessage) error {
		r, err := parse(text)
		if err != nil {
			report.Refuse(Name, n, r.CVE, err)
			return nil
		}
		report.Records++
		return each(r)
	})
	if err != nil {
		return report, fmt.Errorf("%s: %w", Name, err)
	}
	return report, nil
}

// parse reads one record. With an error the number is set as far as there is one.
func parse(text []byte) (Record, error) {
	var in record
	if err := json.Unmarshal(text, &in); err != nil {
		return Record{CVE: in.Meta.ID}, err
	}
	r := Record{CVE: in.Meta.ID, Rejected: strings.EqualFold(in.Meta.State, "REJECTED")}
	if !advisory.IsCVE(r.CVE) {
		return r, errors.New("its id is no CVE number")
	}
	for _, c := range append([]container{in.Containers.CNA}, in.Containers.ADP...) {
		if err := r.take(c); err != nil {
			return Record{CVE: r.CVE}, err
		}
	}
	return r, nil
}

// take reads what one of those who add to a record says. Of several sets of points the one
// that was told last holds.
func (r *Record) take(c container) error {
	by := feed.Clip(c.Provider.ShortName)
	for _, m := range c.Metrics {
		for _, v := range []vector{m.V4, m.V31, m.V30, m.V2} {
			s := advisory.Score{By: by, Vector: feed.Clip(v.Vector)}
			if s.Vector != "" && len(r.Scores) < maxScores && !slices.Contains(r.Scores, s) {
				r.Scores = append(r.Scores, s)
			}
		}
		if !strings.EqualFold(m.Other.Type, "ssvc") {
			continue
		}
		var told Told
		if err := json.Unmarshal(m.Other.Content, &told); err != nil {
			return fmt.Errorf("its points cannot be read: %w", err)
		}
		p, err := told.Points()
		if err != nil {
			return err
		}
		if p.Told() && (!r.Points.Told() || p.At.After(r.Points.At)) {
			r.Points = p
		}
	}
	return nil
}
