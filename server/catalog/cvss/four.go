package cvss

import (
	"strings"
	"sync"

	cvss4 "github.com/pandatix/go-cvss/40"
)

// The base score of version 4.0 is the score of the group that a vector is in, less a share of
// what the next lower groups have less. The library counts that in floating point, where a
// score between two tenths falls to either side. Here it is counted in whole numbers and
// rounded up, as the calculator of the standard's authors does since 2024-11.

// place is one place in an equivalence set of metrics, as the standard calls them.
type place struct {
	tops  []string // the gravest vectors there
	depth int      // how far the least grave one is below them, and one more
	next  []int    // the places that are next lower, of which the graver counts
	asked string   // what else a vector of this place has
}

// sets are the equivalence sets as far as base metrics reach: 1, 2, 3 with 6, 4, and 5, of
// which only the gravest place is ever had. From the specification of CVSS 4.0, chapter 8.
var sets = [5][]place{
	{{[]string{"AV:N/PR:N/UI:N"}, 1, []int{1}, ""}, {[]string{"AV:A/PR:N/UI:N", "AV:N/PR:L/UI:N", "AV:N/PR:N/UI:P"}, 4, []int{2}, ""}, {[]string{"AV:P/PR:N/UI:N", "AV:A/PR:L/UI:P"}, 5, nil, ""}},
	{{[]string{"AC:L/AT:N"}, 1, []int{1}, ""}, {[]string{"AC:H/AT:N", "AC:L/AT:P"}, 2, nil, ""}},
	{
		{[]string{"VC:H/VI:H/VA:H"}, 7, []int{1, 3}, "CR:H/IR:H/AR:H"}, {[]string{"VC:L/VI:H/VA:H", "VC:H/VI:L/VA:H"}, 8, []int{4}, "CR:H/IR:H/AR:H"}, {[]string{"VC:L/VI:L/VA:L"}, 10, nil, "CR:H/IR:H/AR:H"},
		{[]string{"VC:H/VI:H/VA:H"}, 0, nil, "CR:M/IR:M/AR:M"}, {[]string{"VC:L/VI:H/VA:H"}, 0, nil, "CR:H/IR:M/AR:M"}, // nobody asks for what is lost
	},
	{{[]string{"SC:H/SI:H/SA:H"}, 5, []int{1}, ""}, {[]string{"SC:L/SI:L/SA:L"}, 4, nil, ""}},
	{{[]string{"E:A"}, 1, []int{1}, ""}, {[]string{"E:P"}, 1, nil, ""}},
}

// ranks are the values of each metric, the gravest first.
var ranks = map[string]string{"AV": "NALP", "PR": "NLH", "UI": "NPA", "AC": "LH", "AT": "NP", "VC": "HLN", "VI": "HLN", "VA": "HLN", "SC": "HLN", "SI": "HLN", "SA": "HLN", "E": "AP"}

// order4 is the order in which a vector has to name its metrics.
const order4 = "AV AC AT PR UI VC VI VA SC SI SA E CR IR AR"

// shares is a number that every depth divides.
const shares = 840

// base4 gives the base score of base metrics of version 4.0 that were checked.
func base4(metrics map[string]string) (float64, error) {
	if metrics["VC"]+metrics["VI"]+metrics["VA"]+metrics["SC"]+metrics["SI"]+metrics["SA"] == "NNNNNN" {
		return 0, nil
	}
	group := groupOf(metrics)
	own, err := tenths(group)
	if err != nil {
		return 0, err
	}
	less, lower := 0, 0 // less in tenths, in parts of which shares are one
	for set, at := range group {
		p := sets[set][at]
		best := -1
		for _, next := range p.next {
			other := group
			other[set] = next
			score, err := tenths(other)
			if err != nil {
				return 0, err
			}
			best = max(best, score)
		}
		if best >= 0 {
			lower++
			less += (own - best) * distance(p, metrics) * shares / p.depth
		}
	}
	if lower == 0 {
		return float64(own) / 10, nil
	}
	one := shares * lower
	return float64((2*(own*one-less)+one)/(2*one)) / 10, nil
}

// groupOf gives the place of a vector in each set.
func groupOf(m map[string]string) (group [5]int) {
	never := m["AV"] != "N" && m["PR"] != "N" && m["UI"] != "N"
	switch {
	case m["AV"] == "P" || never:
		group[0] = 2
	case m["AV"]+m["PR"]+m["UI"] != "NNN":
		group[0] = 1
	}
	if m["AC"]+m["AT"] != "LN" {
		group[1] = 1
	}
	switch {
	case m["VC"] != "H" && m["VI"] != "H" && m["VA"] != "H":
		group[2] = 2
	case m["VC"] != "H" || m["VI"] != "H":
		group[2] = 1
	}
	if m["SC"] != "H" && m["SI"] != "H" && m["SA"] != "H" {
		group[3] = 1
	}
	return group
}

// distance is how many steps a vector is below the first of a place's gravest ones that is
// nowhere less grave than it.
func distance(p place, metrics map[string]string) int {
next:
	for _, top := range p.tops {
		sum := 0
		for m := range strings.SplitSeq(top, "/") {
			name, value, _ := strings.Cut(m, ":")
			d := strings.Index(ranks[name], metrics[name]) - strings.Index(ranks[name], value)
			if d < 0 {
				continue next
			}
			sum += d
		}
		return sum
	}
	return 0
}

// tenths gives the score of a group.
func tenths(group [5]int) (int, error) {
	all, err := scores()
	return all[group], err
}

// scores are those of all groups, from the library: each is that of its gravest vector, which
// is nowhere between two tenths.
var scores = sync.OnceValues(func() (map[[5]int]int, error) {
	groups := [][5]int{{}}
	for set, places := range sets {
		var more [][5]int
		for _, g := range groups {
			for at := range places {
				g[set] = at
				more = append(more, g)
			}
		}
		groups = more
	}
	all := make(map[[5]int]int, len(groups))
	for _, g := range groups {
		c, err := cvss4.ParseVector(gravest(g))
		if err != nil {
			return nil, err
		}
		all[g] = int(c.Score()*10 + 0.5)
	}
	return all, nil
})

// gravest is the gravest vector of a group.
func gravest(group [5]int) string {
	said := map[string]string{}
	for set, at := range group {
		p := sets[set][at]
		for m := range strings.SplitSeq(p.tops[0]+"/"+p.asked, "/") {
			name, _, _ := strings.Cut(m, ":")
			said[name] = m
		}
	}
	list := []string{"CVSS:4.0"}
	for name := range strings.FieldsSeq(order4) {
		list = append(list, said[name])
	}
	return strings.Join(list, "/")
}
