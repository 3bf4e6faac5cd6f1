package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"patchbay/patch"
	"patchbay/server/assess"
)

func application(wish Wish, pin string) Application {
	return Application{ID: "rule:site:apt/lib", Place: "HQ", Provider: "apt", Package: "lib", Wish: wish, Pin: pin, Reason: "Accounting needs it.", At: now.Add(-time.Hour)}
}

func TestARuleForAProgram(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Application, *assess.Need)
		want Kind
		says string
	}{
		{"left alone", func(a *Application, _ *assess.Need) { a.Wish = LeaveAlone }, Reject, "A rule at HQ leaves lib alone. Accounting needs it."},
		{"kept up to date", func(a *Application, _ *assess.Need) {}, Install, "A rule at HQ keeps lib up to date. Accounting needs it."},
		{"installed too", func(a *Application, n *assess.Need) { a.Wish = InstallToo }, Install, "A rule at HQ keeps lib up to date."},
		{"not there, and wanted", func(a *Application, n *assess.Need) { a.Wish, n.Installed, n.Absent = InstallToo, "", true }, Install, "A rule at HQ"},
		{"not there, and updated only where it is", func(a *Application, n *assess.Need) { n.Installed, n.Absent = "", true }, Wait, "nobody"},
		{"within its pin", func(a *Application, _ *assess.Need) { a.Pin = "1.1" }, Install, "A rule at HQ"},
		{"within its line", func(a *Application, _ *assess.Need) { a.Pin = "1." }, Install, "A rule at HQ"},
		{"beyond its pin", func(a *Application, _ *assess.Need) { a.Pin = "1.0" }, Reject, "A rule at HQ keeps lib at 1.0. Accounting needs it."},
		{"beyond its line", func(a *Application, _ *assess.Need) { a.Pin = "1.0." }, Reject, "A rule at HQ keeps lib at 1.0. Accounting needs it."},
		{"wanted, and on offer beyond its pin alone", func(a *Application, n *assess.Need) {
			a.Wish, a.Pin, n.Installed, n.Absent = InstallToo, "1.0.", "", true
		}, Reject, "keeps lib at 1.0."},
		{"by the name of its source", func(a *Application, n *assess.Need) {
			a.Wish, a.Package, n.Update.Source = LeaveAlone, "Lib-Src", "lib-src"
		}, Reject, "leaves lib alone"},
		{"of another provider", func(a *Application, _ *assess.Need) { a.Wish, a.Provider = LeaveAlone, "dnf" }, Wait, "nobody"},
		{"of another name", func(a *Application, _ *assess.Need) { a.Wish, a.Package = LeaveAlone, "li" }, Wait, "nobody"},
		{"a provider that cannot be read", func(a *Application, n *assess.Need) { n.Blind = &assess.Blind{Sentence: "x"} }, Wait, "nobody"},
		{"broken with nothing on offer", func(a *Application, n *assess.Need) {
			a.Wish, n.Broken, n.Offered = LeaveAlone, "half-configured", false
		}, Wait, "nobody"},
	} {
		a, n := application(UpdateOnly, ""), need("1.1")
		c.edit(&a, &n)
		d := Decide([]assess.Need{n}, nil, Rule{ID: "rule:site", Place: "HQ", Applications: []Application{a}}, deb)[0]
		if d.Kind != c.want || !strings.Contains(d.Reason, c.says) || (d.ID == a.ID) != (c.want != Wait) || d.By != "" {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

// What names the item is nearer than what names its source package, in whatever order.
func TestTheNameOfTheItemIsNearer(t *testing.T) {
	source, item := application(LeaveAlone, ""), application(UpdateOnly, "")
	source.ID, source.Package = "source", "src"
	n := need("1.1")
	n.Update.Source = "src"
	for _, rules := range [][]Application{{source, item}, {item, source}} {
		if d := Decide([]assess.Need{n}, nil, Rule{Applications: rules}, deb)[0]; d.ID != item.ID {
			t.Errorf("%+v", d)
		}
	}
}

// A person's answer is what it would be without any rule. Without one, what a rule leaves
// alone or keeps at a version is not installed, whatever is approved by itself.
func TestRulesAmongAnswersAndApprovalByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := need(rapid.SampledFrom([]string{"1.1", "1.2", "2.0"}).Draw(t, "version"))
		if rapid.Bool().Draw(t, "security") {
			n.Update.Classes = []patch.Class{patch.Security}
		}
		var answers []Answer
		for i := range rapid.IntRange(0, 3).Draw(t, "answers") {
			a := answer(string(rune('a'+i)), Level(rapid.IntRange(0, 2).Draw(t, "level")), rapid.Bool().Draw(t, "yes"))
			a.Follow, a.Undo = rapid.Bool().Draw(t, "follow"), !a.Yes && rapid.Bool().Draw(t, "undo")
			answers = append(answers, a)
		}
		wish := rapid.SampledFrom([]Wish{LeaveAlone, UpdateOnly, InstallToo}).Draw(t, "wish")
		pin := rapid.SampledFrom([]string{"", "1.0", "1.1", "1.", "2.0"}).Draw(t, "pin")
		n.Absent = wish == InstallToo && rapid.Bool().Draw(t, "absent")
		rule := Rule{ID: "rule:site", Security: rapid.Bool().Draw(t, "by itself")}
		without := Decide([]assess.Need{n}, answers, rule, deb)[0]
		rule.Applications = []Application{application(wish, pin)}
		with := Decide([]assess.Need{n}, answers, rule, deb)[0]
		if slices.ContainsFunc(answers, func(a Answer) bool { return a.ID == without.ID }) {
			if with.Kind != without.Kind || with.ID != without.ID {
				t.Fatalf("a rule made %+v of the answer %+v", with, without)
			}
			return
		}
		want := Install
		if wish == LeaveAlone || patch.Beyond("deb", n.Update.Available, pin) {
			want = Reject
		}
		if with.Kind != want || with.ID != "rule:site:apt/lib" {
			t.Fatalf("%s, pinned to %q: %+v", wish, pin, with)
		}
	})
}
