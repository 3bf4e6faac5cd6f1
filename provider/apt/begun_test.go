package apt

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"patchbay/patch"
	"patchbay/provider"
)

// have makes a record of installed packages, each as name, version and what is wrong with it.
func have(packages ...[3]string) installed {
	in := installed{items: map[id]patch.Item{}, native: "amd64"}
	for _, p := range packages {
		in.items[id{p[0], "amd64"}] = patch.Item{Provider: providerName, Name: p[0], Architecture: "amd64", Version: p[1], Broken: p[2]}
	}
	return in
}

// Finishing may do what was begun, and nothing beside it.
func TestFinishingStaysWithinWhatWasBegun(t *testing.T) {
	b := begun{Packages: []begunPackage{{Name: "web", Architecture: "amd64", To: "2", Asked: true}, {Name: "lib", To: "2"}}}
	back := begun{Packages: []begunPackage{{Name: "web", Architecture: "amd64", To: "1", Asked: true}}, Undo: []string{"--allow-downgrades", "web=1"}}
	for name, c := range map[string]struct {
		b    begun
		p    plan
		good bool
	}{
		"what was begun":       {b, plan{upgrades: []step{{"web", "", "1", "2"}}, added: []step{{"lib", "", "", "2"}}}, true},
		"nothing new":          {b, plan{}, true},
		"another version":      {b, plan{upgrades: []step{{"web", "", "1", "3"}}}, false},
		"another package":      {b, plan{upgrades: []step{{"web", "", "1", "2"}, {"db", "", "1", "2"}}}, false},
		"a new one":            {b, plan{added: []step{{"db", "", "", "2"}}}, false},
		"another architecture": {b, plan{upgrades: []step{{"web", "i386", "1", "2"}}}, false},
		"a removal":            {b, plan{removed: []step{{"db", "", "1", ""}}}, false},
		"a step down":          {b, plan{downgrades: []step{{"web", "", "3", "2"}}}, false},
		"a held package":       {b, plan{held: []step{{"web", "", "1", "2"}}}, false},
		"an undo":              {back, plan{downgrades: []step{{"web", "", "2", "1"}}}, true},
		"more than the undo":   {back, plan{downgrades: []step{{"web", "", "2", "1"}, {"lib", "", "2", "1"}}}, false},
	} {
		err := c.b.covers(c.p, have())
		if (err == nil) != c.good || err != nil && !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is incomplete is ours when it was begun here, or when a trigger ran in it and it is
// still the version that it was.
func TestWhatIsOursToFinish(t *testing.T) {
	before := have([3]string{"web", "1"}, [3]string{"docs", "1"}, [3]string{"icons", "1"}, [3]string{"db", "1", "half-configured"}, [3]string{"menus", "1", "half-configured"})
	heard := interested(fstest.MapFS{
		triggersDir + "/File":    {Data: []byte("/usr/share/doc docs/noawait\n/usr/share/icons icons\n")},
		triggersDir + "/menu-up": {Data: []byte("menus:amd64/noawait\n")},
	})
	r := provider.Request{Updates: []patch.Update{{Name: "web", Architecture: "amd64", Available: "2"}}}
	b := beginning(r, plan{upgrades: []step{{"web", "", "1", "2"}}, added: []step{{"lib", "", "", "2"}}}, before, heard, begun{})
	after := have([3]string{"web", "2", "unpacked"}, [3]string{"lib", "2", "unpacked"}, [3]string{"docs", "1", "triggers-pending"},
		[3]string{"icons", "2", "half-configured"}, [3]string{"db", "1", "half-configured"}, [3]string{"menus", "1", "half-configured"})
	var left []string
	for _, i := range b.left(after) {
		left = append(left, i.Name)
	}
	if want := []string{"docs", "lib", "web"}; !slices.Equal(left, want) {
		t.Errorf("ours are %v, not %v", left, want)
	}
	// What is left of it stays ours when something else begins.
	more := beginning(provider.Request{Updates: []patch.Update{{Name: "icons", Available: "3"}}}, plan{}, after, heard, b)
	left = nil
	for _, i := range more.left(after) {
		left = append(left, i.Name)
	}
	if want := []string{"docs", "icons", "lib", "web"}; !slices.Equal(left, want) {
		t.Errorf("then ours are %v, not %v", left, want)
	}
}
