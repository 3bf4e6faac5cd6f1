package wire

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/window"
)

var update = flag.Bool("update", false, "write the golden files anew; a released version's files never change")

var (
	at    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	later = at.Add(14 * 24 * time.Hour)
	lib   = Target{Provider: "apt", Name: "lib", Architecture: "amd64", From: "1.0", To: "1.1", SHA256: "ab", Size: 10}
)

// messages are one of each message with every field set.
func messages(t *testing.T) map[string]any {
	t.Helper()
	body, err := Canonical([]patch.Update{{Provider: "apt", Name: "lib", Architecture: "amd64", Installed: "1.0", Available: "1.1",
		Source: "src", Origin: "Debian", Suite: "stable-security", Classes: []patch.Class{patch.Security}, Severity: patch.SeverityHigh,
		Size: 10, SHA256: "ab", Reboot: patch.Yes, Block: patch.Held, BlockWhy: "Somebody holds it.", ReleasedAt: &at, ReleasedBy: "changelog"}})
	if err != nil {
		t.Fatal(err)
	}
	receipt := Receipt{Job: "job_1", Device: "dev_1", Agent: "agt_1", Decision: "apr_1", Target: lib, Verified: true, Before: "1.0", After: "1.1",
		Changes:    []provider.Change{{Name: "lib", Architecture: "amd64", From: "1.0", To: "1.1", Asked: true}},
		Conflicts:  []provider.Conflict{{Path: "/etc/lib.conf", Vendor: "/etc/lib.conf.dpkg-dist"}},
		BootBefore: "b1", BootAfter: "b2", StartedAt: at, EndedAt: at, Step: StepDone, Message: "Done.", Orders: OrdersVersion{1, 2}, Forced: "Ann"}
	payload, err := json.Marshal(receipt)
	if err != nil {
		t.Fatal(err)
	}
	envelope := &Envelope{Type: ReceiptDocument, Payload: payload, Signatures: []Signature{{Key: "p256:00", Sig: []byte{1, 2}}}}
	role := Role{Keys: [][]byte{{1, 2}}, Threshold: 1}
	facts := Facts{Hostname: "pc", OS: "linux", Distro: "debian", Release: "12", OSName: "Debian GNU/Linux 12 (bookworm)", SupportEnds: "2028-06-30",
		Kernel: "6.1", Architecture: "amd64", Container: true, MachineID: "m", BootID: "b", BootedAt: &at, Zone: "Europe/Berlin",
		Providers: []ProviderFacts{{Name: "apt", Traits: provider.Traits{Versions: "deb", Exact: true, Phase: provider.System}}},
		Restart:   Restart{Machine: true, Reasons: []string{"linux"}, Services: []string{"sshd"}, Unknown: []string{"One process could not be read."}},
		Patchers:  []string{"unattended-upgrades"}}
	section := Section{Name: "apt/offered", Hash: Hash(body), State: SectionFailed, Error: "It failed.", ScannedAt: at, Body: body}
	return map[string]any{
		"checkin": &CheckIn{Version: 1, Agent: "agt_1", Build: "0.1", BootID: "b1", Sent: at, Mode: Manage, Capabilities: []string{VerbInstall},
			Seen: OrdersVersion{1, 2}, Devices: []DeviceReport{{Device: "dev_1", ScannedAt: at, Digest: Digest([]Section{section}),
				Sections: []Section{section}, Jobs: []JobStep{{Job: "job_1", Step: StepWaiting, Since: at, Why: "For the window."}}}},
			Outcomes: []Outcome{{Seq: 1, Device: "dev_1", Job: "job_1", Step: StepDone, Result: ResultOK, At: at, Message: "Done.", Detail: "apt said so", Receipt: envelope}}},
		"checkin-unchanged": &CheckIn{Version: 1, Agent: "agt_1", Build: "0.1", Sent: at, Mode: Observe, Seen: OrdersVersion{1, 2},
			Devices: []DeviceReport{{Device: "dev_1", ScannedAt: at, Digest: "sha256:00"}}},
		"reply": &Reply{Version: 1, Time: at, Acknowledged: 7, Next: 60, Orders: envelope,
			Holds: []Held{{Device: "dev_1", Digest: "sha256:00", Sections: map[string]string{"host": "sha256:00"}}}},
		"orders": &Orders{Agent: "agt_1", Seen: OrdersVersion{1, 2}, IssuedAt: at, Expires: later, Devices: []DeviceOrders{{Device: "dev_1",
			Windows: window.Spec{Weekly: []window.Weekly{{Zone: "Europe/Berlin", Days: []string{"sat"}, Start: "22:00", Minutes: 240}}},
			Reboot:  true, ScanSeconds: 900, RefreshSeconds: 21600, FreshAfter: &at, Jobs: []Job{{ID: "job_1", Verb: VerbInstall, Target: lib, Decision: "apr_1",
				Attempt: 1, NotBefore: at, NotAfter: later, Forced: "Ann", AllowRemovals: []string{"old"}}}}}},
		"enroll": &Enroll{Version: 1, Token: "pbt_x.y", CSR: []byte{1}, Build: "0.1", Mode: Manage, Capabilities: []string{VerbInstall}, Facts: facts},
		"enrolled": &Enrolled{Agent: "agt_1", Device: "dev_1", Customer: "Acme", Site: "HQ", Mode: Manage, Certificate: []byte{1}, CA: []byte{2},
			OrdersKey: []byte{3}, AgentURL: "https://patchbay.example:8421"},
		"receipt": &receipt,
		"checkin-documents": &CheckIn{Version: 1, Agent: "agt_1", Sent: at, Mode: Observe, Nonce: "n1",
			Documents: HeldDocuments{Root: 1, Limits: 2, Server: OrdersVersion{1, 3}}},
		"reply-documents":    &Reply{Version: 1, Time: at, Next: 60, Nonce: "n2", Reconnect: 120, Documents: []Envelope{*envelope}},
		"enrolled-documents": &Enrolled{Agent: "agt_1", Device: "dev_1", Nonce: "n1", Documents: []Envelope{*envelope}},
		"orders-approvals":   &Orders{Agent: "agt_1", IssuedAt: at, Expires: later, Approvals: []Envelope{*envelope}},
		"receipt-approval":   &Receipt{Job: "job_1", StartedAt: at, EndedAt: at, Step: StepDone, Approval: "apv_1"},
		"receipt-notice": &Receipt{Job: "job_1", Device: "dev_1", StartedAt: at, EndedAt: later, Step: StepRebooting, Notice: &Notice{Said: "When may it restart?", Session: 1, User: "ann",
			At: at, Choices: []string{"Restart now", "Ask me later"}, Answer: "Ask me later", AnsweredAt: at, Problem: "It is not known."}},
		"enroll-presence": &Enroll{Version: 1, Token: "pbt_x.y", Mode: Observe, Facts: Facts{Hostname: "pc", OS: "windows", Restart: Restart{Services: []string{}},
			Presence: Presence{LoggedIn: patch.Yes, Locked: patch.No, Presenting: patch.Yes, Battery: patch.No}}},
		"renewal": &Renewal{Version: 1, Agent: "agt_1", CSR: []byte{1}, Sent: at, BootID: "b1", Become: "word", Facts: &facts},
		"renewed": &Renewed{Version: 1, Agent: "agt_1", Device: "dev_1", Certificate: []byte{1}, CA: []byte{2}, Documents: []Envelope{*envelope}},
		"doubt":   &Doubt{Version: 1, Why: "Another machine has this key.", Next: 15, Become: "word"},
		"root":    &Root{Version: 1, Installation: "inst_1", IssuedAt: at, Expires: later, Root: role, Publisher: role, Approver: role, Server: role, Limits: 1},
		"limits": &Limits{Version: 1, Root: 1, IssuedAt: at, Expires: later, Verbs: []string{VerbInstall},
			Sources: []LimitSource{{Provider: "apt", Origin: "Debian"}}, DevicesPerHour: 100, Fleet: 1000, Approvals: 2, Forced: 1},
		"server": &ServerKeys{Version: OrdersVersion{1, 1}, IssuedAt: at, Orders: [][]byte{{1}}, Authorities: [][]byte{{2}}, Addresses: []string{"https://patchbay.example:8421"}},
		"approval": &Approval{ID: "apv_1", Root: 1, IssuedAt: at, Expires: later, Agents: []string{"p256:00"}, Forced: true, Note: "Tonight.",
			Updates: []ApprovedUpdate{{Provider: "apt", Name: "lib", Architecture: "amd64", To: "1.1"}}},
		"time": &Time{Time: at},
		"catalog": &Catalog{Version: 1, Root: 1, IssuedAt: at, Expires: later, Packages: []patch.Package{{Provider: "winget", ID: "a.b", Name: "A", Publisher: "B",
			Marks: []patch.Mark{{ProductCode: "p", UpgradeCode: "u", Name: "A", Publisher: "B", Architecture: "x64", Line: "1"}},
			Releases: []patch.Release{{Version: "1.1", ReleasedAt: &at, Security: patch.Yes, Recalled: "It breaks.", Installers: []patch.Installer{{SHA256: "ab", Size: 1,
				URL: "https://example.com/a.exe", File: "a.exe", Kind: patch.ZIP, Architecture: "x64", Scope: "machine", Locale: "en-US",
				Signer: &patch.Signer{Name: "B", Certificate: "cd"}, Switches: []string{"/S"}, Remove: []string{"/R"}, Shown: "1.1.0", ProductCode: "p", UpgradeCode: "u",
				RemoveFirst: true, MinimumOS: "10.0", Success: []int64{1}, Reboot: []int64{3010}, Needs: []string{"c.d"}, Nested: "b/a.exe", NestedKind: patch.EXE}}}}}}},
		"checkin-catalog": &CheckIn{Version: 1, Agent: "agt_1", Sent: at, Mode: Observe, Capabilities: []string{CanCatalog}, Documents: HeldDocuments{Root: 1, Catalog: 2}},
		"enroll-running": &Enroll{Version: 1, Token: "pbt_x.y", Mode: Observe, Facts: Facts{Hostname: "pc", OS: "linux", Restart: Restart{Services: []string{"sshd"},
			Unknown: []string{"One process could not be read."}, Old: []OldUse{{Service: "sshd", Packages: []string{"lib"}, Processes: 2}}, Doubt: []string{"curl"}}}},
		"enroll-windows": &Enroll{Version: 1, Token: "pbt_x.y", Mode: Manage, Facts: Facts{Hostname: "pc", OS: "windows", Distro: "windows", Release: "23H2",
			OSName: "Windows 11 Pro 23H2", Edition: "Professional", Kernel: "10.0.22631.3682", Restart: Restart{Services: []string{}}}},
		"enroll-no-doubt": &Enroll{Version: 1, Token: "pbt_x.y", Mode: Observe, Facts: Facts{Hostname: "pc", OS: "linux", Restart: Restart{Services: []string{},
			Unknown: []string{"One process could not be read."}, Doubt: []string{}}}},
		"enroll-serves": &Enroll{Version: 1, Token: "pbt_x.y", Mode: Observe, Facts: Facts{Hostname: "pc", OS: "windows", Restart: Restart{Services: []string{}},
			Services: []string{"MSSQLSERVER", "NTDS"}, Listens: []int{25, 2049}}},
		"orders-programs": &Orders{Agent: "agt_1", IssuedAt: at, Expires: later, Devices: []DeviceOrders{{Device: "dev_1",
			Programs: []patch.Wish{{Provider: "winget", Package: "a.b", Install: true, Pin: "1.1."}}, Jobs: []Job{{ID: "job_1", Verb: VerbInstall, Decision: "rule:site_1",
				Target: Target{Provider: "winget", Name: "A", Architecture: "x64", Instance: "a.b", To: "1.1", Source: "a.b"}, Attempt: 1, NotBefore: at, NotAfter: later}}}}},
		"orders-reboots": &Orders{Agent: "agt_1", IssuedAt: at, Expires: later, Devices: []DeviceOrders{{Device: "dev_1",
			Reboots: &Reboots{When: RebootAsk, Postpone: 3, DeadlineHours: 48, Daily: 2}}}},
		"orders-restart": &Orders{Agent: "agt_1", IssuedAt: at, Expires: later, Devices: []DeviceOrders{{Device: "dev_1", Reboot: true, Restart: true}}},
	}
}

// What is on the wire today is what was on it when the version was released.
func TestGoldenFiles(t *testing.T) {
	for name, message := range messages(t) {
		path := filepath.Join("testdata", "v1", name+".json")
		got, err := json.MarshalIndent(message, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is no longer what version 1 says:\n%s", name, got)
		}
		back := reflect.New(reflect.TypeOf(message).Elem()).Interface()
		if err := json.Unmarshal(want, back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, _ := json.MarshalIndent(back, "", "  "); !bytes.Equal(append(again, '\n'), want) {
			t.Errorf("%s loses something on the way:\n%s", name, again)
		}
	}
}

// A newer side may say more; an older one passes it over.
func TestUnknownFieldsArePassedOver(t *testing.T) {
	for name, message := range messages(t) {
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		more := append([]byte(`{"from_the_future":{"x":[1]},`), text[1:]...)
		back := reflect.New(reflect.TypeOf(message).Elem()).Interface()
		if err := json.Unmarshal(more, back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
