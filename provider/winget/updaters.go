package winget

import (
	"fmt"
	"strings"
	"time"

	"patchbay/patch/arp"
)

// selfUpdating are programs that bring an updater of their own, by publisher and name as they
// are compared (arp.Fold). Who updates them is worth knowing before anybody else does. The
// list is of what their makers document; it says nothing of whether the updater works.
var selfUpdating = []struct {
	publisher, name string // a name that ends with * is a beginning
	by              string
}{
	{"Google", "Google Chrome", "Google Update"},
	{"Google", "Google Drive", "Google Update"},
	{"Microsoft", "Microsoft Edge", "Microsoft Edge Update"},
	{"Microsoft", "Microsoft Edge WebView2 Runtime", "Microsoft Edge Update"},
	{"Microsoft", "Microsoft OneDrive", "OneDrive's own updater"},
	{"Microsoft", "Microsoft Teams", "Teams' own updater"},
	{"Microsoft", "Microsoft Visual Studio Code*", "Visual Studio Code's own updater"},
	{"Mozilla", "Mozilla Firefox*", "the Mozilla Maintenance Service"},
	{"Mozilla", "Mozilla Thunderbird*", "the Mozilla Maintenance Service"},
	{"Brave Software", "Brave", "Brave Update"},
	{"Opera Software", "Opera*", "Opera's own updater"},
	{"Vivaldi Technologies", "Vivaldi", "Vivaldi's own updater"},
	{"Adobe", "Adobe Acrobat*", "Adobe Acrobat Update Service"},
	{"Zoom", "Zoom*", "Zoom's own updater"},
	{"Zoom Video Communications", "Zoom*", "Zoom's own updater"},
	{"Slack Technologies", "Slack", "Slack's own updater"},
	{"Discord", "Discord", "Discord's own updater"},
	{"Spotify", "Spotify", "Spotify's own updater"},
	{"Dropbox", "Dropbox", "Dropbox Update"},
}

// updater names who updates a program by itself, "" when nobody is known.
func updater(e arp.Entry) string {
	if clickToRun(e) {
		return "Office Click-to-Run"
	}
	name, publisher := arp.Fold(arp.Name(e.Name)), arp.Fold(arp.Publisher(e.Publisher))
	for _, s := range selfUpdating {
		want, begins := strings.CutSuffix(s.name, "*")
		if publisher == arp.Fold(s.publisher) && (name == arp.Fold(want) || begins && strings.HasPrefix(name, arp.Fold(want))) {
			return s.by
		}
	}
	return ""
}

// clickToRun reports whether Office's own streaming installed the entry: its keys are named
// "O365ProPlusRetail - en-us", and it is removed by OfficeClickToRun.exe.
func clickToRun(e arp.Entry) bool {
	return arp.Fold(arp.Publisher(e.Publisher)) == "microsoft" && strings.Contains(strings.ToLower(e.Uninstall), `\officeclicktorun.exe`)
}

// patience is how long a program's own updater may take to bring a release.
const patience = 7 * 24 * time.Hour

// lagging says that what updates a program by itself has not brought a release that the
// catalogue has, "" when it has, when nobody knows, or when it may still be on its way. That
// an updater is there does not say that it works.
func lagging(p program, now time.Time) string {
	r, i, ok := newest(p)
	if p.item.Updater == "" || !ok || r.ReleasedAt == nil || p.item.Version == unknownVersion || !newer(shown(r, i), p.item.Version) {
		return ""
	}
	out := now.Sub(*r.ReleasedAt)
	if out < patience {
		return ""
	}
	whose := ""
	if p.item.Scope != "" {
		whose = " for " + p.item.Scope
	}
	by := p.item.Updater
	return fmt.Sprintf("%s has not brought %s %s%s, which is out since %d days: %s is here.", strings.ToUpper(by[:1])+by[1:], p.item.Name, shown(r, i), whose, int(out.Hours()/24), p.item.Version)
}
