package facts

import (
	"fmt"
	"testing"

	"patchbay/provider/providertest"
	"patchbay/wire"
)

// The channel is told where the registry says it, and is not known elsewhere.
func TestWindowsTellsItsChannel(t *testing.T) {
	const version = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"CurrentMajorVersionNumber\"=dword:0000000a\n\"EditionID\"=%q\n"
	const insider = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\WindowsSelfHost\\Applicability]\n\"BranchName\"=%q\n\"EnablePreviewBuilds\"=dword:0000000%d\n"
	for edition, want := range map[string]string{
		"Professional": wire.ChannelGAC, "Core": wire.ChannelGAC, "Enterprise": wire.ChannelGAC, "EducationN": wire.ChannelGAC, "IoTEnterprise": wire.ChannelGAC,
		"EnterpriseS": wire.ChannelLTSC, "EnterpriseSN": wire.ChannelLTSC, "IoTEnterpriseS": wire.ChannelLTSC, "IoTEnterpriseSK": wire.ChannelLTSC,
		"ServerStandard": wire.ChannelLTSC, "ServerDatacenter": wire.ChannelLTSC, "ServerTurbine": wire.ChannelLTSC, "ServerStandardACor": wire.ChannelAnnual, "ServerDatacenterACor": wire.ChannelAnnual,
		"": "",
	} {
		if got := factsOf(t, recorded(t).with(t, fmt.Sprintf(version, edition))).Channel; got != want {
			t.Errorf("%s: %q, want %q", edition, got, want)
		}
	}
	for branch, want := range map[string]string{"CanaryChannel": wire.ChannelCanary, "Dev": wire.ChannelDev, "Beta": wire.ChannelBeta, "ReleasePreview": wire.ChannelReleasePreview, "of 2031": wire.ChannelInsider} {
		h := recorded(t).with(t, fmt.Sprintf(insider, branch, 2))
		if got := factsOf(t, h).Channel; got != want {
			t.Errorf("%s: %q, want %q", branch, got, want)
		}
		if got := factsOf(t, h.with(t, fmt.Sprintf(version, "EnterpriseS"))).Channel; got != want {
			t.Errorf("%s of an LTSC: %q, want %q", branch, got, want)
		}
	}
	left := recorded(t).with(t, fmt.Sprintf(insider, "Beta", 0))
	off := recorded(t).with(t, fmt.Sprintf(insider, "Beta", 2)+"\"IsBuildFlightingEnabled\"=dword:00000000\n")
	for name, h := range map[string]pc{"left the programme": left, "switched off": off} {
		if got := factsOf(t, h).Channel; got != wire.ChannelGAC {
			t.Errorf("%s: %q", name, got)
		}
	}
	old, err := providertest.ParseExport([]byte("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"EditionID\"=\"Professional\"\n\"CurrentVersion\"=\"6.1\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := recorded(t)
	h.Export = old
	if got := factsOf(t, h).Channel; got != "" {
		t.Errorf("one before Windows 10 has the channel %q", got)
	}
}
