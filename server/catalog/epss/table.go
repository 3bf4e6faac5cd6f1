package epss

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/server/catalog/advisory"
)

// Table is the scores of one day in little memory: 16 bytes each. It is made once and then
// only read, also by several at once.
type Table struct {
	Model string
	Day   time.Time
	rows  []row // sorted by key, each key once
}

// row is a CVE with its two numbers in billionths.
type row struct {
	key               uint64 // year and number
	score, percentile uint32
}

// noPercentile stands where a file has none.
const noPercentile = ^uint32(0)

// Collect reads the scores of one day into a table. Of a CVE that stands there twice the
// higher score holds: what is read may raise, never lower.
func Collect(in io.Reader) (*Table, Report, error) {
	t := &Table{}
	report, err := Read(in, func(s Score) error {
		key, err := pack(s.CVE)
		if err != nil {
			return err
		}
		r := row{key, billionths(s.Score), noPercentile}
		if s.Percentile >= 0 {
			r.percentile = billionths(s.Percentile)
		}
		t.rows = append(t.rows, r)
		return nil
	})
	if err != nil {
		return nil, report, err
	}
	t.Model, t.Day = report.Model, report.Day
	slices.SortFunc(t.rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(b.score, a.score)) })
	all := len(t.rows)
	t.rows = slices.Clip(slices.CompactFunc(t.rows, func(a, b row) bool { return a.key == b.key }))
	for range all - len(t.rows) {
		report.Records--
		report.Refuse(Name, 0, "", errors.New("a CVE stands there twice; the higher score holds"))
	}
	return t, report, nil
}

func billionths(f float64) uint32 { return uint32(f*1e9 + 0.5) }

// numbers is how many bits the number of a CVE may have; the largest of 2026 has 18.
const numbers = 48

// pack writes a CVE number as one that sorts by year, then by number.
func pack(cve string) (uint64, error) {
	if !advisory.IsCVE(cve) {
		return 0, errors.New("its id is no CVE number")
	}
	year, number, _ := strings.Cut(cve[len("CVE-"):], "-")
	y, err := strconv.ParseUint(year, 10, 14)
	if err != nil {
		return 0, fmt.Errorf("its year: %w", err)
	}
	n, err := strconv.ParseUint(number, 10, numbers)
	if err != nil || len(number) > 4 && number[0] == '0' {
		return 0, errors.New("its number is none that a CVE has")
	}
	return y<<numbers | n, nil
}

func unpack(key uint64) string { return fmt.Sprintf("CVE-%04d-%04d", key>>numbers, key&(1<<numbers-1)) }

func (r row) read() Score {
	s := Score{CVE: unpack(r.key), Score: float64(r.score) / 1e9, Percentile: -1}
	if r.percentile != noPercentile {
		s.Percentile = float64(r.percentile) / 1e9
	}
	return s
}

// Count is how many scores it has.
func (t *Table) Count() int { return len(t.rows) }

// Of gives the score of a CVE. What has none is not known, and never 0.
func (t *Table) Of(cve string) (Score, bool) {
	key, err := pack(cve)
	if err != nil || t == nil {
		return Score{}, false
	}
	i, ok := slices.BinarySearchFunc(t.rows, key, func(r row, key uint64) int { return cmp.Compare(r.key, key) })
	if !ok {
		return Score{}, false
	}
	return t.rows[i].read(), true
}

// Moved is a CVE whose score differs between two days.
type Moved struct {
	CVE           string
	Before, After float64
}

// Change is what differs between two days of one model.
type Change struct {
	Rose  []Moved  // by at least what was asked, the most first
	Fell  []Moved  // likewise
	Fresh int      // CVEs that had no score before
	Gone  []string // CVEs that have none any more: rejected ones, or lost ones
}

// Compare tells what moved by at least a difference between two days. A new model moves all
// scores on one day and says nothing of the world, so days of two models, or of one that is
// not named, are not compared.
func Compare(old, new *Table, by float64) (Change, error) {
	if old.Model == "" || new.Model == "" {
		return Change{}, errors.New("nothing says by which model the scores were made, so they cannot be compared")
	}
	if old.Model != new.Model {
		return Change{}, fmt.Errorf("the scores are of two models, %s and %s, and cannot be compared", old.Model, new.Model)
	}
	var c Change
	i, j := 0, 0
	for i < len(old.rows) || j < len(new.rows) {
		switch {
		case j == len(new.rows) || i < len(old.rows) && old.rows[i].key < new.rows[j].key:
			c.Gone = append(c.Gone, unpack(old.rows[i].key))
			i++
		case i == len(old.rows) || new.rows[j].key < old.rows[i].key:
			c.Fresh++
			j++
		default:
			c.moved(old.rows[i], new.rows[j], billionths(by))
			i, j = i+1, j+1
		}
	}
	most := func(a, b Moved) int {
		return cmp.Or(cmp.Compare(max(b.After, b.Before)-min(b.After, b.Before), max(a.After, a.Before)-min(a.After, a.Before)), advisory.CompareIDs(a.CVE, b.CVE))
	}
	slices.SortFunc(c.Rose, most)
	slices.SortFunc(c.Fell, most)
	return c, nil
}

func (c *Change) moved(was, is row, by uint32) {
	m := Moved{unpack(is.key), float64(was.score) / 1e9, float64(is.score) / 1e9}
	switch {
	case is.score > was.score && is.score-was.score >= by:
		c.Rose = append(c.Rose, m)
	case was.score > is.score && was.score-is.score >= by:
		c.Fell = append(c.Fell, m)
	}
}
