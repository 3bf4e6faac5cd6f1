package api

import (
	"fmt"
	"slices"

	"patchbay/server/store"
)

// mostRules is how many changes of rules one sentence tells.
const mostRules = 3

// ruleWords says what became of a site's rules for programs, a part of a sentence each.
func ruleWords(was, is []store.ApplicationRule, site string) []string {
	var parts []string
	for _, r := range is {
		if !slices.ContainsFunc(was, r.Same) {
			parts = append(parts, ruleWord(r, site))
		}
	}
	for _, r := range was {
		if !slices.ContainsFunc(is, func(o store.ApplicationRule) bool { return o.Compare(r) == 0 }) {
			parts = append(parts, "took the rule for "+plainName(r.Package, "a program")+" at "+site+" back")
		}
	}
	if more := len(parts) - mostRules; more > 0 {
		parts = append(parts[:mostRules], fmt.Sprintf("changed %s more", counted(more, "rule")))
	}
	return parts
}

func ruleWord(r store.ApplicationRule, site string) string {
	name := plainName(r.Package, "a program")
	text := map[store.ApplicationWish]string{store.LeaveAlone: "had " + name + " left alone at ", store.UpdateOnly: "had " + name + " updated where it is at ",
		store.InstallToo: "had " + name + " installed and updated at "}[r.Wish]
	if text == "" {
		text = "changed the rule for " + name + " at "
	}
	text += site
	if r.Pin != "" {
		text += ", no further than " + plainName(r.Pin, "?")
	}
	if reason := plainName(r.Reason, ""); reason != "" {
		text += ": " + reason
	}
	return text
}
