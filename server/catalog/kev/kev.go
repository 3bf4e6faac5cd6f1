// Package kev reads the catalogue of known exploited vulnerabilities of CISA.
//
// The one idea: the catalogue is a whole. Entries are taken back and change without a date
// that moves, so each reading takes the place of the one before, and what differs between two
// is worked out, never assumed.
package kev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
)

// Name is the word for this feed in sentences.
const Name = "KEV"

// Bounds on what is taken.
const (
	maxRecord = 1 << 20
	maxNotes  = 2000
	maxCWEs   = 20
)

// Entry is one vulnerability that is known to be exploited.
type Entry struct {
	ID          string       `json:"id"` // a CVE number, as long as CISA lists nothing else
	Vendor      string       `json:"vendor"`
	Product     string       `json:"product"` // free text, and no name of a package
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Added       time.Time    `json:"added"`            // the day, in no zone
	Due         time.Time    `json:"due,omitzero"`     // binds agencies of the United States; read, never computed
	Ransomware  patch.Answer `json:"ransomware"`       // used in campaigns; "" is CISA's own "Unknown", and may turn at any time
	Action      string       `json:"action,omitempty"` // what CISA asks for
	Notes       string       `json:"notes,omitempty"`  // mostly addresses
	CWEs        []string     `json:"cwes,omitempty"`
}

// Report is how a reading went, and what the catalogue says of itself.
type Report struct {
	feed.Report
	Version  string    `json:"version"`
	Released time.Time `json:"released,omitzero"`
}

// record is an entry as it is written.
type record struct {
	ID          string   `json:"cveID"`
	Vendor      string   `json:"vendorProject"`
	Product     string   `json:"product"`
	Title       string   `json:"vulnerabilityName"`
	Description string   `json:"shortDescription"`
	Added       string   `json:"dateAdded"`
	Due         string   `json:"dueDate"`
	Ransomware  string   `json:"knownRansomwareCampaignUse"`
	Action      string   `json:"requiredAction"`
	Notes       string   `json:"notes"`
	CWEs        []string `json:"cwes"`
}

// Read reads one catalogue. One that has another number of entries than it says, or none, is
// an error: nobody knows what is missing, and taking it would take entries back.
func Read(in io.Reader, each func(Entry) error) (Report, error) {
	var report Report
	count := -1
	seen := map[string]bool{}
	head := func(name string, value json.RawMessage) (err error) {
		var text string
		switch name {
		case "catalogVersion":
			if report.Version != "" {
				return errors.New("these are two catalogues")
			}
			err = json.Unmarshal(value, &text)
			report.Version = feed.Clip(text)
		case "dateReleased":
			if err = json.Unmarshal(value, &text); err == nil {
				report.Released, err = feed.Moment(text)
			}
		case "count":
			err = json.Unmarshal(value, &count)
		}
		if err != nil {
			return fmt.Errorf("its %s cannot be read: %w", name, err)
		}
		return nil
	}
	err := feed.Records(in, feed.Shape{List: "vulnerabilities", Most: maxRecord, Head: head}, func(n int, text json.RawMessage) error {
		e, err := parse(text)
		if err == nil && seen[e.ID] {
			err = errors.New("it stands there twice")
		}
		if err != nil {
			report.Refuse(Name, n, e.ID, err)
			return nil
		}
		seen[e.ID] = true
		report.Records++
		return each(e)
	})
	switch total := report.Records + report.Refused; {
	case err != nil:
		return report, fmt.Errorf("%s: %w", Name, err)
	case total == 0:
		return report, fmt.Errorf("%s: the catalogue is empty; no real one is", Name)
	case count >= 0 && count != total:
		return report, fmt.Errorf("%s: the catalogue says that it has %d entries and has %d", Name, count, total)
	}
	return report, nil
}

// parse reads one entry. With an error the ID is set as far as there is one.
func parse(text []byte) (Entry, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return Entry{ID: r.ID}, err
	}
	e := Entry{ID: r.ID, Vendor: feed.Clip(r.Vendor), Product: feed.Clip(r.Product), Title: feed.Clip(r.Title),
		Description: provider.Calm(r.Description, maxNotes),
		Action:      provider.Calm(r.Action, maxNotes), Notes: provider.Calm(r.Notes, maxNotes)}
	if !advisory.IsID(e.ID) {
		return e, errors.New("its id has no form that an id has")
	}
	var err error
	if e.Added, err = feed.Day(r.Added); err != nil {
		return e, fmt.Errorf("the day on which it was added: %w", err)
	}
	if e.Added.IsZero() {
		return e, errors.New("it has no day on which it was added")
	}
	if e.Due, err = feed.Day(r.Due); err != nil {
		return e, fmt.Errorf("the day on which it is due: %w", err)
	}
	// "Unknown" is what CISA writes where it has not heard of any; that is no "no".
	if strings.EqualFold(strings.TrimSpace(r.Ransomware), "Known") {
		e.Ransomware = patch.Yes
	}
	for _, cwe := range r.CWEs[:min(len(r.CWEs), maxCWEs)] {
		e.CWEs = append(e.CWEs, feed.Clip(cwe))
	}
	return e, nil
}
