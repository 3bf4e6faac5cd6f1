package facts

import (
	"strings"

	"patchbay/provider"
	"patchbay/wire"
)

// selfHost is where Windows keeps which builds before their release it was told to take.
const selfHost = `HKLM\SOFTWARE\Microsoft\WindowsSelfHost\Applicability`

// windowsChannel says by which servicing channel a Windows gets its updates, "" when nothing
// says it: those before Windows 10 have none.
func windowsChannel(h hive, version provider.RegistryKey) string {
	edition := strings.TrimSuffix(strings.ToLower(textOf(version, "EditionID")), "n")
	if edition == "" || !has(version, "CurrentMajorVersionNumber") {
		return ""
	}
	if insider := h.key(selfHost); number(insider, "EnablePreviewBuilds") != 0 && (!has(insider, "IsBuildFlightingEnabled") || number(insider, "IsBuildFlightingEnabled") != 0) {
		return insiderChannel(textOf(insider, "BranchName"))
	}
	switch {
	case strings.HasPrefix(edition, "server"):
		if strings.HasSuffix(edition, "acor") {
			return wire.ChannelAnnual
		}
		return wire.ChannelLTSC
	case edition == "enterprises", strings.HasPrefix(edition, "iotenterprises"):
		return wire.ChannelLTSC
	}
	return wire.ChannelGAC
}

func insiderChannel(branch string) string {
	switch strings.ToLower(branch) {
	case "canarychannel":
		return wire.ChannelCanary
	case "dev":
		return wire.ChannelDev
	case "beta":
		return wire.ChannelBeta
	case "releasepreview":
		return wire.ChannelReleasePreview
	}
	return wire.ChannelInsider
}
