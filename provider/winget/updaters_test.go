package winget

import (
	"strings"
	"testing"
	"time"

	"patchbay/patch"
)

// An updater of its own that does not work is found by what is out and not here, for a while.
func TestAnUpdaterThatBringsNothingIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, here, scope string
		days              int // since the newest is out; -1 is not known
		want              string
	}{
		{"Google Chrome", "130.0", "", 12, "Google Update has not brought Google Chrome 131.0, which is out since 12 days: 130.0 is here."},
		{"Mozilla Firefox (x64 en-US)", "130.0", "", 8, "The Mozilla Maintenance Service has not brought Mozilla Firefox 131.0, which is out since 8 days: 130.0 is here."},
		{"Google Chrome", "130.0", "ben", 30, "Google Update has not brought Google Chrome 131.0 for ben, which is out since 30 days: 130.0 is here."},
		{"Google Chrome", "130.0", "", 6, ""},
		{"Google Chrome", "130.0", "", -1, ""},
		{"Google Chrome", "131.0", "", 12, ""},
		{"Google Chrome", "132.0", "", 12, ""},
		{"Google Chrome", "", "", 12, ""},
		{"7-Zip", "130.0", "", 12, ""}, // it has none
	} {
		m := newMachine(t)
		publisher := map[byte]string{'G': "Google LLC", 'M': "Mozilla", '7': "Igor Pavlov"}[c.name[0]]
		list, i := list64, m.installer(patch.NSIS, "131")
		if c.scope != "" {
			m.keys[profileList+`\S-1-5-21-1`] = []string{`"ProfileImagePath"="C:\\Users\\ben"`}
			list, i.Scope = `HKU\S-1-5-21-1\Software\Microsoft\Windows\CurrentVersion\Uninstall`, "user"
		}
		m.entry(list, "Key", c.name, c.here, publisher)
		r := release("131.0", i)
		if at := now.Add(-time.Duration(c.days)*24*time.Hour - time.Hour); c.days >= 0 {
			r.ReleasedAt = &at
		}
		m.offer("A.B", publisher, []patch.Mark{{Name: c.name, Publisher: publisher}}, r)
		offer, err := m.open().Available(t.Context())
		if got := strings.Join(offer.Notes, "|"); err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v; want %q", c.name, c.here, got, err, c.want)
		}
	}
}
