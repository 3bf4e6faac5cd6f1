package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

// windowsReleases are those of the catalogue: from and to are the two that it has, older is one
// that only devices still have.
func windowsReleases() []release {
	list := []release{
		{source: "7zip.7zip", name: "7-Zip", publisher: "Igor Pavlov", instance: "7-Zip", from: "24.07", older: "22.01", to: "24.08", age: 26 * day, security: true, size: 1_646_592, unsigned: true},
		{source: "Adobe.Acrobat.Reader.64-bit", name: "Adobe Acrobat Reader", publisher: "Adobe", instance: "{AC76BA86-1033-FF00-7760-BC15014EA700}", from: "24.002.21005", to: "24.003.20112", age: 9 * day, security: true, size: 664_797_184, updater: "Adobe Acrobat Update Service"},
		{source: "Git.Git", name: "Git", publisher: "The Git Development Community", instance: "Git_is1", from: "2.46.1", to: "2.46.2", age: 5 * day, size: 67_698_752},
		{source: "Google.Chrome", name: "Google Chrome", publisher: "Google", instance: "{C1DFDF69-5945-32F2-A35E-EE94C99C7CF4}", from: "129.0.6668.71", older: "126.0.6478.127", to: "129.0.6668.101", age: 3 * day, security: true, size: 119_537_664, updater: "Google Update"},
		{source: "Greenshot.Greenshot", name: "Greenshot", publisher: "Greenshot", instance: "Greenshot_is1", from: "1.2.10", to: "1.3.274", age: 20 * day, size: 3_471_360},
		{source: "HafenTerminalSoftware.LeitstandBildschirm", name: "Hafen Terminal Leitstand Bildschirm und Schrankensteuerung für Einfahrt Ost (2024)", publisher: "Hafen Terminal Software Gesellschaft für Umschlagtechnik mbH & Co. KG", instance: "HTL", from: "2024.8.1.11207", to: "2024.9.0.11530", age: 14 * day, size: 214_958_080},
		{source: "KeePassXCTeam.KeePassXC", name: "KeePassXC", publisher: "KeePassXC Team", instance: "{19600D36-40BD-4B6C-8CCF-5D7E4A2D4E0C}", from: "2.7.8", to: "2.7.9", age: 18 * day, security: true, size: 46_637_056},
		{source: "Mozilla.Firefox", name: "Mozilla Firefox", publisher: "Mozilla", instance: "Mozilla Firefox", from: "130.0.1", older: "115.0.2", to: "131.0.2", age: 40 * time.Hour, security: true, size: 65_011_712, updater: "the Mozilla Maintenance Service"},
		{source: "Notepad++.Notepad++", name: "Notepad++", publisher: "Notepad++ Team", instance: "Notepad++", from: "8.6.9", older: "7.9.5", to: "8.7", age: 23 * day, size: 6_557_696},
		{source: "Oracle.JavaRuntimeEnvironment", name: "Java 8", publisher: "Oracle", instance: "{26A24AE4-039D-4CA4-87B4-2F64180421F0}", from: "8.0.4110.9", older: "8.0.1910.12", to: "8.0.4210.9", age: 12 * day, security: true, size: 67_108_864},
		{source: "PDFsam.PDFsam", name: "PDFsam Basic", publisher: "Sober Lemur", instance: "{5C6D7A0C-B2CE-4E8D-9D3C-0B53C3E7F1A2}", from: "5.2.5", to: "5.2.9", age: 10 * day, size: 118_489_088, recalled: true},
		{source: "PuTTY.PuTTY", name: "PuTTY", publisher: "Simon Tatham", instance: "{DFE75174-0F22-4AB9-8E76-6B7B3B2C9D11}", from: "0.80", older: "0.76", to: "0.81", age: 25 * day, security: true, size: 3_809_280},
		{source: "Python.Python.3.12", name: "Python 3.12", publisher: "Python Software Foundation", instance: "{C9BB7B3D-1D4C-4F3B-8B1E-7A40F4D6A0C3}", from: "3.12.5150.0", to: "3.12.7150.0", age: 6 * day, security: true, size: 26_554_368},
		{source: "TeamViewer.TeamViewer", name: "TeamViewer", publisher: "TeamViewer", instance: "TeamViewer", from: "15.57.5", to: "15.58.4", age: 4 * day, security: true, size: 77_594_624},
		{source: "TheDocumentFoundation.LibreOffice", name: "LibreOffice", publisher: "The Document Foundation", instance: "{4B17E523-5D91-4E69-BD96-7FD81CFA81BB}", from: "24.8.1.2", older: "7.5.9.2", to: "24.8.2.1", age: 11 * day, security: true, size: 362_287_104},
		{source: "VideoLAN.VLC", name: "VLC media player", publisher: "VideoLAN", instance: "VLC media player", from: "3.0.20", older: "3.0.11", to: "3.0.21", age: 27 * day, security: true, size: 45_088_768},
		{source: "WinSCP.WinSCP", name: "WinSCP", publisher: "Martin Prikryl", instance: "winscp3_is1", arch: "x86", from: "6.3.4", to: "6.3.5", age: 8 * day, size: 11_829_248},
		{source: "Zoom.Zoom", name: "Zoom Workplace", publisher: "Zoom", instance: "ZoomUMX", scope: "anna.becker", from: "6.1.11.45504", to: "6.2.0.46690", age: 15 * time.Hour, security: true, size: 93_487_104, updater: "Zoom's own updater"},
		{source: "geeksoftware.PDF24Creator", name: "PDF24 Creator", publisher: "geek software", instance: "{3D40F5A1-8B4F-4A41-9A7E-3FB1F0A6F7C5}", older: "Unknown", from: "11.19.0", to: "11.20.0", age: 7 * day, size: 361_758_720,
			block: patch.KeptBack, why: "The program does not show its version, so whether an update took hold could not be seen."},
	}
	for i := range list {
		list[i].provider, list[i].arch = winget, cmp.Or(list[i].arch, "x64")
	}
	return list
}

// others are programs that no catalogue has: nobody updates them, or an updater of their own does.
func others() []patch.Item {
	item := func(name, version, arch, instance, updater string) patch.Item {
		return patch.Item{Provider: winget, Name: name, Architecture: arch, Instance: instance, Version: version, Updater: updater, Orphan: updater == ""}
	}
	return []patch.Item{
		item("Microsoft 365 Apps for Enterprise", "16.0.17928.20216", "x64", "O365ProPlusRetail - de-de", "Office Click-to-Run"),
		item("Microsoft Edge", "129.0.2792.79", "x86", "Microsoft Edge", "Microsoft Edge Update"),
		item("Microsoft Edge WebView2 Runtime", "129.0.2792.79", "x86", "Microsoft EdgeWebView", "Microsoft Edge Update"),
		item("Microsoft OneDrive", "24.186.0915.0004", "x64", "OneDriveSetup.exe", "OneDrive's own updater"),
		item("Microsoft Visual C++ 2015-2022 Redistributable", "14.38.33130.0", "x64", "{D8BBE9F9-7C5B-42C6-B715-9EE898A2E515}", ""),
		item("Microsoft Visual C++ 2010 Redistributable", "10.0.40219", "x86", "", ""),
		item("Realtek High Definition Audio Driver", "6.0.9549.1", "", "{F132AF7F-7BCA-4EDE-8A7C-958108FE7DBC}", ""),
		item("NVIDIA Graphics Driver", "551.23", "", "{B2FE1952-0186-46C3-BAEC-A80AA35AC5B8}_Display.Driver", ""),
		item("DATEV Arbeitsplatz", "13.2", "x86", "DATEV", ""),
		item("Bosch Rexroth IndraWorks Operation und Engineering für CNC-Steuerungen 15V22 P4", "15.22.498.0", "x86", "IWOE", ""),
		item("WinRAR", "5.71.0", "x64", "WinRAR archiver", ""),
		item("Sophos Endpoint Agent", "2024.2.3.2.0", "x64", "Sophos Endpoint Agent", ""),
	}
}

// personal are programs of one person alone.
func personal(who string) []patch.Item {
	return []patch.Item{
		{Provider: winget, Scope: who, Name: "Microsoft Visual Studio Code", Architecture: "x64", Instance: "{771FD6B0-FA20-440A-A002-3B3BAC16DC50}_is1", Version: "1.94.0", Updater: "Visual Studio Code's own updater"},
		{Provider: winget, Scope: who, Name: "Spotify", Instance: "Spotify", Version: "1.2.47.366.g0d7d2d0e", Updater: "Spotify's own updater"},
		{Provider: winget, Scope: who, Name: "Cisco Webex Meetings", Instance: "ActiveTouchMeetingClient", Version: "44.8.0", Orphan: true},
	}
}

func (d *device) windows(i, n int, random *rand.Rand) {
	names := []string{"ws-buchhaltung", "terminal-gate-7-zufahrt-ost-kamera-und-schranke-einfahrt-lastwagen-containerhafen", "laptop-außendienst", "dc-01", "neu-vm",
		"cnc-steuerung-halle-3-links-neben-dem-kran-hinter-der-zweiten-tuer-von-rechts-01", "empfang-01", "waage-ost", "kasse-2", "ws-konstruktion"}
	editions := []struct{ name, release, kernel, edition, distro, channel string }{
		{"Windows 11 Pro 24H2", "24H2", "10.0.26100.1882", "Professional", "windows", wire.ChannelReleasePreview},
		{"Windows 11 Pro 23H2", "23H2", "10.0.22631.4317", "Professional", "windows", wire.ChannelGAC},
		{"Windows 10 Pro 22H2", "22H2", "10.0.19045.5011", "Professional", "windows", wire.ChannelGAC},
		{"Windows Server 2022 Standard 21H2", "21H2", "10.0.20348.2762", "ServerStandard", "windows-server", wire.ChannelLTSC},
	}
	e := editions[n%len(editions)]
	d.facts = wire.Facts{Hostname: named(names, n, i), OS: "windows", Distro: e.distro, Release: e.release, OSName: e.name, Kernel: e.kernel, Edition: e.edition, Channel: e.channel,
		Architecture: "amd64", BootID: "b1", Zone: "Europe/Berlin", Providers: traitsOf(winget), Restart: wire.Restart{Services: []string{}}}
	for at, r := range windowsReleases() {
		if (at*7+n*3)%4 == 0 && n != 0 || r.scope != "" && n%3 != 2 {
			continue // not everybody has everything, and on few PCs people installed something
		}
		version := r.from
		if r.older != "" && (at+n)%3 == 1 || r.block != "" {
			version = r.older
		}
		d.installed = append(d.installed, r.item(version))
	}
	for at, item := range others() {
		if (at+n)%3 != 0 || at < 3 {
			d.installed = append(d.installed, item)
		}
	}
	if n%3 == 2 {
		d.installed = append(d.installed, personal("anna.becker")...)
		d.refuses["Zoom Workplace"] = "Zoom Workplace was installed by anna.becker alone, and only an agent that anna.becker runs can change it"
	}
	if e.distro == "windows-server" {
		d.facts.Services = [][]string{{"LanmanServer", "NTDS"}, {"MSSQLSERVER"}, {"LanmanServer", "W3SVC", "vmms"}}[n/4%3]
	}
	if n == 8 { // a till
		d.installed = append(d.installed, patch.Item{Provider: winget, Name: "Microsoft POS for .NET", Version: "1.14.1", Architecture: "amd64", Orphan: true})
	}
	d.windowsStory(n)
	d.byChance(n > 10, random)
	for name := range d.fails {
		d.fails[name] = name + ": The installer met an error it does not name and took back what it had done. Its own log or the event log says more; often files were in use, access was denied or the disk was full (exit code 1603)."
	}
	d.windowsSystem(n)
}

// windowsStory gives a Windows device what is wrong with it.
func (d *device) windowsStory(n int) {
	switch n % 10 {
	case 0:
		d.facts.Patchers = []string{"Intune", "Windows Update (automatic)"}
	case 1:
		d.facts.Restart = wire.Restart{Machine: true, Services: []string{},
			Reasons: []string{"12 files to be replaced or removed at the next start (weak)", "Windows Update", "Windows component servicing"}}
	case 2:
		d.facts.Patchers = []string{"Windows Update (automatic)", "Windows Update for Business"}
	case 3:
		d.facts.Patchers = []string{"Configuration Manager", "WSUS (http://wsus.mueller-maschinenbau.example:8530)"}
	case 4:
		d.fresh, d.mode = n == 4, wire.Observe
	case 5:
		d.fails = map[string]string{"LibreOffice": "", "PuTTY": ""}
	case 6:
		d.broken = "the programs of anna.becker cannot be read: C:\\Users\\anna.becker\\NTUSER.DAT is damaged"
	case 7:
		d.quiet = true
	case 8:
		d.lost = true
	case 9:
		d.facts.Restart = wire.Restart{Services: []string{}, Doubt: []string{"Mozilla Firefox"},
			Unknown: []string{`C:\Program Files\Mozilla Firefox\firefox.exe began before Mozilla Firefox was last installed, and may run what was there before until it is started again.`}}
	}
	if at := slices.IndexFunc(d.installed, func(i patch.Item) bool { return i.Name == "KeePassXC" }); n == 13 && at >= 0 {
		d.installed[at].Broken = "removed"
	}
}

// hash is of the installer of a version. Nobody ever reads it here.
func (r release) hash(version string) string {
	sum := sha256.Sum256([]byte(r.source + " " + version))
	return hex.EncodeToString(sum[:])
}

// catalogPackages is what the publisher signed for: of every package the newest release and
// the one before.
func catalogPackages(now time.Time) []patch.Package {
	var all []patch.Package
	for _, r := range windowsReleases() {
		newest, before := now.Add(-r.age), now.Add(-r.age-40*day)
		p := patch.Package{Provider: winget, ID: r.source, Name: r.name, Publisher: r.publisher, Marks: []patch.Mark{{Name: r.name, Publisher: r.publisher}},
			Releases: []patch.Release{{Version: r.to, ReleasedAt: &newest, Installers: r.installers(r.to)}, {Version: r.from, ReleasedAt: &before, Installers: r.installers(r.from)}}}
		if r.security {
			p.Releases[0].Security = patch.Yes
		}
		if r.recalled {
			p.Releases[0].Recalled = "It loses pages when it merges more than fifty files; its maker took it back."
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b patch.Package) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// installers are those of one version: of the larger programs there is a second one.
func (r release) installers(version string) []patch.Installer {
	size := r.size
	if version != r.to { // programs grow
		size = size * 97 / 100
	}
	kinds := []patch.InstallerKind{patch.NSIS, patch.WiX, patch.Inno, patch.MSI, patch.EXE}
	kind := kinds[len(r.source)%len(kinds)]
	i := patch.Installer{SHA256: r.hash(version), Size: size, Kind: kind, Architecture: r.arch, Scope: "machine", File: r.file(version, kind, r.arch),
		URL: fmt.Sprintf("https://download.example.test/%s/%s", r.source, version)}
	if r.scope != "" {
		i.Scope = "user"
	}
	if !r.unsigned {
		sum := sha256.Sum256([]byte(r.publisher))
		i.Signer = &patch.Signer{Name: r.publisher, Certificate: hex.EncodeToString(sum[:])}
	}
	list := []patch.Installer{i}
	if size > 300<<20 {
		i.Architecture, i.Size, i.File, i.SHA256 = "arm64", size*9/10, r.file(version, kind, "arm64"), r.hash(version+" arm64")
		list = append(list, i)
	}
	return list
}

func (r release) file(version string, kind patch.InstallerKind, arch string) string {
	end := "exe"
	if kind == patch.MSI || kind == patch.WiX {
		end = "msi"
	}
	return fmt.Sprintf("%s-%s-%s.%s", r.source, version, arch, end)
}
