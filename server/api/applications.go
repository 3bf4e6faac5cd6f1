package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/server/store"
	"patchbay/server/view"
)

// providerName is what a provider may be called.
var providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// rulesOf checks rules for single programs. A rule that was there before keeps who wrote it.
func rulesOf(rules []view.ApplicationRule, was []store.ApplicationRule, by string, now time.Time) ([]store.ApplicationRule, error) {
	var checked []store.ApplicationRule
	for i, r := range rules {
		rule, err := ruleOf(fmt.Sprintf("policy.applications[%d]", i), r)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(checked, func(o store.ApplicationRule) bool { return o.Compare(rule) == 0 }) {
			return nil, wrong(fmt.Sprintf("policy.applications[%d].package", i), fmt.Sprintf("There are two rules for %s of %s. Leave one of them out.", rule.Package, rule.Provider))
		}
		rule.By, rule.At = by, now
		if n := slices.IndexFunc(was, rule.Same); n >= 0 {
			rule.By, rule.At = was[n].By, was[n].At
		}
		checked = append(checked, rule)
	}
	slices.SortFunc(checked, store.ApplicationRule.Compare)
	return checked, nil
}

func ruleOf(field string, r view.ApplicationRule) (store.ApplicationRule, error) {
	rule := store.ApplicationRule{Provider: r.Provider, Wish: store.ApplicationWish(r.Wish), Pin: strings.TrimSpace(r.Pin), Reason: strings.TrimSpace(r.Reason)}
	if !providerName.MatchString(rule.Provider) {
		return rule, wrong(field+".provider", "A provider is named as devices name it, in small letters.")
	}
	var err error
	if rule.Package, err = cleanName(field+".package", r.Package); err != nil {
		return rule, err
	}
	switch {
	case strings.HasPrefix(rule.Package, "-"):
		return rule, wrong(field+".package", "No package has a name that begins with a hyphen.")
	case rule.Pin != "" && rule.Wish == store.LeaveAlone:
		return rule, wrong(field+".pin", "What is left alone has no version to stop at. Leave the version out, or have it updated.")
	case strings.ContainsFunc(rule.Pin, hides) || rule.Pin != "" && !strings.ContainsAny(rule.Pin, "0123456789"):
		return rule, wrong(field+".pin", "A version to stop at is one such as 8.6.2, or a line of versions such as 8.6. with a dot at its end.")
	case strings.ContainsFunc(rule.Reason, hides):
		return rule, wrong(field+".reason", "A reason is one line of visible characters.")
	}
	return rule, nil
}

func rulesView(rules []store.ApplicationRule) []view.ApplicationRule {
	views := make([]view.ApplicationRule, len(rules))
	for i, r := range rules {
		views[i] = view.ApplicationRule{Provider: r.Provider, Package: r.Package, Wish: string(r.Wish), Pin: r.Pin, Reason: r.Reason, By: r.By, At: &rules[i].At}
	}
	return views
}
