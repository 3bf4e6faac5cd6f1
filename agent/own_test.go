package agent

import (
	"testing"

	"patchbay/provider"
	"patchbay/wire"
)

// TestAJobTellsOfItsOwnItemOnly: an app of one user is not that of another, nor of the machine.
func TestAJobTellsOfItsOwnItemOnly(t *testing.T) {
	all := []provider.Change{
		{Name: "app", Asked: true}, {Name: "app", Scope: "mia", Asked: true}, {Name: "app", Scope: "bob", Asked: true},
		{Name: "app", Scope: "mia", Instance: "beta", Asked: true}, {Name: "runtime", Scope: "mia"},
	}
	got := own(all, wire.Target{Name: "app", Scope: "mia", Instance: "stable"})
	if len(got) != 2 || got[0].Scope != "mia" || got[0].Instance != "" || got[1].Name != "runtime" {
		t.Errorf("it tells of %+v", got)
	}
}
