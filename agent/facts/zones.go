package facts

import (
	_ "embed"
	"strings"
)

// ZoneSource names where the names of zones come from.
const ZoneSource = "the Unicode CLDR's windowsZones, as the Go distribution carries it: for each Windows zone the place that stands for it"

//go:embed zones.tsv
var zones string

// windowsZones gives the IANA zone of each Windows one.
func windowsZones() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(zones) {
		name, zone, _ := strings.Cut(strings.TrimSpace(line), "\t")
		all[name] = zone
	}
	return all
}
