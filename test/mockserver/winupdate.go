package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"patchbay/patch"
	"patchbay/wire"
)

const winupdate = "winupdate"

// systemUpdate is an update of a Windows itself: an item of its own, which is not there before.
type systemUpdate struct {
	patch.Update
	age, first time.Duration // how long ago it came out, and what it mends was first mended; 0 is not known
	until      time.Duration // how long ago it went from offer again
}

// guid is an ID that is always the same for a title.
func guid(title string) string {
	sum := sha256.Sum256([]byte(title))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// system makes one. Where it has no single KB its title is its name.
func system(kb, title string, age time.Duration, size int64, reboot patch.Answer, classes ...patch.Class) systemUpdate {
	s := systemUpdate{age: age, Update: patch.Update{Provider: winupdate, Name: title, Title: title, Instance: guid(title), Source: guid(title), Origin: "Windows Update",
		Available: "200", Classes: classes, Size: size, Reboot: reboot, Reversibility: patch.ByManager, ReversibilityWhy: "Windows can uninstall it."}}
	if kb != "" {
		s.Name = kb
	}
	s.Name = fmt.Sprintf("%s (%.4x)", s.Name, sha256.Sum256([]byte(s.Source))) // as the provider marks it
	return s
}

func (s systemUpdate) with(severity patch.Severity, cves, from int) systemUpdate {
	s.Severity = severity
	for i := range cves {
		s.Advisories = append(s.Advisories, fmt.Sprintf("CVE-2024-%d", from+i*7))
	}
	return s
}

func (s systemUpdate) stays() systemUpdate {
	s.Reversibility, s.ReversibilityWhy = patch.NotAtAll, "Windows has no way to uninstall it."
	return s
}

func (s systemUpdate) chosen(why string) systemUpdate {
	s.Block, s.BlockWhy = patch.Optional, why
	return s
}

// systemUpdates are those for a release, the one before that was installed last month first.
func systemUpdates(release, distro string) []systemUpdate {
	const reboots, mb = patch.Yes, 1 << 20
	before := system("KB5043076", "2024-09 Cumulative Update for Windows 11 Version "+release+" for x64-based Systems (KB5043076)", 46*day, 712*mb, reboots, patch.Security).with(patch.SeverityCritical, 31, 38014)
	list := map[string][]systemUpdate{
		"24H2": {before,
			system("KB5044284", "2024-10 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5044284)", 18*day, 864*mb, reboots, patch.Security).with(patch.SeverityCritical, 42, 43501),
			system("KB5044030", "2024-10 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5044030)", 18*day, 68*mb, patch.Unknown, patch.Security).with(patch.SeverityHigh, 2, 43483),
			system("KB5044384", "2024-10 Cumulative Update Preview for Windows 11 Version 24H2 for x64-based Systems (KB5044384)", 2*day, 871*mb, reboots, patch.BugFix, patch.Preview).chosen("It is a preview, so a person has to choose it.")},
		"23H2": {before,
			system("KB5044285", "2024-10 Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (KB5044285)", 18*day, 744*mb, reboots, patch.Security).with(patch.SeverityCritical, 39, 43501),
			system("KB5044033", "2024-10 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 23H2 for x64 (KB5044033)", 18*day, 66*mb, patch.Unknown, patch.Security).with(patch.SeverityHigh, 2, 43483),
			system("KB5044380", "2024-10 Cumulative Update Preview for Windows 11 Version 23H2 for x64-based Systems (KB5044380)", 3*day, 751*mb, reboots, patch.BugFix, patch.Preview).chosen("It is a preview, so a person has to choose it."),
			system("", "Windows 11, version 24H2", 20*day, 4_180*mb, reboots, patch.Feature)},
		"22H2": {system("KB5043064", "2024-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5043064)", 46*day, 690*mb, reboots, patch.Security).with(patch.SeverityCritical, 28, 38014),
			system("KB5044273", "2024-10 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5044273)", 18*day, 702*mb, reboots, patch.Security).with(patch.SeverityCritical, 36, 43501),
			system("KB5043935", "2024-10 Servicing Stack Update for Windows 10 Version 22H2 for x64-based Systems (KB5043935)", 18*day, 15*mb, patch.No, patch.Critical).stays()},
		"21H2": {system("KB5042881", "2024-09 Cumulative Update for Microsoft server operating system version 21H2 for x64-based Systems (KB5042881)", 46*day, 388*mb, reboots, patch.Security).with(patch.SeverityCritical, 25, 38014),
			system("KB5044281", "2024-10 Cumulative Update for Microsoft server operating system version 21H2 for x64-based Systems (KB5044281)", 18*day, 391*mb, reboots, patch.Security).with(patch.SeverityCritical, 33, 43501)},
	}[release]
	list[1].first = 46 * day
	definitions := system("KB2267602", "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.419.512.0) - Current Channel (Broad)", 5*time.Hour, 1_140*mb, patch.No, patch.Definition).stays()
	older := system("KB2267602", "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.419.488.0) - Current Channel (Broad)", 2*day, 1_139*mb, patch.No, patch.Definition).stays()
	older.until, definitions.Supersedes = 5*time.Hour, []string{older.Source}
	list = append(list, older, definitions,
		system("KB890830", "Windows Malicious Software Removal Tool x64 - v5.129 (KB890830)", 18*day, 72*mb, patch.No, patch.Rollup).stays())
	if distro == "windows" {
		list = append(list, system("", "Intel Corporation - System - 10.1.19627.8423", 11*day, 1_310_720, patch.Unknown, patch.Driver).stays(),
			system("", "Realtek Semiconductor Corp. - MEDIA - 6.0.9657.1", 9*day, 71*mb, reboots, patch.Driver).chosen("Microsoft offers it as optional, so a person has to choose it."))
	}
	return list
}

// windowsSystem gives a Windows device its updates, and to some what is wrong with them.
func (d *device) windowsSystem(n int) {
	d.facts.Providers = append(d.facts.Providers, traitsOf(winupdate)...)
	d.installed = append(d.installed, patch.Item{Provider: winupdate, Name: "Windows", Title: d.facts.OSName, Version: d.facts.Kernel, Origin: "Windows Update"})
	defer d.engine(n, time.Now())
	d.left = map[string]bool{"": n == engineStuck || n == engineOffline}
	for at, s := range systemUpdates(d.facts.Release, d.facts.Distro) {
		if at > 0 && (at*5+n*3)%7 == 0 {
			continue // not for this one
		}
		d.system = append(d.system, s)
	}
	if n == engineBusiest {
		for _, s := range busiest() {
			d.system, d.left[s.Name] = append(d.system, s), true
		}
	}
	last := &d.system[0]
	if n%4 != 3 {
		d.installed = append(d.installed, last.item())
	}
	switch n % 10 {
	case 1:
		if n%4 == 3 {
			return
		}
		i := &d.installed[len(d.installed)-1]
		i.Disputed = "Windows Update says that it is installed, and the build is " + d.facts.Kernel + ", which is older than what it brings"
	case 5, 8:
		d.fails[d.system[min(1, len(d.system)-1)].Name] = "Windows could not finish it: the partition that Windows starts from has too little room, or what protects it was in the way (0x800F0922)."
	}
}

func (s systemUpdate) item() patch.Item {
	return patch.Item{Provider: winupdate, Name: s.Name, Title: s.Title, Instance: s.Instance, Source: s.Source, Origin: s.Origin, Version: s.Available, Previous: s.before()}
}

// before is what is there without it.
func (s systemUpdate) before() string {
	if s.Reversibility == patch.ByManager {
		return patch.Nothing
	}
	return ""
}

// offersSystem puts on offer what came out by then, is not there, and was not replaced.
func (d *device) offersSystem(age time.Duration, now time.Time) {
	for _, s := range d.system {
		there := slices.ContainsFunc(d.installed, func(i patch.Item) bool { return i.Provider == winupdate && i.Source == s.Source })
		if s.age < age || s.until >= age && s.until > 0 || there {
			continue
		}
		u, released := s.Update, now.Add(age-s.age)
		u.ReleasedAt, u.ReleasedBy = &released, "index"
		if s.first > 0 {
			first := now.Add(age - s.first)
			u.FirstAt = &first
		}
		d.offered = append(d.offered, u)
	}
}

// addsSystem makes an update an item, as Windows would.
func (d *device) addsSystem(t wire.Target) {
	for _, s := range d.system {
		if s.Key() == t.Key() && s.Available == t.To {
			d.installed = append(d.installed, s.item())
		}
	}
}
