package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"patchbay/patch/arp"
	"patchbay/provider"
	"patchbay/wire"
)

// program is one that Windows lists as installed, as far as it says where it lies.
type program struct {
	name    string // as the inventory names it
	folder  string // in lower case, with a separator at its end
	changed time.Time
}

const maxPrograms = 20_000

// windowsDoubt says which programs may still run in an old version. Windows lets nobody
// replace a file that runs; an installer that neither ends the program nor asks for a restart
// puts the new version beside it. So what runs from a program's folder and began before its
// entry was last written may be what was there before. What says neither where it lies nor
// when it was written is not found this way.
func windowsDoubt(h hive, running []provider.Process, r *wire.Restart) {
	programs, err := listed(h)
	if err != nil {
		r.Unknown = append(r.Unknown, "What still runs in an old version could not be found out: "+err.Error()+".")
		return
	}
	doubt := []string{}
	for _, p := range programs {
		for _, one := range running {
			if one.Program == "" || one.Began.IsZero() || !strings.HasPrefix(strings.ToLower(one.Program), p.folder) || !one.Began.Before(p.changed) {
				continue
			}
			if !slices.Contains(doubt, p.name) && len(doubt) < maxDoubt {
				doubt = append(doubt, p.name)
				file := one.Program[strings.LastIndexByte(one.Program, '\\')+1:]
				r.Unknown = append(r.Unknown, fmt.Sprintf("%.100s began before %s was last installed, and may run what was there before until it is started again.", file, p.name))
			}
			break
		}
	}
	slices.Sort(doubt)
	r.Unknown = r.Unknown[:min(len(r.Unknown), maxUnknown)]
	if len(r.Unknown) > 0 {
		r.Doubt = doubt
	}
}

// listed reads the lists of the machine's programs. Those of people lie in their own folders,
// and in parts of the registry that are there only while they are logged in.
func listed(h hive) ([]program, error) {
	lists := []struct {
		path string
		view provider.View
	}{{uninstallList, provider.View64}, {uninstallList, provider.View32}}
	if users, err := h.host.Registry("HKU", provider.View64); err == nil {
		for _, sid := range users.Keys {
			lists = append(lists, struct {
				path string
				view provider.View
			}{`HKU\` + sid + `\Software\Microsoft\Windows\CurrentVersion\Uninstall`, provider.View64})
		}
	}
	var all []program
	for _, list := range lists {
		keys, err := provider.RegistryBelow(h.host, list.path, list.view)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if key.Err != nil {
				continue
			}
			text := func(value string) string { return textOf(key.RegistryKey, value) }
			lies := arp.Entry{Location: text("InstallLocation"), Icon: text("DisplayIcon"), Uninstall: text("UninstallString")}
			p := program{name: arp.Name(text("DisplayName")), folder: lies.Folder(), changed: key.Changed}
			if len(all) < maxPrograms && p.name != "" && p.folder != "" && !p.changed.IsZero() {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

const uninstallList = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
