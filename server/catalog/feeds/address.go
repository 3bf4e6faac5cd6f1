package feeds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"patchbay/server/outside"
)

// address is one place to look at.
type address struct {
	text string
	may  bool // it may be missing: it is of a time that has just begun
}

// span stands in an address for years or months: {year:2002} are all from 2002 to this one,
// {month:2024-01} all months, as 2024-Jan.
var span = regexp.MustCompile(`\{(year|month):(\d{4})(?:-(\d{2}))?\}`)

// expand gives the places that a feed is got from, at a moment.
func expand(from []string, now time.Time) []address {
	var all []address
	for _, text := range from {
		at := span.FindStringSubmatchIndex(text)
		if at == nil {
			all = append(all, address{text, false})
			continue
		}
		for _, t := range times(text, now.UTC()) {
			all = append(all, address{text[:at[0]] + t.text + text[at[1]:], t.may})
		}
	}
	return all
}

// times are the words for the years or months that an address stands for, the last of which
// may be too young to be published.
func times(text string, now time.Time) []address {
	m := span.FindStringSubmatch(text)
	year, _ := strconv.Atoi(m[2]) // four digits
	month := 1
	form, years, months := "2006", 1, 0
	if m[1] == "month" {
		month, _ = strconv.Atoi(m[3]) // two digits, or none
		form, years, months = "2006-Jan", 0, 1
	}
	var all []address
	for t := time.Date(year, time.Month(max(month, 1)), 1, 0, 0, 0, 0, time.UTC); !t.After(now) && len(all) < 1000; t = t.AddDate(years, months, 0) {
		all = append(all, address{t.Format(form), t.AddDate(years, months, 0).After(now)})
	}
	return all
}

// checkFrom looks at a place that a feed is configured with.
func checkFrom(text string) error {
	if !strings.Contains(text, "://") {
		if text == "" || len(text) > 4000 {
			return fmt.Errorf("%.60q is no address, file or folder", text)
		}
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || len(text) > 4000:
		return fmt.Errorf("an address must be like https://example.org/feed.json")
	case u.User != nil:
		return fmt.Errorf("the address at %s holds a name or password: feeds are got without", u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s is got over https or http only", shown(text))
	}
	return nil
}

// shown is a place without what may be a secret in it.
func shown(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "an address that cannot be read"
	}
	return outside.Shown(u)
}

// partName begins the names of what is here of a file that did not come whole.
func partName(from string) string {
	sum := sha256.Sum256([]byte(from))
	return hex.EncodeToString(sum[:12])
}
