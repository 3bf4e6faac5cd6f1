package assess

import (
	"slices"
	"testing"
	"time"
)

func broken(version string) Recall {
	return Recall{Feed: "acme", ID: "A-1", Publisher: "Acme", Provider: "apt", Name: "lib", Versions: []string{version}, Trouble: "It breaks.", Since: now.Add(-time.Hour)}
}

func withRecalls(p Provider, list ...Recall) []Need {
	return Needs(Device{EnrolledAt: now.Add(-48 * time.Hour), Providers: []Provider{p}, Recalls: NewRecalls(list)}, now)
}

func TestARecallIsAboutTheVeryVersionOfTheVeryItem(t *testing.T) {
	named := broken("1.1")
	kb := Recall{Provider: "winupdate", KB: "KB5074109"}
	one := Recall{Provider: "winupdate", KB: "KB5074109", Versions: []string{"200"}}
	for _, c := range []struct {
		r                               Recall
		provider, name, source, version string
		want                            bool
	}{
		{named, "apt", "lib", "", "1.1", true},
		{named, "apt", "LIB", "", "1.1", true},
		{named, "apt", "lib-dev", "lib", "1.1", true}, // of the source package
		{named, "apt", "lib", "", "1.1+b1", false},
		{named, "apt", "lib2", "", "1.1", false},
		{named, "dnf", "lib", "", "1.1", false},
		{kb, "winupdate", "KB5074109", "", "200", true},
		{kb, "winupdate", "KB5074109 x64", "", "201", true},
		{kb, "winupdate", "KB50741090", "", "200", false},
		{kb, "msi", "KB5074109", "", "200", false},
		{one, "winupdate", "KB5074109", "", "201", false},
	} {
		all := NewRecalls([]Recall{c.r})
		if got := c.r.About(c.provider, c.name, c.source, c.version); got != c.want {
			t.Errorf("%+v about %s %s %s: %v", c.r, c.name, c.source, c.version, got)
		}
		if got := len(all.Of(c.provider, c.name, c.source, c.version, now)) > 0; got != c.want {
			t.Errorf("found by %s %s %s: %v", c.name, c.source, c.version, got)
		}
	}
}

// What is on offer is held, what is installed is told, and neither is without its need.
func TestANeedKnowsItsRecalls(t *testing.T) {
	p := readable()
	p.Offers = []Offer{offer("1.1", now.Add(-time.Hour), nil)}
	if n := withRecalls(p, broken("1.1")); len(n) != 1 || len(n[0].Held) != 1 || len(n[0].Recalled) != 0 {
		t.Errorf("on offer: %+v", n)
	}
	if n := withRecalls(p, broken("1.0")); len(n) != 1 || len(n[0].Held) != 0 || len(n[0].Recalled) != 1 {
		t.Errorf("installed, with something newer: %+v", n)
	}
	if n := withRecalls(p, broken("1.2")); len(n) != 1 || len(n[0].Held)+len(n[0].Recalled) != 0 {
		t.Errorf("another version: %+v", n)
	}
	p.Offers = nil
	p.Items[0].Previous = "0.9"
	n := withRecalls(p, broken("1.0"))
	if len(n) != 1 || !n[0].Reached || len(n[0].Recalled) != 1 || n[0].Previous != "0.9" || n[0].Update.Available != "1.0" || n[0].Offered {
		t.Errorf("installed, with nothing on offer: %+v", n)
	}
	if n := withRecalls(p, broken("1.1")); len(n) != 0 {
		t.Errorf("nothing of it here: %+v", n)
	}
}

func TestARecallHoldsUntilItIsResolved(t *testing.T) {
	r := broken("1.1")
	r.Since = now.Add(time.Hour) // to come: who knows of it does not wait
	if !r.Holds(now) {
		t.Error("it does not hold before its first day")
	}
	r.Resolved = now.Add(time.Minute)
	p := readable()
	p.Offers = []Offer{offer("1.1", now.Add(-time.Hour), nil)}
	n := withRecalls(p, r)
	if len(n[0].Held) != 1 || !RecallsEnd(n).Equal(r.Resolved) {
		t.Errorf("%+v ends at %s", n[0].Held, RecallsEnd(n))
	}
	r.Resolved = now
	if n := withRecalls(p, r); len(n[0].Held) != 0 || !RecallsEnd(n).IsZero() {
		t.Errorf("resolved: %+v", n[0].Held)
	}
}

func TestDiffersNamesWhatCameWentAndChanged(t *testing.T) {
	a, b, c := broken("1"), broken("2"), broken("3")
	b.ID, c.ID = "A-2", "A-3"
	moved := b
	moved.Name = "other"
	keys := func(list []Recall) (k []string) {
		for _, r := range list {
			k = append(k, r.ID+" "+r.Name)
		}
		slices.Sort(k)
		return k
	}
	was, is := NewRecalls([]Recall{a, b}), NewRecalls([]Recall{moved, c})
	if got := keys(is.Differs(was)); !slices.Equal(got, []string{"A-1 lib", "A-2 lib", "A-2 other", "A-3 lib"}) {
		t.Errorf("%q", got)
	}
	if got := is.Differs(is); len(got) > 0 {
		t.Errorf("the same differs: %+v", got)
	}
	if got := was.Differs(nil); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	var none *Recalls
	if len(none.All())+len(none.Of("apt", "lib", "", "1", now)) > 0 || len(none.Differs(was)) != 2 {
		t.Error("nothing says something")
	}
}
