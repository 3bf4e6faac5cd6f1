package winget

import (
	"slices"
	"strings"

	"patchbay/patch"
)

// arguments splits a command line as Windows programs do: spaces part, quotes keep together,
// and backslashes count only before quotes.
func arguments(line string) []string {
	var all []string
	var arg strings.Builder
	inside, begun := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		slashes := 0
		for ; c == '\\'; slashes++ {
			if i++; i == len(line) {
				c = 0
			} else {
				c = line[i]
			}
		}
		if c != '"' {
			arg.WriteString(strings.Repeat(`\`, slashes))
		} else {
			arg.WriteString(strings.Repeat(`\`, slashes/2))
		}
		begun = begun || slashes > 0
		switch {
		case i == len(line):
		case c == '"' && slashes%2 == 1:
			arg.WriteByte('"')
		case c == '"':
			inside, begun = !inside, true
		case (c == ' ' || c == '\t') && !inside:
			if begun {
				all = append(all, arg.String())
			}
			arg.Reset()
			begun = false
		default:
			arg.WriteByte(c)
			begun = true
		}
	}
	if begun {
		all = append(all, arg.String())
	}
	return all
}

// always are the arguments that an installation by a kind of installer takes anyway, and
// those that mean the same.
var always = map[patch.InstallerKind][]string{
	patch.MSI:  {"/qn", "/quiet", "/norestart", "/q"},
	patch.WiX:  {"/qn", "/quiet", "/norestart", "/q"},
	patch.Burn: {"/quiet", "/norestart", "/q", "/s", "/silent"},
	patch.Inno: {"/verysilent", "/suppressmsgboxes", "/norestart", "/sp-", "/silent", "/nocancel"},
	patch.NSIS: {"/s"},
}

// silent are the arguments of an update that asks nobody, beside those that the kind takes
// anyway.
func silent(kind patch.InstallerKind, s Switches) []string {
	line := s.Silent
	if line == "" {
		line = s.SilentWithProgress
	}
	var all []string
	for _, a := range slices.Concat(arguments(line), arguments(s.Custom), arguments(s.Upgrade)) {
		if !slices.Contains(always[kind], strings.ToLower(a)) && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}
