package all_test

import (
	"slices"
	"testing"

	"patchbay/patch"
	"patchbay/provider/all"
)

func TestKindsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range all.Kinds() {
		if k.Name == "" || k.Open == nil {
			t.Errorf("kind %+v has no name or cannot be opened", k)
		}
		if seen[k.Name] {
			t.Errorf("two kinds are called %s", k.Name)
		}
		seen[k.Name] = true
		if !slices.Contains(patch.Schemes(), k.Traits.Versions) {
			t.Errorf("%s: nobody knows the version order %q", k.Name, k.Traits.Versions)
		}
	}
}
