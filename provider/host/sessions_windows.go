package host

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"patchbay/patch"
	"patchbay/provider"
)

// logon is the session of one person.
type logon struct {
	id   uint32
	away bool // disconnected: its programs are open still, and nobody sees them
}

// maxLogons bounds what is looked at.
const maxLogons = 1000

// sessions are those of people: the first is the services'. One that shows only the question who
// is there is none.
func sessions() ([]logon, error) {
	var first *windows.WTS_SESSION_INFO
	var count uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &count); err != nil {
		return nil, fmt.Errorf("listing who is logged on: %w", err)
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var all []logon
	for _, s := range unsafe.Slice(first, min(count, maxLogons)) {
		if s.SessionID != 0 && (s.State == windows.WTSActive || s.State == windows.WTSDisconnected) {
			all = append(all, logon{s.SessionID, s.State == windows.WTSDisconnected})
		}
	}
	return all, nil
}

// Sessions lists where people are logged in, those who see their screen first.
func (Host) Sessions(context.Context) ([]provider.Session, error) {
	all, err := sessions()
	if err != nil {
		return nil, err
	}
	var seen, unseen []provider.Session
	for _, l := range all {
		s := provider.Session{ID: l.id, User: userOf(l.id), Locked: lockOf(l)}
		if s.Locked == patch.Yes {
			unseen = append(unseen, s)
		} else {
			seen = append(seen, s)
		}
	}
	return append(seen, unseen...), nil
}

// Presence asks Windows whether somebody is at the machine, and in their sessions whether they
// present.
func (Host) Presence(ctx context.Context) provider.Presence {
	p := provider.Presence{Battery: battery()}
	all, err := sessions()
	if err != nil {
		return p
	}
	p.LoggedIn = patch.No
	if len(all) > 0 {
		p.LoggedIn, p.Locked = patch.Yes, patch.Yes
	}
	for _, l := range all {
		if lock := lockOf(l); lock != patch.Yes && p.Locked != patch.No {
			p.Locked = lock
		}
	}
	p.Presenting = presents(ctx, all)
	return p
}

// What WTSQuerySessionInformation is asked for.
const (
	wtsUserName      = 5
	wtsSessionInfoEx = 25
)

// query asks for a fact of a session and gives its bytes, nil when it is not known.
func query(session, what uint32) []byte {
	ask := windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSQuerySessionInformationW")
	if ask.Find() != nil {
		return nil
	}
	var at *byte
	var size uint32
	ok, _, _ := ask.Call(0, uintptr(session), uintptr(what), uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&size)))
	if ok == 0 || at == nil {
		return nil
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(at)))
	const most = 4096
	return append([]byte(nil), unsafe.Slice(at, min(size, most))...)
}

// userOf names whose a session is, "" when Windows does not say.
func userOf(session uint32) string {
	b := query(session, wtsUserName)
	if len(b) < 2 {
		return ""
	}
	return windows.UTF16ToString(unsafe.Slice((*uint16)(unsafe.Pointer(&b[0])), len(b)/2))
}

// lockOf reads WTSINFOEX: a level, padded to eight bytes, then number, state and flags of the
// session. A session that is disconnected shows nobody anything.
func lockOf(l logon) patch.Answer {
	if l.away {
		return patch.Yes
	}
	const flags, locked, unlocked = 16, 0, 1
	b := query(l.id, wtsSessionInfoEx)
	if len(b) < flags+4 || b[0] != 1 {
		return patch.Unknown
	}
	switch *(*uint32)(unsafe.Pointer(&b[flags])) {
	case locked:
		return patch.Yes
	case unlocked:
		return patch.No
	}
	return patch.Unknown
}

// battery asks what powers the machine.
func battery() patch.Answer {
	var status struct {
		line, flag, percent, saver byte
		left, full                 uint32
	}
	ask := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	if ask.Find() != nil {
		return patch.Unknown
	}
	if ok, _, _ := ask.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return patch.Unknown
	}
	return batteryBy(status.line, status.flag)
}
