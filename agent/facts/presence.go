package facts

import (
	"context"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// Presence says whether somebody is at the machine, by what Windows says, or what systemd and the
// kernel of a Linux do. Of other systems nothing is known.
func Presence(ctx context.Context, host provider.Host) wire.Presence {
	if h, ok := host.(provider.PresenceHost); ok {
		p := h.Presence(ctx)
		return wire.Presence{LoggedIn: p.LoggedIn, Locked: p.Locked, Presenting: p.Presenting, Battery: p.Battery}
	}
	files := host.Files()
	if _, err := fs.Stat(files, "proc/sys/kernel/osrelease"); err != nil {
		return wire.Presence{}
	}
	p := wire.Presence{LoggedIn: patch.No, Battery: onBattery(files)}
	if inSession(files) || inRecord(files) {
		p.LoggedIn, p.Locked = patch.Yes, locked(ctx, host)
	}
	return p
}

// onBattery reads what powers the machine: a battery that runs down while nothing feeds it. That
// of a mouse does not count.
func onBattery(files fs.FS) patch.Answer {
	const supplies, most = "sys/class/power_supply", 64
	names, err := fs.ReadDir(files, supplies)
	if err != nil {
		return patch.Unknown
	}
	answer := patch.No // of a machine without a battery
	for _, name := range names[:min(len(names), most)] {
		read := func(what string) string { return word(files, path.Join(supplies, name.Name(), what)) }
		switch kind := read("type"); {
		case kind != "Battery" && read("online") == "1":
			return patch.No
		case kind != "Battery" || read("scope") == "Device":
		case read("status") == "Discharging":
			answer = patch.Yes
		case read("status") == "" || read("status") == "Unknown":
			if answer == patch.No {
				answer = patch.Unknown
			}
		}
	}
	return answer
}

// sessionName is how systemd names sessions: nothing else becomes an argument.
var sessionName = regexp.MustCompile(`^c?[0-9]{1,10}$`)

// locked asks systemd whether every session of a person has its screen locked. A terminal has
// none, so it is never.
func locked(ctx context.Context, host provider.Host) patch.Answer {
	const most = 100
	args := []string{"loginctl", "show-session", "--property=Class", "--property=State", "--property=LockedHint"}
	names, _ := fs.Glob(host.Files(), "run/systemd/sessions/*")
	n := len(args)
	for _, name := range names {
		if name = path.Base(name); sessionName.MatchString(name) && len(args) < most {
			args = append(args, name)
		}
	}
	if len(args) == n {
		return patch.Unknown
	}
	res, err := host.Run(ctx, provider.Command{Args: args})
	if err != nil || res.Code != 0 {
		return patch.Unknown
	}
	return lockedBy(res.Stdout)
}

// lockedBy reads what loginctl says of sessions, which an empty line divides.
func lockedBy(text string) patch.Answer {
	answer := patch.Unknown
	for _, block := range strings.Split(text, "\n\n") {
		block = "\n" + block + "\n"
		if !strings.Contains(block, "\nClass=user\n") || strings.Contains(block, "\nState=closing\n") {
			continue
		}
		switch {
		case strings.Contains(block, "\nLockedHint=no\n"):
			return patch.No
		case strings.Contains(block, "\nLockedHint=yes\n"):
			answer = patch.Yes
		default:
			return patch.Unknown
		}
	}
	return answer
}
