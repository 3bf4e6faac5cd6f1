package host

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"patchbay/patch"
)

// asked is a request with so many choices.
func asked(choices int) helperRequest {
	return helperRequest{Ask: &helperQuestion{Text: "When?", Choices: make([]string, choices), Seconds: 1}}
}

// TestAHelperIsNotBelievedBeyondItsChoices: whoever runs as the user may say anything in its place.
func TestAHelperIsNotBelievedBeyondItsChoices(t *testing.T) {
	look, closes := helperRequest{Look: true}, helperRequest{Close: 7}
	for _, c := range []struct {
		to   helperRequest
		line string
		good bool
	}{
		{asked(2), `{"choice":0}`, true}, {asked(2), `{"choice":1}`, true}, {asked(2), `{}`, true},
		{asked(2), `{"choice":2}`, false}, {asked(2), `{"choice":-1}`, false}, {asked(2), `{"choice":1e9}`, false}, {asked(2), `{"choice":"now"}`, false},
		{asked(2), `{"choice":0,"at":"2026-03-01T00:00:00Z"}`, false}, {asked(2), `{"choice":0} {"choice":1}`, false}, {asked(2), `now`, false}, {asked(2), ``, false},
		{asked(2), `{"presenting":"yes"}`, false}, {asked(2), `{"problem":"no desktop"}`, false}, {look, `{"choice":0}`, false},
		{look, `{"presenting":"yes"}`, true}, {look, `{"presenting":"no"}`, true}, {look, `{}`, true}, {look, `{"presenting":"maybe"}`, false},
		{closes, `{"windows":3}`, true}, {closes, `{"windows":-3}`, false}, {look, `{"windows":1}`, false},
		{look, `{"problem":"` + strings.Repeat("x", maxReply) + `"}`, false},
	} {
		if _, err := parseReply([]byte(c.line), c.to); (err == nil) != c.good {
			t.Errorf("%.60s: %v", c.line, err)
		}
	}
}

func FuzzHelperReply(f *testing.F) {
	f.Add([]byte(`{"choice":1}`), 3)
	f.Add([]byte(`{"presenting":"yes"}`), 0)
	f.Add([]byte(`{"problem":"\u202enow\n"}`), 1)
	f.Fuzz(func(t *testing.T, line []byte, choices int) {
		for _, to := range []helperRequest{asked(min(max(choices, 0), mostOffer)), {Look: true}, {Close: 1}} {
			r, err := parseReply(line, to)
			if err != nil {
				if strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 2000 {
					t.Errorf("it says %q", err)
				}
				continue
			}
			if r.Choice != nil && (to.Ask == nil || *r.Choice < 0 || *r.Choice >= len(to.Ask.Choices)) || r.Problem != "" ||
				r.Presenting != patch.Unknown && r.Presenting != patch.Yes && r.Presenting != patch.No {
				t.Errorf("%s is believed: %+v", line, r)
			}
		}
	})
}

// TestAHelperDoesOneThing: what it is told beyond that is an error in words.
func TestAHelperDoesOneThing(t *testing.T) {
	for _, request := range []string{`{}`, `{"ask":{"text":"When?","choices":[]}}`, `{"ask":{"choices":["","","","","","","","","","",""]}}`} {
		var out strings.Builder
		if err := Help(strings.NewReader(request+"\n"), &out); err != nil {
			t.Fatal(err)
		}
		var r helperReply
		if err := json.Unmarshal([]byte(out.String()), &r); err != nil || r.Problem == "" {
			t.Errorf("%s: %q, %v", request, out.String(), err)
		}
	}
	for _, request := range []string{"", "{}", "no\n"} {
		if err := Help(strings.NewReader(request), &strings.Builder{}); err == nil {
			t.Errorf("%q is taken", request)
		}
	}
}
