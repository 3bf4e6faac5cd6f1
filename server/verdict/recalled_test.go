package verdict

import (
	"strings"
	"testing"
	"time"

	"patchbay/server/assess"
	"patchbay/server/policy"
)

// What is held says what the trouble is, who says so, since when, whose turn it is, and when it
// ends where that is known.
func TestAHoldSaysWhatWhoAndSinceWhen(t *testing.T) {
	c := usual(t)
	resolved := now.Add(time.Hour)
	r := assess.Recall{Feed: "acme", ID: "A-1", Back: true, Publisher: "Acme", Trouble: "it breaks", Since: now.Add(-time.Hour), Source: "https://acme.example/1", Resolved: resolved}
	c.Need.Held, c.Decision = []assess.Recall{r}, policy.Decision{Kind: policy.Hold}
	v := Of(c, now)
	if v.Name != HELD || v.Owner != Vendor || !v.Since.Equal(r.Since) || v.Until == nil || !v.Until.Equal(resolved) || v.Act != ActNone {
		t.Errorf("%+v", v)
	}
	for _, part := range []string{"Acme recalled it: it breaks.", "https://acme.example/1", "goes on by itself"} {
		if !strings.Contains(v.Sentence, part) {
			t.Errorf("%q does not say %q", v.Sentence, part)
		}
	}
	r.Own, r.Back = true, false
	c.Need.Held = []assess.Recall{r}
	if v := Of(c, now); v.Owner != MSP || !strings.Contains(v.Sentence, "Acme says that it makes trouble") {
		t.Errorf("%+v", v)
	}
}

// What is installed and was taken back is never good, and offers the way back where there is one.
func TestWhatIsInstalledAndRecalledIsTold(t *testing.T) {
	c := usual(t)
	recall(&c)
	c.Need.Reached, c.Need.Installed, c.Need.Previous, c.Work = true, "1.1", "1.0", Work{}
	if v := Of(c, now); v.Name != RECALLED || v.State == Good || v.Act != ActUndo || !strings.Contains(v.Sentence, "taken back to 1.0") {
		t.Errorf("%+v", v)
	}
	c.Need.Previous = ""
	if v := Of(c, now); v.Name != RECALLED || v.Act != ActLook || !strings.Contains(v.Sentence, "Nothing here takes it back") {
		t.Errorf("%+v", v)
	}
	c = usual(t) // something newer is on offer, and no trouble
	recall(&c)
	c.Need.Held = nil
	v := Of(c, now)
	if v.Name != WAITS_WINDOW || !strings.Contains(v.Facts[len(v.Facts)-1].Text, "Acme says that it makes trouble") {
		t.Errorf("%+v", v)
	}
}
