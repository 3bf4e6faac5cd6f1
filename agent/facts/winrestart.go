package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"patchbay/provider"
	"patchbay/wire"
)

const (
	currentVersion = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion`
	session        = control + `\Session Manager`
	computerName   = control + `\ComputerName`
)

// windowsRestart says whether Windows waits for a restart, and every reason. That a file is
// to be replaced at the next start is shown, and is none by itself: programs leave such wishes
// for years.
func windowsRestart(h hive) wire.Restart {
	r := wire.Restart{Services: []string{}}
	r.Sources = []wire.RestartSource{
		h.asksByKey(wire.RestartByUpdate, currentVersion+`\WindowsUpdate\Auto Update\RebootRequired`),
		h.asksByKey(wire.RestartByStore, currentVersion+`\Component Based Servicing\RebootPending`),
		h.installerAsks(), h.nameAsks(), h.renamesWait(),
	}
	words := map[string]string{
		wire.RestartByUpdate: "Windows Update", wire.RestartByStore: "Windows component servicing",
		wire.RestartByInstaller: "an update's own installer", wire.RestartByName: "a new computer name",
	}
	for _, s := range r.Sources {
		switch s.State {
		case wire.RestartAsks:
			r.Machine = true
			r.Reasons = append(r.Reasons, words[s.Kind])
		case wire.RestartWaits:
			r.Reasons = append(r.Reasons, fmt.Sprintf("%d files to be replaced or removed at the next start (weak)", s.Count))
		case wire.RestartUnknown:
			r.Unknown = append(r.Unknown, "Whether Windows waits for a restart could not be read: "+s.Why+".")
		}
	}
	slices.Sort(r.Reasons)
	r.Unknown = slices.Compact(r.Unknown)
	return r
}

// unread says why a key cannot be read; "" where it can, or is not there.
func unread(h hive, path string) string {
	if _, err := h.look(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return provider.Clip(err.Error(), maxWord)
	}
	return ""
}

// source is what one place says: quiet, until something else is found there. What cannot be
// read of it, or of the key above it, is not known.
func (h hive) source(kind string, paths ...string) wire.RestartSource {
	s := wire.RestartSource{Kind: kind, State: wire.RestartQuiet}
	for _, path := range paths {
		if why := unread(h, path); why != "" {
			s.State, s.Why = wire.RestartUnknown, why
		}
	}
	return s
}

// asks makes a place one that asks, since its key was last written.
func asks(s wire.RestartSource, k provider.RegistryKey) wire.RestartSource {
	s.State, s.Why = wire.RestartAsks, ""
	if at := k.Changed.UTC(); at.Year() >= 1996 {
		at = at.Truncate(time.Second)
		s.At = &at
	}
	return s
}

// asksByKey is a place that asks by having a key.
func (h hive) asksByKey(kind, path string) wire.RestartSource {
	s := h.source(kind, currentVersion, path)
	if k, err := h.look(path); err == nil {
		return asks(s, k)
	}
	return s
}

// installerAsks is what an update's own installer left behind.
func (h hive) installerAsks() wire.RestartSource {
	const path = `HKLM\SOFTWARE\Microsoft\Updates`
	s := h.source(wire.RestartByInstaller, path)
	if k := h.key(path); number(k, "UpdateExeVolatile") != 0 {
		return asks(s, k)
	}
	return s
}

// nameAsks is a name that the computer gets at the next start.
func (h hive) nameAsks() wire.RestartSource {
	active, next := computerName+`\ActiveComputerName`, computerName+`\ComputerName`
	s := h.source(wire.RestartByName, computerName, active, next)
	is, to := textOf(h.key(active), "ComputerName"), textOf(h.key(next), "ComputerName")
	if len(h.key(computerName).Keys) > 0 && is != "" && !strings.EqualFold(is, to) && s.State != wire.RestartUnknown {
		return asks(s, h.key(next))
	}
	return s
}

// renamesWait are files that are replaced or removed at the next start.
func (h hive) renamesWait() wire.RestartSource {
	s := h.source(wire.RestartByRenames, session)
	if n := pending(h.key(session).Value("PendingFileRenameOperations").List); n > 0 {
		s.State, s.Count = wire.RestartWaits, n
	}
	return s
}

// pending counts the files in a list of pairs: what is to be moved, and where to, which is
// nowhere for what is to be removed, and begins with a mark where something is there already.
func pending(list []string) int {
	n := 0
	for _, name := range list {
		if strings.HasPrefix(name, `\??\`) || strings.HasPrefix(name, `*`) {
			n++
		}
	}
	return n
}
