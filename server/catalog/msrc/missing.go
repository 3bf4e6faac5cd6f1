package msrc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"patchbay/patch"
)

// Target is a Windows to be looked at.
type Target struct {
	Build        Build
	Product      string // which Windows, such as "Windows Server 2025"; "" is every one with builds of this kind
	Architecture string // amd64, arm64 or 386; "" is all
	Track        Kind   // Cumulative or Hotpatch where it is known; "" is told by the build
}

// State is what a Windows of a build lacks, as far as the documents go. CVEs that are in none
// of its three lists are not in the documents.
type State struct {
	Product  string `json:"product"`
	Build    Build  `json:"build"`
	Track    Kind   `json:"track,omitempty"` // by which updates it came here; "" where the build does not tell
	Missing  []Lack `json:"missing"`         // the newest first
	Unproven []Lack `json:"unproven"`        // the build does not tell whether it is mended
	Mended   int    `json:"mended"`          // CVEs that the build proves to be mended
}

// Lack is an update, and what it would mend.
type Lack struct {
	Update
	Build Build  `json:"build"`
	Kind  Kind   `json:"kind"`
	Why   string `json:"why,omitempty"` // a sentence, where it is not proven
}

// Missing says what a Windows of a build lacks: a state for each Windows that it may be, none
// where the documents know no Windows with builds of this kind.
func (k Knowledge) Missing(t Target) []State {
	var states []State
	for _, l := range k.lines() {
		if l.base == t.Build.base() && (t.Product == "" || strings.EqualFold(t.Product, l.product)) {
			states = append(states, l.state(t))
		}
	}
	return states
}

// line is one Windows with all that mends it.
type line struct {
	product string
	base    [3]int
	fixes   []Fix
	hot     map[int]bool    // last numbers of builds that a hotpatch makes
	first   map[string]bool // KBs of cumulative updates that had no hotpatch beside them: a quarter's first
}

// lines sorts the fixes by Windows, each of which has builds of one kind.
func (k Knowledge) lines() []*line {
	by, count := map[string]*line{}, map[string]map[[3]int]int{}
	for _, f := range k.fixes {
		name, _ := windowsOf(f.Product)
		if name == "" || !f.Build.windows() {
			continue
		}
		if by[name] == nil {
			by[name], count[name] = &line{product: name, hot: map[int]bool{}, first: map[string]bool{}}, map[[3]int]int{}
		}
		by[name].fixes = append(by[name].fixes, f)
		count[name][f.Build.base()]++
	}
	var all []*line
	for name, l := range by {
		for base, n := range count[name] {
			if most := count[name][l.base]; n > most || n == most && slices.Compare(base[:], l.base[:]) > 0 {
				l.base = base
			}
		}
		for i := range l.fixes {
			l.place(&l.fixes[i], k.byKB[l.fixes[i].KB])
		}
		l.settle()
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *line) int { return cmp.Compare(a.product, b.product) })
	return all
}

// place gives a row that names a build of another Windows its own, which differs in the third
// number alone where one update serves several that are near. A row that is not near says
// nothing of the build.
func (l *line) place(f *Fix, ofKB []Fix) {
	const near = 100 // 22621 and 22631, 26100 and 26200
	own := Build{l.base[0], l.base[1], l.base[2], f.Build[3]}
	away := max(f.Build[2]-own[2], own[2]-f.Build[2])
	if away == 0 {
		return
	}
	for _, other := range ofKB {
		if other.Build.windows() && other.Build[3] != f.Build[3] {
			away = near + 1
		}
	}
	if away > near {
		f.Kind = Single
		return
	}
	f.Build = own
}

// settle finds what the updates of a Windows are to each other.
func (l *line) settle() {
	paired := map[string]bool{}
	for i := range l.fixes {
		f := &l.fixes[i]
		if f.Kind == Hotpatch {
			l.hot[f.Build[3]] = true
			paired[f.CVE] = true
		}
	}
	beside := map[string]bool{}
	for i := range l.fixes {
		f := &l.fixes[i]
		if f.Kind == Cumulative && l.hot[f.Build[3]] {
			f.Kind = Single // it stands beside a hotpatch, and does not change the build
		}
		if f.Kind == Cumulative && paired[f.CVE] {
			beside[f.KB] = true
		}
	}
	for _, f := range l.fixes {
		if f.Kind == Cumulative && !beside[f.KB] {
			l.first[f.KB] = true
		}
	}
}

// mended is what a build says of a CVE.
type mended int

const (
	no mended = iota
	yes
	unproven
)

// finding is it, with the update that would mend it.
type finding struct {
	is  mended
	by  Fix
	why string
}

func (l *line) state(t Target) State {
	s := State{Product: l.product, Build: t.Build, Track: l.track(t), Missing: []Lack{}, Unproven: []Lack{}}
	byCVE, order := map[string][]Fix{}, []string{}
	for _, f := range l.fixes {
		if _, a := windowsOf(f.Product); t.Architecture != "" && a != "" && a != t.Architecture {
			continue
		}
		if byCVE[f.CVE] == nil {
			order = append(order, f.CVE)
		}
		byCVE[f.CVE] = append(byCVE[f.CVE], f)
	}
	var lacks, doubts []finding
	for _, cve := range order {
		switch found := l.judge(s.Track, t.Build[3], byCVE[cve]); found.is {
		case yes:
			s.Mended++
		case no:
			lacks = append(lacks, found)
		case unproven:
			doubts = append(doubts, found)
		}
	}
	s.Missing, s.Unproven = l.grouped(lacks, t.Architecture), l.grouped(doubts, t.Architecture)
	return s
}

// track tells by which updates a Windows came to its build: one that is exactly a hotpatch's or
// a cumulative update's says so, and where there never was a hotpatch there is one way only.
func (l *line) track(t Target) Kind {
	switch {
	case t.Track != "":
		return t.Track
	case len(l.hot) == 0:
		return Cumulative
	case l.hot[t.Build[3]]:
		return Hotpatch
	}
	for _, f := range l.fixes {
		if f.Kind == Cumulative && f.Build[3] == t.Build[3] {
			return Cumulative
		}
	}
	return ""
}

// judge says whether the build proves that a CVE is mended. Where it does not tell how the
// Windows came to it, only what holds both ways is proven.
func (l *line) judge(track Kind, n int, fixes []Fix) finding {
	switch track {
	case Cumulative:
		return l.cumulative(n, fixes)
	case Hotpatch:
		return l.hotpatched(n, fixes)
	}
	a, b := l.cumulative(n, fixes), l.hotpatched(n, fixes)
	if a.is == b.is {
		return a
	}
	return finding{unproven, a.by, "The build is none that the documents name, and does not tell a hotpatched Windows from one that is not."}
}

// last is the fix of a kind with the highest build: where two are named for a CVE, the later
// one is needed.
func last(kind Kind, fixes []Fix) (Fix, bool) {
	var found Fix
	for _, f := range fixes {
		if f.Kind == kind && f.Build[3] > found.Build[3] {
			found = f
		}
	}
	return found, found.KB != ""
}

func (l *line) cumulative(n int, fixes []Fix) finding {
	f, ok := last(Cumulative, fixes)
	single, alone := last(Single, fixes)
	switch {
	case !ok && alone:
		return finding{unproven, single, "It is an update of its own kind, which the build does not show."}
	case !ok:
		f, _ = last(Hotpatch, fixes)
		return finding{unproven, f, "The documents name a hotpatch for it, and no cumulative update."}
	case n < f.Build[3]:
		return finding{no, f, ""}
	case alone && !l.hot[single.Build[3]]:
		return finding{unproven, f, "The build is new enough, and does not tell whether all updates before it are there, or security-only ones alone."}
	}
	return finding{yes, f, ""}
}

func (l *line) hotpatched(n int, fixes []Fix) finding {
	whole, some := last(Cumulative, fixes)
	if some && whole.Build[3] <= l.quarter(n) {
		return finding{yes, whole, ""}
	}
	if f, ok := last(Hotpatch, fixes); ok {
		if n < f.Build[3] {
			return finding{no, f, ""}
		}
		return finding{yes, f, ""}
	}
	if single, ok := last(Single, fixes); ok && single.Build[3] <= n {
		return finding{unproven, single, "It comes beside a hotpatch, and the build does not show it."}
	}
	if !some {
		single, _ := last(Single, fixes)
		return finding{unproven, single, "It is an update of its own kind, which the build does not show."}
	}
	return finding{no, whole, ""} // no hotpatch brings it: it waits for the next cumulative update
}

// quarter is the build of the newest cumulative update that a hotpatched Windows of a build
// must have had: one of those with which a quarter begins.
func (l *line) quarter(n int) int {
	newest := 0
	for _, f := range l.fixes {
		if f.Kind == Cumulative && l.first[f.KB] && f.Build[3] <= n {
			newest = max(newest, f.Build[3])
		}
	}
	return newest
}

// grouped puts findings together by their update, the newest first.
func (l *line) grouped(found []finding, architecture string) []Lack {
	type key struct{ kb, why string }
	fixes, keys := map[key][]Fix{}, []key{}
	for _, f := range found {
		k := key{f.by.KB, f.why}
		if fixes[k] == nil {
			keys = append(keys, k)
		}
		for _, row := range l.fixes {
			if _, a := windowsOf(row.Product); row.CVE == f.by.CVE && row.KB == f.by.KB && (architecture == "" || a == "" || a == architecture) {
				fixes[k] = append(fixes[k], row)
			}
		}
	}
	lacks := []Lack{}
	for _, k := range keys {
		newest := slices.MaxFunc(fixes[k], func(a, b Fix) int { return slices.Compare(a.Build[:], b.Build[:]) })
		lack := Lack{Update: Update{KB: k.kb}, Build: newest.Build, Kind: newest.Kind, Why: k.why}
		lack.take(fixes[k])
		for _, f := range fixes[k] {
			if f.Supersedes != "" {
				lack.Supersedes = append(lack.Supersedes, f.Supersedes)
			}
		}
		lack.Supersedes = distinct(lack.Supersedes)
		lacks = append(lacks, lack)
	}
	slices.SortStableFunc(lacks, func(a, b Lack) int {
		return cmp.Or(slices.Compare(b.Build[:], a.Build[:]), cmp.Compare(a.KB, b.KB))
	})
	return lacks
}

// Worst sums a state up in a sentence.
func (s State) Worst() string {
	cves, seen := 0, map[string]bool{}
	severity := patch.Severity("")
	for _, l := range s.Missing {
		cves += len(l.CVEs)
		severity = severity.Graver(l.Severity)
		for _, c := range l.Exploited {
			seen[c] = true
		}
	}
	if cves == 0 {
		return "none of what the documents know is missing"
	}
	return fmt.Sprintf("%d CVEs are not mended, the worst is %s, %d were being exploited", cves, severity, len(seen))
}
