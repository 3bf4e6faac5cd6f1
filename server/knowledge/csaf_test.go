package knowledge_test

import (
	"os"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/server/assess"
	"patchbay/server/catalog/kinds"
	"patchbay/server/catalog/priority"
	"patchbay/server/knowledge"
	"patchbay/wire"
)

// TestWhatADocumentOfAVendorSaysReachesADevice: a real advisory of Red Hat's, as if it were for
// the system and not for what is sold beside it.
func TestWhatADocumentOfAVendorSaysReachesADevice(t *testing.T) {
	text, err := os.ReadFile("../catalog/csaf/testdata/rhsa-2023_7438.json")
	if err != nil {
		t.Fatal(err)
	}
	document := strings.ReplaceAll(string(text), "cpe:/a:redhat:openstack:17.1::el9", "cpe:/a:redhat:enterprise_linux:9::appstream")
	s, err := knowledge.Load([]knowledge.Source{source("csaf-redhat", kinds.CSAF, document)}, []string{"rhel:9"}, now)
	if err != nil || s.Count() != 1 {
		t.Fatalf("%d advisories, %v", s.Count(), err)
	}
	rhel := wire.Facts{Distro: "rhel", Release: "9", Providers: []wire.ProviderFacts{{Name: "dnf", Traits: provider.Traits{Versions: patch.SchemeRPM}}}}
	old := patch.Item{Provider: "dnf", Name: "python3-gevent", Architecture: "x86_64", Version: "21.1.2-1.el9ost"}
	mended := old
	mended.Version = "21.1.2-2.el9ost"
	found := s.Compare(rhel, "dnf", "", []patch.Item{old}, priority.Device{}).Found[old.Key()]
	if found == nil || len(found.List) != 1 || found.List[0].Status != assess.Affected || found.List[0].Fixed != mended.Version || found.List[0].Advisory != "RHSA-2023:7438" || found.List[0].Source != "csaf-redhat" || found.List[0].Severity != patch.SeverityCritical {
		t.Errorf("%+v", found)
	}
	if found := s.Compare(rhel, "dnf", "", []patch.Item{mended}, priority.Device{}).Found[mended.Key()]; found != nil {
		t.Errorf("%+v", found)
	}
}
