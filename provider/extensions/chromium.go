package extensions

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// chromium is a browser that keeps extensions as Chrome does.
type chromium struct {
	name, short string
	data        string // below a profile
	policies    string // whose list of forced extensions is below
	software    string // where other programs have it install extensions
}

func chromiums() []chromium {
	return []chromium{
		{"Google Chrome", "chrome", "AppData/Local/Google/Chrome/User Data", `HKLM\SOFTWARE\Policies\Google\Chrome`, `HKLM\SOFTWARE\Google\Chrome\Extensions`},
		{"Microsoft Edge", "edge", "AppData/Local/Microsoft/Edge/User Data", `HKLM\SOFTWARE\Policies\Microsoft\Edge`, `HKLM\SOFTWARE\Microsoft\Edge\Extensions`},
	}
}

// extensionID is how such a browser names an extension.
var extensionID = regexp.MustCompile(`^[a-p]{32}$`)

// forced are the IDs that the machine's administrator or another program has installed.
func (b chromium) forced(host provider.RegistryHost) ([]string, error) {
	var ids []string
	list, err := host.Registry(b.policies+`\ExtensionInstallForcelist`, provider.View64)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, v := range list.Values {
		id, _, _ := strings.Cut(v.Text, ";")
		ids = append(ids, strings.TrimSpace(id))
	}
	for _, view := range []provider.View{provider.View64, provider.View32} {
		others, err := host.Registry(b.software, view)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		ids = append(ids, others.Keys...)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !extensionID.MatchString(id) })
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// read lists what lies in the profiles of one person. Of several versions the newest counts:
// the browser removes older ones when it starts.
func (b chromium) read(files fs.FS, home string) ([]patch.Item, error) {
	data := path.Join(home, b.data)
	profiles, err := folders(files, data)
	if err != nil {
		return nil, err
	}
	var items []patch.Item
	var failed error
	for _, profile := range profiles {
		at := path.Join(data, profile, "Extensions")
		ids, err := folders(files, at)
		failed = cmp.Or(failed, err)
		for _, id := range ids {
			if !extensionID.MatchString(id) {
				continue
			}
			item, ok, err := b.extension(files, path.Join(at, id), id)
			failed = cmp.Or(failed, err)
			if !ok {
				continue
			}
			item.Instance = strings.Join([]string{b.short, text(profile), id}, "/")
			items = append(items, item)
		}
	}
	return items, failed
}

func (b chromium) extension(files fs.FS, dir, id string) (best patch.Item, ok bool, err error) {
	versions, err := folders(files, dir)
	if err != nil {
		return best, false, err
	}
	for _, v := range versions {
		raw, err := read(files, path.Join(dir, v, "manifest.json"))
		if err != nil {
			return best, ok, err
		}
		var m struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Locale  string `json:"default_locale"`
		}
		if raw == nil || json.Unmarshal(raw, &m) != nil {
			continue
		}
		version := text(m.Version)
		if version == "" {
			continue
		}
		if ok {
			if c, err := patch.CompareVersions(patch.SchemeWinget, version, best.Version); err != nil || c <= 0 {
				continue
			}
		}
		name := m.Name
		if key, is := strings.CutPrefix(name, "__MSG_"); is {
			name = message(files, path.Join(dir, v, "_locales", m.Locale, "messages.json"), strings.TrimSuffix(key, "__"))
		}
		best, ok = patch.Item{Provider: Name, Name: cmp.Or(text(name), id), Version: version, Updater: b.name}, true
	}
	return best, ok, nil
}

// message is a name in the extension's own language, "" when it is not to be had.
func message(files fs.FS, name, key string) string {
	if !fs.ValidPath(name) || !strings.Contains(name, "/_locales/") {
		return ""
	}
	raw, err := read(files, name)
	if err != nil {
		return ""
	}
	var all map[string]struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &all) != nil {
		return ""
	}
	for k, m := range all {
		if strings.EqualFold(k, key) {
			return m.Message
		}
	}
	return ""
}
