package facts

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/provider/providertest"
)

func TestWhoIsLoggedIn(t *testing.T) {
	record := func(kind byte) []byte { return append([]byte{kind, 0}, bytes.Repeat([]byte{'x'}, 382)...) }
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"nothing is kept":    {fstest.MapFS{}, false},
		"a session":          {fstest.MapFS{"run/systemd/sessions/c1": text("UID=1\nSTATE=active\nCLASS=user\n")}, true},
		"one that closes":    {fstest.MapFS{"run/systemd/sessions/1": text("STATE=closing\nCLASS=user\n")}, false},
		"the login screen":   {fstest.MapFS{"run/systemd/sessions/1": text("STATE=active\nCLASS=greeter\n")}, false},
		"a record":           {fstest.MapFS{"run/utmp": text(string(record(2)) + string(record(7)))}, true},
		"records of the old": {fstest.MapFS{"run/utmp": text(string(record(2)) + string(record(8)) + "\x07\x00cut")}, false},
	} {
		h, err := providertest.New(strings.NewReader(""), c.files)
		if err != nil {
			t.Fatal(err)
		}
		if LoggedIn(h) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}
