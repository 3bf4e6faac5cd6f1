package winget

import (
	"fmt"
	"slices"

	"patchbay/patch"
	"patchbay/provider"
)

// ending is what an installer's exit code says. It is not believed when it says that all
// went well: the registry is read again. It is what explains why nothing changed.
type ending struct {
	ok     bool
	reboot patch.Answer
	kind   error  // provider.ErrBusy, provider.ErrRefused, or nil for a failure
	why    string // a sentence, when it is not ok
}

// err is the ending as the agent wants it.
func (e ending) err(code int) error {
	switch {
	case e.ok:
		return nil
	case e.kind != nil:
		return fmt.Errorf("%w: %s (exit code %s)", e.kind, e.why, codeText(code))
	}
	return fmt.Errorf("%s (exit code %s)", e.why, codeText(code))
}

// codeText writes a code as people look it up: large ones are HRESULTs or status codes.
func codeText(code int) string {
	if c := uint32(code); c >= 0x8000_0000 {
		return fmt.Sprintf("0x%08X", c)
	}
	return fmt.Sprint(code)
}

// The codes of Windows Installer, from its documentation ("Windows Installer Error
// Messages" and "MsiExec.exe and InstMsi.exe error messages"). Bundles and many other
// installers pass them on, also as HRESULTs.
var windowsInstaller = map[uint32]ending{
	0:    {ok: true},
	1641: {ok: true, reboot: patch.Yes},
	3010: {ok: true, reboot: patch.Yes},
	3011: {ok: true, reboot: patch.Yes},
	3017: {why: "A reboot has to happen before this can be installed"},

	5:    {why: "The installer was denied access to something it needs"},
	112:  {why: "The disk is full"},
	1223: {why: "The installation was cancelled"},
	1601: {kind: provider.ErrBusy, why: "The Windows Installer service could not be reached"},
	1602: {why: "The installation was cancelled"},
	1603: {why: "The installer met an error it does not name and took back what it had done. Its own log or the event log says more; often files were in use, access was denied or the disk was full"},
	1604: {why: "The installation was suspended and is not complete"},
	1605: {why: "Windows Installer does not know this product here"},
	1606: {why: "A folder the installer needs cannot be reached"},
	1608: {why: "The installer asks for a property that does not exist"},
	1612: {why: "Windows Installer needs the package this version was installed from and does not find it. Repair or remove the old version with its original package"},
	1613: {why: "This package needs a newer Windows Installer"},
	1618: {kind: provider.ErrBusy, why: "Another installation is at work on this device"},
	1619: {why: "The package could not be opened"},
	1620: {why: "The file is not a package of Windows Installer"},
	1622: {why: "The installer could not open its log"},
	1623: {why: "The package does not support the language of this system"},
	1624: {why: "A transform could not be applied"},
	1625: {kind: provider.ErrRefused, why: "A policy of this system forbids this installation"},
	1628: {why: "The installer was given an argument it does not take"},
	1631: {why: "The Windows Installer service did not start"},
	1632: {why: "The folder for temporary files is full or cannot be reached"},
	1633: {kind: provider.ErrRefused, why: "This package is for another kind of processor"},
	1634: {kind: provider.ErrBusy, why: "Part of the program is in use"},
	1636: {why: "The patch could not be opened"},
	1638: {why: "Another version of this product is installed and has to be removed before"},
	1639: {why: "The installer was given arguments it does not take"},
	1640: {kind: provider.ErrRefused, why: "Nothing may be installed from a remote desktop session of this system"},
	1642: {why: "The patch does not apply: the program it is for is not there, or in another version"},
	1643: {kind: provider.ErrRefused, why: "A policy of this system forbids this patch"},
	1644: {kind: provider.ErrRefused, why: "A policy of this system forbids this transform"},
	1649: {kind: provider.ErrRefused, why: "A policy of this system forbids the removal"},
	1650: {why: "The patch could not be opened"},
	1651: {why: "Only an administrator may change this program here"},
	1654: {why: "This cannot be installed: it would run on an older Windows than it needs"},

	0xC000_0005: {why: "The installer crashed"},
	0xC000_0135: {why: "The installer needs a library that is not there"},
	0xC000_013A: {why: "The installer was ended from outside"},
	0xC000_0142: {why: "The installer could not start: a library it needs failed"},
	0xC000_0409: {why: "The installer crashed"},
}

// The codes of Inno Setup, from its documentation ("Setup Exit Codes").
var innoSetup = map[uint32]ending{
	0: {ok: true},
	1: {why: "The installer could not start"},
	2: {why: "The installation was cancelled before it began"},
	3: {why: "The installer met an error while it prepared the next step"},
	4: {why: "The installer met an error while it copied files"},
	5: {why: "The installation was cancelled on its way; some of it may be there"},
	6: {why: "The installer was ended by a debugger"},
	7: {kind: provider.ErrBusy, why: "The installer says that it cannot go on as things are: often the program is in use"},
	8: {why: "A reboot has to happen before this can be installed"},
}

// The codes of Nullsoft installers, from their documentation ("Error Levels").
var nullsoft = map[uint32]ending{
	0: {ok: true},
	1: {why: "The installation was cancelled"},
	2: {why: "The installer ended itself because of an error"},
}

// judge says what an exit code of an installer means: first by what the catalogue says of
// this very installer, then by its kind, then as Windows itself uses the number.
func judge(i patch.Installer, kind patch.InstallerKind, code int) ending {
	c := uint32(code)
	has := func(codes []int64) bool {
		return slices.ContainsFunc(codes, func(n int64) bool { return uint32(n) == c })
	}
	switch {
	case has(i.Reboot):
		return ending{ok: true, reboot: patch.Yes}
	case has(i.Success):
		return ending{ok: true}
	}
	if own, ok := byKind(kind)[c]; ok {
		return own
	}
	if e, ok := windowsInstaller[win32(c)]; ok {
		return e
	}
	return ending{why: "The installer failed and does not say why"}
}

func byKind(kind patch.InstallerKind) map[uint32]ending {
	switch kind {
	case patch.Inno:
		return innoSetup
	case patch.NSIS:
		return nullsoft
	}
	return windowsInstaller
}

// win32 takes the number out of an HRESULT that carries one of Windows' own.
func win32(c uint32) uint32 {
	if c>>16 == 0x8007 {
		return c & 0xFFFF
	}
	return c
}
