package all_test

import (
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
		if _, err := patch.CompareVersions(k.Traits.Versions, "1", "1"); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}
