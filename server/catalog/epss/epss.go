// Package epss reads the scores of the Exploit Prediction Scoring System of FIRST
// (https://www.first.org/epss): for each CVE how probable it is that somebody exploits it within
// the next 30 days.
//
// The one idea: a score is of a day and of a model. It is kept with both, and one of another
// model is never held against it.
package epss

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"patchbay/server/catalog/feed"
)

// Name is the word for this feed in sentences.
const Name = "EPSS"

// Bounds on what is taken. In 2026 a day has 360,000 rows of 32 letters.
const (
	maxLine = 1 << 12
	maxRows = 4_000_000
)

// Score is the two numbers of a CVE, both from 0 to 1.
type Score struct {
	CVE        string
	Score      float64 // the probability
	Percentile float64 // how many of all have this score or a lower one; -1 where the file has none
}

// Report is how a reading went, and what the file says of itself.
type Report struct {
	feed.Report
	Model string    `json:"model,omitempty"` // "" is not known
	Day   time.Time `json:"day,omitzero"`
}

// columns are where the three values of a row stand; -1 is nowhere.
type columns struct{ cve, score, percentile, count int }

// Read reads the file of one day. A last line without its end broke off, and then the whole
// is an error.
func Read(in io.Reader, each func(Score) error) (Report, error) {
	report, err := read(in, each)
	if err != nil {
		return report, fmt.Errorf("%s: %w", Name, err)
	}
	return report, nil
}

func read(in io.Reader, each func(Score) error) (Report, error) {
	var report Report
	lines := bufio.NewReaderSize(in, maxLine)
	var at columns
	for n := 0; ; {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return report, fmt.Errorf("it breaks off in the line after row %d", n)
		case errors.Is(err, io.EOF) && n == 0:
			return report, errors.New("it has no scores; no real day is without")
		case errors.Is(err, io.EOF):
			return report, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return report, errors.New("it has a line that is longer than any real one")
		case err != nil:
			return report, err
		}
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
		switch {
		case len(line) == 0:
		case line[0] == '#' && at.count > 0:
			return report, errors.New("it is of two days")
		case line[0] == '#':
			if err := report.head(string(line)); err != nil {
				return report, err
			}
		case at.count == 0:
			if at, err = header(string(line)); err != nil {
				return report, err
			}
		default:
			if n++; n > maxRows {
				return report, fmt.Errorf("it has more than %d rows; no real day has", maxRows)
			}
			s, err := at.row(line)
			if err != nil {
				report.Refuse(Name, n, s.CVE, err)
				continue
			}
			report.Records++
			if err := each(s); err != nil {
				return report, err
			}
		}
	}
}

// head reads the line before the header: #model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000
func (r *Report) head(line string) error {
	for _, part := range strings.Split(strings.TrimPrefix(line, "#"), ",") {
		name, value, _ := strings.Cut(part, ":")
		switch strings.TrimSpace(name) {
		case "model_version":
			if value = feed.Clip(value); value != "unknown" {
				r.Model = value
			}
		case "score_date":
			day, err := feed.Moment(value)
			if err != nil {
				return fmt.Errorf("its day: %w", err)
			}
			r.Day = day
		}
	}
	return nil
}

// header finds the columns by their names. Files of 2021 have no percentile.
func header(line string) (columns, error) {
	names := strings.Split(line, ",")
	at := columns{-1, -1, -1, len(names)}
	for i, name := range names {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "cve":
			at.cve = i
		case "epss":
			at.score = i
		case "percentile":
			at.percentile = i
		}
	}
	if at.cve < 0 || at.score < 0 {
		return at, fmt.Errorf("its first line is no header of scores: %.60q", line)
	}
	return at, nil
}

func (at columns) row(line []byte) (Score, error) {
	parts := strings.Split(string(line), ",")
	if len(parts) != at.count {
		return Score{CVE: parts[0]}, fmt.Errorf("it has %d values where the header names %d", len(parts), at.count)
	}
	s := Score{CVE: strings.TrimSpace(parts[at.cve]), Percentile: -1}
	if _, err := pack(s.CVE); err != nil {
		return s, err
	}
	var err error
	if s.Score, err = share(parts[at.score]); err != nil {
		return s, fmt.Errorf("its score %w", err)
	}
	if at.percentile >= 0 {
		if s.Percentile, err = share(parts[at.percentile]); err != nil {
			return s, fmt.Errorf("its percentile %w", err)
		}
	}
	return s, nil
}

// share reads a number from 0 to 1.
func share(s string) (float64, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, fmt.Errorf("%.40q is no number from 0 to 1", s)
	}
	return f, nil
}
