// Package debian reads what Debian's security tracker says of its packages: the JSON that the
// tracker offers, and the lists it is made of (data/CVE/list with data/DSA/list and
// data/DLA/list).
//
// The one idea: the tracker says more than fixed or not. That nobody will mend it, that it
// waits for a point release, that it does no harm as Debian builds it, and that nobody knows,
// are states of their own, and each keeps the tracker's words.
package debian

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"patchbay/provider"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/feed"
)

const maxText = 300

// Releases are the numbers of Debian's releases by their names, as the tracker has them.
var releases = map[string]string{
	"squeeze": "6.0", "wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
}

// entry is what the tracker says of one CVE in one release of one source package.
type entry struct {
	Status       string `json:"status"`
	FixedVersion string `json:"fixed_version"`
	Urgency      string `json:"urgency"`
	NoDSA        string `json:"nodsa"`
	NoDSAReason  string `json:"nodsa_reason"`
}

// Report is how a reading went.
type Report = feed.Report

// Name is the word for this feed in sentences.
const Name = "Debian's tracker"

// Read reads the tracker's JSON: source package, then CVE, then release. What breaks off is an
// error as a whole.
func Read(in io.Reader, each func(advisory.Advisory) error) (Report, error) {
	var report Report
	all := map[string]*advisory.Advisory{}
	d := json.NewDecoder(in)
	if err := open(d); err != nil {
		return report, err
	}
	for n := 1; d.More(); n++ {
		source, err := d.Token()
		if err != nil {
			return report, fmt.Errorf("reading the tracker: %w", err)
		}
		var cves map[string]struct {
			Description string           `json:"description"`
			Releases    map[string]entry `json:"releases"`
		}
		if err := d.Decode(&cves); err != nil {
			return report, fmt.Errorf("reading the tracker, at %.60v: %w", source, err)
		}
		for id, v := range cves {
			if err := take(all, fmt.Sprint(source), id, v.Description, v.Releases); err != nil {
				report.Refuse(Name, n, fmt.Sprintf("%.60v, %.60v", source, id), err)
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return report, fmt.Errorf("reading the tracker: %w", err)
	}
	report.Records = len(all)
	return report, give(all, each)
}

func open(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("reading the tracker: %w", err)
	}
	if t != json.Delim('{') {
		return errors.New("it is JSON, and not the security tracker's: that begins with an object of source packages")
	}
	return nil
}

// give hands the advisories on in order.
func give(all map[string]*advisory.Advisory, each func(advisory.Advisory) error) error {
	for _, id := range slices.SortedFunc(maps.Keys(all), advisory.CompareIDs) {
		if err := each(*all[id]); err != nil {
			return err
		}
	}
	return nil
}

func take(all map[string]*advisory.Advisory, source, id, about string, in map[string]entry) error {
	if !advisory.IsID(id) || source == "" || len(source) > maxText {
		return errors.New("its id or its package has no form that one has")
	}
	a := named(all, id, about)
	for _, release := range slices.Sorted(maps.Keys(in)) {
		number, ok := releases[release]
		if !ok {
			continue // sid, and what is older than anything that runs
		}
		f := advisory.Affected{Ecosystem: "Debian:" + number, Name: source, Word: word(in[release].Urgency)}
		if in[release].fill(&f) {
			a.Affected = append(a.Affected, f)
		}
	}
	return nil
}

func named(all map[string]*advisory.Advisory, id, about string) *advisory.Advisory {
	a := all[id]
	if a == nil {
		a = &advisory.Advisory{ID: id, Summary: provider.Calm(about, maxText)}
		all[id] = a
	}
	return a
}

// word is an urgency that says something.
func word(urgency string) string {
	if urgency == "not yet assigned" || urgency == "end-of-life" {
		return ""
	}
	return provider.Calm(urgency, maxText)
}

// fill puts what the tracker says into the words of all; false says that it is not affected.
func (e entry) fill(f *advisory.Affected) bool {
	f.Why = provider.Calm(e.NoDSA, maxText)
	f.Ranges = []advisory.Range{{Introduced: "0"}}
	switch e.Status {
	case "resolved":
		if e.FixedVersion == "0" || e.FixedVersion == "" {
			return false
		}
		f.Ranges[0].Fixed = provider.Calm(e.FixedVersion, maxText)
		return true
	case "undetermined":
		f.State = advisory.Undetermined
		return true
	}
	f.State = cmp.Or(states[e.NoDSAReason], states[e.Urgency])
	if f.State == "" && e.NoDSA != "" {
		f.State = advisory.Postponed
	}
	if strings.HasPrefix(e.Urgency, "unimportant") {
		f.State = advisory.Unimportant
	}
	return true
}

// states are the tracker's words for why something stays open.
var states = map[string]advisory.State{
	"ignored": advisory.Ignored, "postponed": advisory.Postponed, "no-dsa": advisory.Postponed, "end-of-life": advisory.EndOfLife,
	"unimportant": advisory.Unimportant, "undetermined": advisory.Undetermined, "not-affected": advisory.NotAffected,
	"removed": advisory.EndOfLife, "unfixed": advisory.ByVersion,
}
