package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"patchbay/server/view"
)

type body = map[string]any

func policyWith(rules ...any) body {
	return body{"policy": body{"auto": "security", "applications": append([]any{}, rules...)}}
}

// Rules for programs are kept sorted, with who wrote each and when, and stay where a caller
// does not speak of them.
func TestRulesForPrograms(t *testing.T) {
	w := newWorld(t, false).populated()
	site := do[view.Page[view.Site]](w, http.StatusOK, "GET", "/sites", nil).Items[0]
	path := "/sites/" + site.ID
	if site.Policy.Applications == nil || len(site.Policy.Applications) != 0 {
		t.Errorf("without a rule: %#v", site.Policy.Applications)
	}
	zoom := body{"provider": "winget", "package": " Zoom.Zoom ", "wish": "install", "pin": "6.2.", "reason": " the till needs it "}
	fox := body{"provider": "apt", "package": "firefox-esr", "wish": "leave", "by": "Mallory", "at": "2020-01-01T00:00:00Z"}
	rules := do[view.Site](w, http.StatusOK, "PATCH", path, policyWith(zoom, fox)).Policy.Applications
	if len(rules) != 2 || rules[0].Package != "firefox-esr" || rules[1].Package != "Zoom.Zoom" || rules[1].Reason != "the till needs it" ||
		rules[0].By != rules[1].By || rules[0].By == "Mallory" || rules[0].By == "" || rules[0].At.Year() == 2020 {
		t.Fatalf("rules %+v", rules)
	}
	if again := do[view.Site](w, http.StatusOK, "PATCH", path, body{"policy": body{"auto": "by_hand"}}).Policy.Applications; len(again) != 2 {
		t.Errorf("who does not speak of rules removes them: %+v", again)
	}
	if again := do[view.Site](w, http.StatusOK, "PATCH", path, policyWith()).Policy.Applications; len(again) != 0 {
		t.Errorf("they are not removed: %+v", again)
	}
}

func TestRulesForProgramsAreRefused(t *testing.T) {
	w := newWorld(t, false).populated()
	path := "/sites/" + do[view.Page[view.Site]](w, http.StatusOK, "GET", "/sites", nil).Items[0].ID
	rule := func(pairs ...string) body {
		r := body{"provider": "winget", "package": "a.b", "wish": "update"}
		for i := 0; i < len(pairs); i += 2 {
			r[pairs[i]] = pairs[i+1]
		}
		return r
	}
	many := make([]any, 201)
	for i := range many {
		many[i] = rule("package", fmt.Sprintf("a.%d", i))
	}
	for says, rules := range map[string][]any{
		"two rules for A.B of winget": {rule(), rule("package", "A.B", "wish", "leave")},
		"left alone has no version":   {rule("wish", "leave", "pin", "1.")},
		"a line of versions":          {rule("pin", "newest")},
		"named as devices name it":    {rule("provider", "Win Get")},
		"begins with a hyphen":        {rule("package", "--all")},
		"Write a name":                {rule("package", " ")},
		"one line of visible":         {rule("package", "a\nb")},
		"A reason is one line":        {rule("reason", "a\nb")},
		"policy.applications[0].wish": {rule("wish", "remove")},
		"array length <= 200":         many,
	} {
		p := do[Problem](w, http.StatusUnprocessableEntity, "PATCH", path, policyWith(rules...))
		if text := fmt.Sprintf("%+v", p); !strings.Contains(text, says) {
			t.Errorf("want %q, got %s", says, text)
		}
	}
}
