package advisory

import (
	"strings"

	"patchbay/patch"
	"patchbay/server/catalog/cvss"
)

// words are what publishers call how grave it is, on the one scale.
var words = map[string]patch.Severity{
	"critical": patch.SeverityCritical,
	// Microsoft, and the family of Red Hat with SUSE
	"important": patch.SeverityHigh, "moderate": patch.SeverityMedium, "low": patch.SeverityLow,
	// Ubuntu, Debian, GitHub
	"high": patch.SeverityHigh, "medium": patch.SeverityMedium, "negligible": patch.SeverityLow, "unimportant": patch.SeverityLow,
}

// Word maps a publisher's word. What says nothing, such as "untriaged", "not yet assigned",
// "none" and "unspecified", is not known, and never low. Debian marks words that it derived
// from others with stars.
func Word(word string) patch.Severity {
	if s, ok := words[strings.TrimRight(strings.ToLower(strings.TrimSpace(word)), "*")]; ok {
		return s
	}
	return patch.SeverityUnknown
}

// Severity is the one word for what all sources say: the gravest of their words and of the
// bands of their vectors. A vector that is none says nothing.
func Severity(scores []Score) patch.Severity {
	found := patch.SeverityUnknown
	for _, s := range scores {
		found = found.Graver(Word(s.Word))
		if s.Vector == "" {
			continue
		}
		if score, _, err := cvss.Base(s.Vector); err == nil {
			found = found.Graver(cvss.Band(score))
		}
	}
	return found
}
