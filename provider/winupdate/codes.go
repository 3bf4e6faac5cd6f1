package winupdate

import (
	"errors"
	"fmt"
	"strings"

	"patchbay/provider"
)

// code is what a number of Windows' update engine, of its component store or of Windows itself
// means to whoever has to act on it.
type code struct {
	kind error // provider.ErrBusy, ErrOffline or ErrRefused; nil is a failure
	why  string
	next string // what to do; "" where nobody has to do anything
	mend act    // what Patchbay does about it by itself, once a day
}

// What stands several times.
const (
	store    = "Repair the component store: dism /online /cleanup-image /restorehealth."
	network  = "See that the device reaches the update server: name resolution, proxy, firewall."
	restart  = "Restart the machine."
	space    = "Free space on the system's drive, 10 GB for a monthly update."
	cache    = "Empty the cache of downloads."
	policies = "A policy decides this: look at the group policies for Windows Update."
	wsus     = "Look at the WSUS server: its application pool, its log and its approvals."
	clock    = "Look at the machine's clock and its root certificates."
	logs     = `Look into C:\Windows\Logs\CBS\CBS.log at the time of the failure.`
)

// codes are the numbers that technicians meet, from Microsoft's own lists (wuerror.h and
// "Windows Update error codes by component", "common Windows Update errors", winerror.h).
var codes = map[uint32]code{
	// Of the engine.
	0x80240001: {why: "Windows Update could not do its service", next: "Start the Windows Update service.", mend: actStart},
	0x80240002: {kind: provider.ErrBusy, why: "Windows Update has too much to do"},
	0x80240003: {why: "Windows Update does not know the update by this ID", next: "Search anew."},
	0x80240004: {why: "Windows Update was not ready", mend: actStart, next: "Start the Windows Update service."},
	0x80240007: {why: "Windows Update lost count of its own list", next: "Search anew."},
	0x80240008: {why: "Windows Update does not find what it was asked for", next: "Search anew."},
	0x80240009: {kind: provider.ErrBusy, why: "Windows Update is at work on something else"},
	0x8024000B: {why: "Somebody or something cancelled it"},
	0x8024000C: {why: "There was nothing to do"},
	0x8024000D: {why: "The description of an update is not complete", next: cache, mend: actCache},
	0x8024000E: {why: "The description of an update cannot be read", next: cache, mend: actCache},
	0x8024000F: {why: "The updates on offer depend on each other in a circle", next: wsus},
	0x80240010: {why: "The updates on offer depend on each other too deeply", next: wsus},
	0x80240012: {why: "A value in the registry that Windows Update needs is wrong", next: policies},
	0x80240013: {why: "The same update was asked for twice"},
	0x80240016: {kind: provider.ErrBusy, why: "Another installation is at work, or Windows waits for a restart before the next one", next: restart},
	0x80240017: {kind: provider.ErrRefused, why: "The update is not for this machine as it is now", next: "Search anew; often something newer is installed already."},
	0x80240018: {why: "The update needs somebody who is logged on"},
	0x80240019: {why: "The update has to be installed alone", next: "It is tried alone."},
	0x8024001A: {kind: provider.ErrRefused, why: "A policy that Windows Update needs is not set", next: policies},
	0x8024001B: {kind: provider.ErrBusy, why: "Windows Update is updating itself"},
	0x8024001D: {why: "The update's own description is wrong", next: cache, mend: actCache},
	0x8024001E: {kind: provider.ErrBusy, why: "The Windows Update service or the machine was being shut down"},
	0x8024001F: {kind: provider.ErrOffline, why: "There was no connection", next: network},
	0x80240020: {why: "The update needs somebody who is logged on, and nobody is"},
	0x80240021: {kind: provider.ErrOffline, why: "It took too long", next: network},
	0x80240022: {why: "All updates of this try failed", next: "The number of each single update says why."},
	0x80240023: {kind: provider.ErrRefused, why: "The licence was declined", next: "Approve the update with its licence."},
	0x80240024: {kind: provider.ErrRefused, why: "There is no such update any more", next: "Search anew."},
	0x80240025: {kind: provider.ErrRefused, why: "A group policy forbids access to Windows Update", next: policies},
	0x80240028: {kind: provider.ErrRefused, why: "The update cannot be uninstalled this way: only a WSUS server may ask for it", next: "Uninstall it in Windows' own settings."},
	0x80240029: {why: "A program without a valid licence may keep updates from being found", next: "Look at the licences of Microsoft's programs here."},
	0x8024002C: {why: "A small update needs a file that is not here", next: store, mend: actStore},
	0x8024002D: {why: "The update needs the original source of the program", next: "Repair the program from its original medium."},
	0x8024002E: {kind: provider.ErrRefused, why: "A policy forbids asking Microsoft, and no WSUS server is set", next: policies},
	0x8024002F: {kind: provider.ErrRefused, why: "A policy switches Windows Update off", next: policies},
	0x80240030: {why: "The list of proxies cannot be read", next: "Correct the proxy: netsh winhttp show proxy."},
	0x80240031: {why: "A file has the wrong form", next: cache, mend: actCache},
	0x80240032: {why: "Windows Update did not understand what was searched for"},
	0x80240033: {kind: provider.ErrOffline, why: "The licence could not be downloaded", next: network},
	0x80240034: {why: "The update could not be downloaded", next: network, mend: actCache},
	0x80240035: {why: "The update was not worked on"},
	0x80240036: {why: "Windows Update is in a state in which this cannot be done", next: restart},
	0x80240037: {kind: provider.ErrRefused, why: "Windows Update here does not support this"},
	0x80240039: {kind: provider.ErrOffline, why: "The server asked to begin anew too often", next: wsus},
	0x80240040: {kind: provider.ErrRefused, why: "This is not supported on a Server Core"},
	0x80240041: {kind: provider.ErrBusy, why: "The machine is being prepared with sysprep"},
	0x80240042: {why: "The update service is not known here", next: policies},
	0x80240044: {kind: provider.ErrRefused, why: "Only an administrator may do this"},
	0x80240FFF: {why: "Windows Update met an error it does not name", next: "Look into the Windows Update log: Get-WindowsUpdateLog.", mend: actCache},

	// Of what installs.
	0x80242000: {why: "What installs this kind of update could not be reached", next: restart},
	0x80242006: {why: "The update's description is wrong", next: cache, mend: actCache},
	0x80242007: {why: "The installer took longer than it may", next: restart},
	0x80242008: {why: "What installs this kind of update was cancelled"},
	0x8024200B: {why: "The update's installer failed", next: logs},
	0x8024200D: {why: "The installer needs something more to be downloaded", next: "It is tried again."},
	0x80242010: {why: "The update could not fall back to its complete form", next: cache, mend: actCache},
	0x80242012: {why: "The component store gave an answer that Windows Update did not expect", next: store, mend: actStore},
	0x80242013: {why: "The update names a package that cannot be", next: cache, mend: actCache},
	0x80242014: {kind: provider.ErrBusy, why: "What was installed before is only complete after a restart", next: restart},
	0x80242015: {why: "Windows does not know how it ended after the restart", next: "Search anew; what the scan shows counts."},
	0x80242016: {why: "After the restart the update was in a state that nobody expected", next: store, mend: actStore},
	0x80242017: {why: "The update needs a newer servicing stack", next: "Install the newest servicing stack update first."},
	0x80242FFF: {why: "What installs this kind of update met an error it does not name", next: logs},

	// On the way to the server.
	0x80244007: {why: "The server refused what was asked", next: wsus},
	0x8024400A: {why: "The server's answer cannot be read", next: network},
	0x8024400D: {why: "The server took what it was asked for wrong", next: wsus},
	0x8024400E: {kind: provider.ErrOffline, why: "The server could not answer", next: wsus},
	0x80244010: {kind: provider.ErrOffline, why: "The search needed more questions than the server allows", next: "It goes on where it ended; search again. On a WSUS server, clean up old updates."},
	0x80244011: {kind: provider.ErrRefused, why: "A policy wants a WSUS server and names none", next: policies},
	0x80244016: {kind: provider.ErrOffline, why: "The server did not understand the question (HTTP 400)", next: network},
	0x80244017: {kind: provider.ErrOffline, why: "The server wants a password (HTTP 401)", next: network},
	0x80244018: {kind: provider.ErrOffline, why: "The server or a proxy forbids it (HTTP 403)", next: network},
	0x80244019: {kind: provider.ErrOffline, why: "The server does not have it (HTTP 404)", next: wsus},
	0x8024401A: {kind: provider.ErrOffline, why: "The server does not take such questions (HTTP 405)", next: network},
	0x8024401B: {kind: provider.ErrOffline, why: "The proxy wants a password (HTTP 407)", next: "Let the machine's own account through the proxy."},
	0x8024401C: {kind: provider.ErrOffline, why: "The server took too long (HTTP 408)", next: wsus},
	0x8024401F: {kind: provider.ErrOffline, why: "The server failed (HTTP 500)", next: wsus},
	0x80244021: {kind: provider.ErrOffline, why: "A proxy got no good answer from the server (HTTP 502)", next: network},
	0x80244022: {kind: provider.ErrOffline, why: "The server does not answer now (HTTP 503)", next: wsus},
	0x80244023: {kind: provider.ErrOffline, why: "A proxy waited in vain for the server (HTTP 504)", next: network},
	0x8024402C: {kind: provider.ErrOffline, why: "The server's name or the proxy's is not found", next: network},
	0x8024402F: {kind: provider.ErrOffline, why: "Something on the way changes the answers, often a filter of web pages", next: network},
	0x80244FFF: {kind: provider.ErrOffline, why: "The way to the server failed in a manner that is not named", next: network},

	// Of downloads.
	0x80246001: {kind: provider.ErrOffline, why: "The server gave no place to download from", next: wsus},
	0x80246002: {why: "A downloaded file has another hash than it must have", next: cache, mend: actCache},
	0x80246005: {kind: provider.ErrOffline, why: "There was no network to download over", next: network},
	0x80246007: {why: "The update is not downloaded", next: "It is downloaded again."},
	0x80246008: {why: "The service that downloads (BITS) could not be reached", next: "Start the Background Intelligent Transfer Service.", mend: actStart},
	0x80246FFF: {why: "The download failed in a manner that is not named", next: network},
	0x80200053: {why: "A downloaded file was changed on the way", next: network, mend: actCache},
	0x80190193: {kind: provider.ErrOffline, why: "The server or a proxy forbids the download (HTTP 403)", next: network},
	0x80190194: {kind: provider.ErrOffline, why: "The file is not on the server (HTTP 404)", next: wsus},
	0x80D02002: {kind: provider.ErrOffline, why: "The download did not go on (delivery optimization)", next: network},

	// Of the engine's own data.
	0x80248000: {kind: provider.ErrBusy, why: "Windows Update's own data is being closed"},
	0x80248001: {kind: provider.ErrBusy, why: "Windows Update's own data is in use"},
	0x80248002: {why: "Windows Update's own data is damaged", next: "Rename C:\\Windows\\SoftwareDistribution while the service is stopped."},
	0x80248007: {why: "Windows Update misses what it should have kept", next: cache, mend: actCache},
	0x80248014: {why: "The update service that was asked is not known here", next: policies},
	0x80248015: {why: "The registration with the update service ended", next: "Search anew."},
	0x8024A000: {why: "Automatic Updates could not do its service", next: "Start the Windows Update service.", mend: actStart},
	0x8024A004: {kind: provider.ErrBusy, why: "Somebody paused updates in Windows' own settings", next: "Resume updates in Windows' settings."},
	0x8024A10A: {kind: provider.ErrBusy, why: "The service that orders updates was shutting down"},

	// Of Windows itself.
	0x80004005: {why: "Windows failed and does not say why", next: logs},
	0x8000FFFF: {why: "Something happened that Windows did not expect", next: logs, mend: actStore},
	0x80010108: {kind: provider.ErrBusy, why: "Windows Update went away in the middle"},
	0x80040154: {kind: provider.ErrRefused, why: "Windows Update is not registered on this Windows", next: "Register or reinstall Windows Update's components."},
	0x80070002: {why: "A file that is needed is missing", next: cache, mend: actCache},
	0x80070003: {why: "A folder that is needed is missing", next: cache, mend: actCache},
	0x80070005: {kind: provider.ErrRefused, why: "Access was denied", next: "See that the agent runs as the system, and whether a virus scanner is in the way."},
	0x8007000D: {why: "What was read is not valid", next: store, mend: actStore},
	0x8007000E: {kind: provider.ErrBusy, why: "There is not enough memory"},
	0x80070020: {kind: provider.ErrBusy, why: "A file is in use by another program", next: "Often a virus scanner. " + restart},
	0x80070057: {why: "Something was asked in a way that Windows does not take", next: cache, mend: actCache},
	0x80070070: {kind: provider.ErrRefused, why: "The disk is full", next: space, mend: actSpace},
	0x800700C1: {why: "A file is no program for this machine", next: store, mend: actStore},
	0x8007041D: {why: "A service did not start in time", next: restart, mend: actStart},
	0x80070422: {why: "The Windows Update service, or one that it needs, is switched off", next: "Set wuauserv, bits and cryptsvc to manual or automatic; somebody switched one off.", mend: actStart},
	0x80070424: {kind: provider.ErrRefused, why: "The Windows Update service is not there", next: "Repair Windows: the service was removed."},
	0x80070426: {why: "A service that is needed does not run", next: "Start wuauserv, bits and cryptsvc.", mend: actStart},
	0x80070490: {why: "Something is missing in the component store", next: store, mend: actStore},
	0x800704C7: {why: "Somebody cancelled it"},
	0x80070570: {why: "A file or the disk is damaged", next: "Check the disk with chkdsk. " + store, mend: actStore},
	0x800705B4: {kind: provider.ErrBusy, why: "It took longer than it may"},
	0x800705B9: {why: "A description cannot be read", next: store, mend: actStore},
	0x80070641: {kind: provider.ErrBusy, why: "The Windows Installer service could not be reached"},
	0x80070642: {why: "Somebody cancelled the installation"},
	0x80070643: {why: "The update's installer met an error it does not name", next: "For an update of the recovery partition, enlarge that partition. " + logs},
	0x80070652: {kind: provider.ErrBusy, why: "Another installation is at work on this device"},
	0x80070661: {kind: provider.ErrRefused, why: "The update is for another kind of processor"},
	0x80070666: {why: "Another version of the program is installed already"},
	0x800706BA: {kind: provider.ErrBusy, why: "A service that is needed could not be reached", next: restart},
	0x800706BE: {kind: provider.ErrBusy, why: "A service that is needed went away in the middle"},
	0x80070BC2: {kind: provider.ErrBusy, why: "It is complete only after a restart", next: restart},
	0x80070BC9: {why: "It failed, and Windows takes it back at the next restart", next: restart},
	0x80072EE2: {kind: provider.ErrOffline, why: "The server did not answer in time", next: network},
	0x80072EE7: {kind: provider.ErrOffline, why: "The server's name is not found", next: network},
	0x80072EFD: {kind: provider.ErrOffline, why: "The server could not be reached", next: network},
	0x80072EFE: {kind: provider.ErrOffline, why: "The connection broke off", next: network},
	0x80072F0D: {kind: provider.ErrOffline, why: "The server's certificate is of nobody this machine trusts", next: clock},
	0x80072F8F: {kind: provider.ErrOffline, why: "The server's certificate is not valid here", next: clock},
	0x80080005: {kind: provider.ErrBusy, why: "Windows Update could not be started", next: restart},
	0x80092003: {why: "The file with signatures could not be read", next: "Start the Cryptographic Services.", mend: actStart},
	0x800B0100: {why: "A file is not signed", next: cache, mend: actCache},
	0x800B0101: {why: "A certificate is not valid at this time", next: clock},
	0x800B0109: {why: "A file is signed by nobody whom this machine trusts", next: clock},

	// Of the component store.
	0x80073701: {why: "A component that the update builds upon is missing", next: store, mend: actStore},
	0x8007370D: {why: "The component store has a name that cannot be read", next: store, mend: actStore},
	0x80073712: {why: "The component store is damaged", next: store, mend: actStore},
	0x8007371B: {why: "Parts of a component are missing", next: store, mend: actStore},
	0x800736B3: {why: "A component is not in the store", next: store, mend: actStore},
	0x800736CC: {why: "A file of a component is not the one it must be", next: store, mend: actStore},
	0x800F0801: {kind: provider.ErrBusy, why: "The servicing of Windows was not ready"},
	0x800F0805: {why: "The package is not valid", next: cache, mend: actCache},
	0x800F0806: {kind: provider.ErrBusy, why: "Something of it is in use until the next restart", next: restart},
	0x800F0816: {kind: provider.ErrBusy, why: "The unpacking was interrupted and goes on later"},
	0x800F081E: {kind: provider.ErrRefused, why: "The package is not for this machine as it is now", next: "Search anew; often something newer is installed already."},
	0x800F081F: {why: "Files that the update needs are not in the component store", next: store, mend: actStore},
	0x800F0820: {why: "The installation was cancelled"},
	0x800F0821: {why: "The installation was given up because it took too long", next: restart},
	0x800F0823: {why: "The update needs a newer servicing stack", next: "Install the newest servicing stack update first."},
	0x800F0825: {kind: provider.ErrRefused, why: "The update cannot be uninstalled: Windows needs it"},
	0x800F0826: {kind: provider.ErrBusy, why: "Another package waits for a restart first", next: restart},
	0x800F0830: {kind: provider.ErrRefused, why: "This Windows cannot be serviced any more", next: "Repair Windows in place from its installation medium."},
	0x800F0831: {why: "The component store lacks an update that this one builds upon", next: store, mend: actStore},
	0x800F0900: {why: "A description in the component store cannot be read", next: store, mend: actStore},
	0x800F0906: {kind: provider.ErrOffline, why: "Files that are needed could not be downloaded", next: network},
	0x800F0907: {kind: provider.ErrRefused, why: "A policy forbids downloading what is needed", next: policies},
	0x800F0920: {why: "The installation did not go on and was given up", next: restart},
	0x800F0922: {why: "A part of the update could not be installed", next: "Often the system or EFI partition is full, or Windows could not finish at the restart. " + logs},
	0x800F0923: {why: "A driver or a program here does not fit the update", next: logs},
	0x800F0954: {kind: provider.ErrRefused, why: "The WSUS server does not have what a feature needs", next: policies},
	0x800F0982: {why: "A component that the update changes is not there", next: store, mend: actStore},
	0x800F0983: {why: "The folder of a component is missing", next: store, mend: actStore},
	0x800F0984: {why: "A file that the update changes is missing", next: store, mend: actStore},
	0x800F0985: {why: "A file could not be brought back to its first form", next: store, mend: actStore},
	0x800F0986: {why: "A file could not be changed to its new form", next: store, mend: actStore},
	0x800F0988: {why: "What the update changes does not fit together", next: store, mend: actStore},
	0x800F0991: {why: "What the update changes does not fit what is there", next: store, mend: actStore},
}

// meaning is what a number means; one that is not known keeps its number and is a failure.
func meaning(hresult uint32) code {
	if c, ok := codes[hresult]; ok {
		return c
	}
	return code{why: "Windows Update failed with a number that Patchbay does not know", next: "Look the number up in Microsoft's list of Windows Update errors."}
}

// err is the number as the agent wants it: its kind, what it means, itself, and what to do.
func (c code) err(what string, hresult uint32) error {
	text := fmt.Sprintf("%s: %s (0x%08X)", what, c.why, hresult)
	if c.next != "" {
		text += ". " + strings.TrimSuffix(c.next, ".")
	}
	failed := &codedError{text, hresult}
	if c.kind != nil {
		return fmt.Errorf("%w: %w", c.kind, failed)
	}
	return failed
}

// codedError is a failure whose number is known.
type codedError struct {
	text    string
	hresult uint32
}

func (e *codedError) Error() string { return e.text }

// explained is an error of the engine with what its number means.
func explained(what string, err error) error {
	var e *provider.EngineError
	if errors.As(err, &e) {
		return meaning(e.HResult).err(what, e.HResult)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// numbers are those of all failures in an error.
func numbers(err error) []uint32 {
	switch e := err.(type) {
	case nil:
		return nil
	case *codedError:
		return []uint32{e.hresult}
	case interface{ Unwrap() []error }:
		var all []uint32
		for _, one := range e.Unwrap() {
			all = append(all, numbers(one)...)
		}
		return all
	}
	return numbers(errors.Unwrap(err))
}
