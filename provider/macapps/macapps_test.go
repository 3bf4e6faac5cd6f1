package macapps

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
)

// There was no Mac to record on: what lies in an app is put together here from what Apple and
// the makers of updaters document.
func mac() fstest.MapFS {
	files := fstest.MapFS{
		systemFile: {Data: []byte("<plist/>")},
		"Library/Application Support/Microsoft/MAU2.0/Microsoft AutoUpdate.app/x": {},
		"opt/homebrew/Caskroom/vlc/3.0.21/VLC.app":                                {Data: []byte("/Applications/VLC.app"), Mode: fs.ModeSymlink},
		"Applications/Safari.app":                                                 {Data: []byte("../System/Cryptexes/App/System/Applications/Safari.app"), Mode: fs.ModeSymlink},
		"Applications/Empty.app/readme":                                           {},
		"Applications/.Hidden.app/Contents/Info.plist":                            {Data: info("id", "hidden", "CFBundleShortVersionString", "1")},
		"Applications/Poem.app/Wrapper/Poem.app/Info.plist":                       {Data: info("CFBundleIdentifier", "org.example.poem", "CFBundleShortVersionString", "2.0")},
		"Users/Shared/Applications/No.app/Contents/Info.plist":                    {Data: info("CFBundleIdentifier", "org.example.no")},
	}
	add := func(at, id, version string, more ...string) {
		kv := append([]string{"CFBundleIdentifier", id, "CFBundleShortVersionString", version}, more...)
		files[at+"/Contents/Info.plist"] = &fstest.MapFile{Data: info(kv...)}
	}
	add("System/Cryptexes/App/System/Applications/Safari.app", "com.apple.Safari", "26.4")
	add("Applications/VLC.app", "org.videolan.vlc", "3.0.21")
	add("Applications/Pages.app", "com.apple.iWork.Pages", "14.4")
	files["Applications/Pages.app/Contents/_MASReceipt/receipt"] = &fstest.MapFile{}
	add("Applications/Google Chrome.app", "com.google.Chrome", "140.0.7339.81", "KSProductID", "com.google.Chrome")
	add("Applications/Microsoft Word.app", "com.microsoft.Word", "16.100")
	add("Applications/Firefox.app", "org.mozilla.firefox", "145.0")
	files["Applications/Firefox.app/Contents/MacOS/updater.app/x"] = &fstest.MapFile{}
	files["Applications/Firefox.app/Contents/Resources/application.ini"] = &fstest.MapFile{}
	add("Applications/Rectangle.app", "com.knollsoft.Rectangle", "0.87", "SUFeedURL", "https://example.org/feed")
	add("Applications/Slack.app", "com.tinyspeck.slackmacgap", "4.45")
	files["Applications/Slack.app/Contents/Frameworks/Squirrel.framework/x"] = &fstest.MapFile{}
	add("Applications/Old Suite/Accounts.app", "org.example.accounts", "7 (build 12)")
	files["Applications/Build.app/Contents/Info.plist"] = &fstest.MapFile{Data: info("CFBundleIdentifier", "org.example.build", "CFBundleVersion", "99")}
	add("Users/mia/Applications/Mine.app", "org.example.mine", "1.0")
	return files
}

func info(kv ...string) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>`)
	for i := 0; i < len(kv); i += 2 {
		fmt.Fprintf(&b, "<key>%s</key><string>%s</string>", kv[i], kv[i+1])
	}
	b.WriteString("</dict></plist>")
	return []byte(b.String())
}

func opened(t testing.TB, files fstest.MapFS) provider.Provider {
	t.Helper()
	h, err := providertest.New(strings.NewReader(""), files)
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(t.Context(), provider.Env{Host: h, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhoUpdatesWhat(t *testing.T) {
	items, err := opened(t, mac()).Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]patch.Item{}
	for _, i := range items {
		got[i.Name] = i
	}
	want := map[string]patch.Item{
		"Safari":             {Instance: "com.apple.Safari", Version: "26.4", Updater: "macOS"},
		"Pages":              {Instance: "com.apple.iWork.Pages", Version: "14.4", Updater: "App Store", Origin: "App Store"},
		"Poem":               {Instance: "org.example.poem", Version: "2.0", Updater: "App Store", Origin: "App Store"},
		"Google Chrome":      {Instance: "com.google.Chrome", Version: "140.0.7339.81", Updater: "Google Software Update"},
		"Microsoft Word":     {Instance: "com.microsoft.Word", Version: "16.100", Updater: "Microsoft AutoUpdate"},
		"Firefox":            {Instance: "org.mozilla.firefox", Version: "145.0", Updater: "Mozilla Updater"},
		"Rectangle":          {Instance: "com.knollsoft.Rectangle", Version: "0.87", Updater: "its own updater (Sparkle)"},
		"Slack":              {Instance: "com.tinyspeck.slackmacgap", Version: "4.45", Updater: "its own updater (Squirrel)"},
		"Old Suite/Accounts": {Instance: "org.example.accounts", Version: "7 (build 12)", Orphan: true},
		"Build":              {Instance: "org.example.build", Version: "99", Orphan: true},
		"Mine":               {Scope: "mia", Instance: "org.example.mine", Version: "1.0", Orphan: true},
	}
	for name, w := range want {
		w.Provider, w.Name = Name, name
		if got[name] != w {
			t.Errorf("got %+v, want %+v", got[name], w)
		}
	}
	if len(items) != len(want) {
		t.Errorf("found %q", slices.Sorted(maps.Keys(got)))
	}
}

func TestOnlyReads(t *testing.T) {
	p := opened(t, mac())
	if _, err := p.Apply(t.Context(), provider.Request{}); !errors.Is(err, provider.ErrRefused) {
		t.Error(err)
	}
	if _, ok := p.(provider.Undoer); ok || !Kind().Traits.ReadOnly {
		t.Error("it can change something")
	}
	if offer, err := p.Available(t.Context()); err != nil || len(offer.Updates) != 0 || offer.Updates == nil {
		t.Errorf("%v, %+v", err, offer)
	}
}

// TestUnreadableAppIsStillThere is the law: an app is never lost because its description is odd.
func TestUnreadableAppIsStillThere(t *testing.T) {
	whole := info("CFBundleIdentifier", "org.example.build", "CFBundleVersion", "99")
	for n := 0; n < len(whole); n += 5 {
		files := mac()
		files["Applications/Build.app/Contents/Info.plist"].Data = whole[:n]
		p := opened(t, files)
		items, err := p.Installed(t.Context())
		i := slices.IndexFunc(items, func(i patch.Item) bool { return i.Name == "Build" })
		if err != nil || i < 0 || items[i].Version != unknown {
			t.Fatalf("of %d bytes: %v, %+v", n, err, items)
		}
		if offer, _ := p.Available(t.Context()); len(offer.Notes) != 1 {
			t.Errorf("nobody says so: %q", offer.Notes)
		}
	}
}

// TestUsersLinksAreNotFollowed: what a user lays there is read with the agent's rights.
func TestUsersLinksAreNotFollowed(t *testing.T) {
	secret := info("CFBundleIdentifier", "secret", "CFBundleShortVersionString", "6.6.6")
	for at, to := range map[string]string{
		"Users/mia/Applications/Mine.app/Contents/Info.plist": "../../../../../secret/Contents/Info.plist",
		"Users/mia/Applications/Mine.app/Contents":            "../../../../secret/Contents",
		"Users/mia/Applications/Mine.app":                     "../../../secret",
		"Users/mia/Applications":                              "../../apps",
	} {
		files := mac()
		files["secret/Contents/Info.plist"] = &fstest.MapFile{Data: secret}
		files["apps/Mine.app/Contents/Info.plist"] = &fstest.MapFile{Data: secret}
		delete(files, "Users/mia/Applications/Mine.app/Contents/Info.plist")
		files["Users/mia/other"] = &fstest.MapFile{}
		files[at] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink}
		items, err := opened(t, files).Installed(t.Context())
		if err != nil || slices.ContainsFunc(items, func(i patch.Item) bool { return i.Version == "6.6.6" }) {
			t.Errorf("the link at %s was followed: %v", at, err)
		}
	}
}

func TestAbsentWhereItIsNot(t *testing.T) {
	h, err := providertest.New(strings.NewReader(""), fstest.MapFS{"Applications/x": {}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), provider.Env{Host: h}); !errors.Is(err, provider.ErrAbsent) {
		t.Error(err)
	}
}

func FuzzApp(f *testing.F) {
	f.Add("Build", info("CFBundleIdentifier", "a", "CFBundleVersion", "1", "SUFeedURL", "x"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if !fs.ValidPath(name) || strings.Contains(name, "/") || name == "." {
			return
		}
		files := fstest.MapFS{systemFile: {}, "Applications/" + name + ".app/Contents/Info.plist": {Data: b}}
		items, err := opened(t, files).Installed(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, i := range items {
			for _, s := range []string{i.Name, i.Instance, i.Version, i.Updater} {
				if calm(s) != s {
					t.Errorf("unfit for people: %q", s)
				}
			}
			if _, err := patch.CompareVersions(patch.SchemeBrew, i.Version, i.Version); err != nil || i.Name == "" {
				t.Errorf("%+v: %v", i, err)
			}
		}
	})
}
