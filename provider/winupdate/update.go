package winupdate

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Bounds on what is taken from the engine, which has it from a server.
const (
	maxUpdates    = 5_000
	maxTitle      = 300
	maxName       = 120
	maxAdvisories = 500
	maxSize       = 1 << 42
)

var (
	validID  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	validKB  = regexp.MustCompile(`^[0-9]{5,8}$`)
	validCVE = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,7}$`)
	validMS  = regexp.MustCompile(`^MS[0-9]{2}-[0-9]{3}$`)
	// buildInTitle is the build that an update makes of Windows, as its title ends.
	buildInTitle = regexp.MustCompile(`\(([0-9]{5})\.([0-9]{1,5})\)`)
)

// checked is the engine's answer, sorted, each update once in its newest revision. An answer of
// which a part cannot be read is an error: what is left out would count as not missing.
func checked(list []provider.EngineUpdate) ([]provider.EngineUpdate, error) {
	if len(list) > maxUpdates {
		return nil, fmt.Errorf("the update engine tells of %d updates, which cannot be", len(list))
	}
	newest := map[string]provider.EngineUpdate{}
	for _, u := range list {
		if !validID.MatchString(u.ID.Update) || u.ID.Revision < 1 {
			return nil, fmt.Errorf("the update engine tells of an update %.80q, revision %d, which is no name of one", u.ID.Update, u.ID.Revision)
		}
		if was, ok := newest[u.ID.Update]; !ok || was.ID.Revision < u.ID.Revision {
			u.Title = provider.Calm(u.Title, maxTitle)
			newest[u.ID.Update] = u
		}
	}
	out := make([]provider.EngineUpdate, 0, len(newest))
	for _, u := range newest {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b provider.EngineUpdate) int { return strings.Compare(a.ID.Update, b.ID.Update) })
	return out, nil
}

// kbs are the numbers that are some, sorted.
func kbs(u provider.EngineUpdate) []string {
	var list []string
	for _, n := range u.KBs {
		if n = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(n)), "KB"); validKB.MatchString(n) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// name is the update's single number, or else its title, with room for the mark of itemName.
func name(u provider.EngineUpdate) string {
	if list := kbs(u); len(list) == 1 {
		return "KB" + list[0]
	}
	return cmp.Or(provider.Calm(u.Title, maxName-len(" (01234567)")), u.ID.Update)
}

// itemName is an update's name with a mark of its ID: several updates share a number, such as
// each day's definitions, and an approval, which is by name and revision, is for one.
func itemName(u provider.EngineUpdate) string {
	return fmt.Sprintf("%s (%.4x)", name(u), sha256.Sum256([]byte(u.ID.Update)))
}

// advisories are what it mends, sorted.
func advisories(u provider.EngineUpdate) []string {
	var list []string
	for _, a := range slices.Concat(u.CVEs, u.Bulletins) {
		if a = strings.ToUpper(strings.TrimSpace(a)); validCVE.MatchString(a) || validMS.MatchString(a) {
			list = append(list, a)
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(len(list), maxAdvisories)]
}

// build is a build of Windows with the number of its last update: 22631.4317.
type build struct{ major, revision int }

func (b build) String() string { return fmt.Sprintf("%d.%d", b.major, b.revision) }

// namedBuild is the build that a title names.
func namedBuild(title string) (build, bool) {
	m := buildInTitle.FindStringSubmatch(title)
	if m == nil {
		return build{}, false
	}
	major, errA := strconv.Atoi(m[1])
	revision, errB := strconv.Atoi(m[2])
	return build{major, revision}, errA == nil && errB == nil
}

// released is when a revision came out; nil when the engine says none that can be.
func released(u provider.EngineUpdate, now time.Time) *time.Time {
	if at := u.Changed.UTC(); at.Year() >= 1996 && !at.After(now.Add(24*time.Hour)) {
		return &at
	}
	return nil
}

// offer is an update that the engine offers, in the words of all providers.
func offer(u provider.EngineUpdate, now time.Time) patch.Update {
	p := patch.Update{
		Provider: Name, Name: itemName(u), Title: u.Title, Instance: u.ID.Update, Source: u.ID.Update, Origin: origin,
		Available: strconv.Itoa(u.ID.Revision), Classes: classify(u), Severity: severity(u.Severity), Advisories: advisories(u),
		Reboot:        map[provider.EngineReboot]patch.Answer{provider.RebootNever: patch.No, provider.RebootAlways: patch.Yes}[u.Reboot],
		Reversibility: patch.NotAtAll, ReversibilityWhy: "Windows has no way to uninstall it.",
	}
	if 0 < u.Size && u.Size <= maxSize {
		p.Size = u.Size
	}
	if u.Removable {
		p.Reversibility, p.ReversibilityWhy = patch.ByManager, "Windows can uninstall it."
	}
	if p.ReleasedAt = released(u, now); p.ReleasedAt != nil {
		p.ReleasedBy = "index"
	}
	p.Block, p.BlockWhy = block(u, p.Classes)
	p.Licence = p.Block == patch.Optional && !u.Agreed && !u.Optional && !p.Is(patch.Preview)
	return p
}

// revision reads the revision that an approval is for.
func revision(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || strconv.Itoa(n) != s {
		return 0, errors.New("it is no revision")
	}
	return n, nil
}
