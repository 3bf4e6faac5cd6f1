package extensions

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/provider"
	"patchbay/provider/providertest"
)

type machine struct {
	*providertest.Export
	files fstest.MapFS
}

func (m machine) Files() fs.FS { return m.files }
func (m machine) Run(context.Context, provider.Command) (provider.Result, error) {
	return provider.Result{}, errors.ErrUnsupported
}

const (
	adblock = "cfhdojbkjhnklbpkdaibdccddilifddb"
	other   = "aaaabbbbccccddddeeeeffffgggghhhh"
	profile = "Users/ben/AppData/Local/Google/Chrome/User Data/"
)

func recorded(t *testing.T, text string) machine {
	t.Helper()
	export, err := providertest.ParseExport([]byte("[HKU\\.DEFAULT]\n[HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1]\n\"ProfileImagePath\"=\"C:\\\\Users\\\\ben\"\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	return machine{export, fstest.MapFS{}}
}

func (m machine) put(name, text string) { m.files[name] = &fstest.MapFile{Data: []byte(text)} }

func (m machine) look(t *testing.T) (lines, notes []string) {
	t.Helper()
	p, err := Kind().Open(t.Context(), provider.Env{Host: m})
	if err != nil {
		t.Fatal(err)
	}
	items, err := p.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		lines = append(lines, fmt.Sprint(i.Key(), " ", i.Version, " by ", i.Updater))
	}
	offer, err := p.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return lines, offer.Notes
}

func TestExtensionsAreOfWhoeverHasThem(t *testing.T) {
	m := recorded(t, `[HKLM\SOFTWARE\Policies\Google\Chrome\ExtensionInstallForcelist]
"1"="`+adblock+`;https://clients2.google.com/service/update2/crx"
"2"="no extension"
[HKLM\SOFTWARE\WOW6432Node\Google\Chrome\Extensions\`+other+`]
`)
	m.put(profile+"Default/Extensions/"+adblock+"/4.1.0_0/manifest.json", `{"name": "__MSG_appName__", "version": "4.1.0", "default_locale": "en"}`)
	m.put(profile+"Default/Extensions/"+adblock+"/4.1.0_0/_locales/en/messages.json", `{"appname": {"message": "Adblock \u202e Plus"}}`)
	m.put(profile+"Default/Extensions/"+adblock+"/4.10.0_0/manifest.json", `{"name": "Adblock", "version": "4.10.0"}`)
	m.put(profile+"Profile 1/Extensions/"+other+"/1.0_0/manifest.json", `{"name": "__MSG_x__", "version": "1.0", "default_locale": "../../../../.."}`)
	m.put(profile+"Default/Extensions/Temp/1_0/manifest.json", `{"name": "x", "version": "1"}`)
	m.put("Users/ben/AppData/Local/Microsoft/Edge/User Data/Default/Extensions/"+other+"/2.0_0/manifest.json", `{"name": "Two", "version": "2.0"}`)
	m.put("Users/ben/AppData/Local/Microsoft/Edge/User Data/Default/Extensions/"+adblock+"/2.0_0/manifest.json", `{"name": `)
	m.put("Users/ben/AppData/Roaming/Mozilla/Firefox/Profiles/x.default/extensions.json", `{"addons": [
		{"id": "uBlock0@raymondhill.net", "version": "1.60.0", "type": "extension", "location": "app-profile", "defaultLocale": {"name": "uBlock Origin"}},
		{"id": "formautofill@mozilla.org", "version": "1.0", "type": "extension", "location": "app-builtin", "defaultLocale": {"name": "Form Autofill"}},
		{"id": "default-theme@mozilla.org", "version": "1.3", "type": "theme", "location": "app-builtin"}]}`)
	got, notes := m.look(t)
	want := []string{
		"extensions/Adblock#chrome/Default/" + adblock + "@ben 4.10.0 by Google Chrome",
		"extensions/Two#edge/Default/" + other + "@ben 2.0 by Microsoft Edge",
		"extensions/" + other + "#chrome/Profile 1/" + other + "@ben 1.0 by Google Chrome",
		"extensions/uBlock Origin#firefox/x.default/uBlock0@raymondhill.net@ben 1.60.0 by Mozilla Firefox",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "Google Chrome: "+other+", "+adblock) {
		t.Errorf("%q", notes)
	}
	// One list that is damaged hides no other, and is named.
	m.put("Users/ben/AppData/Roaming/Mozilla/Firefox/Profiles/x.default/extensions.json", `{"addons": [`)
	if got, notes = m.look(t); len(got) != 3 || len(notes) != 2 || !strings.Contains(notes[0], "ben has in Mozilla Firefox") {
		t.Errorf("%q, %q", got, notes)
	}
}

func TestThereAreNoneElsewhere(t *testing.T) {
	h, err := providertest.New(strings.NewReader(""), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []provider.Host{h, recorded(t, "")} {
		if _, err := Kind().Open(t.Context(), provider.Env{Host: host}); !errors.Is(err, provider.ErrAbsent) {
			t.Error(err)
		}
	}
}

// Whatever lies in a person's folder is read within bounds or not at all.
func FuzzManifest(f *testing.F) {
	f.Add(`{"name": "__MSG_appName__", "version": "4.1.0", "default_locale": "en"}`, `{"appname": {"message": "x"}}`)
	f.Add(`{"name": "a name", "version": " "}`, `{}`)
	f.Fuzz(func(t *testing.T, manifest, messages string) {
		files := fstest.MapFS{"d/1/manifest.json": {Data: []byte(manifest)}, "d/1/_locales/en/messages.json": {Data: []byte(messages)}}
		item, ok, err := chromiums()[0].extension(files, "d", adblock)
		if ok && (item.Name == "" || item.Version == "" || len([]rune(item.Name)) > maxText) || err != nil && ok {
			t.Errorf("%+v, %v", item, err)
		}
	})
}
