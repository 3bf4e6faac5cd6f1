// Package recall reads lists of updates that should not be installed now, because whoever made
// them took them back or because they are known to make trouble.
//
// The one idea: such a list is short, and anybody may keep one: the MSP in a file, or a program
// that turns what a publisher says into it. So its form is as small as can be, and of what it
// holds up every entry says what the trouble is, since when, and who says so.
package recall

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/provider"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
)

// Name is what the feed is called where it is spoken of.
const Name = "Recalls"

// The most that is taken of one list, and of one entry.
const (
	maxRecord   = 256 << 10
	maxEntries  = 10_000
	maxVersions = 500
	maxTrouble  = 500
	maxSource   = 500
	maxVersion  = 200
)

// Kind says what is the matter with an update.
type Kind string

// The kinds.
const (
	Recalled Kind = "recalled" // whoever made it took it back
	Trouble  Kind = "trouble"  // it is there still, and known to make trouble
)

// Owner is whose turn it is to end a recall.
type Owner string

// The owners. Nothing said is the vendor.
const (
	Vendor Owner = "vendor"
	MSP    Owner = "msp"
)

// Entry is one entry of a list.
type Entry struct {
	ID        string
	Kind      Kind
	Publisher string // who says so
	Owner     Owner
	Provider  string
	Name      string   // of an item or of its source package; "" where KB is set
	KB        string   // "KB5074109": an item whose name begins with this number
	Versions  []string // all letters of them; none is every version, of a KB alone
	Trouble   string   // a sentence
	Since     time.Time
	Resolved  time.Time // from when on it may be installed again; zero while nobody knows
	Source    string    // an address that says more; "" is none
}

// record is an entry as it is written.
type record struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	Publisher string   `json:"publisher"`
	Owner     string   `json:"owner"`
	Provider  string   `json:"provider"`
	Name      string   `json:"name"`
	KB        string   `json:"kb"`
	Versions  []string `json:"versions"`
	Trouble   string   `json:"trouble"`
	Since     string   `json:"since"`
	Resolved  string   `json:"resolved"`
	Source    string   `json:"source"`
}

// Read reads one list. It may be empty. An entry that is not what it says is refused alone;
// a list that breaks off is none.
func Read(in io.Reader, each func(Entry) error) (feed.Report, error) {
	var report feed.Report
	seen := map[string]bool{}
	err := feed.Records(in, feed.Shape{List: "recalls", Most: maxRecord}, func(n int, text json.RawMessage) error {
		if n > maxEntries {
			return fmt.Errorf("it has more than %d entries", maxEntries)
		}
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
	if err != nil {
		return report, fmt.Errorf("%s: %w", Name, err)
	}
	return report, nil
}

var (
	kbForm       = regexp.MustCompile(`^(?:KB|kb)?([1-9]\d{4,7})$`)
	providerForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,59}$`)
)

// parse reads one entry. With an error the ID is set as far as there is one.
func parse(text []byte) (Entry, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return Entry{ID: r.ID}, err
	}
	e := Entry{ID: r.ID, Kind: Kind(r.Kind), Publisher: feed.Clip(r.Publisher), Owner: Owner(r.Owner), Provider: r.Provider,
		Trouble: provider.Calm(r.Trouble, maxTrouble), Source: r.Source}
	if !advisory.IsID(e.ID) {
		return e, errors.New("its id has no form that an id has")
	}
	switch {
	case e.Kind != Recalled && e.Kind != Trouble:
		return e, fmt.Errorf("its kind is %.20q, and neither recalled nor trouble", r.Kind)
	case e.Trouble == "":
		return e, errors.New("it does not say what the trouble is")
	case e.Publisher == "":
		return e, errors.New("it does not say who says so (publisher)")
	case e.Owner == "":
		e.Owner = Vendor
	case e.Owner != Vendor && e.Owner != MSP:
		return e, fmt.Errorf("its owner is %.20q, and neither vendor nor msp", r.Owner)
	}
	if err := e.name(r); err != nil {
		return e, err
	}
	if err := e.dates(r); err != nil {
		return e, err
	}
	return e, e.checkSource()
}

// name reads what it is about.
func (e *Entry) name(r record) error {
	e.Name, e.Versions = r.Name, slices.Clone(r.Versions)
	if r.KB != "" {
		m := kbForm.FindStringSubmatch(r.KB)
		switch {
		case m == nil:
			return fmt.Errorf("%.20q is no number of an update of Windows, such as KB5074109", r.KB)
		case r.Name != "":
			return errors.New("it has a name and a kb: it is about one of them")
		}
		e.KB = "KB" + m[1]
	}
	switch {
	case e.KB == "" && (e.Name == "" || e.Name != feed.Clip(e.Name)):
		return errors.New("it does not say, in letters that can be shown, which item it is about (name)")
	case !providerForm.MatchString(e.Provider):
		return fmt.Errorf("%.60q is not how a provider is called", feed.Clip(e.Provider))
	case e.KB == "" && len(e.Versions) == 0:
		return errors.New("it does not say which versions it is about")
	case len(e.Versions) > maxVersions:
		return fmt.Errorf("it has more than %d versions", maxVersions)
	}
	for _, v := range e.Versions {
		if v == "" || v != provider.Calm(v, maxVersion) {
			return fmt.Errorf("%.60q is no version", feed.Clip(v))
		}
	}
	slices.Sort(e.Versions)
	e.Versions = slices.Compact(e.Versions)
	return nil
}

func (e *Entry) dates(r record) (err error) {
	if e.Since, err = feed.Moment(r.Since); err != nil {
		return fmt.Errorf("since when it is: %w", err)
	}
	if e.Since.IsZero() {
		return errors.New("it does not say since when (since)")
	}
	if e.Resolved, err = feed.Moment(r.Resolved); err != nil {
		return fmt.Errorf("when it was resolved: %w", err)
	}
	return nil
}

// checkSource lets in what can be shown and be followed without harm.
func (e *Entry) checkSource() error {
	if e.Source == "" {
		return nil
	}
	u, err := url.Parse(e.Source)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(e.Source) > maxSource ||
		strings.ContainsFunc(e.Source, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("its source is no address of a page, such as https://vendor.example/notice")
	}
	return nil
}
