package extensions

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"patchbay/patch"
)

const mozilla = "Mozilla Firefox"

// firefox lists the extensions in the profiles of one person. Those that come with Firefox
// itself are part of it.
func firefox(files fs.FS, home string) ([]patch.Item, error) {
	data := path.Join(home, "AppData/Roaming/Mozilla/Firefox/Profiles")
	profiles, err := folders(files, data)
	if err != nil {
		return nil, err
	}
	var items []patch.Item
	var failed error
	for _, profile := range profiles {
		raw, err := read(files, path.Join(data, profile, "extensions.json"))
		if err != nil || raw == nil {
			failed = cmp.Or(failed, err)
			continue
		}
		var list struct {
			Addons []struct {
				ID, Version, Type, Location string
				DefaultLocale               struct{ Name string }
			} `json:"addons"`
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			failed = cmp.Or(failed, fmt.Errorf("the list of the profile %.80q is damaged: %w", profile, err))
			continue
		}
		if len(list.Addons) > maxFolder {
			failed = cmp.Or(failed, fmt.Errorf("the list of the profile %.80q has more than %d parts", profile, maxFolder))
			continue
		}
		for _, a := range list.Addons {
			if a.Type != "extension" || a.ID == "" || a.Version == "" || !strings.HasPrefix(a.Location, "app-profile") && a.Location != "app-global" && !strings.HasPrefix(a.Location, "winreg-") {
				continue
			}
			items = append(items, patch.Item{Provider: Name, Name: cmp.Or(text(a.DefaultLocale.Name), text(a.ID)), Version: text(a.Version),
				Instance: strings.Join([]string{"firefox", text(profile), text(a.ID)}, "/"), Updater: mozilla})
		}
	}
	return items, failed
}
