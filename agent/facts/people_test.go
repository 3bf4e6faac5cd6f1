package facts

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
	"patchbay/wire"
)

func TestWhoIsLoggedIn(t *testing.T) {
	record := func(kind byte) []byte { return append([]byte{kind, 0}, bytes.Repeat([]byte{'x'}, 382)...) }
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"nothing is kept":    {fstest.MapFS{}, false},
		"a session":          {fstest.MapFS{"run/systemd/sessions/c1": text("UID=1\nSTATE=active\nCLASS=user\n")}, true},
		"one that closes":    {fstest.MapFS{"run/systemd/sessions/1": text("STATE=closing\nCLASS=user\n")}, false},
		"the login screen":   {fstest.MapFS{"run/systemd/sessions/1": text("STATE=active\nCLASS=greeter\n")}, false},
		"a record":           {fstest.MapFS{"run/utmp": text(string(record(2)) + string(record(7)))}, true},
		"records of the old": {fstest.MapFS{"run/utmp": text(string(record(2)) + string(record(8)) + "\x07\x00cut")}, false},
	} {
		h, err := providertest.New(strings.NewReader(""), c.files)
		if err != nil {
			t.Fatal(err)
		}
		if LoggedIn(h) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}

// TestPresence: what is not read is not known, and nothing that is not known is taken for a no.
func TestPresence(t *testing.T) {
	kernel := fstest.MapFS{"proc/sys/kernel/osrelease": text("6.1\n")}
	session := fstest.MapFS{"run/systemd/sessions/3": text("STATE=active\nCLASS=user\n"), "run/systemd/sessions/--help": text("STATE=active\nCLASS=user\n")}
	supply := func(name string, facts ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i := 0; i+1 < len(facts); i += 2 {
			m["sys/class/power_supply/"+name+"/"+facts[i]] = text(facts[i+1] + "\n")
		}
		return m
	}
	for name, c := range map[string]struct {
		files  []fstest.MapFS
		answer string // of loginctl
		want   wire.Presence
	}{
		"another system":       {nil, "", wire.Presence{}},
		"nobody":               {[]fstest.MapFS{kernel}, "", wire.Presence{LoggedIn: patch.No}},
		"somebody":             {[]fstest.MapFS{kernel, session}, "", wire.Presence{LoggedIn: patch.Yes}},
		"locked":               {[]fstest.MapFS{kernel, session}, "Class=user\nState=active\nLockedHint=yes\n", wire.Presence{LoggedIn: patch.Yes, Locked: patch.Yes}},
		"one of two is locked": {[]fstest.MapFS{kernel, session}, "Class=user\nState=online\nLockedHint=yes\n\nClass=user\nState=active\nLockedHint=no\n", wire.Presence{LoggedIn: patch.Yes, Locked: patch.No}},
		"one does not say":     {[]fstest.MapFS{kernel, session}, "Class=user\nState=online\nLockedHint=yes\n\nClass=user\nState=active\n", wire.Presence{LoggedIn: patch.Yes}},
		"not the login screen": {[]fstest.MapFS{kernel, session}, "Class=greeter\nState=active\nLockedHint=no\n\nClass=user\nState=active\nLockedHint=yes\n", wire.Presence{LoggedIn: patch.Yes, Locked: patch.Yes}},
		"on battery":           {[]fstest.MapFS{kernel, supply("BAT0", "type", "Battery", "status", "Discharging"), supply("AC", "type", "Mains", "online", "0")}, "", wire.Presence{LoggedIn: patch.No, Battery: patch.Yes}},
		"fed":                  {[]fstest.MapFS{kernel, supply("BAT0", "type", "Battery", "status", "Discharging"), supply("USB", "type", "USB", "online", "1")}, "", wire.Presence{LoggedIn: patch.No, Battery: patch.No}},
		"full":                 {[]fstest.MapFS{kernel, supply("BAT0", "type", "Battery", "status", "Full")}, "", wire.Presence{LoggedIn: patch.No, Battery: patch.No}},
		"a mouse's":            {[]fstest.MapFS{kernel, supply("hid", "type", "Battery", "scope", "Device", "status", "Discharging")}, "", wire.Presence{LoggedIn: patch.No, Battery: patch.No}},
		"says nothing":         {[]fstest.MapFS{kernel, supply("BAT0", "type", "Battery", "status", "Unknown")}, "", wire.Presence{LoggedIn: patch.No}},
	} {
		files := fstest.MapFS{}
		for _, m := range c.files {
			maps.Copy(files, m)
		}
		h, err := providertest.New(strings.NewReader(""), files)
		if err != nil {
			t.Fatal(err)
		}
		if c.answer != "" {
			h.Answer(provider.Result{Stdout: c.answer}, "loginctl", "show-session", "--property=Class", "--property=State", "--property=LockedHint", "3")
		}
		if got := Presence(t.Context(), h); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
