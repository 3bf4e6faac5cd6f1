package feeds

import (
	"strings"
	"testing"
	"time"
)

func TestAConfigurationIsReadWholeOrRefused(t *testing.T) {
	c, err := ReadConfig([]byte(`{"allow": ["10.0.0.0/8"], "feeds": [
		{"name": "one", "kind": "lines", "from": ["https://example.org/a?key=1", "/srv/feeds"], "every": "6h", "most_mib": 2},
		{"name": "two", "kind": "lines", "from": ["http://10.1.2.3/a"], "every": "24h", "off": true}]}`), []Kind{lines()})
	ok(t, err)
	if len(c.Feeds) != 1 || c.Feeds[0].Every != 6*time.Hour || c.Feeds[0].Most != 2<<20 || len(c.Allow) != 1 {
		t.Errorf("%+v", c)
	}
	one := func(text string) string { return `{"feeds": [` + text + `]}` }
	for what, text := range map[string]string{
		"nothing":              "",
		"a slip of the pen":    one(`{"name": "a", "kind": "lines", "form": ["/a"], "every": "6h"}`),
		"two documents":        one("") + one(""),
		"a name that leads up": one(`{"name": "../a", "kind": "lines", "from": ["/a"], "every": "6h"}`),
		"no kind":              one(`{"name": "a", "kind": "other", "from": ["/a"], "every": "6h"}`),
		"from nowhere":         one(`{"name": "a", "kind": "lines", "from": [], "every": "6h"}`),
		"too often":            one(`{"name": "a", "kind": "lines", "from": ["/a"], "every": "1s"}`),
		"never":                one(`{"name": "a", "kind": "lines", "from": ["/a"]}`),
		"twice":                one(`{"name": "a", "kind": "lines", "from": ["/a"], "every": "6h"},{"name": "a", "kind": "lines", "from": ["/a"], "every": "6h"}`),
		"a password":           one(`{"name": "a", "kind": "lines", "from": ["https://me:secret@example.org/a"], "every": "6h"}`),
		"another protocol":     one(`{"name": "a", "kind": "lines", "from": ["ftp://example.org/a"], "every": "6h"}`),
	} {
		if _, err := ReadConfig([]byte(text), []Kind{lines()}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
