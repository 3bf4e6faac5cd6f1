// Package msrc reads what Microsoft says of the security of its products: the document of a
// month (CVRF), and tables made of it that give each CVE its updates.
//
// The one idea: a row is taken only where it names an update that mends (a "Vendor Fix" with a
// KB); what is left out is counted by its reason, and what the documents do not prove is told
// as unproven, never as mended. Documents are revised all month: of two revisions of one
// document the newer holds.
package msrc

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"patchbay/patch"
)

// Document is one month as it was read.
type Document struct {
	ID              string         `json:"id"`       // "2026-Jan"
	Revision        int            `json:"revision"` // 0 where none is told
	Revised         time.Time      `json:"revised,omitzero"`
	Table           bool           `json:"table,omitempty"` // a table of CVEs and KBs, which says less
	Products        int            `json:"products"`
	Vulnerabilities int            `json:"vulnerabilities"`
	Unmended        int            `json:"unmended"`  // vulnerabilities without any fix, such as those of a cloud
	Rows            int            `json:"rows"`      // things to be done that were looked at: taken, or left out for a reason
	Taken           int            `json:"taken"`     // rows of which fixes were made
	Buildless       int            `json:"buildless"` // fixes that do not say a build of four numbers
	LeftOut         map[Reason]int `json:"left_out,omitempty"`
	Fixes           []Fix          `json:"-"`
}

// Reason is why a row is no fix that is taken.
type Reason string

// The reasons.
const (
	NoFix          Reason = "it is a note, a workaround or a known issue, and mends nothing"
	NoKB           Reason = "it has release notes or a package in the place of a KB"
	NoProduct      Reason = "it names no product of the document"
	NoCVE          Reason = "what it is about has no id that is known"
	TooManyLetters Reason = "a text of it is longer than any real one"
)

// Kind is what sort of update mends.
type Kind string

// The kinds. Two may mend one CVE on one product, each with a KB and a build of its own.
const (
	Cumulative Kind = "cumulative" // has all that came before it
	Hotpatch   Kind = "hotpatch"   // without a restart, on top of a quarter's cumulative update
	Single     Kind = "single"     // has only its own: the build does not show what else is there
)

// Fix says that an update mends a CVE on a product.
type Fix struct {
	Document   string         `json:"document"`
	CVE        string         `json:"cve"`
	Product    string         `json:"product"`
	KB         string         `json:"kb"`    // seven digits
	Build      Build          `json:"build"` // zero where none, or none of four numbers, is told
	Kind       Kind           `json:"kind"`
	Supersedes string         `json:"supersedes,omitempty"` // one older KB
	Restart    patch.Answer   `json:"restart,omitempty"`
	Severity   patch.Severity `json:"severity"`
	Exploited  patch.Answer   `json:"exploited,omitempty"` // when the document was made
	Released   time.Time      `json:"-"`                   // when the CVE was first told of; zero where nothing says
	Revised    time.Time      `json:"-"`                   // when something was last changed about it
}

// Build is the number of a Windows: 10.0.22631.4317.
type Build [4]int

// ParseBuild reads four numbers, also with a dot behind them.
func ParseBuild(s string) (Build, bool) {
	var b Build
	parts := strings.Split(strings.TrimSuffix(strings.TrimSpace(s), "."), ".")
	if len(parts) != len(b) {
		return Build{}, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return Build{}, false
		}
		b[i] = int(n)
	}
	return b, b != Build{}
}

// String gives the four numbers, "" for none.
func (b Build) String() string {
	if b == (Build{}) {
		return ""
	}
	var parts []string
	for _, n := range b {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, ".")
}

// MarshalText gives the four numbers.
func (b Build) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// windows reports whether it is the build of a Windows, which nothing else says: other
// programs have four numbers too.
func (b Build) windows() bool { return (b[0] == 10 && b[1] == 0 || b[0] == 6) && b[2] >= 6000 }

// base is the build without the number of its last update.
func (b Build) base() [3]int { return [3]int(b[:3]) }

var (
	kbForm       = regexp.MustCompile(`^[1-9]\d{6}$`)
	cveForm      = regexp.MustCompile(`^(CVE-\d{4}-\d{4,19}|ADV\d{6})$`)
	documentForm = regexp.MustCompile(`^\d{4}-[A-Z][a-z]{2}(-[0-9A-Za-z]{1,8})?$`)
)

// kindOf reads a SubType, which is spelled with and without spaces.
func kindOf(s string) Kind {
	switch strings.ToLower(strings.Join(strings.Fields(s), "")) {
	case "securityupdate", "monthlyrollup":
		return Cumulative
	case "securityhotpatchupdate":
		return Hotpatch
	}
	return Single
}

func severityOf(word string) patch.Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical":
		return patch.SeverityCritical
	case "important":
		return patch.SeverityHigh
	case "moderate":
		return patch.SeverityMedium
	case "low":
		return patch.SeverityLow
	}
	return patch.SeverityUnknown
}

// severityOfScore reads a CVSS base score by its own bands.
func severityOfScore(s string) patch.Severity {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	switch {
	case err != nil || !(n > 0 && n <= 10):
		return patch.SeverityUnknown
	case n >= 9:
		return patch.SeverityCritical
	case n >= 7:
		return patch.SeverityHigh
	case n >= 4:
		return patch.SeverityMedium
	}
	return patch.SeverityLow
}

// exploited reads "Publicly Disclosed:No;Exploited:Yes;…".
func exploited(status string) patch.Answer {
	for _, part := range strings.Split(status, ";") {
		if key, value, _ := strings.Cut(part, ":"); strings.EqualFold(strings.TrimSpace(key), "Exploited") {
			return answer(value)
		}
	}
	return patch.Unknown
}

func answer(s string) patch.Answer {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yes":
		return patch.Yes
	case "no":
		return patch.No
	}
	return patch.Unknown // also Maybe
}
