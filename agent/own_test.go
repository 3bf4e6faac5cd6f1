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

// TestANameIsOneArgument: programs of people have spaces in their names, and nothing else that
// a terminal or a list of arguments could take for something.
func TestANameIsOneArgument(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "lib": true, "Command Line Tools for Xcode": true, "26.4 (a)": true,
		" lib": false, "lib ": false, "--all": false, "a\tb": false, "a\nb": false, "a\u00a0b": false, "a\u2028b": false, "a\x00": false, "a\xff": false,
	} {
		if plain(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}
