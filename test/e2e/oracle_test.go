package e2e

import (
	"strings"

	"patchbay/patch"
	"patchbay/server/view"
)

// compare holds every verdict on the device against the truth: dpkg's database on its
// disk, read from the host. It returns how many it compared.
func (e *endpoint) compare() int {
	t := e.in.t
	t.Helper()
	truth, err := e.Oracle().Packages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for name, n := range e.needs() {
		if name == "" {
			continue // about apt as a whole
		}
		compared++
		p, there := truth[name]
		order, err := patch.CompareVersions("deb", p.Version, n.Available)
		really := there && err == nil && order >= 0 && p.Status == "installed"
		if string(n.Verdict.Name) == "VERIFIED" && !really {
			t.Errorf("%s: FALSE VERIFIED: %s is %s, the need was for %s", e.Name, name, p, n.Available)
		}
		if really && string(n.Verdict.State) != "verified" && !pending(n) {
			t.Errorf("%s: %s is %s and the verdict is %s: %s", e.Name, name, p, n.Verdict.Name, n.Verdict.Sentence)
		}
	}
	return compared
}

// pending reports a verdict that is rightly not yet good although the version is there.
func pending(n view.Need) bool {
	switch n.Verdict.Name {
	case "INSTALLED_PENDING_REBOOT", "RUNNING_OLD", "VERIFYING", "APPLYING", "STALE", "UNKNOWN":
		return true
	}
	return false
}

// unknown waits until the device says that what is missing cannot be told, and why: it must
// not pass for one with nothing to do.
func (e *endpoint) unknown(why string) view.Need {
	e.in.t.Helper()
	var found view.Need
	e.waitFor("for what is missing to be unknown because "+why, func() bool {
		found = e.needs()[""]
		return found.Verdict.Name == "UNKNOWN" && strings.Contains(found.Verdict.Sentence, why)
	})
	return found
}
