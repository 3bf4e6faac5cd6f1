package engine

import (
	"cmp"
	"slices"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/policy"
	"patchbay/server/store"
)

// applicationsOf are a site's rules for single programs, as the policy reads them.
func applicationsOf(s store.Site) []policy.Application {
	var rules []policy.Application
	for _, r := range s.Policy.Applications {
		rules = append(rules, policy.Application{ID: "rule:" + s.ID + ":" + r.Provider + "/" + r.Package, Place: s.Name, Provider: r.Provider, Package: r.Package,
			Wish: policy.Wish(r.Wish), Pin: r.Pin, Reason: r.Reason, At: r.At})
	}
	return rules
}

// wantedOf are the programs that a site's rules want installed.
func wantedOf(s store.Site) []assess.Wish {
	var wanted []assess.Wish
	for _, r := range s.Policy.Applications {
		if r.Wish == store.InstallToo {
			wanted = append(wanted, assess.Wish{Provider: r.Provider, Package: r.Package, At: r.At})
		}
	}
	return wanted
}

// programsOf is what a site's rules have devices offer, sorted: what is left alone is offered
// as ever, and held here.
func programsOf(s store.Site) []patch.Wish {
	var wishes []patch.Wish
	for _, r := range s.Policy.Applications {
		if install := r.Wish == store.InstallToo; install || r.Pin != "" {
			wishes = append(wishes, patch.Wish{Provider: r.Provider, Package: r.Package, Install: install, Pin: r.Pin})
		}
	}
	slices.SortFunc(wishes, func(a, b patch.Wish) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Package, b.Package))
	})
	return wishes
}
