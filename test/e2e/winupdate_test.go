package e2e

import (
	"strings"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// TestWindowsUpdatesGoTheWholeWay: with the stand-in for Windows' update engine, from an offer
// to a restart that proves it, and back; and an update that the engine only says it installed.
func TestWindowsUpdatesGoTheWholeWay(t *testing.T) {
	t.Parallel()
	in := install(t)
	w := bed.NewWindows(t, bed.WindowsOptions{Name: "eve-pc"})
	w.Import(t, "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n"+
		"\"CurrentBuildNumber\"=\"22631\"\n\"CurrentBuild\"=\"22631\"\n\"UBR\"=dword:00000fa0\n")
	security := []bed.Category{{ID: "0fa1201d-4330-4fa8-8ae9-b877473b6441", Type: "UpdateClassification", Name: "Security Updates"}}
	month := bed.Update{ID: "0a5c1c9e-8b0b-4c3a-9d3e-000000000001", Revision: 200, KBs: []string{"5044285"}, CVEs: []string{"CVE-2024-43572"}, Severity: "Critical",
		Title:      "2024-10 Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (KB5044285) (22631.4317)",
		Categories: security, Changed: time.Date(2024, 10, 8, 17, 0, 0, 0, time.UTC), Size: "700000000", Reboot: 1, Restarts: true, Removable: true,
		UBR: 4317, Packages: []string{"Package_for_RollupFix~31bf3856ad364e35~amd64~~22631.4317.1.10"}}
	liar := bed.Update{ID: "0a5c1c9e-8b0b-4c3a-9d3e-000000000002", Revision: 100, KBs: []string{"5045935"}, Severity: "Important",
		Title:      "2024-10 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 23H2 for x64 (KB5045935)",
		Categories: security, Changed: time.Date(2024, 10, 8, 17, 0, 0, 0, time.UTC), Misdeed: bed.Lies,
		Packages: []string{"Package_for_KB5045935~31bf3856ad364e35~amd64~~10.0.9277.3"}}
	bed.Updates{List: []bed.Update{month, liar}}.Put(t, w)
	if err := w.CopyFile(bed.GoProgram(t, "patchbay/cmd/patchbay-agent"), `C:\bed\patchbay-agent.exe`); err != nil {
		t.Fatal(err)
	}
	policy := byHand(always())
	policy["beside"] = []string{"Windows Update (automatic)"} // which wine, like any Windows, does by itself unless told otherwise
	site := in.site(in.customer("Acme"), "HQ", policy)
	server, token := in.newToken(site)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "enroll", "--server", server, "--token", token)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "install")
	device := in.windowsDevice(site)
	e := &endpoint{Device: &bed.Device{Name: "eve-pc"}, in: in, id: device.ID}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := w.ReadFile(windowsState + `\agent.log`)
			t.Logf("the agent said:\n%s", log)
		}
	})
	// restart starts Windows anew, which finishes what waited for it. The agent may have read it
	// before that was done, and the server believes it a minute later: so it is asked again.
	restart := func(item, verdict string) {
		t.Helper()
		if err := w.Reboot(t.Context()); err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		e.waitFor("for "+item+" to be "+verdict+" after the restart", func() bool {
			if time.Since(asked) > 20*time.Second {
				e.scan()
				asked = time.Now()
			}
			return string(e.needs()[item].Verdict.Name) == verdict
		})
	}

	// An item's name ends with a mark of its update's ID: an approval is for that one alone.
	kb, lie := "", ""
	e.waitFor("until both are on offer", func() bool {
		for name := range e.needs() {
			switch {
			case strings.HasPrefix(name, "KB5044285 ("):
				kb = name
			case strings.HasPrefix(name, "KB5045935 ("):
				lie = name
			}
		}
		return kb != "" && lie != ""
	})
	n := e.expect(kb, "WAITS_DECISION")
	if n.Installed != "" || n.Available != "200" || string(n.Reversibility) != "A" || !strings.Contains(strings.Join(asTexts(n.Classes), " "), "security") {
		t.Errorf("on offer: %+v", n)
	}
	e.approve(kb, false)
	says(t, e.expect(kb, "INSTALLED_PENDING_REBOOT"), "reboot")
	restart(kb, "VERIFIED")
	if s := w.EngineState(t, month.ID); s["installed"] == "" {
		t.Errorf("the engine keeps of it %v", s)
	}

	e.approve(lie, false)
	v := e.expect(lie, "DISPUTED")
	says(t, v, "KB5045935")

	call[object](in, "POST", "/approvals", object{"level": "device", "target": e.id, "what": object{"need": e.needs()[kb].ID}, "answer": "undo", "reason": "printers fail"})
	e.waitFor("until it is uninstalled", func() bool {
		return w.EngineState(t, month.ID)["pending"] == "2" // it is taken off at the restart
	})
	says(t, e.expect(kb, "INSTALLED_PENDING_REBOOT"), "being taken off", "until the machine restarts")
	restart(kb, "ROLLED_BACK")
	says(t, e.expect(kb, "ROLLED_BACK"), "printers fail", "no longer there")

	for _, c := range w.EngineCalls(t) {
		if c.What == "install" && strings.Contains(c.Words, month.ID) && strings.Contains(c.Words, liar.ID) {
			t.Errorf("installed together what was approved apart: %+v", c)
		}
	}
	for _, j := range call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items {
		if r := call[view.JobDetail](in, "GET", "/jobs/"+j.ID, nil).Receipt; r != nil && r.Verified && strings.Contains(j.Item.Name, "5045935") {
			t.Error("a receipt proves what nothing bears out")
		}
	}
}

func asTexts[T ~string](list []T) []string {
	var texts []string
	for _, x := range list {
		texts = append(texts, string(x))
	}
	return texts
}
