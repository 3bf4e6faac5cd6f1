package e2e

import (
	"testing"

	"patchbay/patch"
	"patchbay/server/view"
	"patchbay/test/bed"
)

// rule is a site's rule for a program.
func rule(provider, pkg, wish, pin string) object {
	r := object{"provider": provider, "package": pkg, "wish": wish, "reason": "The till needs it."}
	if pin != "" {
		r["pin"] = pin
	}
	return r
}

// bySecurity is a site's policy that approves security updates by itself, with rules.
func bySecurity(rules ...object) object {
	return object{"auto": "security", "windows": []object{always()}, "applications": append([]object{}, rules...)}
}

func (in *installation) changePolicy(site string, policy object) {
	in.t.Helper()
	call[view.Site](in, "PATCH", "/sites/"+site, object{"policy": policy})
}

// What a rule leaves alone or keeps at a version is not touched, though security updates are
// approved by themselves; a person's word still counts.
func TestARuleGoesBeforeApprovalByItself(t *testing.T) {
	t.Parallel()
	in := install(t)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	have := []string{"bed-lib", "bed-app", "bed-conf"}
	d := in.bed.Device(t, bed.Options{Name: "till", Origin: in.bed.Serve(t, archive), Install: have})
	archive.Publish(t, bed.Security, "bed-lib=1.2", "bed-app=1.2", "bed-conf=1.2")
	d.Must(t, "apt-get", "update")
	site := in.site(in.customer("Acme"), "HQ", bySecurity(rule("apt", "bed-app", "leave", ""), rule("apt", "bed-conf", "update", "1.0.")))
	e := in.enrol(d, site)
	e.expect("bed-lib", "VERIFIED")
	says(t, e.expect("bed-app", "REJECTED"), "A rule at HQ leaves bed-app alone.", "The till needs it.")
	says(t, e.expect("bed-conf", "REJECTED"), "A rule at HQ keeps bed-conf at 1.0.")
	for _, name := range []string{"bed-app", "bed-conf"} {
		if p, err := e.Oracle().Package(t.Context(), name); err != nil || p.Version != "1.0" {
			t.Errorf("%s is %s, %v", name, p, err)
		}
	}
	e.approve("bed-app", false)
	in.changePolicy(site, bySecurity(rule("apt", "bed-app", "leave", ""), rule("apt", "bed-conf", "update", "1.")))
	e.expect("bed-app", "VERIFIED")
	e.expect("bed-conf", "VERIFIED")
	checkReceipts(t, in, e)
}

// A program that is wanted goes the whole way where it is not: it is on offer in its pin,
// installed, read again under its own name, and then kept at its pin; what is left alone stays.
func TestAWantedProgramGoesTheWholeWay(t *testing.T) {
	t.Parallel()
	in := install(t)
	o := in.newOffice()
	maker := bed.NewSigner(t, "Bed Works")
	nsis := map[string]string{}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		msi := maker.Sign(t, bed.Installer{Kind: bed.MSI, Version: v}.Build(t))
		nsis[v] = maker.Sign(t, bed.Installer{Kind: bed.NSIS, Version: v}.Build(t))
		o.describe("BedWorks.Msi", "Bed MSI", v, "wix", msi)
		o.describe("BedWorks.Nsis", "Bed NSIS", v, "nullsoft", nsis[v])
		o.pin("BedWorks.Msi", msi)
		o.pin("BedWorks.Nsis", nsis[v])
	}
	w := bed.NewWindows(t, bed.WindowsOptions{Name: "ben-pc"})
	for name, path := range map[string]string{"bed.exe": nsis["1.0.0"], "patchbay-agent.exe": bed.GoProgram(t, "patchbay/cmd/patchbay-agent")} {
		if err := w.CopyFile(path, `C:\bed\`+name); err != nil {
			t.Fatal(err)
		}
	}
	w.Must(t, `C:\bed\bed.exe`, "/S")
	site := in.site(in.customer("Acme"), "HQ", bySecurity(rule("winget", "BedWorks.Nsis", "leave", ""), rule("winget", "BedWorks.Msi", "install", "1.0."), rule("winget", "BedWorks.None", "install", "")))
	server, token := in.newToken(site)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "enroll", "--server", server, "--token", token)
	w.Must(t, `C:\bed\patchbay-agent.exe`, "install")
	e := &endpoint{Device: &bed.Device{Name: "ben-pc"}, in: in, id: in.windowsDevice(site).ID}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := w.ReadFile(windowsState + `\agent.log`)
			t.Logf("the agent's log:\n%s", log)
		}
	})

	n := e.expect("Bed MSI", "REJECTED") // 1.0.0 was installed, and what comes after it is beyond its pin
	says(t, n, "A rule at HQ keeps Bed MSI at 1.0.")
	if n.Installed != "1.0.0" || n.Available != "1.1.0" {
		t.Errorf("Bed MSI: %s → %s", n.Installed, n.Available)
	}
	e.lists(w, "Bed MSI", "1.0.0")
	checkReceipts(t, in, e)
	jobs := call[view.Page[view.Job]](in, "GET", "/jobs?device="+e.id, nil).Items
	if len(jobs) != 1 || jobs[0].From != "" || jobs[0].To != "1.0.0" || jobs[0].Decision != "rule:"+site+":winget/BedWorks.Msi" {
		t.Errorf("jobs %+v", jobs)
	}
	says(t, e.expect("Bed NSIS", "REJECTED"), "A rule at HQ leaves Bed NSIS alone.")
	e.lists(w, "Bed NSIS", "1.0.0")
	says(t, e.expect("BedWorks.None", "NO_FIX"), "A rule wants BedWorks.None installed here.", "catalogue")

	in.changePolicy(site, bySecurity(rule("winget", "BedWorks.Nsis", "update", ""), rule("winget", "BedWorks.Msi", "install", "")))
	for _, item := range []string{"Bed MSI", "Bed NSIS"} {
		e.expect(item, "VERIFIED")
		e.lists(w, item, "1.1.0")
	}
	if _, there := e.needs()["BedWorks.None"]; there {
		t.Error("nobody wants it any more, and it is still needed")
	}
	items := call[view.Page[patch.Item]](in, "GET", "/devices/"+e.id+"/items?limit=100", nil).Items
	for _, i := range items {
		if i.Source == "BedWorks.Msi" && i.Version != "1.1.0" {
			t.Errorf("the inventory has %+v", i)
		}
	}
}
