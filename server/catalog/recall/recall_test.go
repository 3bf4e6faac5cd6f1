package recall_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"patchbay/server/catalog/recall"
)

func read(text string) (list []recall.Entry, why []string, err error) {
	report, err := recall.Read(strings.NewReader(text), func(e recall.Entry) error {
		list = append(list, e)
		return nil
	})
	return list, report.Why, err
}

func TestAListIsReadAsItIsWritten(t *testing.T) {
	text, err := os.ReadFile("testdata/recalls.json")
	if err != nil {
		t.Fatal(err)
	}
	list, why, err := read(string(text))
	if err != nil || len(list) != 2 || len(why) > 0 {
		t.Fatalf("%+v %v %v", list, why, err)
	}
	if e := list[0]; e.Provider != "apt" || e.Name != "openssl" || e.Versions[0] != "3.0.17-1~deb12u3" || e.Owner != recall.MSP || !e.Resolved.IsZero() {
		t.Errorf("%+v", e)
	}
	if e := list[1]; e.Provider != "winupdate" || e.KB != "KB5074109" || len(e.Versions) > 0 || e.Owner != recall.Vendor || e.Resolved.Day() != 28 {
		t.Errorf("%+v", e)
	}
}

func TestAListMayBeEmptyAndNotBreakOff(t *testing.T) {
	if list, _, err := read(`{"recalls":[]}`); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
	for _, text := range []string{"", "{}", `{"recalls":[`, `{"recalls":{}}`, "<html>"} {
		if _, _, err := read(text); err == nil {
			t.Errorf("%q is taken for a list", text)
		}
	}
}

// entry is one that is taken, with some of its members replaced.
func entry(with string) string {
	return `{"recalls":[{"id":"A-1","kind":"trouble","publisher":"A","provider":"apt","name":"bash","versions":["1"],"trouble":"It breaks.","since":"2026-01-01"` + with + `}]}`
}

func TestAnEntryThatIsNotWhatItSaysIsRefusedAlone(t *testing.T) {
	if list, why, err := read(entry("")); err != nil || len(list) != 1 {
		t.Fatalf("%v %v %v", list, why, err)
	}
	for with, reason := range map[string]string{
		`,"id":"../x"`:                         "its id has no form",
		`,"kind":"gone"`:                       "neither recalled nor trouble",
		`,"publisher":""`:                      "who says so",
		`,"owner":"me"`:                        "neither vendor nor msp",
		`,"provider":"a b"`:                    "not how a provider is called",
		`,"name":""`:                           "which item",
		`,"name":"a\u0007b"`:                   "which item",
		`,"versions":[]`:                       "which versions",
		`,"versions":[""]`:                     "is no version",
		`,"versions":["` + long(300) + `"]`:    "is no version",
		`,"kb":"KB5074109"`:                    "a name and a kb",
		`,"name":"","kb":"KB12x"`:              "no number of an update",
		`,"trouble":" "`:                       "what the trouble is",
		`,"since":""`:                          "since when",
		`,"since":"0001-01-01T00:00:00Z"`:      "since when",
		`,"since":"yesterday"`:                 "is no moment",
		`,"resolved":"soon"`:                   "is no moment",
		`,"source":"javascript:alert(1)"`:      "no address of a page",
		`,"source":"https://u:p@example.com/"`: "no address of a page",
		`,"source":"https://example.com/ x"`:   "no address of a page",
		`,"versions":"1"`:                      "cannot unmarshal",
		`,"versions":[` + many(501) + `]`:      "more than 500 versions",
		`},{"id":"A-1","kind":"trouble","publisher":"A","provider":"apt","name":"bash","versions":["1"],"trouble":"It breaks.","since":"2026-01-01"`: "stands there twice",
	} {
		list, why, err := read(entry(with))
		if err != nil || len(why) != 1 || !strings.Contains(why[0], reason) || !strings.Contains(why[0], "Recalls record") {
			t.Errorf("%.60s: %d taken, %q, %v; want %q", with, len(list), why, err, reason)
		}
	}
}

func long(n int) string { return strings.Repeat("1", n) }

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("%q", fmt.Sprint(i)))
	}
	return strings.Join(list, ",")
}

func FuzzRead(f *testing.F) {
	text, err := os.ReadFile("testdata/recalls.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(entry(""))
	f.Add(`{"recalls":[{"id":"a","kb":"KB1"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, _, _ := read(text)
		for _, e := range list {
			if e.ID == "" || e.Provider == "" || (e.Name == "") == (e.KB == "") || e.Trouble == "" || e.Since.IsZero() || e.KB == "" && len(e.Versions) == 0 {
				t.Fatalf("%q gives %+v", text, e)
			}
		}
	})
}
