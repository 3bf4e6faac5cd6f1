package cli

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/listing"
	"patchbay/server/view"
)

// TestWhatIsWrittenCanBeMatched: a bill of materials that was written here says, read again,
// what is installed and of which system, and each finding what it means.
func TestWhatIsWrittenCanBeMatched(t *testing.T) {
	key := view.ItemKey{Provider: "apt", Name: "bsdutils", Architecture: "amd64"}
	items := []view.Item{{Item: patch.Item{Provider: "apt", Name: "bsdutils", Architecture: "amd64", Version: "1:2.38.1-5+deb12u3", Source: "util-linux", SourceVersion: "2.38.1-5+deb12u3", Origin: "Debian"}},
		{Item: patch.Item{Provider: "flatpak", Name: "org.example.App", Version: "1"}}}
	all := []assess.FindingStatus{assess.Affected, assess.NoFix, assess.HeadersOnly, assess.NotRunning, assess.Unimportant, assess.Undetermined, assess.NotCompared}
	findings := view.DeviceFindings{Compared: true, Providers: []view.ComparedWith{{Provider: "apt", Release: "Debian:12"}}, Items: []view.ItemFindings{{Item: key, Installed: "1:2.38.1-5+deb12u3"}}}
	for _, status := range all {
		f := view.Finding{Advisory: "DEBIAN-CVE-2026-0001", CVEs: []string{"CVE-2026-0001"}, Status: status, Severity: patch.SeverityHigh, Fixed: "2.38.1-5+deb12u4"}
		if status == assess.NotCompared {
			f.Advisory, f.CVEs = "", nil
		}
		findings.Items[0].Findings = append(findings.Items[0].Findings, f)
	}
	bom := materials(view.DeviceDetail{Device: view.Device{ID: "dev_1", Name: "till", OSName: "Debian GNU/Linux 12 (bookworm)", Release: "12"}}, items, findings, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		t.Fatal(err)
	}
	h, err := listing.Read(bytes.NewReader(text.Bytes()), "")
	if err != nil || h.Release != "Debian:12" || len(h.Items) != 1 {
		t.Fatalf("%+v, %v", h, err)
	}
	if it := h.Items[0]; it.Name != "bsdutils" || it.Version != "1:2.38.1-5+deb12u3" || it.Source != "util-linux" || it.SourceVersion != "2.38.1-5+deb12u3" || it.Foreign != "" {
		t.Errorf("%+v", it)
	}
	var said struct {
		SpecVersion     string
		Vulnerabilities []struct {
			ID       string
			Analysis struct{ State, Justification string }
			Affects  []struct{ Ref string }
		}
	}
	if err := json.Unmarshal(text.Bytes(), &said); err != nil || said.SpecVersion != "1.6" || len(said.Vulnerabilities) != len(all)-1 {
		t.Fatalf("%+v, %v", said, err)
	}
	want := []string{"exploitable", "exploitable", "not_affected", "not_affected", "not_affected", "in_triage"}
	for i, v := range said.Vulnerabilities {
		if v.Analysis.State != want[i] || (v.Analysis.State == "not_affected") != (v.Analysis.Justification != "") || len(v.Affects) != 1 || v.Affects[0].Ref != "apt/bsdutils:amd64@1:2.38.1-5+deb12u3" {
			t.Errorf("%s: %+v", all[i], v)
		}
	}
}
