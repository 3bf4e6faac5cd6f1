package policy

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/assess"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func deb(string) string { return "deb" }

func need(version string, classes ...patch.Class) assess.Need {
	u := patch.Update{Provider: "apt", Name: "lib", Architecture: "amd64", Installed: "1.0", Available: version, Origin: "Debian", Classes: classes}
	return assess.Need{Key: u.Key(), Update: u, Installed: "1.0", Offered: true, Since: now}
}

func answer(id string, level Level, yes bool) Answer {
	return Answer{ID: id, Level: level, Yes: yes, Key: patch.Key{Provider: "apt", Name: "lib"}, Version: "1.1", Origin: "Debian",
		Reason: "because", By: "Ann", At: now}
}

func TestNobodyAnsweredWaits(t *testing.T) {
	d := Decide([]assess.Need{need("1.1")}, nil, Rule{ID: "rule", Security: true}, deb)
	if len(d) != 1 || d[0].Kind != Wait || d[0].Reason == "" {
		t.Errorf("%+v", d)
	}
}

func TestRuleAnswersSecurityUpdatesOnly(t *testing.T) {
	rule := Rule{ID: "rule", Place: "Head office", Security: true, At: now}
	d := Decide([]assess.Need{need("1.1", patch.Security), need("1.1", patch.BugFix)}, nil, rule, deb)
	if d[0].Kind != Install || d[0].ID != "rule" || d[1].Kind != Wait {
		t.Errorf("%+v", d)
	}
	d = Decide([]assess.Need{need("1.1", patch.Security, patch.Preview)}, nil, rule, deb)
	if d[0].Kind != Wait {
		t.Errorf("a preview comes by itself: %+v", d)
	}
	d = Decide([]assess.Need{need("1.1", patch.Security)}, nil, Rule{ID: "rule"}, deb)
	if d[0].Kind != Wait {
		t.Errorf("a site that decides by hand installs by itself: %+v", d)
	}
}

// TestNoRuleChoosesWhatIsOptional: its publisher leaves it to people.
func TestNoRuleChoosesWhatIsOptional(t *testing.T) {
	n := assess.Need{Key: patch.Key{Provider: "winupdate", Name: "KB1"}, Offered: true,
		Update: patch.Update{Provider: "winupdate", Name: "KB1", Available: "200", Classes: []patch.Class{patch.Security}, Block: patch.Optional}}
	versions := func(string) string { return patch.SchemeRevision }
	if d := Decide([]assess.Need{n}, nil, Rule{Security: true}, versions)[0]; d.Kind != Wait {
		t.Errorf("the rule decides %+v", d)
	}
	yes := Answer{ID: "apr_1", Yes: true, Key: n.Key, Version: "200", By: "Ann"}
	if d := Decide([]assess.Need{n}, []Answer{yes}, Rule{Security: true}, versions)[0]; d.Kind != Install {
		t.Errorf("a person's yes is %+v", d)
	}
}

func TestAPersonBeatsARule(t *testing.T) {
	rule := Rule{ID: "rule", Security: true}
	d := Decide([]assess.Need{need("1.1", patch.Security)}, []Answer{answer("no", CustomerLevel, false)}, rule, deb)
	if d[0].Kind != Reject || d[0].ID != "no" {
		t.Errorf("%+v", d)
	}
}

// Every pair of levels and answers: the nearer wins, at the same level no wins.
func TestPrecedenceOfAnswers(t *testing.T) {
	levels := []Level{CustomerLevel, SiteLevel, DeviceLevel}
	for _, la := range levels {
		for _, lb := range levels {
			for _, ya := range []bool{true, false} {
				for _, yb := range []bool{true, false} {
					want := ya
					if lb > la || lb == la && !yb {
						want = yb
					}
					d := Decide([]assess.Need{need("1.1")}, []Answer{answer("a", la, ya), answer("b", lb, yb)}, Rule{}, deb)
					if got := d[0].Kind == Install; got != want {
						t.Errorf("level %d says %v, level %d says %v: %+v", la, ya, lb, yb, d[0])
					}
				}
			}
		}
	}
}

func TestAnswerIsAboutOneVersionUnlessItFollows(t *testing.T) {
	for _, c := range []struct {
		name    string
		version string
		edit    func(*Answer)
		want    Kind
	}{
		{"the version answered", "1.1", func(*Answer) {}, Install},
		{"a newer one", "1.2", func(*Answer) {}, Wait},
		{"a newer one, followed", "1.2", func(a *Answer) { a.Follow = true }, Install},
		{"an older one, followed", "1.0.5", func(a *Answer) { a.Follow = true }, Wait},
		{"a newer one of another origin", "1.2", func(a *Answer) { a.Follow, a.Origin = true, "Elsewhere" }, Wait},
		{"the version answered, of another origin", "1.1", func(a *Answer) { a.Origin = "Elsewhere" }, Wait},
		{"the version rejected, of another origin", "1.1", func(a *Answer) { a.Yes, a.Origin = false, "Elsewhere" }, Reject},
		{"another item", "1.1", func(a *Answer) { a.Key.Name = "app" }, Wait},
		{"another provider", "1.1", func(a *Answer) { a.Key.Provider = "dnf" }, Wait},
		{"another architecture", "1.1", func(a *Answer) { a.Key.Architecture = "i386" }, Wait},
		{"this architecture", "1.1", func(a *Answer) { a.Key.Architecture = "amd64" }, Install},
	} {
		a := answer("a", DeviceLevel, true)
		c.edit(&a)
		if d := Decide([]assess.Need{need(c.version)}, []Answer{a}, Rule{}, deb); d[0].Kind != c.want {
			t.Errorf("%s: %+v, want %s", c.name, d[0], c.want)
		}
	}
}

// Of what is versioned by revisions a yes is for the one that was looked at, and a no for all.
func TestAYesIsForOneRevision(t *testing.T) {
	revisions := func(string) string { return patch.SchemeRevision }
	for _, yes := range []bool{true, false} {
		a := answer("a", DeviceLevel, yes)
		a.Version, a.Follow = "200", true
		want := map[string]Kind{"200": Reject, "201": Reject, "199": Wait}
		if yes {
			want = map[string]Kind{"200": Install, "201": Wait, "199": Wait}
		}
		for version, kind := range want {
			if d := Decide([]assess.Need{need(version)}, []Answer{a}, Rule{}, revisions); d[0].Kind != kind {
				t.Errorf("yes %t, revision %s: %+v, want %s", yes, version, d[0], kind)
			}
		}
	}
}

// A person forces the version that was looked at, and none that comes after it.
func TestWhatFollowsIsNotForced(t *testing.T) {
	a := answer("a", DeviceLevel, true)
	a.Follow, a.ForcedUntil = true, a.At.Add(time.Hour)
	for version, forced := range map[string]bool{"1.1": true, "1.2": false} {
		if d := Decide([]assess.Need{need(version)}, []Answer{a}, Rule{}, deb); d[0].Kind != Install || d[0].ForcedUntil.IsZero() == forced {
			t.Errorf("%s: %+v", version, d[0])
		}
	}
}

// An undo is a no: to the one version it names, at its level as strong as any no.
func TestUndoIsANoToOneVersion(t *testing.T) {
	undo := answer("u", SiteLevel, false)
	undo.Undo = true
	for version, want := range map[string]Kind{"1.1": Undo, "1.2": Wait, "1.0": Wait} {
		if d := Decide([]assess.Need{need(version)}, []Answer{undo}, Rule{}, deb); d[0].Kind != want {
			t.Errorf("%s: %s, want %s", version, d[0].Kind, want)
		}
	}
	// A yes of before is taken back with it, at its place and nearer; one of afterwards, nearer, holds.
	for _, c := range []struct {
		level Level
		after time.Duration
		want  Kind
	}{
		{CustomerLevel, -time.Hour, Undo}, {SiteLevel, -time.Hour, Undo}, {DeviceLevel, -time.Hour, Undo}, {DeviceLevel, 0, Undo},
		{CustomerLevel, time.Hour, Undo}, {SiteLevel, time.Hour, Undo}, {DeviceLevel, time.Hour, Install},
	} {
		yes := answer("a", c.level, true)
		yes.At = undo.At.Add(c.after)
		d := Decide([]assess.Need{need("1.1", patch.Security)}, []Answer{undo, yes}, Rule{ID: "rule:s", Security: true}, deb)
		if d[0].Kind != c.want || d[0].Reason == "" {
			t.Errorf("beside a yes at level %d, %s after it: %+v", c.level, c.after, d[0])
		}
	}
}

func TestOneDecisionPerNeedWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.SliceOfN(rapid.SampledFrom([]string{"1.1", "1.2", "2.0"}), 1, 5).Draw(t, "needs")
		var needs []assess.Need
		for _, v := range versions {
			needs = append(needs, need(v, patch.Security))
		}
		var answers []Answer
		for i := range rapid.IntRange(0, 6).Draw(t, "answers") {
			a := answer(string(rune('a'+i)), Level(rapid.IntRange(0, 2).Draw(t, "level")), rapid.Bool().Draw(t, "yes"))
			a.Version = rapid.SampledFrom([]string{"1.1", "1.2"}).Draw(t, "version")
			a.Follow = rapid.Bool().Draw(t, "follow")
			a.Undo = !a.Yes && rapid.Bool().Draw(t, "undo")
			a.At = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Hour)
			answers = append(answers, a)
		}
		first := Decide(needs, answers, Rule{}, deb)
		slices.Reverse(answers)
		second := Decide(needs, answers, Rule{}, deb)
		if len(first) != len(needs) {
			t.Fatalf("%d decisions for %d needs", len(first), len(needs))
		}
		for i := range first {
			if first[i].Kind != second[i].Kind || first[i].ID != second[i].ID || first[i].Reason == "" {
				t.Fatalf("%+v, in another order %+v", first[i], second[i])
			}
		}
	})
}

// An answer is about what a publisher offers. On one device it stands for a person, on another
// beside a second version of itself: that makes it no other update.
func TestAnAnswerIsForEveryInstance(t *testing.T) {
	for _, where := range [][2]string{{"anna", ""}, {"", "{7D1A9C3E}"}, {"anna", "{7D1A9C3E}"}} {
		n := need("1.1")
		n.Update.Scope, n.Update.Instance = where[0], where[1]
		n.Key = n.Update.Key()
		d := Decide([]assess.Need{n}, []Answer{answer("yes", SiteLevel, true)}, Rule{}, deb)
		if d[0].Kind != Install {
			t.Errorf("%+v", d)
		}
	}
}

// TestARuleTakesTheClassesItNames is the law over all classes and blocks: beside security a
// rule takes exactly the classes that it names, and never what is left to people to choose.
func TestARuleTakesTheClassesItNames(t *testing.T) {
	for _, named := range patch.Classes() {
		rule := Rule{ID: "rule", Place: "Ulm", Classes: []patch.Class{named}}
		for _, is := range patch.Classes() {
			for _, also := range patch.Classes() {
				for _, block := range []patch.Block{patch.NotBlocked, patch.Optional} {
					n := need("1.1", is, also)
					n.Update.Block = block
					may := slices.Contains(AutoClasses(), named) && (named == is || named == also) && block == patch.NotBlocked &&
						!n.Update.Is(patch.Preview) && (!n.Update.Is(patch.Feature) || n.Update.Is(patch.Security))
					if d := Decide([]assess.Need{n}, nil, rule, deb)[0]; (d.Kind == Install) != may {
						t.Errorf("a rule for %s decides about %s, %s (%s): %+v", named, is, also, block, d)
					}
				}
			}
		}
	}
}
