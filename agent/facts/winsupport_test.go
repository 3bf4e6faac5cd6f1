package facts

import (
	"testing"
	"time"
)

func TestWindowsSupport(t *testing.T) {
	for _, c := range []struct {
		server               bool
		edition, build, want string
	}{
		{false, "Professional", "19045", "2025-10-14"},
		{false, "Core", "22631", "2025-11-11"},
		{false, "ProfessionalN", "22631", "2025-11-11"},
		{false, "Enterprise", "22631", "2026-11-10"},
		{false, "EducationN", "22000", "2024-10-08"},
		{false, "EnterpriseS", "19044", "2027-01-12"},
		{false, "EnterpriseS", "19045", ""},
		{false, "IoTEnterpriseS", "19044", ""},
		{false, "Professional", "99999", ""},
		{false, "", "19045", ""},
		{true, "ServerStandard", "17763", "2029-01-09"},
		{true, "ServerDatacenter", "14393", "2027-01-12"},
		{true, "ServerStandard", "19045", ""},
		{true, "Professional", "17763", ""},
	} {
		if got := windowsSupport(c.server, c.edition, c.build); got != c.want {
			t.Errorf("%v %s %s: %q, want %q", c.server, c.edition, c.build, got, c.want)
		}
	}
	for build, l := range windowsClients() {
		for _, day := range []string{l.pro, l.enterprise, l.long} {
			if at, err := time.Parse(time.DateOnly, day); day != "" && (err != nil || at.Weekday() != time.Tuesday) {
				t.Errorf("%s: %s is no Tuesday on which Microsoft ends things", build, day)
			}
		}
		if l.enterprise < l.pro {
			t.Errorf("%s: %+v", build, l)
		}
	}
}
