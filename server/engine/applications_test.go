package engine

import (
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/store"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// rules sets the site's rules for programs beside automatic approval.
func (r *rig) rules(rules ...store.ApplicationRule) {
	r.t.Helper()
	h := r.Store.Customer(store.Who{ID: "per_test", Name: "Ann"}, r.customer)
	r.must(h.UpdateSite(r.t.Context(), r.now, store.Site{ID: r.site, Customer: r.customer, Name: "HQ", Zone: "Europe/Berlin", ChangedAt: r.now,
		Policy: store.SitePolicy{Auto: store.Security, Applications: rules}}))
	r.DueCustomer(r.customer)
	r.must(r.Step(r.t.Context(), r.device))
}

func rule(pkg string, wish store.ApplicationWish, pin string) store.ApplicationRule {
	return store.ApplicationRule{Provider: "apt", Package: pkg, Wish: wish, Pin: pin, Reason: "Accounting needs it.", By: "Ann"}
}

// A rule for a program goes before what is approved by itself, and a person before both.
func TestRulesForAProgram(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.Security})
	r.rules(rule("lib", store.LeaveAlone, ""))
	r.says("1.0", []patch.Update{lib}, nil)
	if v := r.verdict(); v.Name != verdict.REJECTED || v.Sentence != "A rule at HQ leaves lib alone. Accounting needs it." || len(r.ordered()) != 0 {
		t.Errorf("%+v", v)
	}
	r.rules(rule("lib", store.UpdateOnly, "1.0"))
	if v := r.verdict(); v.Name != verdict.REJECTED || !strings.Contains(v.Sentence, "keeps lib at 1.0.") || len(r.ordered()) != 0 {
		t.Errorf("%+v", v)
	}
	r.rules(rule("lib", store.UpdateOnly, "1."))
	jobs := r.ordered()
	if len(jobs) != 1 || jobs[0].Decision != "rule:"+r.site+":apt/lib" {
		t.Fatalf("ordered %+v", jobs)
	}
	r.rules(rule("lib", store.LeaveAlone, ""))
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("it is left alone, and still ordered: %+v", jobs)
	}
	r.approve(store.Approve, "")
	if jobs := r.ordered(); len(jobs) != 1 {
		t.Errorf("a person approved it: %+v", jobs)
	}
}

// What a rule wants is told to the device, becomes a job once the device offers it, and is
// verified when the machine shows it under the name it gives itself.
func TestAProgramIsWantedWhereItIsNot(t *testing.T) {
	r := newRig(t, store.SitePolicy{})
	r.says("1.0", nil, nil)
	r.rules(rule("tool-src", store.InstallToo, "2."), rule("lib", store.LeaveAlone, ""))
	r.expect(verdict.NO_FIX)
	if wished := r.wished().Programs; len(wished) != 1 || wished[0] != (patch.Wish{Provider: "apt", Package: "tool-src", Install: true, Pin: "2."}) {
		t.Errorf("the device is told %+v", wished)
	}
	tool := patch.Update{Provider: "apt", Name: "tool", Instance: "tool-src", Available: "2.1", Source: "tool-src", Origin: "Debian"}
	r.says("1.0", []patch.Update{tool}, nil)
	jobs := r.ordered()
	if len(jobs) != 1 || jobs[0].Target.From != "" || jobs[0].Target.Source != "tool-src" || jobs[0].Target.To != "2.1" {
		t.Fatalf("ordered %+v", jobs)
	}
	r.more = []patch.Item{{Provider: "apt", Name: "the-tool", Version: "2.1", Source: "tool-src"}}
	r.says("1.0", nil, nil, wire.Outcome{Job: jobs[0].ID, Step: wire.StepDone, Result: wire.ResultOK})
	r.expect(verdict.VERIFIED)
	if jobs := r.ordered(); len(jobs) != 0 {
		t.Errorf("still ordered: %+v", jobs)
	}
	r.rules()
	r.expect(verdict.VERIFIED)
	r.more = nil
	r.says("1.0", nil, nil)
	if n := r.needs(); n != 0 {
		t.Errorf("nobody wants it any more, and the device has %d needs", n)
	}
	r.rules(rule("tool-src", store.InstallToo, ""))
	r.says("1.0", []patch.Update{tool}, nil)
	r.rules()
	if n := r.needs(); n != 0 || len(r.ordered()) != 0 {
		t.Errorf("a wish was withdrawn, and the device has %d needs, ordered %+v", n, r.ordered())
	}
}
