package apt

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plan is what apt would do, as it says itself with --print-uris and -V: the same
// resolver and the same answer as with --simulate, at half the cost, and with the exact
// sizes of what it would fetch.
type plan struct {
	upgrades   []step
	downgrades []step
	added      []step
	removed    []step
	held       []step // held packages that it would change all the same
	kept       []step // could be newer and stay as they are
	phased     []step // the publisher has not offered them to this machine yet
	download   int64  // bytes still to fetch
	growth     int64  // bytes on the disk afterwards, less when negative
}

// step is one package in a plan; from or to is "" where there is none.
type step struct{ name, arch, from, to string }

// The headings of the groups that count. Others, such as packages that are no longer
// needed, are passed over.
const (
	headUpgraded   = "The following packages will be upgraded:"
	headDowngraded = "The following packages will be DOWNGRADED:"
	headNew        = "The following NEW packages will be installed:"
	headRemoved    = "The following packages will be REMOVED:"
	headHeld       = "The following held packages will be changed:"
	headKept       = "The following packages have been kept back:"
	headPhased     = "The following upgrades have been deferred due to phasing:"
)

// upgraded names the installed packages that the plan upgrades, or would if it could.
func (p plan) upgraded(in installed) map[id]bool {
	all := map[id]bool{}
	for _, s := range slices.Concat(p.upgrades, p.kept, p.phased) {
		if item, ok := in.find(s.name, s.arch); ok {
			all[id{item.Name, item.Architecture}] = true
		}
	}
	return all
}

// group gives where the lines under a heading go, nil for those that do not count.
func (p *plan) group(heading string) *[]step {
	switch heading {
	case headUpgraded:
		return &p.upgrades
	case headDowngraded:
		return &p.downgrades
	case headNew:
		return &p.added
	case headRemoved:
		return &p.removed
	case headHeld:
		return &p.held
	case headKept:
		return &p.kept
	case headPhased:
		return &p.phased
	}
	return nil
}

// parsePlan reads apt's answer. It is strict: apt counts at the end what it listed, and an
// answer that does not add up is an error, never an empty plan.
func parsePlan(out string) (plan, error) {
	var p plan
	var in *[]step
	var counted *counts
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "   "):
			if in == nil {
				continue
			}
			s, err := parseStep(line)
			if err != nil {
				return p, err
			}
			*in = append(*in, s)
			continue
		case strings.HasPrefix(line, "'"):
			p.download += parseDownload(line)
		case strings.HasPrefix(line, "After this operation, "):
			p.growth = parseGrowth(line)
		default:
			if c, ok := parseCounts(line); ok {
				counted = &c
			}
		}
		in = p.group(line)
	}
	if counted == nil {
		return p, errors.New("apt's answer ends before its summary")
	}
	for _, s := range slices.Concat(p.upgrades, p.kept, p.phased) {
		if s.from == "" || s.to == "" {
			return p, fmt.Errorf("apt's answer names %s without both versions", s.name)
		}
	}
	return p, counted.check(p)
}

// parseStep reads "   name:arch (from => to)", "   name (version)", and the bare name that
// apt gives where no source has a version.
func parseStep(line string) (step, error) {
	full, versions, versioned := strings.Cut(strings.TrimSpace(line), " (")
	name, arch, err := splitFull(strings.TrimSuffix(full, "*")) // a star: with its configuration
	if err != nil {
		return step{}, fmt.Errorf("apt's answer: %w", err)
	}
	s := step{name: name, arch: arch}
	if !versioned {
		return s, nil
	}
	versions, closed := strings.CutSuffix(versions, ")")
	from, to, both := strings.Cut(versions, " => ")
	if !both {
		from, to = "", versions
	}
	if !closed || !isPlain(to) || both && !isPlain(from) {
		return step{}, fmt.Errorf("apt's answer has the line %.100q, which cannot be read", line)
	}
	s.from, s.to = from, to
	return s, nil
}

// counts is apt's own summary.
type counts struct{ upgraded, added, downgraded, removed, left int }

var summary = regexp.MustCompile(`^(\d{1,9}) upgraded, (\d{1,9}) newly installed, (?:\d{1,9} reinstalled, )?(?:(\d{1,9}) downgraded, )?(\d{1,9}) to remove and (\d{1,9}) not upgraded\.$`)

func parseCounts(line string) (counts, bool) {
	m := summary.FindStringSubmatch(line)
	if m == nil {
		return counts{}, false
	}
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
	return counts{n(1), n(2), n(3), n(4), n(5)}, true
}

func (c counts) check(p plan) error {
	for _, g := range []struct {
		what string
		said int
		read []step
	}{
		{"to be upgraded", c.upgraded, p.upgrades},
		{"to be newly installed", c.added, p.added},
		{"to be downgraded", c.downgraded, p.downgrades},
		{"to be removed", c.removed, p.removed},
	} {
		if g.said != len(g.read) {
			return fmt.Errorf("apt's answer does not add up: it counts %d packages %s and lists %d", g.said, g.what, len(g.read))
		}
	}
	return nil
}

// parseDownload reads the size in "'URI' file size hash".
func parseDownload(line string) int64 {
	_, rest, ok := strings.Cut(line[1:], "' ")
	f := strings.Fields(rest)
	if !ok || len(f) < 2 {
		return 0
	}
	return parseCount([]byte(f[1]))
}

var growth = regexp.MustCompile(`^After this operation, ([0-9.]{1,12}) ([kMGTPE]?)B (?:of additional disk space will be used|disk space will be freed)\.$`)

func parseGrowth(line string) int64 {
	m := growth.FindStringSubmatch(line)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0
	}
	if m[2] != "" {
		v *= math.Pow(1000, float64(1+strings.Index("kMGTPE", m[2])))
	}
	if strings.HasSuffix(line, "freed.") {
		v = -v
	}
	return int64(v)
}
