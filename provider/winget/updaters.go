package winget

import (
	"strings"

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
