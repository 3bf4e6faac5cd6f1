// Package kinds is the list of the kinds of feeds that are known.
//
// The one idea: a kind says of each record what it is called and what it says of versions,
// and nothing else; so what a feed took back or changed can be counted alike for all of them.
package kinds

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/csaf"
	"patchbay/server/catalog/debian"
	"patchbay/server/catalog/dump"
	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/epss"
	"patchbay/server/catalog/feed"
	"patchbay/server/catalog/feeds"
	"patchbay/server/catalog/kev"
	"patchbay/server/catalog/msrc"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/osv"
	"patchbay/server/catalog/recall"
	"patchbay/server/catalog/ssvc"
	"patchbay/server/catalog/winget"
)

// The names of the kinds, as the configuration has them.
const (
	OSV       = "osv"
	Debian    = "debian"
	KEV       = "kev"
	EPSS      = "epss"
	SSVC      = "ssvc"
	NVD       = "nvd"
	MSRC      = "msrc"
	CSAF      = "csaf"
	EndOfLife = "endoflife"
	Recalls   = "recalls"
	Winget    = winget.Provider
)

// All gives the kinds.
func All() []feeds.Kind {
	return []feeds.Kind{
		{Name: OSV, Read: streams(readOSV)},
		{Name: Debian, Read: streams(readDebian)},
		{Name: KEV, Read: streams(readKEV)},
		{Name: EPSS, Read: streams(readEPSS), Scores: true},
		{Name: SSVC, Read: streams(readSSVC)},
		{Name: NVD, Read: streams(readNVD)},
		{Name: MSRC, Read: streams(readMSRC)},
		{Name: CSAF, Read: streams(readCSAF)},
		{Name: EndOfLife, Read: streams(readEndOfLife)},
		{Name: Recalls, Read: streams(readRecalls), Short: fewRecalls},
		{Name: Winget, Read: readWinget},
	}
}

// taker takes the records of a feed.
type taker struct {
	feed.Report
	each func(feeds.Record) error
}

// take takes one, with what it says. Two that say the same are written the same.
func (t *taker) take(id string, says any) error {
	text, err := json.Marshal(says)
	if err != nil {
		return fmt.Errorf("record %.60q: %w", feed.Clip(id), err)
	}
	t.Records++
	return t.each(feeds.Record{ID: id, Says: text})
}

// refused adds what a reading refused.
func (t *taker) refused(n int, why []string) {
	t.Refused += n
	t.Why = append(t.Why, why[:min(len(why), max(0, mostWhy-len(t.Why)))]...)
}

// mostWhy is how many refusals are told one by one.
const mostWhy = 20

// mostOne is more than any single document of a feed has, unpacked.
const mostOne = 4 << 30

// streams reads each file by itself, unpacked.
func streams(read func(t *taker, name string, in io.Reader) error) func([]string, func(feeds.Record) error) (feed.Report, error) {
	return func(files []string, each func(feeds.Record) error) (feed.Report, error) {
		t := &taker{each: each}
		for _, file := range files {
			err := dump.Each(file, func(name string, in io.Reader) error {
				return read(t, name, bufio.NewReaderSize(&meter{in, mostOne}, 1<<18))
			})
			if err != nil {
				return t.Report, err
			}
		}
		return t.Report, nil
	}
}

// meter ends what is larger than any real document.
type meter struct {
	in   io.Reader
	left int64
}

// Read reads on as long as it may.
func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, feed.ErrTooLarge
	}
	n, err := m.in.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}

// maxAdvisory is the most bytes that one advisory has.
const maxAdvisory = 32 << 20

// said is what of an advisory is about versions.
type said struct {
	Withdrawn bool
	Affected  []advisory.Affected
}

// readOSV reads a record at a time, so that none can take more memory than a real one.
func readOSV(t *taker, _ string, in io.Reader) error {
	return feed.Records(in, feed.Shape{Most: maxAdvisory}, func(n int, text json.RawMessage) error {
		a, err := osv.Parse(text)
		if err != nil {
			t.Refuse("OSV", n, a.ID, err)
			return nil
		}
		return t.take(a.ID, said{!a.Withdrawn.IsZero(), a.Affected})
	})
}

// maxTracker is several times what Debian's tracker has: it is one document, held as a whole.
const maxTracker = 1 << 30

func readDebian(t *taker, _ string, in io.Reader) error {
	report, err := debian.Read(&meter{in, maxTracker}, func(a advisory.Advisory) error {
		return t.take(a.ID, said{!a.Withdrawn.IsZero(), a.Affected})
	})
	t.refused(report.Refused, report.Why)
	return err
}

// readKEV reads one catalogue. Its texts are corrected all the time and say nothing new.
func readKEV(t *taker, _ string, in io.Reader) error {
	report, err := kev.Read(in, func(e kev.Entry) error { return t.take(e.ID, []any{e.Added, e.Due, e.Ransomware}) })
	t.refused(report.Refused, report.Why)
	return err
}

func readEPSS(t *taker, _ string, in io.Reader) error {
	report, err := epss.Read(in, func(s epss.Score) error { return t.take(s.CVE, s.Score) })
	t.refused(report.Refused, report.Why)
	return err
}

func readSSVC(t *taker, _ string, in io.Reader) error {
	report, err := ssvc.Read(in, func(r ssvc.Record) error {
		return t.take(r.CVE, []any{r.Rejected, r.Points.Exploitation, r.Points.Automatable, r.Points.Impact})
	})
	t.refused(report.Refused, report.Why)
	return err
}

func readNVD(t *taker, _ string, in io.Reader) error {
	report, err := nvd.Read(in, func(c nvd.CVE) error { return t.take(c.ID, c.Configurations) })
	t.refused(report.Refused, report.Why)
	return err
}

// readMSRC reads one document: a record is a fix.
func readMSRC(t *taker, name string, in io.Reader) error {
	d, err := msrc.Read(name, in)
	if err != nil {
		return err
	}
	for _, f := range d.Fixes {
		if err := t.take(f.Document+" "+f.CVE+" "+f.Product+" "+f.KB, []any{f.Build, f.Kind, f.Supersedes}); err != nil {
			return err
		}
	}
	return nil
}

// readCSAF reads documents: each is a record, by its publisher and its ID.
func readCSAF(t *taker, _ string, in io.Reader) error {
	report, err := csaf.Read(in, func(d csaf.Document) error {
		type stated struct {
			CVE, Product string
			Status       csaf.Status
		}
		var all []stated
		for _, v := range d.Vulnerabilities {
			for _, s := range v.Stated {
				all = append(all, stated{v.CVE, strings.Join([]string{s.Product.ID, s.Product.PURL, s.Product.CPE, s.Product.Package.Version}, " "), s.Status})
			}
		}
		slices.SortFunc(all, func(a, b stated) int {
			return cmp.Or(strings.Compare(a.CVE, b.CVE), strings.Compare(a.Product, b.Product), strings.Compare(string(a.Status), string(b.Status)))
		})
		return t.take(d.Publisher+" "+d.ID, all)
	})
	t.refused(report.Refused, report.Why)
	return err
}

func readEndOfLife(t *taker, _ string, in io.Reader) error {
	report, err := endoflife.Read(in, func(p endoflife.Product) error {
		type cycle struct {
			Name                     string
			Vendor, Extended, Active endoflife.End
		}
		var all []cycle
		for _, c := range p.Cycles {
			all = append(all, cycle{c.Name, c.Vendor, c.Extended, c.Active})
		}
		return t.take(p.Name, all)
	})
	t.refused(report.Refused, report.Why)
	return err
}

// fewRecalls is how many recalls may be resolved or taken back in a day, however short the list.
const fewRecalls = 5

func readRecalls(t *taker, _ string, in io.Reader) error {
	report, err := recall.Read(in, func(e recall.Entry) error {
		return t.take(e.ID, []any{e.Kind, e.Provider, e.Name, e.KB, e.Versions, e.Resolved})
	})
	t.refused(report.Refused, report.Why)
	return err
}

// readWinget reads manifests, whose parts lie in several files.
func readWinget(files []string, each func(feeds.Record) error) (feed.Report, error) {
	t := &taker{each: each}
	for _, file := range files {
		r, err := winget.Open(file)
		if err != nil {
			var at *os.PathError
			if errors.As(err, &at) {
				err = at.Err
			}
			return t.Report, err
		}
		for i := range r.Refused {
			t.refused(0, []string{r.Refused[i].Error()})
		}
		t.Refused += r.Refusals
		for _, m := range r.Manifests {
			if err := t.take(m.ID+" "+m.Version, m.Installers); err != nil {
				return t.Report, err
			}
		}
	}
	return t.Report, nil
}
